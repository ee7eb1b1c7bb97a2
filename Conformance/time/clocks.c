// static
/* clock_gettime(2) and clock_getres(2) of every clock, and the older calls beside them. */
#include "../check.h"
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static int64_t nanoseconds(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) return -1;
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int64_t raw(clockid_t clock) {
  struct timespec now;
  if (syscall(SYS_clock_gettime, clock, &now) != 0) return -1;
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static const struct {
  clockid_t clock;
  const char *name;
  int64_t resolution;
} clocks[] = {{CLOCK_REALTIME, "realtime", 1},
              {CLOCK_MONOTONIC, "monotonic", 1},
              {CLOCK_PROCESS_CPUTIME_ID, "process", 1},
              {CLOCK_THREAD_CPUTIME_ID, "thread", 1},
              {CLOCK_MONOTONIC_RAW, "raw", 1},
              {CLOCK_REALTIME_COARSE, "realtime coarse", 0},
              {CLOCK_MONOTONIC_COARSE, "monotonic coarse", 0},
              {CLOCK_BOOTTIME, "boot", 1},
              {CLOCK_TAI, "tai", 1}};

int main(void) {
  enum { COUNT = sizeof clocks / sizeof *clocks };
  char name[80];
  struct timespec answer;
  for (int i = 0; i < COUNT; i++) {
    clockid_t clock = clocks[i].clock;
    int64_t last = nanoseconds(clock);
    snprintf(name, sizeof name, "%s: is read", clocks[i].name);
    CHECK(name, last > 0);
    int good = 1;
    for (int j = 0; j < 5000; j++) {
      int64_t now = j % 2 ? nanoseconds(clock) : raw(clock);
      good &= now >= last;
      last = now;
    }
    snprintf(name, sizeof name, "%s: never goes back, by library or by call", clocks[i].name);
    CHECK(name, good);
    snprintf(name, sizeof name, "%s: resolution", clocks[i].name);
    int64_t resolution = clock_getres(clock, &answer) ? -1 : answer.tv_nsec;
    CHECK(name, clocks[i].resolution ? resolution == clocks[i].resolution
                                     : resolution >= 1000000 && resolution <= 10000000);
  }
  int64_t earlier = nanoseconds(CLOCK_MONOTONIC);
  CHECK("boot time is not behind", nanoseconds(CLOCK_BOOTTIME) >= earlier);
  earlier = nanoseconds(CLOCK_MONOTONIC_COARSE);
  CHECK("nor fine behind coarse", nanoseconds(CLOCK_MONOTONIC) >= earlier);
  int64_t start = nanoseconds(CLOCK_MONOTONIC), start_raw = nanoseconds(CLOCK_MONOTONIC_RAW);
  while (nanoseconds(CLOCK_MONOTONIC) - start < 20000000) continue;
  int64_t passed = nanoseconds(CLOCK_MONOTONIC_RAW) - start_raw;
  CHECK("clocks run at one speed", passed > 19000000 && passed < 2000000000);
  CHECK("work takes processor time", nanoseconds(CLOCK_PROCESS_CPUTIME_ID) > 1000000);

  struct timeval of_day;
  CHECK_IS("gettimeofday", gettimeofday(&of_day, NULL), 0);
  int64_t day = of_day.tv_sec * 1000000ll + of_day.tv_usec;
  int64_t real = nanoseconds(CLOCK_REALTIME) / 1000;
  CHECK("is the realtime clock", real - day >= 0 && real - day < 5000000);
  CHECK("by call too", syscall(SYS_gettimeofday, &of_day, NULL) == 0 &&
                           of_day.tv_sec * 1000000ll + of_day.tv_usec >= day);
  time_t seconds = 0;
  CHECK("time", llabs(syscall(SYS_time, &seconds) - real / 1000000) <= 5);
  CHECK("time writes it", llabs(seconds - real / 1000000) <= 5);
  CHECK("time of the library", llabs(time(NULL) - real / 1000000) <= 5);
  CHECK("the year is plausible", real > 1600000000ll * 1000000);

  CHECK_FAILS("no such clock", clock_gettime(77, &answer), EINVAL);
  CHECK_FAILS("no such clock's resolution", clock_getres(77, &answer), EINVAL);
  CHECK_IS("resolution without an answer", clock_getres(CLOCK_MONOTONIC, NULL), 0);
  answer = (struct timespec){1, 0};
  CHECK_FAILS("setting the monotonic clock", clock_settime(CLOCK_MONOTONIC, &answer), EINVAL);
  clockid_t clock;
  CHECK_IS("own processor clock by pid", clock_getcpuclockid(getpid(), &clock), 0);
  CHECK("it runs", nanoseconds(clock) > 0);
  CHECK_IS("of no process", clock_getcpuclockid(0x3ffffff, &clock), ESRCH);
  return check_status();
}
