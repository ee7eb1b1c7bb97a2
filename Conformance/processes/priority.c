/* getpriority(2), setpriority(2) and nice(2) of a process without privileges. */
#include "../check.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int child_inherits(void) { return getpriority(PRIO_PROCESS, 0); }

static int without_privileges(void) {
  if (setresuid(65534, 65534, 65534) != 0) return 9;
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_NICE, &none);
  CHECK_IS("start", getpriority(PRIO_PROCESS, 0), 0);
  CHECK_IS("nice(0) changes nothing", nice(0), 0);
  CHECK_IS("nice(3)", nice(3), 3);
  CHECK_IS("getpriority", getpriority(PRIO_PROCESS, 0), 3);
  CHECK_IS("the raw call answers 20 - nice", syscall(SYS_getpriority, PRIO_PROCESS, 0), 17);
  CHECK_IS("by pid", getpriority(PRIO_PROCESS, getpid()), 3);
  CHECK_IS("a child inherits it", in_child(child_inherits), 3);
  CHECK_FAILS("nice back", nice(-1), EPERM);
  CHECK_FAILS("setpriority back", setpriority(PRIO_PROCESS, 0, 2), EACCES);
  CHECK_IS("the same is allowed", setpriority(PRIO_PROCESS, 0, 3), 0);
  CHECK_IS("nice is cut at 19", nice(100), 19);
  CHECK_IS("setpriority is cut at 19", setpriority(PRIO_PROCESS, 0, 50), 0);
  CHECK_IS("lowest", getpriority(PRIO_PROCESS, 0), 19);
  CHECK_FAILS("another user's process", setpriority(PRIO_PROCESS, getppid(), 19), EPERM);
  return check_status();
}

static int of_a_group(void) {
  setpgid(0, 0);
  CHECK_IS("set the group's", setpriority(PRIO_PGRP, 0, 4), 0);
  CHECK_IS("get the group's", getpriority(PRIO_PGRP, getpid()), 4);
  pid_t child = fork();
  if (child == 0) _exit(nice(6) == 10 && getpriority(PRIO_PGRP, 0) == 4 ? 0 : 1);
  CHECK_IS("a group's is its highest member's", wait_code(child), 0);
  return check_status();
}

int main(void) {
  CHECK_FAILS("unknown kind", getpriority(7, 0), EINVAL);
  CHECK_FAILS("unknown kind to set", setpriority(-1, 0, 5), EINVAL);
  CHECK_FAILS("no such process", getpriority(PRIO_PROCESS, 0x3fffffff), ESRCH);
  CHECK_FAILS("no such process to set", setpriority(PRIO_PROCESS, 0x3fffffff, 5), ESRCH);
  CHECK_FAILS("no such group", getpriority(PRIO_PGRP, 0x3fffffff), ESRCH);
  CHECK_FAILS("no such user", getpriority(PRIO_USER, 54321), ESRCH);
  CHECK_IS("without privileges", in_child(without_privileges), 0);
  CHECK_IS("of a group", in_child(of_a_group), 0);
  CHECK_IS("children don't change the parent", getpriority(PRIO_PROCESS, 0), 0);
  return check_status();
}
