#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/time.h>

// Timeouts, wake-ups and signals of poll, ppoll, select and pselect.

static int ends[2];
static volatile int caught;

static void on_signal(int number) { caught = number; }

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *write_byte(void *unused) {
  NEED(write(ends[1], "x", 1));
  return unused;
}

static void often(long microseconds) {
  struct itimerval timer = {{0, microseconds}, {0, microseconds}};
  caught = 0;
  setitimer(ITIMER_REAL, &timer, NULL);
}

int main(void) {
  char byte;
  pthread_t thread;
  NEED(pipe(ends));
  struct pollfd wait = {ends[0], POLLIN, 0};
  long start = now_ms();
  CHECK_IS("poll times out", poll(&wait, 1, 30), 0);
  CHECK("not too early", now_ms() - start >= 29);
  CHECK_IS("no events", wait.revents, 0);
  start = now_ms();
  struct timespec short_time = {0, 30000000};
  CHECK_IS("ppoll times out", ppoll(&wait, 1, &short_time, NULL), 0);
  CHECK("not too early", now_ms() - start >= 29);

  pthread_create(&thread, NULL, write_byte, NULL);
  CHECK_IS("poll is woken", poll(&wait, 1, -1), 1);
  CHECK_IS("readable", wait.revents, POLLIN);
  pthread_join(thread, NULL);
  NEED(read(ends[0], &byte, 1));
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  pthread_create(&thread, NULL, write_byte, NULL);
  CHECK_IS("select is woken", select(ends[0] + 1, &set, NULL, NULL, NULL), 1);
  pthread_join(thread, NULL);
  NEED(read(ends[0], &byte, 1));

  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  often(20000);
  CHECK_FAILS("a signal ends poll in spite of SA_RESTART", poll(&wait, 1, -1), EINTR);
  CHECK_FAILS("and select", select(ends[0] + 1, &set, NULL, NULL, NULL), EINTR);
  often(0);

  // ppoll and pselect let a blocked signal in, and only while they wait.
  sigset_t blocked, open;
  sigemptyset(&open);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigaction(SIGUSR1, &action, NULL);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  caught = 0;
  raise(SIGUSR1);
  CHECK_IS("blocked", caught, 0);
  CHECK_IS("poll leaves it pending", poll(&wait, 1, 0), 0);
  CHECK_IS("still blocked", caught, 0);
  CHECK_FAILS("ppoll lets it in", ppoll(&wait, 1, NULL, &open), EINTR);
  CHECK_IS("handler", caught, SIGUSR1);
  caught = 0;
  raise(SIGUSR1);
  CHECK_IS("the mask is back", caught, 0);
  CHECK_FAILS("pselect lets it in", pselect(ends[0] + 1, &set, NULL, NULL, NULL, &open), EINTR);
  CHECK_IS("handler", caught, SIGUSR1);
  NEED(write(ends[1], "x", 1));
  raise(SIGUSR1);
  caught = 0;
  CHECK_IS("what is ready comes first", ppoll(&wait, 1, NULL, &open), 1);
  sigset_t pending;
  sigpending(&pending);
  CHECK_IS("the signal waits on", caught == 0 && sigismember(&pending, SIGUSR1), 1);

  struct timespec bad = {0, 1000000000};
  CHECK_FAILS("ppoll with a bad time", ppoll(&wait, 1, &bad, NULL), EINVAL);
  bad = (struct timespec){-1, 0};
  CHECK_FAILS("ppoll with a negative time", ppoll(&wait, 1, &bad, NULL), EINVAL);
  return check_status();
}
