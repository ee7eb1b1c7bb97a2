// static
/* sigaction(2): SA_SIGINFO, SA_NODEFER, SA_RESETHAND, sa_mask, nesting and the old action. */
#include "../check.h"
#include <signal.h>
#include <sys/syscall.h>

static char trace[64];
static void note(char letter) { trace[strlen(trace)] = letter; }

static const char *take(void) {
  static char copy[64];
  strcpy(copy, trace);
  memset(trace, 0, sizeof trace);
  return copy;
}

/* Raises each of the other signals inside itself, so that the trace shows what is deferred. */
static void nesting(int number) {
  note(number == SIGUSR1 ? 'a' : 'b');
  if (strlen(trace) < 3) {
    raise(SIGUSR1);
    raise(SIGUSR2);
  }
  note(number == SIGUSR1 ? 'A' : 'B');
}

static void install(int flags, int masked) {
  struct sigaction action = {.sa_handler = nesting, .sa_flags = flags};
  sigemptyset(&action.sa_mask);
  if (masked) sigaddset(&action.sa_mask, masked);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
}

static siginfo_t last;
static void with_info(int number, siginfo_t *info, void *context) {
  last = *info;
  note(context && number == info->si_signo ? 'i' : '!');
}

static void check_mask_inside(int number) {
  sigset_t set;
  sigprocmask(SIG_SETMASK, NULL, &set);
  note(sigismember(&set, number) ? 'm' : '-');
  note(sigismember(&set, SIGHUP) ? 'h' : '-');
  note(sigismember(&set, SIGINT) ? 'i' : '-');
}

int main(void) {
  struct sigaction action = {.sa_handler = SIG_IGN}, old;
  sigset_t set;
  install(0, 0);
  raise(SIGUSR1);
  CHECK_TEXT("the own signal is deferred, another is not", take(), "abBbBAaA");
  install(SA_NODEFER, 0);
  raise(SIGUSR1);
  CHECK_TEXT("SA_NODEFER", take(), "aaaAbBAbBA");
  install(0, SIGUSR2);
  raise(SIGUSR1);
  CHECK_TEXT("sa_mask defers another", take(), "aAaAbB");

  install(SA_RESETHAND, 0);
  CHECK_IS("SA_RESETHAND installed", sigaction(SIGUSR1, NULL, &old), 0);
  CHECK("flags are told", old.sa_handler == nesting && old.sa_flags & SA_RESETHAND);
  memcpy(trace, "...", 3);
  raise(SIGUSR1);
  CHECK_TEXT("it ran", take(), "...aA");
  sigaction(SIGUSR1, NULL, &old);
  CHECK("and is the default now", old.sa_handler == SIG_DFL);

  action = (struct sigaction){.sa_sigaction = with_info, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  kill(getpid(), SIGUSR1);
  CHECK_TEXT("SA_SIGINFO", take(), "i");
  CHECK("from kill", last.si_code == SI_USER && last.si_pid == getpid() && last.si_uid == getuid());
  raise(SIGUSR1);
  CHECK_TEXT("again", take(), "i");
  CHECK("from tgkill", last.si_code == SI_TKILL && last.si_pid == getpid());

  action = (struct sigaction){.sa_handler = check_mask_inside};
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGHUP);
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  CHECK_TEXT("mask inside a handler", take(), "mh-");
  sigprocmask(SIG_SETMASK, NULL, &set);
  CHECK("mask after it", !sigismember(&set, SIGUSR1) && !sigismember(&set, SIGHUP));

  sigaction(SIGUSR1, NULL, &old);
  CHECK("the old mask is told", sigismember(&old.sa_mask, SIGHUP));
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  CHECK_TEXT("ignored", take(), "");
  CHECK_FAILS("SIGKILL can't be caught", sigaction(SIGKILL, &action, NULL), EINVAL);
  CHECK_FAILS("SIGSTOP can't be caught", sigaction(SIGSTOP, &action, NULL), EINVAL);
  CHECK_IS("but asked", sigaction(SIGKILL, NULL, &old), 0);
  CHECK_FAILS("not a signal", syscall(SYS_rt_sigaction, 65, NULL, NULL, 8), EINVAL);
  CHECK_FAILS("nor 0", syscall(SYS_rt_sigaction, 0, NULL, NULL, 8), EINVAL);
  CHECK_FAILS("wrong mask size", syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 16), EINVAL);
  CHECK_FAILS("unmapped", syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, 8), EFAULT);
  return check_status();
}
