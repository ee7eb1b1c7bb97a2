// static
/* nanosleep(2) and clock_nanosleep(2): never too short, points in time, and errors. */
#include "../check.h"
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

static int64_t now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static struct timespec spec(int64_t nanoseconds) {
  return (struct timespec){nanoseconds / 1000000000, nanoseconds % 1000000000};
}

static void lasts(const char *name, int64_t wanted) {
  struct timespec time = spec(wanted);
  int64_t start = now(CLOCK_MONOTONIC);
  int result = nanosleep(&time, NULL);
  int64_t passed = now(CLOCK_MONOTONIC) - start;
  check_report(name, result == 0 && passed >= wanted && passed < wanted + 3000000000ll,
               passed / 1000, errno);
}

static void relative(const char *name, clockid_t clock) {
  struct timespec time = spec(5000000);
  int64_t start = now(CLOCK_MONOTONIC);
  int result = clock_nanosleep(clock, 0, &time, NULL);
  check_report(name, result == 0 && now(CLOCK_MONOTONIC) - start >= 5000000, result, 0);
}

static void absolute(const char *name, clockid_t clock) {
  int64_t until = now(clock) + 5000000;
  struct timespec time = spec(until);
  int result = clock_nanosleep(clock, TIMER_ABSTIME, &time, NULL);
  check_report(name, result == 0 && now(clock) >= until, result, 0);
}

int main(void) {
  struct timespec time, left = {77, 77};
  lasts("nothing", 0);
  lasts("a nanosecond", 1);
  lasts("a hundred microseconds", 100000);
  lasts("a millisecond", 1000000);
  lasts("thirty milliseconds", 30000000);
  relative("relative: monotonic", CLOCK_MONOTONIC);
  relative("relative: realtime", CLOCK_REALTIME);
  relative("relative: boot", CLOCK_BOOTTIME);
  absolute("absolute: monotonic", CLOCK_MONOTONIC);
  absolute("absolute: realtime", CLOCK_REALTIME);
  absolute("absolute: boot", CLOCK_BOOTTIME);
  absolute("absolute: tai", CLOCK_TAI);
  time = spec(now(CLOCK_MONOTONIC) - 1000000000);
  CHECK_IS("a point in the past", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL), 0);
  time = (struct timespec){0, 0};
  CHECK_IS("the clock's start", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL), 0);
  int64_t start = now(CLOCK_MONOTONIC);
  usleep(3000);
  CHECK("usleep", now(CLOCK_MONOTONIC) - start >= 3000000);

  /* Twenty short sleeps one after another do not drift below their sum. */
  start = now(CLOCK_MONOTONIC);
  for (int i = 0; i < 20; i++) {
    time = spec(1000000);
    nanosleep(&time, NULL);
  }
  CHECK("twenty sleeps", now(CLOCK_MONOTONIC) - start >= 20000000);

  time = (struct timespec){0, 1000000000};
  CHECK_FAILS("too many nanoseconds", nanosleep(&time, NULL), EINVAL);
  time = (struct timespec){0, -1};
  CHECK_FAILS("negative nanoseconds", nanosleep(&time, NULL), EINVAL);
  time = (struct timespec){-1, 0};
  CHECK_FAILS("negative seconds", nanosleep(&time, NULL), EINVAL);
  CHECK_IS("negative seconds of a clock", clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL), EINVAL);
  time = spec(1000);
  CHECK_IS("what is left is not written", nanosleep(&time, &left), 0);
  CHECK("it stays", left.tv_sec == 77 && left.tv_nsec == 77);
  CHECK_IS("no such clock", clock_nanosleep(99, 0, &time, NULL), EINVAL);
  CHECK_IS("a thread's own clock", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL),
           EINVAL);
  CHECK_FAILS("from unmapped memory", syscall(SYS_nanosleep, 8, NULL), EFAULT);
  return check_status();
}
