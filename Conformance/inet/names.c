#include "check.h"
#include "inet/inet.h"

// bind(2), getsockname(2): ports, addresses in use, versions 4 and 6 together, SO_REUSEPORT.

static int try_bind(int type, struct address address, int option) {
  int fd = NEED(socket(address.any.sa_family, type, 0));
  if (option) NEED(set_option(fd, SOL_SOCKET, option, 1));
  if (bind_to(fd, address) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

int main(void) {
  int fd = NEED(socket(AF_INET, SOCK_STREAM, 0));
  struct address name = name_of(fd);
  CHECK("a fresh one has no name", name.v4.sin_port == 0 && name.v4.sin_addr.s_addr == 0);
  CHECK_IS("bind to port 0", bind_to(fd, loopback(AF_INET, 0)), 0);
  name = name_of(fd);
  CHECK("gives a port", ntohs(name.v4.sin_port) > 1023);
  CHECK_FAILS("a second name", bind_to(fd, loopback(AF_INET, 0)), EINVAL);
  CHECK_FAILS("in use", try_bind(SOCK_STREAM, name, 0), EADDRINUSE);
  CHECK_OK("not so for UDP", try_bind(SOCK_DGRAM, name, 0));
  struct address foreign = name;
  foreign.v4.sin_addr.s_addr = inet_addr("198.51.100.7");
  CHECK_FAILS("not ours", try_bind(SOCK_STREAM, foreign, 0), EADDRNOTAVAIL);
  struct address wrong = name;
  wrong.size = 8;
  CHECK_FAILS("too short", try_bind(SOCK_STREAM, wrong, 0), EINVAL);
  wrong = name;
  wrong.v4.sin_family = AF_INET6;
  CHECK_FAILS("another family", bind_to(NEED(socket(AF_INET, SOCK_STREAM, 0)), wrong),
    EAFNOSUPPORT);
  struct address three = {.size = 3};
  CHECK_IS("room for three bytes", getsockname(fd, &three.any, &three.size), 0);
  CHECK_IS("tells the size", three.size, sizeof(struct sockaddr_in));
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("a port of root's", try_bind(SOCK_STREAM, loopback(AF_INET, 81), 0), EACCES));

  int one = try_bind(SOCK_DGRAM, loopback(AF_INET, 0), SO_REUSEPORT);
  CHECK_OK("SO_REUSEPORT shares", try_bind(SOCK_DGRAM, name_of(one), SO_REUSEPORT));
  CHECK_FAILS("with those who want it", try_bind(SOCK_DGRAM, name_of(one), 0), EADDRINUSE);
  int first = try_bind(SOCK_STREAM, loopback(AF_INET, 0), SO_REUSEPORT);
  struct address shared = name_of(first);
  NEED(listen(first, 64));
  pid_t child = NEED(fork());
  if (child == 0) {
    int second = try_bind(SOCK_STREAM, shared, SO_REUSEPORT), served = 0;
    close(first);
    if (second < 0 || listen(second, 64) < 0) _exit(2);
    NEED(write(1, "", 0));
    for (int i = 0; i < 40; i++) {
      int fd = NEED(socket(AF_INET, SOCK_STREAM, 0));
      NEED(connect_to(fd, shared));
    }
    NEED(fcntl(second, F_SETFL, O_NONBLOCK));
    while (accept(second, NULL, NULL) >= 0) served++;
    _exit(served > 0 && served < 40 ? 0 : 1);
  }
  CHECK_IS("two listeners at one port share the work", wait_code(child), 0);
  CHECK_IS("this one had some", events_of(first, POLLIN), POLLIN);

  int six = listener(AF_INET6, 4), client = NEED(socket(AF_INET6, SOCK_STREAM, 0));
  CHECK_IS("version 6", connect_to(client, name_of(six)), 0);
  CHECK_IS("its name", name_of(client).size, sizeof(struct sockaddr_in6));
  int both = NEED(socket(AF_INET6, SOCK_STREAM, 0));
  struct address any = loopback(AF_INET6, 0);
  any.v6.sin6_addr = in6addr_any;
  NEED(set_option(both, IPPROTO_IPV6, IPV6_V6ONLY, 0));
  NEED(bind_to(both, any));
  NEED(listen(both, 4));
  client = NEED(socket(AF_INET, SOCK_STREAM, 0));
  CHECK_IS("version 4 to a listener of 6",
    connect_to(client, loopback(AF_INET, ntohs(name_of(both).v6.sin6_port))), 0);
  struct address peer = {.size = sizeof peer.room};
  NEED(accept(both, &peer.any, &peer.size));
  CHECK("is mapped", IN6_IS_ADDR_V4MAPPED(&peer.v6.sin6_addr));
  CHECK_IS("with its port", peer.v6.sin6_port, name_of(client).v4.sin_port);
  int mapped = NEED(socket(AF_INET6, SOCK_STREAM, 0)), four = listener(AF_INET, 4);
  struct address to = loopback(AF_INET6, ntohs(name_of(four).v4.sin_port));
  inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.v6.sin6_addr);
  CHECK_IS("version 6 to a listener of 4", connect_to(mapped, to), 0);
  int only = NEED(socket(AF_INET6, SOCK_STREAM, 0));
  NEED(set_option(only, IPPROTO_IPV6, IPV6_V6ONLY, 1));
  CHECK_FAILS("unless it is version 6 only", connect_to(only, to), ENETUNREACH);
  int later = NEED(socket(AF_INET, SOCK_STREAM, 0));
  CHECK_IS("listen without bind", listen(later, 1), 0);
  CHECK("gives a port, too", name_of(later).v4.sin_port != 0);
  return check_status();
}
