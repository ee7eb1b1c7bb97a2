/* setsid(2) and getsid(2). */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>

static int new_session(void) {
  pid_t old = getsid(0);
  CHECK_IS("setsid returns the new session", setsid(), getpid());
  CHECK_IS("session", getsid(0), getpid());
  CHECK_IS("group", getpgrp(), getpid());
  CHECK("not the old session", getsid(0) != old);
  CHECK_FAILS("a group leader can't", setsid(), EPERM);
  CHECK_FAILS("no controlling terminal", open("/dev/tty", O_RDWR), ENXIO);
  pid_t child = fork();
  if (child == 0) _exit(getsid(0) == getppid() ? 0 : 1);
  CHECK_IS("a child is in the parent's session", wait_code(child), 0);
  return check_status();
}

/* The leader of a group, though not of the session, can't make a session either. */
static int group_leader(void) {
  setpgid(0, 0);
  CHECK_FAILS("leader of a group only", setsid(), EPERM);
  return check_status();
}

static int across_sessions(void) {
  int gate[2];
  char byte = 0;
  NEED(pipe(gate));
  pid_t child = fork();
  if (child == 0) {
    setsid();
    if (write(gate[1], &byte, 1) != 1) _exit(1);
    pause();
  }
  NEED(read(gate[0], &byte, 1));
  CHECK_IS("getsid of another session's process", getsid(child), child);
  CHECK_FAILS("setpgid of a session leader", setpgid(child, getpgrp()), EPERM);
  pid_t own = fork();
  if (own == 0) _exit(setpgid(0, getppid()) == -1 ? errno : 0);
  wait_code(own);
  own = fork();
  if (own == 0) {
    _exit(setpgid(0, child) == -1 ? errno : 0);
  }
  CHECK_IS("joining a group of another session", wait_code(own), EPERM);
  kill(child, SIGKILL);
  return wait_code(child) == 128 + SIGKILL ? check_status() : 1;
}

/* A session survives its leader. */
static int leaderless(void) {
  int gate[2], report[2];
  NEED(pipe(gate));
  NEED(pipe(report));
  pid_t leader = fork();
  if (leader == 0) {
    setsid();
    if (fork() == 0) {
      char byte;
      close(gate[1]);
      if (read(gate[0], &byte, 1) < 0) _exit(1);
      pid_t session = getsid(0);
      if (write(report[1], &session, sizeof session) != sizeof session) _exit(1);
    }
    _exit(0);
  }
  wait_code(leader);
  close(gate[1]);
  pid_t session = 0;
  NEED(read(report[0], &session, sizeof session));
  CHECK_IS("the session outlives its leader", session, leader);
  return check_status();
}

int main(void) {
  CHECK_FAILS("getsid of nobody", getsid(0x3fffffff), ESRCH);
  CHECK_FAILS("getsid of a negative pid", getsid(-1), ESRCH);
  CHECK_IS("new session", in_child(new_session), 0);
  CHECK_IS("group leader", in_child(group_leader), 0);
  CHECK_IS("across sessions", in_child(across_sessions), 0);
  CHECK_IS("leaderless", in_child(leaderless), 0);
  return check_status();
}
