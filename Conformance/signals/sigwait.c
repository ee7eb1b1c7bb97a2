/* sigwaitinfo(2), sigtimedwait(2), sigwait(3) and sigqueue(3). */
#include "../check.h"
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

static volatile sig_atomic_t handled;
static void handler(int number) { handled = number; }

static long elapsed(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

int main(void) {
  sigset_t set;
  siginfo_t info;
  struct timespec zero = {0, 0}, brief = {0, 30000000}, bad = {0, 1000000000}, start;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, NULL);

  CHECK_FAILS("nothing there", sigtimedwait(&set, &info, &zero), EAGAIN);
  clock_gettime(CLOCK_MONOTONIC, &start);
  CHECK_FAILS("nothing comes", sigtimedwait(&set, &info, &brief), EAGAIN);
  CHECK("it waited", elapsed(&start) >= 30);
  CHECK_FAILS("not a time", sigtimedwait(&set, &info, &bad), EINVAL);

  kill(getpid(), SIGUSR2);
  CHECK_IS("sigwaitinfo", sigwaitinfo(&set, &info), SIGUSR2);
  CHECK("who sent it", info.si_pid == getpid() && info.si_uid == getuid());
  CHECK_IS("how", info.si_code, SI_USER);
  CHECK_FAILS("taken once", sigtimedwait(&set, NULL, &zero), EAGAIN);

  union sigval value = {.sival_ptr = (void *)0x1122334455667788};
  CHECK_IS("sigqueue", sigqueue(getpid(), SIGUSR1, value), 0);
  int number = 0;
  CHECK_IS("sigtimedwait", sigtimedwait(&set, &info, &brief), SIGUSR1);
  CHECK_IS("queued", info.si_code, SI_QUEUE);
  CHECK("its value", info.si_value.sival_ptr == value.sival_ptr);
  CHECK("its sender", info.si_pid == getpid() && info.si_uid == getuid());
  raise(SIGRTMIN);
  CHECK_IS("sigwait", sigwait(&set, &number), 0);
  CHECK_IS("number", number, SIGRTMIN);

  /* A child's signal wakes it, with the child's pid. */
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    value.sival_int = 77;
    sigqueue(parent, SIGUSR1, value);
    _exit(0);
  }
  CHECK_IS("from a child", sigwaitinfo(&set, &info), SIGUSR1);
  CHECK("the child's pid and value", info.si_pid == child && info.si_value.sival_int == 77);
  wait_code(child);

  /* A signal outside the set interrupts, whatever SA_RESTART says. */
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
  struct itimerspec soon = {{0, 0}, {0, 20000000}};
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  timer_settime(timer, 0, &soon, NULL);
  CHECK_FAILS("another signal interrupts", sigwaitinfo(&set, &info), EINTR);
  CHECK_IS("its handler ran", handled, SIGALRM);

  sigaddset(&set, SIGKILL);
  CHECK_FAILS("SIGKILL in the set is ignored", sigtimedwait(&set, &info, &zero), EAGAIN);
  CHECK_FAILS("wrong size", syscall(SYS_rt_sigtimedwait, &set, &info, &zero, 4), EINVAL);
  CHECK_FAILS("unmapped set", syscall(SYS_rt_sigtimedwait, 8, &info, &zero, 8), EFAULT);
  CHECK_FAILS("queue to nobody", sigqueue(0x3fffffff, SIGUSR1, value), ESRCH);
  CHECK_FAILS("queue no signal", sigqueue(getpid(), 65, value), EINVAL);
  CHECK_IS("queue signal 0", sigqueue(getpid(), 0, value), 0);
  return check_status();
}
