/* setpgid(2) and its many rules. */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>

static int gate[2];

static pid_t waiting_child(void) {
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(gate[1]);
    if (read(gate[0], &byte, 1) < 0) _exit(1);
    _exit(0);
  }
  NEED(child);
  return child;
}

static int leader_of_a_session(void) {
  setsid();
  CHECK_FAILS("a session leader's group is fixed", setpgid(0, 0), EPERM);
  pid_t child = fork();
  if (child == 0) _exit(setpgid(0, getppid()) == 0 && getpgrp() == getppid() ? 0 : 1);
  CHECK_IS("join the leader's group again", wait_code(child), 0);
  return check_status();
}

static int with_exec(void) {
  int ready[2];
  char byte;
  NEED(pipe2(ready, O_CLOEXEC));
  pid_t child = fork();
  if (child == 0) {
    dup2(gate[0], STDIN_FILENO);
    close(gate[0]);
    close(gate[1]);
    execlp("cat", "cat", NULL);
    _exit(127);
  }
  close(ready[1]);
  NEED(read(ready[0], &byte, 1)); /* ends when exec closes the child's end */
  CHECK_FAILS("after the child's exec", setpgid(child, child), EACCES);
  close(gate[1]);
  return wait_code(child);
}

int main(void) {
  NEED(pipe(gate));
  pid_t child = waiting_child();
  CHECK_IS("a child starts in the parent's group", getpgid(child), getpgrp());
  CHECK_IS("setpgid of a child", setpgid(child, child), 0);
  CHECK_IS("its group", getpgid(child), child);
  CHECK_IS("the same again", setpgid(child, child), 0);

  pid_t second = waiting_child();
  CHECK_IS("join another's group", setpgid(second, child), 0);
  CHECK_IS("joined", getpgid(second), child);
  CHECK_IS("back to the parent's group", setpgid(second, getpgrp()), 0);
  CHECK_IS("0 means its own pid", setpgid(second, 0), 0);
  CHECK_IS("a group of its own", getpgid(second), second);

  CHECK_FAILS("negative group", setpgid(child, -1), EINVAL);
  CHECK_FAILS("not a child", setpgid(getppid(), 0), ESRCH);
  CHECK_FAILS("no such process", setpgid(0x3fffffff, 0), ESRCH);
  CHECK_FAILS("no such group", setpgid(child, 0x3fffffff), EPERM);
  CHECK_FAILS("getpgid of nobody", getpgid(0x3fffffff), ESRCH);
  CHECK_FAILS("getpgid of a negative pid", getpgid(-1), ESRCH);
  CHECK_IS("getpgid(0) is the own group", getpgid(0), getpgrp());

  CHECK_IS("kill reaches a group", kill(-second, SIGTERM), 0);
  CHECK_IS("only that group died", wait_code(second), 128 + SIGTERM);
  CHECK_FAILS("an empty group", kill(-second, 0), ESRCH);
  kill(child, SIGKILL);
  siginfo_t info;
  waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  CHECK_IS("a zombie still counts for its group", kill(-child, 0), 0);
  wait_code(child);

  CHECK_IS("session leader", in_child(leader_of_a_session), 0);
  CHECK_IS("exec", with_exec(), 0);
  return check_status();
}
