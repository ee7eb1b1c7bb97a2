/* Starts a command in a state that does not depend on who runs the tests.
 *
 *     clean-start COMMAND ARGUMENTS...
 *
 * A shell, a terminal and a CI machine leave different things behind: ignored signals (among them
 * 32 and 33, which the C library hides, so that env --default-signal leaves them alone), blocked
 * signals, open descriptors, a umask, a controlling terminal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNALS 64
#define SET_BYTES (SIGNALS / 8)

/* What rt_sigaction(2) takes; all zeros is the default action. */
struct kernel_action {
  void *handler;
  unsigned long flags;
  void *restorer;
  unsigned long mask;
};

int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "usage: clean-start COMMAND ARGUMENTS...\n");
    return 125;
  }
  const struct kernel_action by_default = {0};
  for (int number = 1; number <= SIGNALS; number++) {
    /* SIGKILL and SIGSTOP are refused, and can't be ignored either. */
    syscall(SYS_rt_sigaction, number, &by_default, NULL, SET_BYTES);
  }
  const unsigned long none = 0;
  syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, NULL, SET_BYTES);
  syscall(SYS_close_range, 3, ~0U, 0);
  umask(022);
  setsid(); /* Refused to the leader of a process group, which is in a state of its own then. */
  execvp(arguments[1], arguments + 1);
  fprintf(stderr, "clean-start: cannot run %s: %s\n", arguments[1], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}
