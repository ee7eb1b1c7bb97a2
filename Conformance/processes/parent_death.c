/* prctl(PR_SET_PDEATHSIG): a signal when the parent ends. */
#include "../check.h"
#include <signal.h>
#include <sys/prctl.h>

static int death_signal(void) {
  int number = -1;
  return prctl(PR_GET_PDEATHSIG, &number) == 0 ? number : -1;
}

static int inherits_none(void) { return death_signal(); }

/* Starts a middle process whose child asks for `number` when its parent dies. Returns the signal
 * that the child waited for, as told through a pipe. */
static int signal_at_death(int number) {
  int report[2], ready[2];
  NEED(pipe(report));
  NEED(pipe(ready));
  pid_t middle = fork();
  if (middle == 0) {
    if (fork() == 0) {
      sigset_t set;
      sigfillset(&set);
      sigprocmask(SIG_BLOCK, &set, NULL);
      prctl(PR_SET_PDEATHSIG, number);
      if (write(ready[1], "", 1) != 1) _exit(1);
      siginfo_t info;
      int got = sigwaitinfo(&set, &info);
      if (write(report[1], &got, sizeof got) != sizeof got) _exit(1);
      _exit(0);
    }
    char byte;
    _exit(read(ready[0], &byte, 1) == 1 ? 0 : 1);
  }
  CHECK_IS("the parent ends", wait_code(middle), 0);
  int got = -1;
  CHECK_IS("its child reports", read(report[0], &got, sizeof got), sizeof got);
  for (int i = 0; i < 2; i++) close(report[i]), close(ready[i]);
  return got;
}

int main(void) {
  CHECK_IS("none at the start", death_signal(), 0);
  CHECK_IS("set", prctl(PR_SET_PDEATHSIG, SIGUSR2), 0);
  CHECK_IS("get", death_signal(), SIGUSR2);
  CHECK_IS("a child has none", in_child(inherits_none), 0);
  CHECK_FAILS("not a signal", prctl(PR_SET_PDEATHSIG, 65), EINVAL);
  CHECK_FAILS("negative", prctl(PR_SET_PDEATHSIG, -1), EINVAL);
  CHECK_IS("clear", prctl(PR_SET_PDEATHSIG, 0), 0);
  CHECK_IS("cleared", death_signal(), 0);
  CHECK_FAILS("answer into unmapped memory", prctl(PR_GET_PDEATHSIG, 8), EFAULT);

  /* Both orphans end up with a parent that does not wait for them. */
  CHECK_IS("a chosen signal arrives", signal_at_death(SIGUSR1), SIGUSR1);
  CHECK_IS("a real-time signal too", signal_at_death(SIGRTMIN + 1), SIGRTMIN + 1);
  return check_status();
}
