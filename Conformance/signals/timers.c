/* alarm(2), setitimer(2) and timer_create(2) with signals. */
#include "../check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile sig_atomic_t alarms;
static void on_alarm(int number) { alarms += number == SIGALRM; }

static siginfo_t last;
static volatile sig_atomic_t fired;
static volatile pid_t fired_in;
static void on_timer(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  last = *info;
  fired_in = syscall(SYS_gettid);
  fired++;
}

static void wait_until(volatile sig_atomic_t *what, int value) {
  while (*what < value) usleep(1000);
}

static pid_t thread_id;
static int stop;
static void *thread(void *unused) {
  __atomic_store_n(&thread_id, syscall(SYS_gettid), __ATOMIC_RELEASE);
  while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) usleep(500);
  return unused;
}

static void interval_timers(void) {
  struct itimerval setting = {{0, 5000}, {0, 5000}}, old;
  signal(SIGALRM, on_alarm);
  CHECK_IS("alarm answers 0 at first", alarm(100), 0);
  CHECK("and then what was left", alarm(0) >= 90);
  CHECK_IS("setitimer", setitimer(ITIMER_REAL, &setting, NULL), 0);
  wait_until(&alarms, 3);
  CHECK_IS("it repeats", getitimer(ITIMER_REAL, &old), 0);
  CHECK("the interval is told", old.it_interval.tv_usec == 5000 && old.it_value.tv_usec <= 5000);
  setting = (struct itimerval){{0, 0}, {0, 0}};
  CHECK_IS("stop it", setitimer(ITIMER_REAL, &setting, &old), 0);
  CHECK_IS("the old setting", old.it_interval.tv_usec, 5000);
  setting.it_value.tv_usec = 1000000;
  CHECK_FAILS("not a time", setitimer(ITIMER_REAL, &setting, NULL), EINVAL);
  CHECK_FAILS("not a timer", syscall(SYS_setitimer, 3, &old, NULL), EINVAL);
  CHECK_FAILS("unmapped", syscall(SYS_setitimer, ITIMER_REAL, 8, NULL), EFAULT);
}

static void posix_timers(void) {
  struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1};
  struct itimerspec soon = {{0, 0}, {0, 1000000}}, late = {{7, 0}, {100, 0}}, now;
  timer_t timer, other;
  event.sigev_value.sival_int = 31415;
  sigaction(SIGRTMIN + 1, &action, NULL);
  CHECK_IS("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  CHECK_IS("timer_settime", timer_settime(timer, 0, &soon, NULL), 0);
  wait_until(&fired, 1);
  CHECK("its signal", last.si_signo == SIGRTMIN + 1 && last.si_code == SI_TIMER);
  CHECK_IS("its value", last.si_value.sival_int, 31415);
  CHECK_IS("overrun", last.si_overrun, 0);
  timer_gettime(timer, &now);
  CHECK("a single shot is over", now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
  timer_settime(timer, 0, &late, NULL);
  CHECK_IS("timer_gettime", timer_gettime(timer, &now), 0);
  CHECK("what is left", now.it_value.tv_sec >= 90 && now.it_interval.tv_sec == 7);
  CHECK_IS("timer_getoverrun", timer_getoverrun(timer), 0);

  struct timespec moment;
  clock_gettime(CLOCK_MONOTONIC, &moment);
  late = (struct itimerspec){{0, 0}, moment};
  timer_settime(timer, TIMER_ABSTIME, &late, &now);
  CHECK("the old setting", now.it_value.tv_sec >= 90 && now.it_interval.tv_sec == 7);
  wait_until(&fired, 2);
  CHECK_IS("a point in the past fires at once", fired, 2);

  /* Overruns while the signal is blocked. */
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  soon.it_interval.tv_nsec = 1000000;
  timer_settime(timer, 0, &soon, NULL);
  usleep(30000);
  siginfo_t info;
  sigwaitinfo(&set, &info);
  CHECK("overruns are counted", info.si_overrun >= 5 && info.si_overrun < 2000);
  CHECK_IS("timer_delete", timer_delete(timer), 0);
  CHECK_FAILS("it is gone", timer_gettime(timer, &now), EINVAL);
  struct timespec zero = {0, 0};
  while (sigtimedwait(&set, &info, &zero) > 0) continue;
  sigprocmask(SIG_UNBLOCK, &set, NULL);

  pthread_t id;
  pthread_create(&id, NULL, thread, NULL);
  while (!__atomic_load_n(&thread_id, __ATOMIC_ACQUIRE)) usleep(500);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_notify_thread_id = thread_id;
  CHECK_IS("for one thread", timer_create(CLOCK_MONOTONIC, &event, &other), 0);
  soon.it_interval.tv_nsec = 0;
  fired = 0;
  timer_settime(other, 0, &soon, NULL);
  wait_until(&fired, 1);
  CHECK_IS("that thread got it", fired_in, thread_id);
  __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
  pthread_join(id, NULL);
  timer_delete(other);
  event.sigev_notify = SIGEV_NONE;
  CHECK_IS("silent", timer_create(CLOCK_REALTIME, &event, &timer), 0);
  CHECK_FAILS("no such clock", timer_create(99, &event, &other), EINVAL);
  soon.it_value.tv_nsec = -1;
  CHECK_FAILS("no such time", timer_settime(timer, 0, &soon, NULL), EINVAL);
}

int main(void) {
  interval_timers();
  posix_timers();
  return check_status();
}
