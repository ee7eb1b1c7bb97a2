/* Calls that a handler interrupts even with SA_RESTART, and what they leave behind. */
#include "../check.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

static volatile sig_atomic_t count;
static void handler(int number) { count += number == SIGUSR1; }

static int pair[2], epoll;
static struct timespec left;

static long do_poll(void) {
  struct pollfd event = {pair[0], POLLIN, 0};
  return poll(&event, 1, 10000);
}
static long do_ppoll(void) {
  struct pollfd event = {pair[0], POLLIN, 0};
  struct timespec limit = {10, 0};
  return ppoll(&event, 1, &limit, NULL);
}
static long do_select(void) {
  struct timeval limit = {10, 0};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(pair[0], &set);
  return select(pair[0] + 1, &set, NULL, NULL, &limit);
}
static long do_epoll(void) {
  struct epoll_event event;
  return epoll_wait(epoll, &event, 1, 10000);
}
static long do_nanosleep(void) {
  struct timespec wanted = {10, 0};
  return nanosleep(&wanted, &left);
}
static long do_clock_nanosleep(void) {
  struct timespec wanted = {10, 0};
  int error = clock_nanosleep(CLOCK_MONOTONIC, 0, &wanted, &left);
  errno = error;
  return error ? -1 : 0;
}
static long do_absolute(void) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += 10;
  int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &left);
  errno = error;
  return error ? -1 : 0;
}
static long do_pause(void) { return pause(); }
static long do_sigtimedwait(void) {
  struct timespec limit = {10, 0};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  return sigtimedwait(&set, NULL, &limit);
}
/* A socket with a time limit is not restarted, as the limit would start anew. */
static long do_receive(void) {
  char byte;
  return recv(pair[0], &byte, 1, 0);
}

static void run(const char *name, long (*call)(void)) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec often = {{0, 5000000}, {0, 5000000}}, never = {{0, 0}, {0, 0}};
  timer_t timer;
  sigaction(SIGUSR1, &action, NULL);
  count = 0;
  NEED(timer_create(CLOCK_MONOTONIC, &event, &timer));
  timer_settime(timer, 0, &often, NULL);
  errno = 0;
  long result = call();
  int error = errno;
  timer_settime(timer, 0, &never, NULL);
  timer_delete(timer);
  check_report(name, result == -1 && error == EINTR && count >= 1, result, error);
}

int main(void) {
  struct timeval limit = {10, 0};
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  NEED(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  NEED(epoll = epoll_create1(0));
  struct epoll_event event = {.events = EPOLLIN};
  NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
  run("poll", do_poll);
  run("ppoll", do_ppoll);
  run("select", do_select);
  run("epoll_wait", do_epoll);
  run("pause", do_pause);
  run("sigtimedwait", do_sigtimedwait);
  run("recv with a time limit", do_receive);
  run("nanosleep", do_nanosleep);
  CHECK("nanosleep tells what is left", left.tv_sec >= 5 && left.tv_sec <= 9);
  left.tv_sec = 77;
  run("clock_nanosleep", do_clock_nanosleep);
  CHECK("clock_nanosleep too", left.tv_sec >= 5 && left.tv_sec <= 9);
  left.tv_sec = 77;
  run("clock_nanosleep until", do_absolute);
  CHECK_IS("nothing is left of a point in time", left.tv_sec, 77);
  return check_status();
}
