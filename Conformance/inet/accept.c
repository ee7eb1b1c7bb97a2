#include "check.h"
#include "inet/inet.h"
#include <sys/resource.h>

// listen(2) and accept(2): flags, names, waiting, limits, several processes at one listener.

static int client_of(int server) {
  int fd = NEED(socket(name_of(server).any.sa_family, SOCK_STREAM, 0));
  NEED(connect_to(fd, name_of(server)));
  return fd;
}

int main(void) {
  for (int i = 0; i < 2; i++) {
    int family = i ? AF_INET6 : AF_INET;
    int server = listener(family, 4), client = client_of(server);
    struct address peer = {.size = sizeof peer.room};
    CHECK_OK("accept", accept(server, &peer.any, &peer.size));
    CHECK("its name is the client's", same(peer, name_of(client)));
    client_of(server);
    struct address small = {.size = 3};
    CHECK_OK("room for three bytes", accept(server, &small.any, &small.size));
    CHECK_IS("tells the whole size", small.size, peer.size);
    CHECK_IS("family", small.any.sa_family, family);
    close(server);
  }
  int server = listener(AF_INET, 4);
  client_of(server);
  int fd = NEED(accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
  CHECK_IS("accept4 flags", fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
  CHECK_IS("close on exec", fcntl(fd, F_GETFD), FD_CLOEXEC);
  char byte;
  CHECK_FAILS("does not wait", read(fd, &byte, 1), EAGAIN);
  CHECK_IS("the listener's flags are its own", fcntl(server, F_GETFL), O_RDWR);
  client_of(server);
  fd = NEED(accept(server, NULL, NULL));
  CHECK_IS("plain accept", fcntl(fd, F_GETFL), O_RDWR);
  CHECK_FAILS("bad flags", accept4(server, NULL, NULL, O_APPEND), EINVAL);
  CHECK_FAILS("not listening", accept(bound(AF_INET, SOCK_STREAM), NULL, NULL), EINVAL);
  CHECK_FAILS("UDP", accept(bound(AF_INET, SOCK_DGRAM), NULL, NULL), EOPNOTSUPP);
  CHECK_FAILS("UDP does not listen", listen(bound(AF_INET, SOCK_DGRAM), 1), EOPNOTSUPP);
  CHECK_FAILS("connected", listen(fd, 1), EINVAL);
  CHECK_FAILS("not a socket", accept(1, NULL, NULL), ENOTSOCK);

  NEED(fcntl(server, F_SETFL, O_NONBLOCK));
  CHECK_FAILS("nobody waits", accept(server, NULL, NULL), EAGAIN);
  NEED(fcntl(server, F_SETFL, 0));
  struct timeval time = {0, 30000}, none = {0, 0};
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  CHECK_FAILS("time limit", accept(server, NULL, NULL), EAGAIN);
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
  handle(SIGALRM, 0);
  alarm_often(20000);
  CHECK_FAILS("a signal ends the wait", accept(server, NULL, NULL), EINTR);
  handle(SIGALRM, SA_RESTART);
  pid_t later = NEED(fork());
  if (later == 0) {
    alarm_often(0);
    usleep(100000);
    client_of(server);
    _exit(0);
  }
  CHECK_OK("or not", accept(server, NULL, NULL));
  alarm_often(0);
  wait_code(later);

  client_of(server);
  struct rlimit before, limit;
  getrlimit(RLIMIT_NOFILE, &before);
  limit = before;
  limit.rlim_cur = dup(1);
  close(limit.rlim_cur);
  NEED(setrlimit(RLIMIT_NOFILE, &limit));
  CHECK_FAILS("no descriptor left", accept(server, NULL, NULL), EMFILE);
  NEED(setrlimit(RLIMIT_NOFILE, &before));
  CHECK_IS("the connection still waits", events_of(server, POLLIN), POLLIN);
  CHECK_OK("and is accepted then", accept(server, NULL, NULL));

  pid_t workers[3];
  for (int i = 0; i < 3; i++)
    if ((workers[i] = NEED(fork())) == 0) {
      int fd = accept(server, NULL, NULL);
      _exit(fd < 0 || write(fd, "x", 1) != 1);
    }
  for (int i = 0; i < 3; i++) {
    int client = client_of(server);
    CHECK_IS("a worker answers", read(client, &byte, 1), 1);
    CHECK_IS("and leaves", read(client, &byte, 1), 0);
  }
  for (int i = 0; i < 3; i++) CHECK_IS("a worker ends well", wait_code(workers[i]), 0);

  int quick = listener(AF_INET, 4), client = client_of(quick);
  struct linger reset = {1, 0};
  setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(client);
  CHECK_OK("a peer that is gone again", accept(quick, NULL, NULL));
  CHECK_IS("listening", option_of(quick, SOL_SOCKET, SO_ACCEPTCONN), 1);
  CHECK_IS("shut down", shutdown(quick, SHUT_RD), 0);
  CHECK_FAILS("no more", accept(quick, NULL, NULL), EINVAL);
  CHECK_IS("not listening any more", option_of(quick, SOL_SOCKET, SO_ACCEPTCONN), 0);
  return check_status();
}
