// static
#include "check.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

// epoll(7), level-triggered: events stay as long as their cause.

static int set;

static const char *wait_now(void) {
  static char text[128];
  static const struct { unsigned bit; const char *name; } names[] = {
    {EPOLLIN, " IN"}, {EPOLLOUT, " OUT"}, {EPOLLERR, " ERR"}, {EPOLLHUP, " HUP"},
    {EPOLLRDHUP, " RDHUP"}, {EPOLLPRI, " PRI"},
  };
  struct epoll_event events[8];
  int count = epoll_wait(set, events, 8, 0);
  snprintf(text, sizeof text, "%d:", count);
  for (int i = 0; i < count; i++) {
    sprintf(text + strlen(text), " [%ld", (long)events[i].data.u64);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
      if (events[i].events & names[n].bit) strcat(text, names[n].name);
    strcat(text, "]");
  }
  return text;
}

static int control(int operation, int fd, unsigned events, long data) {
  struct epoll_event event = {events, {.u64 = data}};
  return epoll_ctl(set, operation, fd, &event);
}

int main(void) {
  int ends[2], sockets[2];
  char text[64];
  CHECK_OK("epoll_create1", set = epoll_create1(EPOLL_CLOEXEC));
  CHECK_TEXT("an empty set", wait_now(), "0:");
  NEED(pipe(ends));
  CHECK_OK("add the reader", control(EPOLL_CTL_ADD, ends[0], EPOLLIN, 1));
  CHECK_OK("add the writer", control(EPOLL_CTL_ADD, ends[1], EPOLLOUT, 2));
  CHECK_TEXT("the writer is ready", wait_now(), "1: [2 OUT]");
  CHECK_TEXT("and stays so", wait_now(), "1: [2 OUT]");
  CHECK_OK("ask the writer for nothing", control(EPOLL_CTL_MOD, ends[1], 0, 2));
  CHECK_TEXT("nothing", wait_now(), "0:");
  NEED(write(ends[1], "ab", 2));
  CHECK_TEXT("data", wait_now(), "1: [1 IN]");
  NEED(read(ends[0], text, 1));
  CHECK_TEXT("some of it is left", wait_now(), "1: [1 IN]");
  NEED(read(ends[0], text, 1));
  CHECK_TEXT("none is left", wait_now(), "0:");
  CHECK_OK("other data", control(EPOLL_CTL_MOD, ends[0], EPOLLIN, -7));
  NEED(write(ends[1], "c", 1));
  CHECK_TEXT("the new value", wait_now(), "1: [-7 IN]");
  close(ends[1]);
  CHECK_TEXT("no writer", wait_now(), "1: [-7 IN HUP]");
  CHECK_OK("remove", control(EPOLL_CTL_DEL, ends[0], 0, 0));
  CHECK_TEXT("nothing", wait_now(), "0:");

  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  NEED(control(EPOLL_CTL_ADD, sockets[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP, 3));
  CHECK_TEXT("a socket", wait_now(), "1: [3 OUT]");
  NEED(send(sockets[1], "x", 1, 0));
  CHECK_TEXT("with data", wait_now(), "1: [3 IN OUT]");
  NEED(shutdown(sockets[1], SHUT_WR));
  CHECK_TEXT("shut down", wait_now(), "1: [3 IN OUT RDHUP]");
  close(sockets[1]);
  CHECK_TEXT("closed", wait_now(), "1: [3 IN OUT HUP RDHUP]");
  close(sockets[0]);
  CHECK_TEXT("close removes", wait_now(), "0:");

  // Sixteen are ready: each wait reports eight, and all have their turn.
  int fds[16], seen[16] = {0};
  for (int i = 0; i < 16; i++) {
    fds[i] = NEED(eventfd(1, 0));
    NEED(control(EPOLL_CTL_ADD, fds[i], EPOLLIN, i));
  }
  struct epoll_event events[8];
  for (int turn = 0; turn < 2; turn++) {
    CHECK_IS("eight at a time", epoll_wait(set, events, 8, 0), 8);
    for (int i = 0; i < 8; i++) seen[events[i].data.u64]++;
  }
  int once = 0;
  for (int i = 0; i < 16; i++) once += seen[i] == 1;
  CHECK_IS("all have had a turn", once, 16);

  int copy = NEED(dup(fds[0]));
  for (int i = 1; i < 16; i++) close(fds[i]);
  close(fds[0]);
  CHECK_TEXT("a copy keeps the file in the set", wait_now(), "1: [0 IN]");
  CHECK_FAILS("though not under that number", control(EPOLL_CTL_DEL, copy, 0, 0), ENOENT);
  close(copy);
  CHECK_TEXT("until it is closed", wait_now(), "0:");
  return check_status();
}
