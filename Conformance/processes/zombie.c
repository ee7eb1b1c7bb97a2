/* A dead child stays a zombie until it is reaped, or vanishes when SIGCHLD is ignored. */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>

/* The state letter of /proc/PID/stat. */
static char state_of(pid_t pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int file = open(path, O_RDONLY);
  if (file < 0) return '-';
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return '-';
  text[length] = 0;
  char *end = strrchr(text, ')');
  return end ? end[2] : '-';
}

static void dies_unnoticed(const char *name) {
  pid_t child = fork();
  if (child == 0) _exit(4);
  CHECK_FAILS(name, waitpid(child, NULL, 0), ECHILD);
}

int main(void) {
  siginfo_t info;
  pid_t child = fork();
  if (child == 0) _exit(4);
  NEED(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
  CHECK_IS("state of a zombie", state_of(child), 'Z');
  CHECK_IS("a zombie can be signalled", kill(child, SIGKILL), 0);
  CHECK_IS("a zombie keeps its group", getpgid(child), getpgrp());
  CHECK_IS("a zombie keeps its session", getsid(child), getsid(0));
  CHECK_IS("it keeps its code", wait_code(child), 4);
  CHECK_FAILS("a reaped child is gone", kill(child, 0), ESRCH);
  CHECK_IS("and has no /proc directory", state_of(child), '-');

  signal(SIGCHLD, SIG_IGN);
  dies_unnoticed("ignored SIGCHLD: no zombie");
  struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
  sigaction(SIGCHLD, &action, NULL);
  dies_unnoticed("SA_NOCLDWAIT: no zombie");

  /* A zombie made before SIGCHLD was ignored stays one. */
  signal(SIGCHLD, SIG_DFL);
  child = fork();
  if (child == 0) _exit(6);
  NEED(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
  signal(SIGCHLD, SIG_IGN);
  CHECK_IS("an earlier zombie remains", wait_code(child), 6);
  signal(SIGCHLD, SIG_DFL);

  /* Zombies of a dead parent are reaped by whoever inherits them. */
  int report[2];
  NEED(pipe(report));
  child = fork();
  if (child == 0) {
    pid_t grandchild = fork();
    if (grandchild == 0) _exit(0);
    waitid(P_PID, grandchild, &info, WEXITED | WNOWAIT);
    if (write(report[1], &grandchild, sizeof grandchild) != sizeof grandchild) _exit(1);
    _exit(0);
  }
  pid_t grandchild = 0;
  CHECK_IS("parent of a zombie", wait_code(child), 0);
  CHECK_IS("it tells its child's pid", read(report[0], &grandchild, sizeof grandchild), 4);
  CHECK_FAILS("not our child", waitpid(grandchild, NULL, 0), ECHILD);
  return check_status();
}
