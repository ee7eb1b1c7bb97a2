/* Signals across exec: handlers go, ignored and blocked and pending ones stay. */
#include "../check.h"
#include <signal.h>
#include <sys/time.h>

static void handler(int number) { (void)number; }

static int new_program(void) {
  struct sigaction action;
  sigaction(SIGUSR1, NULL, &action);
  CHECK("a handler becomes the default", action.sa_handler == SIG_DFL);
  sigaction(SIGUSR2, NULL, &action);
  CHECK("ignored stays ignored", action.sa_handler == SIG_IGN);
  sigaction(SIGCHLD, NULL, &action);
  CHECK("ignored SIGCHLD stays ignored", action.sa_handler == SIG_IGN);
  sigaction(SIGTERM, NULL, &action);
  CHECK_IS("flags of a reset handler", action.sa_flags & ~0x04000000, 0);

  sigset_t set;
  sigprocmask(SIG_SETMASK, NULL, &set);
  CHECK("the mask is kept", sigismember(&set, SIGHUP) && sigismember(&set, SIGRTMIN + 2));
  CHECK("and nothing is added", !sigismember(&set, SIGUSR1) && !sigismember(&set, SIGINT));
  sigpending(&set);
  CHECK("a pending signal is kept", sigismember(&set, SIGHUP));
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 2);
  siginfo_t info;
  struct timespec now = {0, 0};
  CHECK_IS("a queued signal is kept", sigtimedwait(&set, &info, &now), SIGRTMIN + 2);
  CHECK_IS("with its value", info.si_value.sival_int, 4711);
  CHECK_IS("and its code", info.si_code, SI_QUEUE);

  stack_t stack;
  sigaltstack(NULL, &stack);
  CHECK_IS("no alternate stack", stack.ss_flags, SS_DISABLE);
  CHECK("the alarm still runs", alarm(0) > 900);
  struct itimerval timer;
  getitimer(ITIMER_VIRTUAL, &timer);
  CHECK("so does an interval timer", timer.it_value.tv_sec > 900);
  return check_status();
}

int main(int argc, char **argv) {
  if (argc > 1) return new_program();
  static char memory[65536];
  stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  signal(SIGUSR2, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGRTMIN + 2);
  sigprocmask(SIG_SETMASK, &set, NULL);
  raise(SIGHUP);
  union sigval value = {.sival_int = 4711};
  sigqueue(getpid(), SIGRTMIN + 2, value);
  alarm(1000);
  struct itimerval timer = {{0, 0}, {1000, 0}};
  setitimer(ITIMER_VIRTUAL, &timer, NULL);
  char *arguments[] = {"new", "program", NULL};
  execve("/proc/self/exe", arguments, environ);
  return 127;
}
