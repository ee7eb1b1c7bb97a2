/* waitid(2): which children, which events, WNOWAIT, and what it writes into siginfo. */
#include "../check.h"
#include <signal.h>

static int release[2];

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

/* One waitid and the three fields it must fill. */
static void expect(const char *name, pid_t child, int options, int code, int status) {
  siginfo_t info;
  memset(&info, 0xff, sizeof info);
  int result = waitid(P_PID, child, &info, options);
  int good = result == 0 && info.si_signo == SIGCHLD && info.si_code == code &&
             info.si_status == status && info.si_pid == child && info.si_uid == getuid();
  check_report(name, good, result ? result : info.si_code * 1000 + info.si_status, errno);
}

int main(void) {
  siginfo_t info;
  CHECK_FAILS("no children", waitid(P_ALL, 0, &info, WEXITED), ECHILD);
  CHECK_FAILS("no event asked for", waitid(P_ALL, 0, &info, WNOHANG), EINVAL);
  CHECK_FAILS("unknown id type", waitid(99, 0, &info, WEXITED), EINVAL);
  CHECK_FAILS("pid 0", waitid(P_PID, 0, &info, WEXITED), EINVAL);

  NEED(pipe(release));
  pid_t child = waiting_child(42);
  memset(&info, 0xff, sizeof info);
  CHECK_IS("WNOHANG", waitid(P_PID, child, &info, WEXITED | WNOHANG), 0);
  CHECK("nothing happened: zero signal and pid", info.si_signo == 0 && info.si_pid == 0);
  kill(child, SIGSTOP);
  expect("stopped, left waitable", child, WSTOPPED | WNOWAIT, CLD_STOPPED, SIGSTOP);
  expect("stopped", child, WSTOPPED, CLD_STOPPED, SIGSTOP);
  kill(child, SIGCONT);
  expect("continued, left waitable", child, WCONTINUED | WNOWAIT, CLD_CONTINUED, SIGCONT);
  expect("continued", child, WCONTINUED | WEXITED, CLD_CONTINUED, SIGCONT);
  close(release[1]);
  expect("exited, left waitable", child, WEXITED | WNOWAIT, CLD_EXITED, 42);
  expect("still waitable", child, WEXITED | WNOWAIT, CLD_EXITED, 42);
  CHECK_FAILS("a zombie will not stop", waitid(P_PID, child, &info, WSTOPPED | WNOHANG), ECHILD);
  expect("exited", child, WEXITED, CLD_EXITED, 42);
  CHECK_FAILS("reaped", waitid(P_PID, child, &info, WEXITED), ECHILD);

  close(release[0]);
  NEED(pipe(release));
  child = waiting_child(0);
  setpgid(child, child);
  kill(child, SIGKILL);
  CHECK_IS("by group", waitid(P_PGID, child, &info, WEXITED | WNOWAIT), 0);
  CHECK_FAILS("by another group", waitid(P_PGID, getpgrp(), &info, WEXITED), ECHILD);
  CHECK_FAILS("P_PGID 0 is the own group", waitid(P_PGID, 0, &info, WEXITED), ECHILD);
  expect("killed", child, WEXITED, CLD_KILLED, SIGKILL);

  child = fork();
  if (child == 0) _exit(3);
  CHECK_IS("P_ALL without siginfo", waitid(P_ALL, 0, NULL, WEXITED), 0);
  CHECK_FAILS("P_ALL reaped it", waitid(P_ALL, 0, NULL, WEXITED), ECHILD);
  return check_status();
}
