#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

// Waiting in read and write: woken by data, by room, by the end and by signals.

static int ends[2];
static volatile int alarms;

static void on_alarm(int number) { alarms += number != 0; }

static void repeat_alarm(long microseconds, int flags) {
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
  struct itimerval often = {{0, microseconds}, {0, microseconds}};
  alarms = 0;
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
}

static void *write_after_alarms(void *unused) {
  sigset_t set;
  sigfillset(&set);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  while (alarms < 3) sched_yield();
  NEED(write(ends[1], "x", 1));
  return unused;
}

static void *drain(void *total) {
  static char block[5000];
  long count;
  while ((count = read(ends[0], block, sizeof block)) > 0) *(long *)total += count;
  return NULL;
}

int main(void) {
  char text[8];
  NEED(pipe(ends));
  repeat_alarm(10000, 0);
  CHECK_FAILS("a signal ends a read", read(ends[0], text, 1), EINTR);
  CHECK("its handler ran", alarms > 0);

  pthread_t thread;
  repeat_alarm(10000, SA_RESTART);
  pthread_create(&thread, NULL, write_after_alarms, NULL);
  CHECK_IS("SA_RESTART goes on", read(ends[0], text, 1), 1);
  CHECK("after some handlers", alarms >= 3);
  pthread_join(thread, NULL);

  static char block[300000];
  repeat_alarm(10000, 0);
  long count = write(ends[1], block, sizeof block);
  CHECK_IS("a signal cuts a long write", count, 65536);
  CHECK_FAILS("and ends a full pipe's", write(ends[1], "x", 1), EINTR);
  repeat_alarm(0, SA_RESTART);

  long total = 0;
  pthread_create(&thread, NULL, drain, &total);
  CHECK_IS("a long write waits for its reader", write(ends[1], block, sizeof block), sizeof block);
  close(ends[1]);
  pthread_join(thread, NULL);
  CHECK_IS("who gets it all", total, 65536 + sizeof block);
  close(ends[0]);

  // Closing the last writer in another process ends a waiting read.
  NEED(pipe(ends));
  pid_t child = NEED(fork());
  if (child == 0) {
    close(ends[1]);
    _exit(read(ends[0], text, 1) == 0 ? 7 : 1);
  }
  close(ends[0]);
  close(ends[1]);
  CHECK_IS("end of file wakes a reader", wait_code(child), 7);

  // Two processes hand a counter to and fro.
  int forth[2], back[2];
  NEED(pipe(forth));
  NEED(pipe(back));
  child = NEED(fork());
  int number = 0;
  if (child == 0) {
    while (read(forth[0], &number, sizeof number) > 0 && number < 2000) {
      number++;
      NEED(write(back[1], &number, sizeof number));
    }
    _exit(0);
  }
  while (number < 2000) {
    NEED(write(forth[1], &number, sizeof number));
    NEED(read(back[0], &number, sizeof number));
  }
  NEED(write(forth[1], &number, sizeof number));
  CHECK_IS("ping-pong", number, 2000);
  CHECK_IS("child", wait_code(child), 0);
  return check_status();
}
