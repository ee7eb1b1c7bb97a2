/* Stopping and continuing a process that sleeps in a call: what goes on, what is interrupted. */
#include "../check.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

static int gate[2], ready[2];

/* Calls that go on after SIGSTOP and SIGCONT as if nothing had been. */
static int do_read(void) {
  char byte;
  return read(gate[0], &byte, 1) == 1 ? 10 : 20;
}
static int do_poll(void) {
  struct pollfd event = {gate[0], POLLIN, 0};
  return poll(&event, 1, 10000) == 1 ? 10 : 20;
}
static int do_sleep(void) {
  struct timespec wanted = {0, 50000000}, start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  int result = nanosleep(&wanted, NULL);
  clock_gettime(CLOCK_MONOTONIC, &now);
  long passed = (now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec;
  return result == 0 && passed >= 50000000 ? 10 : 20;
}
static int do_wait(void) {
  pid_t child = fork();
  if (child == 0) _exit(do_read());
  return wait_code(child);
}
/* epoll_wait is one of the few that say EINTR after a stop. */
static int do_epoll(void) {
  struct epoll_event event = {.events = EPOLLIN};
  int epoll = epoll_create1(0);
  epoll_ctl(epoll, EPOLL_CTL_ADD, gate[0], &event);
  int result = epoll_wait(epoll, &event, 1, 10000);
  return result == 1 || (result == -1 && errno == EINTR) ? 10 : 20;
}

static void run(const char *name, int (*call)(void)) {
  char byte = 0;
  int status;
  NEED(pipe(gate));
  NEED(pipe(ready));
  pid_t child = fork();
  if (child == 0) {
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    _exit(call());
  }
  NEED(read(ready[0], &byte, 1));
  for (int i = 0; i < 5; i++) {
    kill(child, SIGSTOP);
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) break;
    kill(child, SIGCONT);
    if (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status)) break;
  }
  NEED(write(gate[1], &byte, 1));
  CHECK_IS(name, wait_code(child), 10);
  for (int i = 0; i < 2; i++) close(gate[i]), close(ready[i]);
}

int main(void) {
  run("read", do_read);
  run("poll", do_poll);
  run("nanosleep", do_sleep);
  run("waitpid", do_wait);
  run("epoll_wait", do_epoll);
  return check_status();
}
