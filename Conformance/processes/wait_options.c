/* waitpid(2) and wait4(2): WNOHANG, WUNTRACED, WCONTINUED, and whom each pid argument means. */
#include "../check.h"
#include <signal.h>
#include <sys/resource.h>

static int release[2];

/* A child that lives until the pipe is closed. */
static pid_t waiting_child(int code) {
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(release[1]);
    if (read(release[0], &byte, 1) < 0) _exit(99);
    _exit(code);
  }
  NEED(child);
  return child;
}

int main(void) {
  int status = -7;
  CHECK_FAILS("no children: waitpid", waitpid(-1, NULL, 0), ECHILD);
  CHECK_FAILS("no children: WNOHANG", waitpid(-1, NULL, WNOHANG), ECHILD);
  CHECK_FAILS("not a child", waitpid(getppid(), NULL, WNOHANG), ECHILD);
  CHECK_FAILS("itself", waitpid(getpid(), NULL, WNOHANG), ECHILD);
  CHECK_FAILS("unknown option", waitpid(-1, NULL, 0x4000), EINVAL);
  CHECK_FAILS("WEXITED is waitid's alone", waitpid(-1, NULL, WEXITED), EINVAL);

  NEED(pipe(release));
  pid_t child = waiting_child(5);
  CHECK_IS("WNOHANG on a running child", waitpid(child, &status, WNOHANG), 0);
  CHECK_IS("status is untouched", status, -7);
  CHECK_IS("WNOHANG of any child", waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);

  kill(child, SIGSTOP);
  CHECK_IS("WUNTRACED", waitpid(child, &status, WUNTRACED), child);
  CHECK("stopped", WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  CHECK("a stopped child has not exited", !WIFEXITED(status) && !WIFSIGNALED(status));
  CHECK_IS("a stop is reported once", waitpid(child, &status, WUNTRACED | WNOHANG), 0);
  kill(child, SIGCONT);
  CHECK("WCONTINUED", waitpid(child, &status, WCONTINUED) == child);
  CHECK("continued", WIFCONTINUED(status) && status == 0xffff);
  CHECK_IS("a continue is reported once", waitpid(child, &status, WCONTINUED | WNOHANG), 0);
  close(release[1]);
  CHECK("exit after continue", waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
  CHECK_FAILS("a child is reaped once", waitpid(child, &status, WNOHANG), ECHILD);

  close(release[0]);
  NEED(pipe(release));
  pid_t first = waiting_child(1), second = waiting_child(2);
  setpgid(second, second);
  CHECK_IS("own group: running", waitpid(0, &status, WNOHANG), 0);
  CHECK_IS("other group: running", waitpid(-second, &status, WNOHANG), 0);
  CHECK_FAILS("a group without members", waitpid(-first, &status, WNOHANG), ECHILD);
  close(release[1]);
  CHECK("by group", waitpid(-second, &status, 0) == second && WEXITSTATUS(status) == 2);
  struct rusage usage;
  memset(&usage, 0xff, sizeof usage);
  CHECK("wait4 in the own group", wait4(0, &status, 0, &usage) == first);
  CHECK("wait4 fills the usage", usage.ru_utime.tv_sec >= 0 && usage.ru_maxrss > 0);
  CHECK_FAILS("nobody left", wait(NULL), ECHILD);

  child = fork();
  if (child == 0) _exit(0);
  CHECK_FAILS("status into unmapped memory", waitpid(child, (int *)8, 0), EFAULT);
  return check_status();
}
