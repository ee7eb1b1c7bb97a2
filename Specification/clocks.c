/* Says nothing if every way to ask for a time, and to wait for one, agrees with the offsets that the
 * arguments name: seconds that CLOCK_MONOTONIC and CLOCK_BOOTTIME are ahead of the host's. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static struct timespec now(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) exit(10);
  return time;
}

static double seconds(struct timespec time) { return time.tv_sec + time.tv_nsec / 1e9; }

static void check(const char *what, double value, double least, double most) {
  if (value >= least && value <= most) return;
  printf("%s: %f is not %f to %f\n", what, value, least, most);
  exit(1);
}

/* No wait is shorter than asked, and none hangs: an absolute time of another clock would do both. */
static void waited(const char *what, struct timespec start) {
  check(what, seconds(now(CLOCK_MONOTONIC)) - seconds(start), 0.05, 10);
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  double monotonic = atof(arguments[1]), boot = atof(arguments[2]), aYear = 366 * 86400;
  struct timespec raw, start, until;
  check("monotonic", seconds(now(CLOCK_MONOTONIC)), monotonic, monotonic + aYear);
  check("coarse", seconds(now(CLOCK_MONOTONIC_COARSE)), monotonic, monotonic + aYear);
  check("boottime", seconds(now(CLOCK_BOOTTIME)), boot, boot + aYear);
  if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &raw) != 0) return 3;
  check("by the call", seconds(raw) - seconds(now(CLOCK_MONOTONIC)), -1, 1);
  struct sysinfo facts;
  if (sysinfo(&facts) != 0) return 4;
  check("sysinfo", facts.uptime, boot - 1, boot + aYear);

  start = until = now(CLOCK_MONOTONIC);
  until.tv_nsec += 50 * 1000 * 1000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0) return 5;
  waited("clock_nanosleep", start);

  start = until = now(CLOCK_MONOTONIC);
  until.tv_nsec += 50 * 1000 * 1000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  uint32_t word = 0;
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &until, NULL,
          FUTEX_BITSET_MATCH_ANY);
  waited("futex", start);

  start = until = now(CLOCK_MONOTONIC);
  until.tv_nsec += 50 * 1000 * 1000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  struct itimerspec setting = {{0, 0}, until};
  int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  if (timer < 0 || timerfd_settime(timer, TFD_TIMER_ABSTIME, &setting, NULL) != 0) return 6;
  uint64_t expirations;
  if (read(timer, &expirations, sizeof expirations) != sizeof expirations) return 7;
  waited("timerfd", start);

  struct sigevent silent = {.sigev_notify = SIGEV_NONE};
  timer_t posix;
  if (timer_create(CLOCK_MONOTONIC, &silent, &posix) != 0) return 8;
  until = now(CLOCK_MONOTONIC);
  until.tv_sec += 100;
  setting.it_value = until;
  if (timer_settime(posix, TIMER_ABSTIME, &setting, NULL) != 0) return 9;
  if (timer_gettime(posix, &setting) != 0) return 11;
  check("timer_settime", seconds(setting.it_value), 90, 100);
  return 0;
}
