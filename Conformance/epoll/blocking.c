#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// Waits that may sleep, after one that found nothing and after one that found something: what is
// ready comes before a signal and before the end of the time, whoever keeps the file.

static int set, ends[2], counter;
static volatile int signals;

static void count(int signal) { signals++; }

static void add(int fd, unsigned events) {
  struct epoll_event event = {events, {.fd = fd}};
  NEED(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
}

// How many descriptors are ready, as a wait for up to `timeout` ms with all signals says.
static int wait_for(int timeout) {
  struct epoll_event events[4];
  sigset_t none;
  sigemptyset(&none);
  return epoll_pwait(set, events, 4, timeout, &none);
}

static void fill(void) { NEED(write(ends[1], "x", 1)); }

static void drain(void) {
  char text[8];
  NEED(read(ends[0], text, sizeof text));
}

int main(void) {
  struct sigaction action = {.sa_handler = count};
  sigset_t blocked;
  struct timespec instant = {0, 1};
  struct epoll_event event;
  set = NEED(epoll_create1(0));
  NEED(pipe2(ends, O_NONBLOCK));
  counter = NEED(eventfd(0, EFD_NONBLOCK));
  add(ends[0], EPOLLIN);
  NEED(sigaction(SIGUSR1, &action, NULL));
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  NEED(sigprocmask(SIG_BLOCK, &blocked, NULL));

  for (int round = 0; round < 3; round++) {
    CHECK_IS("nothing is ready", wait_for(1), 0);
    fill();
    CHECK_IS("ready without a limit", wait_for(-1), 1);
    CHECK_IS("ready again", wait_for(-1), 1);
    drain();
  }

  CHECK_IS("nothing is ready", wait_for(1), 0);
  fill();
  CHECK_IS("the shortest wait finds it", epoll_pwait2(set, &event, 1, &instant, NULL), 1);
  CHECK_IS("and once more", epoll_pwait2(set, &event, 1, &instant, NULL), 1);
  drain();
  CHECK_IS("the shortest wait for nothing", epoll_pwait2(set, &event, 1, &instant, NULL), 0);

  raise(SIGUSR1);
  CHECK_FAILS("a signal ends a wait", wait_for(-1), EINTR);
  CHECK_IS("was handled", signals, 1);
  raise(SIGUSR1);
  fill();
  CHECK_IS("what is ready comes before a signal", wait_for(-1), 1);
  CHECK_IS("which is not handled", signals, 1);
  drain();
  CHECK_FAILS("but by the next wait", wait_for(-1), EINTR);
  CHECK_IS("was handled", signals, 2);

  add(counter, EPOLLIN);
  CHECK_IS("nothing is ready", wait_for(1), 0);
  NEED(eventfd_write(counter, 1));
  CHECK_IS("an eventfd", wait_for(-1), 1);
  fill();
  CHECK_IS("an eventfd and a pipe", wait_for(-1), 2);
  eventfd_t value;
  NEED(eventfd_read(counter, &value));
  CHECK_IS("the pipe", wait_for(-1), 1);
  drain();
  CHECK_IS("nothing is ready", wait_for(1), 0);
  NEED(eventfd_write(counter, 1));
  raise(SIGUSR1);
  CHECK_IS("an eventfd comes before a signal", wait_for(-1), 1);
  CHECK_IS("which is not handled", signals, 2);
  return check_status();
}
