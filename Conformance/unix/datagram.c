#include "check.h"
#include "unix/address.h"
#include <fcntl.h>
#include <sys/ioctl.h>

// Datagrams: boundaries, addresses, truncation, a connected peer.
int main(void) {
  char text[32] = "";
  struct sockaddr_un from;
  socklen_t size = sizeof from;
  struct address to = address_of("a");
  int a = bound(SOCK_DGRAM, to), b = bound(SOCK_DGRAM, address_of("b"));
  int nameless = NEED(socket(AF_UNIX, SOCK_DGRAM, 0));
  struct sockaddr *target = (struct sockaddr *)&to.name;

  CHECK_FAILS("send without a peer", send(b, "x", 1, 0), ENOTCONN);
  CHECK_IS("sendto", sendto(b, "one", 3, 0, target, to.size), 3);
  CHECK_IS("sendto again", sendto(b, "three", 5, 0, target, to.size), 5);
  CHECK_IS("recvfrom", recvfrom(a, text, 32, 0, (struct sockaddr *)&from, &size), 3);
  CHECK_TEXT("from b", from.sun_path, "b");
  CHECK_IS("address size", size, 4);
  int waiting;
  NEED(ioctl(a, FIONREAD, &waiting));
  CHECK_IS("FIONREAD is the next one's size", waiting, 5);
  CHECK_IS("MSG_PEEK", recv(a, text, 32, MSG_PEEK), 5);
  CHECK_IS("a short one", recv(a, text, 2, 0), 2);
  CHECK_FAILS("loses the rest", recv(a, text, 32, MSG_DONTWAIT), EAGAIN);
  NEED(sendto(b, "truncated", 9, 0, target, to.size));
  CHECK_IS("MSG_TRUNC gives the real size", recv(a, text, 4, MSG_TRUNC), 9);
  NEED(sendto(b, "truncated", 9, 0, target, to.size));
  struct iovec part = {text, 4};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  CHECK_IS("recvmsg", recvmsg(a, &message, 0), 4);
  CHECK_IS("says so", message.msg_flags & MSG_TRUNC, MSG_TRUNC);
  CHECK_IS("an empty one", sendto(b, "", 0, 0, target, to.size), 0);
  CHECK_IS("arrives", recv(a, text, 32, 0), 0);

  NEED(sendto(nameless, "who", 3, 0, target, to.size));
  size = sizeof from;
  CHECK_IS("from a nameless one", recvfrom(a, text, 32, 0, (struct sockaddr *)&from, &size), 3);
  CHECK_IS("no address", size, 0);

  CHECK_OK("connect", connect_to(b, to));
  CHECK_IS("send", send(b, "four", 4, 0), 4);
  CHECK_IS("recv", recv(a, text, 32, 0), 4);
  CHECK_OK("connect the other way", connect_to(a, address_of("b")));
  CHECK_FAILS("a connected one takes none from others",
    sendto(nameless, "x", 1, 0, target, to.size), EPERM);
  size = sizeof from;
  NEED(getpeername(b, (struct sockaddr *)&from, &size));
  CHECK_TEXT("getpeername", from.sun_path, "a");
  struct sockaddr none = {AF_UNSPEC, ""};
  CHECK_OK("AF_UNSPEC disconnects", connect(a, &none, sizeof none));
  CHECK_FAILS("no peer", send(a, "x", 1, 0), ENOTCONN);

  CHECK_FAILS("a missing name", sendto(nameless, "x", 1, 0,
    (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, "m"}, sizeof from), ENOENT);
  close(a);
  CHECK_FAILS("a name without a socket", sendto(nameless, "x", 1, 0, target, to.size),
    ECONNREFUSED);
  CHECK_FAILS("a closed peer", send(b, "x", 1, 0), ECONNREFUSED);
  CHECK_FAILS("listen", listen(b, 1), EOPNOTSUPP);

  int pair[2];
  NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  NEED(fcntl(pair[0], F_SETFL, O_NONBLOCK));
  int count = 0;
  while (send(pair[0], text, 1, 0) == 1) count++;
  CHECK("the queue has an end", count >= 1 && count < 10000);
  CHECK_FAILS("EAGAIN", send(pair[0], text, 1, 0), EAGAIN);
  for (int i = 0; i < count; i++) NEED(recv(pair[1], text, 1, MSG_DONTWAIT));
  CHECK_FAILS("empty", recv(pair[1], text, 1, MSG_DONTWAIT), EAGAIN);
  CHECK_IS("there is room again", send(pair[0], text, 1, 0), 1);
  static char large[150000];
  CHECK_IS("100 KB at once", (recv(pair[1], text, 1, 0), send(pair[0], large, 100000, 0)), 100000);
  CHECK_IS("arrive at once", recv(pair[1], large, sizeof large, 0), 100000);
  close(pair[1]);
  CHECK_FAILS("the peer is gone", send(pair[0], text, 1, MSG_NOSIGNAL), ECONNREFUSED);
  return check_status();
}
