/* vfork(2): the parent stands still until the child calls exec or ends. */
#include "../check.h"
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static volatile int step;

int main(void) {
  int status;
  pid_t child = vfork();
  if (child == 0) {
    step = 1;
    for (int i = 0; i < 100; i++) sched_yield();
    step = 2;
    _exit(11);
  }
  CHECK("pid of the child", child > 0);
  CHECK_IS("the parent waited, memory is common", step, 2);
  CHECK_IS("exit code", wait_code(child), 11);

  static int failure;
  char *arguments[] = {"nothing", NULL}, *environment[] = {NULL};
  child = vfork();
  if (child == 0) {
    execve("/nonexistent/program", arguments, environment);
    failure = errno;
    _exit(127);
  }
  CHECK_IS("exec's errno is seen by the parent", failure, ENOENT);
  CHECK_IS("exit code after failed exec", wait_code(child), 127);

  char *shell[] = {"sh", "-c", "exit $CODE", NULL}, *code[] = {"CODE=42", NULL};
  child = vfork();
  if (child == 0) {
    execve("/bin/sh", shell, code);
    _exit(127);
  }
  CHECK_IS("exec", wait_code(child), 42);

  int gate[2];
  NEED(pipe(gate));
  char *cat[] = {"cat", NULL};
  child = vfork();
  if (child == 0) {
    dup2(gate[0], 0);
    close(gate[0]);
    close(gate[1]);
    execve("/bin/cat", cat, environment);
    _exit(127);
  }
  CHECK_IS("the parent goes on when exec succeeded", waitpid(child, &status, WNOHANG), 0);
  CHECK_OK("the child's close is its own", write(gate[1], "through\n", 8));
  close(gate[1]);
  CHECK_IS("cat ended", wait_code(child), 0);

  child = vfork();
  if (child == 0) {
    kill(getpid(), SIGKILL);
    _exit(1);
  }
  CHECK_IS("a killed child frees its parent", wait_code(child), 128 + SIGKILL);

  child = vfork();
  if (child == 0) {
    signal(SIGUSR1, SIG_IGN);
    _exit(getpid() != getppid() ? 0 : 1);
  }
  CHECK_IS("dispositions", wait_code(child), 0);
  struct sigaction action;
  sigaction(SIGUSR1, NULL, &action);
  CHECK("a child's dispositions are its own", action.sa_handler == SIG_DFL);

  for (int i = 0; i < 50; i++) {
    child = vfork();
    if (child == 0) _exit(i);
    if (wait_code(child) != i) return 3;
  }
  CHECK("fifty in a row", 1);
  return check_status();
}
