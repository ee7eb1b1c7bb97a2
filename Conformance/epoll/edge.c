#include "check.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

// EPOLLET and EPOLLONESHOT: one event a change, one event at all.

static int set;

static int control(int operation, int fd, unsigned events) {
  struct epoll_event event = {events, {.fd = fd}};
  return epoll_ctl(set, operation, fd, &event);
}

// The events of the one ready descriptor, or 0.
static int ready(void) {
  struct epoll_event event;
  return epoll_wait(set, &event, 1, 0) == 1 ? (int)event.events : 0;
}

int main(void) {
  int ends[2], sockets[2];
  char text[64];
  set = NEED(epoll_create1(0));
  NEED(pipe2(ends, O_NONBLOCK));
  NEED(control(EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLET));
  CHECK_IS("empty", ready(), 0);
  NEED(write(ends[1], "ab", 2));
  CHECK_IS("data", ready(), EPOLLIN);
  CHECK_IS("is told once", ready(), 0);
  NEED(read(ends[0], text, 1));
  CHECK_IS("reading some is no news", ready(), 0);
  NEED(write(ends[1], "c", 1));
  CHECK_IS("more data is", ready(), EPOLLIN);
  NEED(read(ends[0], text, sizeof text));
  NEED(write(ends[1], "d", 1));
  NEED(read(ends[0], text, sizeof text));
  CHECK_IS("gone before it was told", ready(), 0);
  NEED(write(ends[1], "e", 1));
  CHECK_IS("data", ready(), EPOLLIN);
  CHECK_OK("EPOLL_CTL_MOD", control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET));
  CHECK_IS("tells again", ready(), EPOLLIN);
  close(ends[1]);
  CHECK_IS("the end", ready(), EPOLLIN | EPOLLHUP);
  CHECK_IS("is told once", ready(), 0);
  close(ends[0]);

  NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets));
  NEED(control(EPOLL_CTL_ADD, sockets[0], EPOLLIN | EPOLLOUT | EPOLLET));
  CHECK_IS("writable", ready(), EPOLLOUT);
  CHECK_IS("once", ready(), 0);
  NEED(send(sockets[1], "x", 1, 0));
  CHECK_IS("readable and writable", ready(), EPOLLIN | EPOLLOUT);
  static char block[65536];
  while (send(sockets[0], block, sizeof block, 0) > 0) {}
  ready();
  while (recv(sockets[1], block, sizeof block, 0) > 0) {}
  CHECK("room again", ready() & EPOLLOUT);
  close(sockets[0]);

  int fd = NEED(eventfd(0, EFD_NONBLOCK));
  NEED(control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET));
  eventfd_write(fd, 1);
  CHECK_IS("eventfd", ready(), EPOLLIN);
  eventfd_write(fd, 1);
  CHECK_IS("each write is news", ready(), EPOLLIN);
  CHECK_IS("once", ready(), 0);

  CHECK_OK("EPOLLONESHOT", control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT));
  CHECK_IS("once", ready(), EPOLLIN);
  CHECK_IS("then no more", ready(), 0);
  eventfd_write(fd, 1);
  CHECK_IS("not even for news", ready(), 0);
  CHECK_FAILS("it is still in the set", control(EPOLL_CTL_ADD, fd, EPOLLIN), EEXIST);
  CHECK_OK("until it is asked again", control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT));
  CHECK_IS("at once", ready(), EPOLLIN);
  CHECK_IS("and no more", ready(), 0);
  return check_status();
}
