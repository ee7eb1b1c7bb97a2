/* The controlling terminal: how a session gets it, loses it, and what /dev/tty is. */
#include "../check.h"
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static char name[64];

static int by_ioctl(void) {
  CHECK_IS("setsid", setsid(), getpid());
  CHECK_FAILS("no terminal yet", open("/dev/tty", O_RDWR), ENXIO);
  CHECK_FAILS("tcgetpgrp of a foreign terminal", tcgetpgrp(slave), ENOTTY);
  CHECK_IS("TIOCSCTTY", ioctl(slave, TIOCSCTTY, 0), 0);
  CHECK_IS("again is fine", ioctl(slave, TIOCSCTTY, 0), 0);
  CHECK_IS("its session", tcgetsid(slave), getpid());
  CHECK_IS("its foreground group", tcgetpgrp(slave), getpid());
  int tty = open("/dev/tty", O_RDWR);
  CHECK("/dev/tty", tty >= 0);
  CHECK_IS("is a terminal", isatty(tty), 1);
  CHECK_IS("the same one", tcgetsid(tty), getpid());
  pid_t child = fork();
  if (child == 0) {
    CHECK_OK("a child has it too", open("/dev/tty", O_RDWR));
    setpgid(0, 0);
    CHECK_FAILS("but only a leader can set it", ioctl(slave, TIOCSCTTY, 0), EPERM);
    setsid();
    _exit(check_status());
  }
  CHECK_IS("child", wait_code(child), 0);
  signal(SIGHUP, SIG_IGN);
  signal(SIGCONT, SIG_IGN);
  CHECK_IS("TIOCNOTTY", ioctl(slave, TIOCNOTTY), 0);
  CHECK_FAILS("gone", open("/dev/tty", O_RDWR), ENXIO);
  CHECK_FAILS("not ours to give up", ioctl(slave, TIOCNOTTY), ENOTTY);
  return check_status();
}

static int by_open(void) {
  setsid();
  int other = open(name, O_RDWR | O_NOCTTY);
  CHECK("O_NOCTTY", other >= 0);
  CHECK_FAILS("takes no terminal", open("/dev/tty", O_RDWR), ENXIO);
  close(other);
  other = open(name, O_RDWR);
  CHECK("a leader's open", other >= 0);
  CHECK_OK("takes it", open("/dev/tty", O_RDWR));
  CHECK_IS("for its session", tcgetsid(other), getpid());
  return check_status();
}

static int taken(void) {
  int gate[2], ready[2];
  char byte = 0;
  NEED(pipe(gate));
  NEED(pipe(ready));
  pid_t owner = fork();
  if (owner == 0) {
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    if (write(ready[1], &byte, 1) != 1 || read(gate[0], &byte, 1) < 0) _exit(1);
    _exit(0);
  }
  NEED(read(ready[0], &byte, 1));
  setsid();
  CHECK_FAILS("another session's terminal", ioctl(slave, TIOCSCTTY, 0), EPERM);
  CHECK_FAILS("its foreground group is not ours to know", tcgetpgrp(slave), ENOTTY);
  int opened = open(name, O_RDWR);
  CHECK("opening it", opened >= 0);
  CHECK_FAILS("does not take it", open("/dev/tty", O_RDWR), ENXIO);
  NEED(write(gate[1], &byte, 1));
  CHECK_IS("the owner ends", wait_code(owner), 0);
  CHECK_IS("it is free then", ioctl(slave, TIOCSCTTY, 0), 0);
  return check_status();
}

int main(void) {
  int pair[2];
  signal(SIGHUP, SIG_IGN);
  NEED(openpty(&master, &slave, name, NULL, NULL));
  CHECK_IS("by ioctl", in_child(by_ioctl), 0);
  NEED(openpty(&master, &slave, name, NULL, NULL));
  CHECK_IS("by open", in_child(by_open), 0);
  NEED(openpty(&master, &slave, name, NULL, NULL));
  CHECK_IS("taken", in_child(taken), 0);
  NEED(pipe(pair));
  CHECK_FAILS("a pipe has no session", tcgetsid(pair[0]), ENOTTY);
  CHECK_FAILS("nor a foreground group", tcgetpgrp(pair[0]), ENOTTY);
  CHECK_FAILS("nor can it be a controlling terminal", ioctl(pair[0], TIOCSCTTY, 0), ENOTTY);
  return check_status();
}
