#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// A set in a set: it is readable when one of its own is ready.

static void add(int set, int fd, unsigned events) {
  struct epoll_event event = {events, {.fd = fd}};
  NEED(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
}

static int ready(int set) {
  struct epoll_event event;
  return epoll_wait(set, &event, 1, 0) == 1 ? event.data.fd : -1;
}

int main(void) {
  int outer = NEED(epoll_create1(0)), inner = NEED(epoll_create1(0));
  int fd = NEED(eventfd(0, EFD_NONBLOCK));
  add(outer, inner, EPOLLIN);
  add(inner, fd, EPOLLIN);
  CHECK_IS("nothing", ready(outer), -1);
  struct pollfd wait = {inner, POLLIN, 0};
  CHECK_IS("poll of a set", poll(&wait, 1, 0), 0);
  eventfd_write(fd, 1);
  CHECK_IS("the inner set is ready", ready(outer), inner);
  CHECK_IS("its descriptor", ready(inner), fd);
  CHECK_IS("poll of a set", poll(&wait, 1, 0), 1);
  eventfd_t value;
  eventfd_read(fd, &value);
  CHECK_IS("nothing any more", ready(outer), -1);

  struct epoll_event event = {EPOLLIN, {.fd = outer}};
  CHECK_FAILS("a circle", epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event), ELOOP);
  int chain[6];
  for (int i = 0; i < 6; i++) chain[i] = NEED(epoll_create1(0));
  int depth = 0;
  while (depth < 5) {
    event.data.fd = chain[depth];
    if (epoll_ctl(chain[depth + 1], EPOLL_CTL_ADD, chain[depth], &event) < 0) break;
    depth++;
  }
  CHECK_IS("sets nest five deep", depth, 4);
  CHECK_FAILS("not deeper", epoll_ctl(chain[depth + 1], EPOLL_CTL_ADD, chain[depth], &event),
    ELOOP);

  // The edge passes through: a wait of the outer set wakes for the innermost event.
  pid_t child = NEED(fork());
  if (child == 0) {
    eventfd_write(fd, 1);
    _exit(0);
  }
  CHECK_IS("a wait through two sets", epoll_wait(outer, &event, 1, -1), 1);
  CHECK_IS("by way of the inner one", event.data.fd, inner);
  CHECK_IS("child", wait_code(child), 0);
  eventfd_read(fd, &value);
  close(inner);
  eventfd_write(fd, 1);
  CHECK_IS("a closed inner set is gone", ready(outer), -1);
  return check_status();
}
