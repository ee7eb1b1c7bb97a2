#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/timerfd.h>

// timerfd_create(2): one-shot, interval, absolute, disarmed.

static long milliseconds(int clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct itimerspec after(long first_ms, long each_ms) {
  return (struct itimerspec){{each_ms / 1000, each_ms % 1000 * 1000000},
    {first_ms / 1000, first_ms % 1000 * 1000000}};
}

int main(void) {
  uint64_t count = 0;
  struct itimerspec timer, old;
  int fd;
  CHECK_OK("timerfd_create", fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
  struct pollfd wait = {fd, POLLIN, 0};
  CHECK_FAILS("disarmed", read(fd, &count, 8), EAGAIN);
  CHECK_IS("not ready", poll(&wait, 1, 0), 0);
  NEED(timerfd_gettime(fd, &old));
  CHECK("nothing left", old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);

  long start = milliseconds(CLOCK_MONOTONIC);
  timer = after(30, 0);
  CHECK_OK("once", timerfd_settime(fd, 0, &timer, NULL));
  CHECK_FAILS("not yet", read(fd, &count, 8), EAGAIN);
  CHECK_IS("poll waits for it", poll(&wait, 1, -1), 1);
  CHECK("not too early", milliseconds(CLOCK_MONOTONIC) - start >= 29);
  CHECK_IS("read", read(fd, &count, 8), 8);
  CHECK_IS("one expiry", count, 1);
  CHECK_FAILS("no other", read(fd, &count, 8), EAGAIN);

  NEED(fcntl(fd, F_SETFL, 0));
  timer = after(10, 10);
  NEED(timerfd_settime(fd, 0, &timer, NULL));
  uint64_t total = 0;
  start = milliseconds(CLOCK_MONOTONIC);
  while (total < 5) {
    NEED(read(fd, &count, 8));
    total += count;
  }
  CHECK("an interval", milliseconds(CLOCK_MONOTONIC) - start >= 39);
  timer = after(100000, 3000);
  NEED(timerfd_settime(fd, 0, &timer, &old));
  CHECK_IS("the old interval", old.it_interval.tv_nsec, 10000000);
  NEED(timerfd_gettime(fd, &old));
  CHECK("what is left", old.it_value.tv_sec >= 90 && old.it_value.tv_sec <= 100);
  CHECK_IS("its interval", old.it_interval.tv_sec, 3);
  NEED(fcntl(fd, F_SETFL, O_NONBLOCK));
  CHECK_FAILS("setting forgets old expiries", read(fd, &count, 8), EAGAIN);
  timer = after(0, 5);
  CHECK_OK("disarm", timerfd_settime(fd, 0, &timer, NULL));
  NEED(timerfd_gettime(fd, &old));
  CHECK_IS("nothing left", old.it_value.tv_sec, 0);

  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  timer = (struct itimerspec){{0, 0}, now};
  CHECK_OK("an absolute time that is past", timerfd_settime(fd, TFD_TIMER_ABSTIME, &timer, NULL));
  CHECK_IS("expires at once", poll(&wait, 1, 1000), 1);
  CHECK_IS("read", read(fd, &count, 8), 8);
  int wall = NEED(timerfd_create(CLOCK_REALTIME, 0));
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_nsec += 20000000;
  if (now.tv_nsec >= 1000000000) now.tv_sec++, now.tv_nsec -= 1000000000;
  timer = (struct itimerspec){{0, 0}, now};
  NEED(timerfd_settime(wall, TFD_TIMER_ABSTIME, &timer, NULL));
  CHECK_IS("an absolute time of the day", read(wall, &count, 8), 8);
  CHECK_IS("once", count, 1);

  CHECK_FAILS("an unknown clock", timerfd_create(99, 0), EINVAL);
  CHECK_FAILS("unknown flags", timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
  timer.it_value.tv_nsec = 1000000000;
  CHECK_FAILS("bad nanoseconds", timerfd_settime(fd, 0, &timer, NULL), EINVAL);
  CHECK_FAILS("not a timer", timerfd_gettime(0, &old), EINVAL);
  CHECK_FAILS("a closed descriptor", timerfd_gettime(99, &old), EBADF);
  CHECK_FAILS("a short read", read(wall, &count, 4), EINVAL);
  CHECK_FAILS("a write", write(fd, &count, 8), EINVAL);
  return check_status();
}
