#include "check.h"
#include "inet/inet.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/un.h>

// epoll(7) and poll(2) over sockets of the network mixed with files of the kernel.

static int add(int epoll, int fd, unsigned events) {
  struct epoll_event event = {events, {.fd = fd}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* The events of one descriptor among all that are ready now. */
static int ready(int epoll, int fd) {
  struct epoll_event found[8];
  int count = NEED(epoll_wait(epoll, found, 8, 0));
  for (int i = 0; i < count; i++)
    if (found[i].data.fd == fd) return found[i].events;
  return 0;
}

static int ready_within(int epoll, int milliseconds) {
  struct epoll_event found[8];
  return epoll_wait(epoll, found, 8, milliseconds);
}

int main(void) {
  int ends[2], local[2], epoll = NEED(epoll_create1(0)), event = NEED(eventfd(0, EFD_NONBLOCK));
  char text[16];
  uint64_t one = 1;
  tcp_pair(ends);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, local));
  CHECK_IS("add TCP", add(epoll, ends[1], EPOLLIN), 0);
  CHECK_IS("add unix", add(epoll, local[1], EPOLLIN), 0);
  CHECK_IS("add eventfd", add(epoll, event, EPOLLIN | EPOLLET), 0);
  CHECK_FAILS("twice", add(epoll, ends[1], EPOLLIN), EEXIST);
  CHECK_IS("nothing", ready_within(epoll, 0), 0);
  NEED(write(ends[0], "a", 1));
  NEED(wait_for(ends[1], POLLIN));
  NEED(write(local[0], "b", 1));
  NEED(write(event, &one, 8));
  CHECK_IS("all three", ready_within(epoll, 1000), 3);
  CHECK_IS("the edge is gone", ready_within(epoll, 0), 2);
  CHECK_IS("read TCP", read(ends[1], text, 4), 1);
  CHECK_IS("unix is left", ready(epoll, local[1]), EPOLLIN);
  CHECK_IS("TCP is not", ready(epoll, ends[1]), 0);
  NEED(read(local[1], text, 4));

  struct epoll_event change = {EPOLLIN | EPOLLET, {.fd = ends[1]}};
  CHECK_IS("edge triggered", epoll_ctl(epoll, EPOLL_CTL_MOD, ends[1], &change), 0);
  NEED(write(ends[0], "cd", 2));
  CHECK_IS("an edge", ready_within(epoll, 1000), 1);
  CHECK_IS("once", ready_within(epoll, 0), 0);
  NEED(read(ends[1], text, 1));
  CHECK_IS("what is left makes none", ready_within(epoll, 0), 0);
  NEED(write(ends[0], "e", 1));
  CHECK_IS("more does", ready_within(epoll, 1000), 1);
  NEED(read(ends[1], text, 8));
  change.events = EPOLLIN | EPOLLONESHOT;
  NEED(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[1], &change));
  NEED(write(ends[0], "f", 1));
  CHECK_IS("one shot", ready_within(epoll, 1000), 1);
  CHECK_IS("is over", ready_within(epoll, 0), 0);
  NEED(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[1], &change));
  CHECK_IS("until it is loaded again", ready_within(epoll, 1000), 1);
  change.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
  NEED(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[1], &change));
  CHECK_IS("readable and writable", ready(epoll, ends[1]), EPOLLIN | EPOLLOUT);
  NEED(shutdown(ends[0], SHUT_WR));
  wait_for(ends[1], POLLRDHUP);
  CHECK_IS("and at its end", ready(epoll, ends[1]), EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  CHECK_IS("remove", epoll_ctl(epoll, EPOLL_CTL_DEL, ends[1], NULL), 0);
  CHECK_IS("no more", ready(epoll, ends[1]), 0);
  CHECK_FAILS("remove again", epoll_ctl(epoll, EPOLL_CTL_DEL, ends[1], NULL), ENOENT);
  NEED(add(epoll, ends[1], EPOLLIN));
  close(ends[1]);
  CHECK_IS("closing removes", ready_within(epoll, 0), 0);
  close(ends[0]);

  tcp_pair(ends);
  NEED(add(epoll, ends[1], EPOLLIN));
  pid_t child = NEED(fork());
  if (child == 0) {
    usleep(60000);
    NEED(write(event, &one, 8));
    usleep(60000);
    NEED(write(ends[0], "x", 1));
    _exit(0);
  }
  CHECK_IS("the kernel's own wakes who waits for the host", ready_within(epoll, 5000), 1);
  CHECK_IS("and the host does", ready_within(epoll, 5000), 1);
  wait_code(child);
  NEED(read(ends[1], text, 1));
  struct pollfd entries[3] = {{ends[1], POLLIN, 0}, {local[1], POLLIN, 0}, {epoll, POLLIN, 0}};
  CHECK_IS("poll: nothing", poll(entries, 3, 0), 0);
  child = NEED(fork());
  if (child == 0) {
    usleep(60000);
    NEED(write(local[0], "y", 1));
    _exit(0);
  }
  CHECK("poll wakes for unix", poll(entries, 3, 5000) >= 1 && entries[1].revents == POLLIN);
  wait_code(child);
  NEED(read(local[1], text, 1));
  NEED(write(ends[0], "z", 1));
  CHECK("poll wakes for TCP", poll(entries, 3, 5000) >= 1 && entries[0].revents == POLLIN);
  CHECK_IS("an epoll is ready with its members", wait_for(epoll, POLLIN), POLLIN);

  int server = listener(AF_INET, 8), gate[2];
  NEED(pipe(gate));
  NEED(fcntl(server, F_SETFL, O_NONBLOCK));
  for (int i = 0; i < 3; i++)
    if (NEED(fork()) == 0) {
      int own = NEED(epoll_create1(0));
      NEED(add(own, server, EPOLLIN | EPOLLEXCLUSIVE));
      NEED(write(gate[1], "r", 1));
      struct epoll_event event;
      for (;;) {
        if (epoll_wait(own, &event, 1, 20000) != 1) _exit(1);
        int fd = accept(server, NULL, NULL);
        if (fd < 0) continue;
        char byte;
        NEED(read(fd, &byte, 1));
        NEED(write(fd, "k", 1));
        if (byte == 'q') _exit(0);
        close(fd);
      }
    }
  for (int i = 0; i < 3; i++) NEED(read(gate[0], text, 1));
  for (int i = 0; i < 12; i++) {
    int fd = NEED(socket(AF_INET, SOCK_STREAM, 0));
    NEED(connect_to(fd, name_of(server)));
    NEED(write(fd, i < 9 ? "." : "q", 1));
    if (read(fd, text, 1) != 1) say("no answer");
    close(fd);
  }
  for (int i = 0; i < 3; i++) {
    int status = -1;
    NEED(wait(&status));
    CHECK_IS("a worker with EPOLLEXCLUSIVE", status, 0);
  }
  struct epoll_event exclusive = {EPOLLIN | EPOLLEXCLUSIVE, {.fd = server}};
  NEED(add(epoll, server, EPOLLIN | EPOLLEXCLUSIVE));
  CHECK_FAILS("is not modified", epoll_ctl(epoll, EPOLL_CTL_MOD, server, &exclusive), EINVAL);
  return check_status();
}
