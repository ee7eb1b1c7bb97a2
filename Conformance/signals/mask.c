// static
/* sigprocmask(2) and sigpending(2). */
#include "../check.h"
#include <signal.h>
#include <sys/syscall.h>

static volatile sig_atomic_t count;
static void handler(int number) { count += number == SIGUSR1 || number == SIGUSR2; }

static unsigned long mask_now(void) {
  unsigned long mask = 0;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
  return mask;
}

static unsigned long pending_now(void) {
  unsigned long mask = 0;
  syscall(SYS_rt_sigpending, &mask, 8);
  return mask;
}

static long change(int how, unsigned long mask) {
  return syscall(SYS_rt_sigprocmask, how, &mask, NULL, 8);
}

#define BIT(number) (1ul << ((number)-1))

int main(void) {
  signal(SIGUSR1, handler);
  signal(SIGUSR2, handler);
  CHECK_IS("nothing blocked", mask_now(), 0);
  CHECK_IS("block", change(SIG_BLOCK, BIT(SIGUSR1)), 0);
  CHECK_IS("block another", change(SIG_BLOCK, BIT(SIGUSR2) | BIT(64)), 0);
  CHECK("both blocked", mask_now() == (BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(64)));
  CHECK_IS("unblock one", change(SIG_UNBLOCK, BIT(64) | BIT(SIGHUP)), 0);
  CHECK("two left", mask_now() == (BIT(SIGUSR1) | BIT(SIGUSR2)));

  raise(SIGUSR1);
  raise(SIGUSR1);
  kill(getpid(), SIGUSR2);
  CHECK_IS("blocked signals don't run", count, 0);
  CHECK("they are pending", pending_now() == (BIT(SIGUSR1) | BIT(SIGUSR2)));
  change(SIG_UNBLOCK, BIT(SIGUSR1));
  CHECK_IS("one runs once on unblocking", count, 1);
  CHECK("one is still pending", pending_now() == BIT(SIGUSR2));
  change(SIG_SETMASK, 0);
  CHECK_IS("the other too", count, 2);
  CHECK_IS("nothing pending", pending_now(), 0);

  /* Ignoring a pending signal discards it. */
  change(SIG_SETMASK, BIT(SIGUSR1));
  raise(SIGUSR1);
  signal(SIGUSR1, SIG_IGN);
  CHECK_IS("ignoring discards what is pending", pending_now(), 0);
  signal(SIGUSR1, handler);
  change(SIG_SETMASK, 0);
  CHECK_IS("it never runs", count, 2);
  change(SIG_SETMASK, BIT(SIGUSR1));
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  CHECK("a blocked one is kept though ignored", pending_now() == BIT(SIGUSR1));
  change(SIG_SETMASK, 0);
  CHECK_IS("and dropped on unblocking", pending_now(), 0);

  CHECK_IS("block all", change(SIG_SETMASK, ~0ul), 0);
  CHECK("except SIGKILL and SIGSTOP", mask_now() == ~(BIT(SIGKILL) | BIT(SIGSTOP)));
  change(SIG_SETMASK, 0);
  CHECK_FAILS("unknown way", change(7, 0), EINVAL);
  CHECK_FAILS("negative way", change(-1, 0), EINVAL);
  CHECK_IS("the way is not looked at without a set",
           syscall(SYS_rt_sigprocmask, 7, NULL, NULL, 8), 0);
  CHECK_FAILS("wrong size", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 4), EINVAL);
  CHECK_FAILS("set from unmapped memory", syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8),
              EFAULT);
  CHECK_FAILS("old set into unmapped memory", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, 8, 8),
              EFAULT);
  CHECK_FAILS("pending into unmapped memory", syscall(SYS_rt_sigpending, 8, 8), EFAULT);
  return check_status();
}
