/* setitimer and timer_create on clocks: order of expiry, periods, and timers beside each other. */
#include "../check.h"
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

static int64_t now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static struct timespec spec(int64_t nanoseconds) {
  return (struct timespec){nanoseconds / 1000000000, nanoseconds % 1000000000};
}

static sigset_t set;

static timer_t make(clockid_t clock, int number, int value) {
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = number};
  timer_t timer;
  event.sigev_value.sival_int = value;
  NEED(timer_create(clock, &event, &timer));
  return timer;
}

static void start(timer_t timer, int flags, int64_t first, int64_t period) {
  struct itimerspec setting = {spec(period), spec(first)};
  NEED(timer_settime(timer, flags, &setting, NULL));
}

static int take(void) {
  siginfo_t info;
  int number = sigwaitinfo(&set, &info);
  return number == SIGALRM ? 1000 : info.si_value.sival_int;
}

int main(void) {
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);

  /* Ten timers that end in another order than they were made. */
  timer_t timers[10];
  int64_t base = now(CLOCK_MONOTONIC) + 5000000;
  for (int i = 0; i < 10; i++) {
    timers[i] = make(CLOCK_MONOTONIC, SIGRTMIN + 1, i);
    start(timers[i], TIMER_ABSTIME, base + (i * 7 % 10) * 1000000, 0);
  }
  int order = 1, got[10];
  for (int i = 0; i < 10; i++) got[i] = take();
  for (int i = 0; i < 10; i++) order &= got[i] * 7 % 10 == i;
  CHECK("ten timers in order", order);
  CHECK("not before their time", now(CLOCK_MONOTONIC) >= base + 9000000);

  int64_t begin = now(CLOCK_MONOTONIC);
  start(timers[0], 0, 3000000, 3000000);
  for (int i = 0; i < 5; i++) order &= take() == 0;
  int64_t passed = now(CLOCK_MONOTONIC) - begin;
  CHECK("five periods are not too short", passed >= 5 * 3000000 && order);
  start(timers[0], 0, 0, 0);

  const clockid_t kinds[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
                             CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
  struct timespec zero = {0, 0};
  while (sigtimedwait(&set, NULL, &zero) > 0) continue;
  for (int i = 0; i < 5; i++) {
    char name[40];
    timer_t timer = make(kinds[i], SIGRTMIN + 1, 50 + i);
    begin = now(kinds[i]);
    start(timer, 0, 4000000, 0);
    sigset_t pending;
    do sigpending(&pending);
    while (!sigismember(&pending, SIGRTMIN + 1));
    snprintf(name, sizeof name, "clock %d", kinds[i]);
    CHECK(name, take() == 50 + i && now(kinds[i]) - begin >= 4000000);
    timer_delete(timer);
  }

  /* The process's own interval timer runs beside them. */
  struct itimerval once = {{0, 0}, {0, 3000}}, left;
  setitimer(ITIMER_REAL, &once, NULL);
  start(timers[3], 0, 20000000, 0);
  CHECK_IS("setitimer first", take(), 1000);
  getitimer(ITIMER_REAL, &left);
  CHECK("it is over", left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0);
  CHECK_IS("then the other", take(), 3);
  alarm(1000);
  getitimer(ITIMER_REAL, &left);
  CHECK("alarm and setitimer are one timer", left.it_value.tv_sec >= 990);
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
  CHECK_IS("stopped by the other call", alarm(0), 0);

  start(timers[4], 0, 5000000, 0);
  timer_delete(timers[4]);
  struct timespec brief = {0, 20000000};
  CHECK_FAILS("a deleted timer is silent", sigtimedwait(&set, NULL, &brief), EAGAIN);
  start(timers[5], 0, 5000000, 0);
  pid_t child = fork();
  if (child == 0) _exit(sigtimedwait(&set, NULL, &brief) == -1 ? 0 : 1);
  CHECK_IS("a child has no timers", wait_code(child), 0);
  CHECK_IS("the parent's goes off", take(), 5);
  return check_status();
}
