// static
/* sigsuspend(2) and pause(2): the mask is swapped atomically and put back after the handler. */
#include "../check.h"
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

static volatile sig_atomic_t ran, mask_inside;

static void handler(int number) {
  sigset_t set;
  sigprocmask(SIG_SETMASK, NULL, &set);
  ran = ran % 10 * 10 + (number == SIGUSR1 ? 1 : 2);
  mask_inside = sigismember(&set, SIGUSR1) | sigismember(&set, SIGUSR2) << 1 |
                sigismember(&set, SIGHUP) << 2;
}

static int blocked(int number) {
  sigset_t set;
  sigprocmask(SIG_SETMASK, NULL, &set);
  return sigismember(&set, number);
}

int main(void) {
  sigset_t both, wait_for_one;
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  sigemptyset(&both);
  sigaddset(&both, SIGUSR1);
  sigaddset(&both, SIGUSR2);
  sigprocmask(SIG_SETMASK, &both, NULL);

  /* A pending signal ends it at once; the other stays blocked. */
  raise(SIGUSR2);
  raise(SIGUSR1);
  sigemptyset(&wait_for_one);
  sigaddset(&wait_for_one, SIGUSR2);
  sigaddset(&wait_for_one, SIGHUP);
  CHECK_FAILS("sigsuspend", sigsuspend(&wait_for_one), EINTR);
  CHECK_IS("only the unblocked one ran", ran, 1);
  CHECK_IS("under the temporary mask", mask_inside, 7);
  CHECK("the old mask is back", blocked(SIGUSR1) && blocked(SIGUSR2) && !blocked(SIGHUP));

  sigemptyset(&wait_for_one);
  CHECK_FAILS("for the other", sigsuspend(&wait_for_one), EINTR);
  CHECK_IS("it ran", ran, 12);

  /* SA_RESTART does not restart it; a child's signal wakes it. */
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    kill(parent, SIGUSR1);
    _exit(0);
  }
  ran = 0;
  CHECK_FAILS("woken by a child", sigsuspend(&wait_for_one), EINTR);
  CHECK_IS("ran", ran, 1);
  wait_code(child);

  /* An ignored signal does not end it, nor does one without effect. */
  signal(SIGHUP, SIG_IGN);
  child = fork();
  if (child == 0) {
    kill(parent, SIGHUP);
    kill(parent, SIGWINCH);
    kill(parent, SIGCONT);
    kill(parent, SIGUSR2);
    _exit(0);
  }
  ran = 0;
  CHECK_FAILS("ignored ones don't end it", sigsuspend(&wait_for_one), EINTR);
  CHECK_IS("only a handler does", ran, 2);
  wait_code(child);

  sigprocmask(SIG_UNBLOCK, &both, NULL);
  signal(SIGUSR1, handler);
  child = fork();
  if (child == 0) {
    /* A single signal could come before the parent sleeps. */
    while (getppid() == parent && kill(parent, SIGUSR1) == 0) sched_yield();
    _exit(0);
  }
  int result = pause(), error = errno;
  kill(child, SIGKILL);
  wait_code(child);
  CHECK("pause", result == -1 && error == EINTR);
  CHECK_FAILS("wrong size", syscall(SYS_rt_sigsuspend, &both, 4), EINVAL);
  CHECK_FAILS("unmapped", syscall(SYS_rt_sigsuspend, 8, 8), EFAULT);
  return check_status();
}
