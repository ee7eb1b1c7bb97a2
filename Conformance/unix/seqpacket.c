#include "check.h"
#include "unix/address.h"
#include <fcntl.h>

// SOCK_SEQPACKET: connections that keep boundaries.
int main(void) {
  char text[32] = "";
  int server = bound(SOCK_SEQPACKET, address_of("s")), client, peer;
  CHECK_OK("listen", listen(server, 1));
  client = NEED(socket(AF_UNIX, SOCK_SEQPACKET, 0));
  CHECK_OK("connect", connect_to(client, address_of("s")));
  CHECK_OK("accept", peer = accept(server, NULL, NULL));
  NEED(send(client, "one", 3, 0));
  NEED(send(client, "three", 5, 0));
  CHECK_IS("one record", recv(peer, text, 32, 0), 3);
  CHECK_IS("a short read", recv(peer, text, 2, 0), 2);
  CHECK_FAILS("loses the rest", recv(peer, text, 32, MSG_DONTWAIT), EAGAIN);
  NEED(send(client, "0123456789", 10, MSG_EOR));
  struct iovec part = {text, 4};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  CHECK_IS("recvmsg", recvmsg(peer, &message, 0), 4);
  CHECK_IS("MSG_TRUNC", message.msg_flags & MSG_TRUNC, MSG_TRUNC);
  NEED(send(peer, "a", 1, 0));
  NEED(send(peer, "b", 1, 0));
  CHECK_IS("read is recv", read(client, text, 32), 1);
  close(peer);
  CHECK_IS("a record sent before the end", recv(client, text, 32, 0), 1);
  CHECK_IS("the end", recv(client, text, 32, 0), 0);
  CHECK_FAILS("sending is over", send(client, "x", 1, MSG_NOSIGNAL), EPIPE);
  int stream = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
  CHECK_FAILS("another type can't connect", connect_to(stream, address_of("s")), EPROTOTYPE);

  int pair[2];
  CHECK_OK("socketpair", socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
  for (int i = 0; i < 20; i++) NEED(send(pair[0], text, i + 1, 0));
  int good = 1;
  for (int i = 0; i < 20; i++) good &= recv(pair[1], text, 32, 0) == i + 1;
  CHECK("twenty records in order", good);
  return check_status();
}
