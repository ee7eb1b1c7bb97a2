/* fork, exec and exit inside handlers; dispositions after fork; a handler in parent and child. */
#include "../check.h"
#include <signal.h>

static volatile sig_atomic_t count, code = -1;
static pid_t volatile child;

static void counting(int number) { count += number; }

static void forking(int number) {
  (void)number;
  child = fork();
  if (child == 0) {
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    _exit(sigismember(&set, SIGUSR1) ? 44 : 45);
  }
}

static void forking_on(int number) {
  (void)number;
  child = fork();
}

static void executing(int number) {
  (void)number;
  char *arguments[] = {"sh", "-c", "kill -USR1 $$; exit 23", NULL};
  execve("/bin/sh", arguments, environ);
  _exit(127);
}

static void leaving(int number) { _exit(number); }

static void reaping(int number) {
  int status;
  (void)number;
  while (waitpid(-1, &status, WNOHANG) > 0) code = WEXITSTATUS(status), count++;
}

static int runs_executing(void) {
  signal(SIGUSR1, executing);
  raise(SIGUSR1);
  return 1;
}

static int runs_leaving(void) {
  signal(SIGUSR2, leaving);
  raise(SIGUSR2);
  return 1;
}

int main(void) {
  signal(SIGUSR1, counting);
  child = fork();
  if (child == 0) {
    raise(SIGUSR1);
    _exit(count);
  }
  CHECK_IS("a child keeps handlers", wait_code(child), SIGUSR1);
  CHECK_IS("the parent's did not run", count, 0);

  signal(SIGUSR1, forking);
  raise(SIGUSR1);
  CHECK_IS("a child of a handler has its mask", wait_code(child), 44);
  signal(SIGUSR1, forking_on);
  pid_t self = getpid();
  raise(SIGUSR1);
  sigset_t set;
  sigprocmask(SIG_SETMASK, NULL, &set);
  int blocked = sigismember(&set, SIGUSR1);
  if (getpid() != self) _exit(blocked ? 1 : 55);
  CHECK_IS("a child returns from the handler too", wait_code(child), 55);

  CHECK_IS("exec keeps the handler's mask", in_child(runs_executing), 23);
  CHECK_IS("_exit", in_child(runs_leaving), SIGUSR2);

  /* A handler that reaps while the program waits for something else. */
  signal(SIGCHLD, reaping);
  sigset_t chld, old;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_BLOCK, &chld, &old);
  count = 0;
  for (int i = 0; i < 20; i++)
    if (fork() == 0) _exit(66);
  while (count < 20) sigsuspend(&old);
  CHECK_IS("all children reaped by the handler", count, 20);
  CHECK_IS("with their code", code, 66);
  CHECK_FAILS("nobody is left", wait(NULL), ECHILD);
  return check_status();
}
