// static
#include "check.h"
#include "unix/address.h"
#include <fcntl.h>
#include <sys/ioctl.h>

// A stream socket: listen, connect, accept, talk, end.
int main(void) {
  char text[32] = "";
  int server = bound(SOCK_STREAM, address_of("s"));
  CHECK_OK("listen", listen(server, 5));
  int value, client, peer;
  socklen_t size = sizeof value;
  CHECK_OK("SO_ACCEPTCONN", getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &value, &size));
  CHECK_IS("listens", value, 1);
  NEED(client = socket(AF_UNIX, SOCK_STREAM, 0));
  CHECK_FAILS("send before connect", send(client, "x", 1, MSG_NOSIGNAL), ENOTCONN);
  CHECK_FAILS("recv before connect", recv(client, text, 1, 0), EINVAL);
  CHECK_OK("connect before accept", connect_to(client, address_of("s")));
  CHECK_IS("send before accept", send(client, "early", 5, 0), 5);
  CHECK_OK("accept", peer = accept(server, NULL, NULL));
  CHECK_IS("recv", recv(peer, text, 32, 0), 5);
  CHECK_TEXT("text", text, "early");
  CHECK_IS("write is send", write(peer, "back", 4), 4);
  CHECK_IS("read is recv", read(client, text, 2), 2);
  CHECK_IS("a stream has no records", (write(peer, "more", 4), recv(client, text, 32, 0)), 6);
  CHECK("in order", memcmp(text, "ckmore", 6) == 0);
  NEED(send(peer, "12345", 5, 0));
  NEED(ioctl(client, FIONREAD, &value));
  CHECK_IS("FIONREAD", value, 5);
  CHECK_IS("MSG_WAITALL", (send(peer, "678", 3, 0), recv(client, text, 8, MSG_WAITALL)), 8);
  CHECK("text", memcmp(text, "12345678", 8) == 0);
  CHECK_FAILS("MSG_DONTWAIT", recv(client, text, 1, MSG_DONTWAIT), EAGAIN);
  CHECK_FAILS("connect again", connect_to(client, address_of("s")), EISCONN);
  CHECK_FAILS("listen on a connection", listen(client, 1), EINVAL);
  CHECK_FAILS("accept on a connection", accept(client, NULL, NULL), EINVAL);
  CHECK_FAILS("lseek", lseek(client, 0, SEEK_SET), ESPIPE);
  CHECK_FAILS("send with an address", sendto(client, "x", 1, MSG_NOSIGNAL,
    (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, "s"}, sizeof(struct sockaddr_un)), EISCONN);

  NEED(send(client, "last", 4, 0));
  close(client);
  CHECK_IS("what was sent is still there", recv(peer, text, 32, 0), 4);
  CHECK_IS("then the end", recv(peer, text, 32, 0), 0);
  CHECK_FAILS("sending is over", send(peer, "x", 1, MSG_NOSIGNAL), EPIPE);
  close(peer);

  NEED(client = socket(AF_UNIX, SOCK_STREAM, 0));
  NEED(connect_to(client, address_of("s")));
  NEED(peer = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
  CHECK_IS("accept4 SOCK_CLOEXEC", fcntl(peer, F_GETFD), FD_CLOEXEC);
  CHECK_FAILS("accept4 SOCK_NONBLOCK", recv(peer, text, 1, 0), EAGAIN);
  CHECK_FAILS("accept4 with other flags", accept4(server, NULL, NULL, 1), EINVAL);
  NEED(send(peer, "unread", 6, 0));
  NEED(send(client, "unread", 6, 0));
  close(peer);
  CHECK_IS("data sent before", recv(client, text, 32, 0), 6);
  CHECK_FAILS("closing with unread data resets", recv(client, text, 32, 0), ECONNRESET);
  CHECK_IS("once", recv(client, text, 32, 0), 0);

  NEED(fcntl(server, F_SETFL, O_NONBLOCK));
  CHECK_FAILS("nobody to accept", accept(server, NULL, NULL), EAGAIN);
  NEED(fcntl(server, F_SETFL, 0));
  pid_t child = NEED(fork());
  if (child == 0) {
    int own = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
    NEED(connect_to(own, address_of("s")));
    NEED(recv(own, text, 5, MSG_WAITALL));
    _exit(memcmp(text, "hello", 5) ? 1 : 6);
  }
  CHECK_OK("accept waits", peer = accept(server, NULL, NULL));
  NEED(send(peer, "hel", 3, 0));
  NEED(send(peer, "lo", 2, 0));
  CHECK_IS("child", wait_code(child), 6);
  return check_status();
}
