#include "check.h"
#include "inet/inet.h"
#include <pthread.h>

// connect(2) of TCP: refusals, states, non-blocking, interrupted, with a time limit, undone.

static int fresh(int flags) { return NEED(socket(AF_INET, SOCK_STREAM | flags, 0)); }

/* A listener whose backlog is full: who connects then waits. */
static int full_listener(int waiting[2]) {
  int server = listener(AF_INET, 0);
  for (int i = 0; i < 2; i++) {
    waiting[i] = fresh(SOCK_NONBLOCK);
    if (connect_to(waiting[i], name_of(server)) < 0 && errno != EINPROGRESS) NEED(-1);
    if (i == 0) wait_for(waiting[i], POLLOUT);
  }
  return server;
}

static void *accept_all(void *server) {
  for (int i = 0; i < 3; i++) accept(*(int *)server, NULL, NULL);
  return NULL;
}

int main(void) {
  int gone = listener(AF_INET, 1);
  struct address nobody = name_of(gone);
  close(gone);
  int fd = fresh(0);
  CHECK_FAILS("nobody listens", connect_to(fd, nobody), ECONNREFUSED);
  CHECK_IS("and no error is left", option_of(fd, SOL_SOCKET, SO_ERROR), 0);
  CHECK_FAILS("it can be tried again", connect_to(fd, nobody), ECONNREFUSED);

  int server = listener(AF_INET, 8);
  struct address target = name_of(server);
  CHECK_IS("a socket may try again elsewhere", connect_to(fd, target), 0);
  CHECK("peer", same(peer_of(fd), target));
  CHECK_FAILS("a second time", connect_to(fd, target), EISCONN);
  struct address wrong = target;
  wrong.size = 8;
  CHECK_FAILS("too short", connect_to(fresh(0), wrong), EINVAL);
  wrong = target;
  wrong.v4.sin_family = AF_UNIX;
  CHECK_FAILS("another family", connect_to(fresh(0), wrong), EAFNOSUPPORT);
  CHECK_FAILS("bad pointer", connect(fresh(0), (void *)8, sizeof(struct sockaddr_in)), EFAULT);
  CHECK_FAILS("negative size", connect(fresh(0), &target.any, -1), EINVAL);
  CHECK_FAILS("a listener", connect_to(server, target), EISCONN);
  struct address everywhere = target;
  everywhere.v4.sin_addr.s_addr = 0;
  int here = fresh(0);
  CHECK_IS("the wildcard is this machine", connect_to(here, everywhere), 0);
  CHECK_IS("by its loopback", peer_of(here).v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));

  int late = fresh(SOCK_NONBLOCK);
  CHECK_FAILS("non-blocking", connect_to(late, target), EINPROGRESS);
  CHECK_IS("becomes writable", wait_for(late, POLLOUT), POLLOUT);
  CHECK_IS("without an error", option_of(late, SOL_SOCKET, SO_ERROR), 0);
  CHECK_IS("the next connect says so", connect_to(late, target), 0);
  CHECK_FAILS("and the one after", connect_to(late, target), EISCONN);

  int refused = fresh(SOCK_NONBLOCK);
  CHECK_FAILS("non-blocking, nobody", connect_to(refused, nobody), EINPROGRESS);
  CHECK_IS("ready", wait_for(refused, POLLIN | POLLOUT), POLLIN | POLLOUT | POLLERR | POLLHUP);
  CHECK_IS("with an error", option_of(refused, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
  CHECK_IS("told once", option_of(refused, SOL_SOCKET, SO_ERROR), 0);
  int refused2 = fresh(SOCK_NONBLOCK);
  CHECK_FAILS("again", connect_to(refused2, nobody), EINPROGRESS);
  wait_for(refused2, POLLOUT);
  CHECK_FAILS("connect tells it, too", connect_to(refused2, nobody), ECONNREFUSED);

  struct address nothing = {.any.sa_family = AF_UNSPEC, .size = sizeof(struct sockaddr_in)};
  CHECK_IS("AF_UNSPEC ends the connection", connect_to(fd, nothing), 0);
  struct address room = {.size = sizeof room.room};
  CHECK_FAILS("no peer", getpeername(fd, &room.any, &room.size), ENOTCONN);
  CHECK_IS("and it can begin another", connect_to(fd, target), 0);

  int waiting[2], full = full_listener(waiting);
  struct address crowded = name_of(full);
  int slow = fresh(SOCK_NONBLOCK);
  CHECK_FAILS("a full backlog", connect_to(slow, crowded), EINPROGRESS);
  CHECK_FAILS("is in progress", connect_to(slow, crowded), EALREADY);
  CHECK_FAILS("no peer yet", getpeername(slow, &room.any, &room.size), ENOTCONN);
  CHECK_IS("not writable", events_of(slow, POLLOUT), 0);
  close(slow);
  int limited = fresh(0);
  struct timeval time = {0, 50000};
  CHECK_IS("time limit", setsockopt(limited, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time), 0);
  CHECK_FAILS("ends the wait", connect_to(limited, crowded), EINPROGRESS);
  close(limited);
  handle(SIGALRM, 0);
  int interrupted = fresh(0);
  alarm_often(20000);
  CHECK_FAILS("a signal ends the wait", connect_to(interrupted, crowded), EINTR);
  alarm_often(0);
  pthread_t thread;
  pthread_create(&thread, NULL, accept_all, &full);
  CHECK_IS("the next connect goes on", connect_to(interrupted, crowded), 0);
  pthread_join(thread, NULL);

  CHECK_FAILS("type", socket(AF_INET, 77, 0), EINVAL);
  CHECK_FAILS("sequenced packets", socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
  CHECK_FAILS("UDP as a stream", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
  CHECK_FAILS("TCP in datagrams", socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
  CHECK_FAILS("a pair", socketpair(AF_INET, SOCK_STREAM, 0, waiting), EOPNOTSUPP);
  return check_status();
}
