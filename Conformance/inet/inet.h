/* What the programs of this family share. Everything is on the loopback device; ports are the
 * kernel's choice and never printed. */
#ifndef INET_H
#define INET_H
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

struct address {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage room;
  };
  socklen_t size;
};

__attribute__((unused)) static struct address loopback(int family, int port) {
  struct address address = {0};
  if (family == AF_INET) {
    address.v4 = (struct sockaddr_in){AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
    address.size = sizeof address.v4;
  } else {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    address.v6.sin6_addr = in6addr_loopback;
    address.size = sizeof address.v6;
  }
  return address;
}

__attribute__((unused)) static struct address name_of(int fd) {
  struct address address = {.size = sizeof address.room};
  NEED(getsockname(fd, &address.any, &address.size));
  return address;
}

__attribute__((unused)) static struct address peer_of(int fd) {
  struct address address = {.size = sizeof address.room};
  NEED(getpeername(fd, &address.any, &address.size));
  return address;
}

__attribute__((unused)) static int same(struct address a, struct address b) {
  return a.size == b.size && !memcmp(&a.room, &b.room, a.size);
}

__attribute__((unused)) static int connect_to(int fd, struct address address) {
  return connect(fd, &address.any, address.size);
}

__attribute__((unused)) static int bind_to(int fd, struct address address) {
  return bind(fd, &address.any, address.size);
}

/* Bound to a free port of the loopback address. */
__attribute__((unused)) static int bound(int family, int type) {
  int fd = NEED(socket(family, type, 0));
  NEED(bind_to(fd, loopback(family, 0)));
  return fd;
}

__attribute__((unused)) static int listener(int family, int backlog) {
  int fd = bound(family, SOCK_STREAM);
  NEED(listen(fd, backlog));
  return fd;
}

/* The two ends of a TCP connection: ends[0] connected, ends[1] was accepted. */
__attribute__((unused)) static void tcp_pair(int ends[2]) {
  int server = listener(AF_INET, 1);
  ends[0] = NEED(socket(AF_INET, SOCK_STREAM, 0));
  NEED(connect_to(ends[0], name_of(server)));
  ends[1] = NEED(accept(server, NULL, NULL));
  close(server);
}

/* Waits, for at most ten seconds; the events that came. */
__attribute__((unused)) static int wait_for(int fd, int events) {
  struct pollfd entry = {fd, events, 0};
  int count;
  do count = poll(&entry, 1, 10000);
  while (count < 0 && errno == EINTR);
  return count == 1 ? entry.revents : -1;
}

/* The events that hold now. */
__attribute__((unused)) static int events_of(int fd, int events) {
  struct pollfd entry = {fd, events, 0};
  NEED(poll(&entry, 1, 0));
  return entry.revents;
}

__attribute__((unused)) static int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  NEED(getsockopt(fd, level, name, &value, &size));
  return value;
}

__attribute__((unused)) static int set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value);
}

static volatile sig_atomic_t signals_seen __attribute__((unused));
__attribute__((unused)) static void count_signal(int number) {
  (void)number;
  signals_seen++;
}

__attribute__((unused)) static void handle(int signal, int flags) {
  struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};
  NEED(sigaction(signal, &action, NULL));
}

/* Signals again and again, so that none can come too early. */
__attribute__((unused)) static void alarm_often(int microseconds) {
  struct itimerval timer = {{0, microseconds}, {0, microseconds}};
  setitimer(ITIMER_REAL, &timer, NULL);
}
#endif
