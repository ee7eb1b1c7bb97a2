/* clone3(2): the same as clone with its arguments in a structure, and a pidfd. */
#include "../check.h"
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

static long clone3(struct clone_args *arguments, size_t size) {
  return syscall(SYS_clone3, arguments, size);
}

int main(void) {
  struct clone_args arguments = {.exit_signal = SIGCHLD};
  pid_t child = clone3(&arguments, sizeof arguments);
  if (child == 0) _exit(12);
  CHECK("like fork", child > 0);
  CHECK_IS("code", wait_code(child), 12);

  child = clone3(&arguments, CLONE_ARGS_SIZE_VER0);
  if (child == 0) _exit(13);
  CHECK_IS("the first version's size", wait_code(child), 13);

  int pidfd = -1;
  pid_t told = 0;
  arguments.flags = CLONE_PIDFD | CLONE_PARENT_SETTID;
  arguments.pidfd = (uintptr_t)&pidfd;
  arguments.parent_tid = (uintptr_t)&told;
  child = clone3(&arguments, sizeof arguments);
  if (child == 0) _exit(14);
  CHECK_IS("CLONE_PARENT_SETTID", told, child);
  CHECK("CLONE_PIDFD", pidfd >= 0);
  struct pollfd event = {pidfd, POLLIN, 0};
  CHECK_IS("the pidfd tells the end", poll(&event, 1, 10000), 1);
  CHECK_IS("code of the watched child", wait_code(child), 14);
  close(pidfd);

  struct clone_args broken = {.exit_signal = 65};
  CHECK_FAILS("not a signal", clone3(&broken, sizeof broken), EINVAL);
  broken = (struct clone_args){.flags = SIGCHLD};
  CHECK_FAILS("a signal among the flags", clone3(&broken, sizeof broken), EINVAL);
  broken = (struct clone_args){.exit_signal = SIGCHLD, .stack = 0x1000};
  CHECK_FAILS("a stack without a size", clone3(&broken, sizeof broken), EINVAL);
  broken = (struct clone_args){.exit_signal = SIGCHLD, .stack_size = 0x1000};
  CHECK_FAILS("a size without a stack", clone3(&broken, sizeof broken), EINVAL);
  broken = (struct clone_args){.flags = CLONE_SIGHAND, .exit_signal = SIGCHLD};
  CHECK_FAILS("CLONE_SIGHAND alone", clone3(&broken, sizeof broken), EINVAL);
  CHECK_FAILS("too small", clone3(&arguments, 8), EINVAL);
  CHECK_FAILS("too large", clone3(&arguments, 8192), E2BIG);
  CHECK_FAILS("unmapped", clone3((void *)8, sizeof arguments), EFAULT);
  return check_status();
}
