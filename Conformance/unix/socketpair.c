#include "check.h"
#include "unix/address.h"
#include <fcntl.h>

// socketpair(2) and what socket(2) refuses.
int main(void) {
  int pair[2], type;
  char text[8];
  socklen_t size = sizeof type;
  CHECK_OK("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  NEED(write(pair[0], "a", 1));
  NEED(write(pair[1], "b", 1));
  CHECK_IS("one way", (read(pair[1], text, 8), text[0]), 'a');
  CHECK_IS("and the other", (read(pair[0], text, 8), text[0]), 'b');
  NEED(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &type, &size));
  CHECK_IS("SO_TYPE", type, SOCK_STREAM);
  NEED(getsockopt(pair[0], SOL_SOCKET, SO_DOMAIN, &type, &size));
  CHECK_IS("SO_DOMAIN", type, AF_UNIX);
  NEED(getsockopt(pair[0], SOL_SOCKET, SO_PROTOCOL, &type, &size));
  CHECK_IS("SO_PROTOCOL", type, 0);
  NEED(getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &type, &size));
  CHECK_IS("SO_ERROR", type, 0);
  struct sockaddr_un name;
  size = sizeof name;
  CHECK_OK("getsockname", getsockname(pair[0], (struct sockaddr *)&name, &size));
  CHECK_IS("no name", size, 2);
  CHECK_IS("family", name.sun_family, AF_UNIX);
  size = sizeof name;
  CHECK_OK("getpeername", getpeername(pair[0], (struct sockaddr *)&name, &size));
  CHECK_IS("nor has the peer", size, 2);
  IN_CHILD(NEED(write(pair[1], "child", 5)));
  CHECK_IS("a child writes", read(pair[0], text, 8), 5);

  NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
  CHECK_FAILS("SOCK_NONBLOCK", read(pair[0], text, 1), EAGAIN);
  CHECK_OK("SOCK_RAW is SOCK_DGRAM", socketpair(AF_UNIX, SOCK_RAW, 0, pair));
  NEED(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &type, &size));
  CHECK_IS("SO_TYPE", type, SOCK_DGRAM);
  CHECK_FAILS("an unknown type", socketpair(AF_UNIX, 15, 0, pair), EINVAL);
  CHECK_FAILS("an odd type", socketpair(AF_UNIX, SOCK_RDM, 0, pair), ESOCKTNOSUPPORT);
  CHECK_FAILS("an odd protocol", socketpair(AF_UNIX, SOCK_STREAM, 7, pair), EPROTONOSUPPORT);
  CHECK_OK("PF_UNIX as protocol", socketpair(AF_UNIX, SOCK_STREAM, PF_UNIX, pair));
  CHECK_FAILS("an unknown family", socket(200, SOCK_STREAM, 0), EAFNOSUPPORT);
  CHECK_FAILS("a negative family", socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
  CHECK_FAILS("not a socket", send(0, "x", 1, 0), ENOTSOCK);
  CHECK_FAILS("getsockname of a file", getsockname(0, (struct sockaddr *)&name, &size), ENOTSOCK);
  CHECK_FAILS("a closed descriptor", recv(99, text, 1, 0), EBADF);
  CHECK_FAILS("an unknown option", getsockopt(pair[0], SOL_SOCKET, 9999, &type, &size),
    ENOPROTOOPT);
  CHECK_FAILS("an unknown level", setsockopt(pair[0], 9999, 1, &type, 4), EOPNOTSUPP);
  CHECK_FAILS("too short an option", setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &type, 1), EINVAL);
  return check_status();
}
