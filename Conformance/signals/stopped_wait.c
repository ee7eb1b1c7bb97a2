/* Stop and continue reports between parent and child in every order that shells rely on. */
#include "../check.h"
#include <signal.h>

int main(void) {
  int status;
  /* A child stops itself and goes on where it was. */
  pid_t child = fork();
  if (child == 0) {
    raise(SIGSTOP);
    raise(SIGSTOP);
    _exit(9);
  }
  for (int i = 0; i < 2; i++) {
    CHECK_IS("it stopped itself", waitpid(child, &status, WUNTRACED), child);
    CHECK_IS("status of a stop", status, SIGSTOP << 8 | 0x7f);
    kill(child, SIGCONT);
  }
  CHECK_IS("and went on", wait_code(child), 9);

  /* SIGCONT before the parent looks: the stop is no longer reported. */
  child = fork();
  if (child == 0)
    for (;;) pause();
  siginfo_t info;
  kill(child, SIGSTOP);
  waitid(P_PID, child, &info, WSTOPPED | WNOWAIT);
  kill(child, SIGCONT);
  waitid(P_PID, child, &info, WCONTINUED | WNOWAIT);
  CHECK_IS("a stop that is over", waitpid(child, &status, WUNTRACED | WNOHANG), 0);
  CHECK_IS("a continue that lasts", waitpid(child, &status, WCONTINUED | WNOHANG), child);
  kill(child, SIGSTOP);
  waitid(P_PID, child, &info, WSTOPPED | WNOWAIT);
  kill(child, SIGKILL);
  waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  CHECK_IS("death hides the stop", waitpid(child, &status, WUNTRACED), child);
  CHECK("killed", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

  /* A plain waitpid sleeps through stops. */
  child = fork();
  if (child == 0) {
    pid_t brother = fork();
    if (brother == 0) {
      raise(SIGSTOP);
      _exit(3);
    }
    waitid(P_PID, brother, &info, WSTOPPED | WNOWAIT);
    kill(brother, SIGCONT);
    _exit(waitpid(brother, &status, 0) == brother && WEXITSTATUS(status) == 3 ? 0 : 1);
  }
  CHECK_IS("a plain wait tells the end only", wait_code(child), 0);

  /* All members of a stopped pipeline stop and go on. */
  pid_t group = 0, members[3];
  for (int i = 0; i < 3; i++) {
    members[i] = fork();
    if (members[i] == 0) {
      setpgid(0, group);
      for (;;) pause();
    }
    if (!group) group = members[i];
    setpgid(members[i], group);
  }
  kill(-group, SIGTSTP);
  int stopped = 0;
  for (int i = 0; i < 3; i++)
    stopped += waitpid(-group, &status, WUNTRACED) > 0 && WIFSTOPPED(status);
  CHECK_IS("three stopped", stopped, 3);
  kill(-group, SIGCONT);
  int continued = 0;
  for (int i = 0; i < 3; i++)
    continued += waitpid(-group, &status, WCONTINUED) > 0 && WIFCONTINUED(status);
  CHECK_IS("three continued", continued, 3);
  kill(-group, SIGTERM);
  int ended = 0;
  for (int i = 0; i < 3; i++) ended += waitpid(-group, &status, 0) > 0 && WIFSIGNALED(status);
  CHECK_IS("three ended", ended, 3);
  CHECK_FAILS("the group is empty", waitpid(-group, &status, 0), ECHILD);
  return check_status();
}
