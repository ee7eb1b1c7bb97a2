/* SIGCHLD: what siginfo says of an exit, a kill, a stop and a continue; SA_NOCLDSTOP. */
#include "../check.h"
#include <signal.h>

static pid_t child;
static sigset_t chld;

static pid_t sleeper(void) {
  pid_t made = fork();
  if (made == 0)
    for (;;) pause();
  NEED(made);
  return made;
}

static void expect(const char *name, int code, int status) {
  siginfo_t info;
  int good = sigwaitinfo(&chld, &info) == SIGCHLD && info.si_code == code &&
             info.si_status == status && info.si_pid == child && info.si_uid == getuid();
  check_report(name, good, info.si_code * 1000 + info.si_status, 0);
}

static int pending(void) {
  sigset_t set;
  sigpending(&set);
  return sigismember(&set, SIGCHLD);
}

static void nothing(int number) { (void)number; }

int main(void) {
  int status;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_BLOCK, &chld, NULL);
  struct sigaction action = {.sa_handler = nothing};
  sigaction(SIGCHLD, &action, NULL);

  child = fork();
  if (child == 0) _exit(300);
  expect("exit", CLD_EXITED, 300 & 0xff);
  wait_code(child);

  child = sleeper();
  kill(child, SIGSTOP);
  expect("stop", CLD_STOPPED, SIGSTOP);
  waitpid(child, &status, WUNTRACED);
  kill(child, SIGCONT);
  expect("continue", CLD_CONTINUED, SIGCONT);
  waitpid(child, &status, WCONTINUED);
  kill(child, SIGTERM);
  expect("kill", CLD_KILLED, SIGTERM);
  wait_code(child);

  action.sa_flags = SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, NULL);
  child = sleeper();
  kill(child, SIGSTOP);
  CHECK_IS("SA_NOCLDSTOP: it stops", waitpid(child, &status, WUNTRACED), child);
  CHECK("without a signal", !pending());
  kill(child, SIGCONT);
  CHECK_IS("it continues", waitpid(child, &status, WCONTINUED), child);
  CHECK("without a signal again", !pending());
  kill(child, SIGKILL);
  expect("its end is told", CLD_KILLED, SIGKILL);
  wait_code(child);

  action.sa_flags = SA_NOCLDWAIT;
  sigaction(SIGCHLD, &action, NULL);
  child = fork();
  if (child == 0) _exit(5);
  expect("SA_NOCLDWAIT: a signal though no zombie", CLD_EXITED, 5);
  CHECK_FAILS("nothing to wait for", waitpid(child, &status, 0), ECHILD);

  /* Many ends merge into one signal; waiting with WNOHANG finds all. */
  action.sa_flags = 0;
  sigaction(SIGCHLD, &action, NULL);
  siginfo_t info;
  for (int i = 0; i < 5; i++) {
    child = fork();
    if (child == 0) _exit(i);
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  }
  CHECK("one is pending", pending());
  int sum = 0, count = 0;
  while (waitpid(-1, &status, WNOHANG) > 0) sum += WEXITSTATUS(status), count++;
  CHECK("all are found", count == 5 && sum == 10);
  sigwaitinfo(&chld, &info);
  CHECK("only one signal was pending", !pending());
  return check_status();
}
