/* The ends of a pseudo-terminal: the master's close, the slave's close, and the leader's death. */
#include "../check.h"
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <utmp.h>

static int master, slave, report[2], ready[2];

static void handler(int number) {
  char byte = number;
  if (write(report[1], &byte, 1) != 1) _exit(1);
}

static int told(void) {
  char byte = -1;
  NEED(read(report[0], &byte, 1));
  return byte;
}

static int events(int file, int wait) {
  struct pollfd event = {file, POLLIN | POLLOUT, 0};
  if (poll(&event, 1, wait) < 0) return -1;
  return event.revents;
}

static void master_closes(void) {
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  pid_t leader = fork();
  if (leader == 0) {
    char byte;
    close(master);
    login_tty(slave);
    signal(SIGHUP, handler);
    signal(SIGCONT, handler);
    if (write(ready[1], "r", 1) != 1) _exit(1);
    while (read(0, &byte, 1) < 0 && errno == EINTR) continue;
    ssize_t got = read(0, &byte, 1);
    int wrong = write(0, "x", 1) != -1 || errno != EIO;
    struct termios modes;
    int asked = tcgetattr(0, &modes) == -1 ? errno : 0;
    _exit(wrong ? 1 : asked != EIO ? 2 : got == 0 ? 0 : 3);
  }
  char byte;
  NEED(read(ready[0], &byte, 1));
  close(slave);
  close(master);
  int one = told(), two = told();
  CHECK("the leader gets SIGHUP and SIGCONT",
        (one == SIGHUP && two == SIGCONT) || (one == SIGCONT && two == SIGHUP));
  CHECK_IS("its terminal is at its end", wait_code(leader), 0);

  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  leader = fork();
  if (leader == 0) {
    close(master);
    login_tty(slave);
    if (write(ready[1], "r", 1) != 1) _exit(1);
    for (;;) pause();
  }
  NEED(read(ready[0], &byte, 1));
  close(slave);
  close(master);
  CHECK_IS("SIGHUP kills by default", wait_code(leader), 128 + SIGHUP);
}

static void slave_closes(void) {
  char text[32] = "";
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  CHECK_IS("nothing yet", events(master, 0), POLLOUT);
  NEED(write(slave, "last words", 10));
  close(slave);
  CHECK("hung up, with something to read", (events(master, 10000) & (POLLIN | POLLHUP)) != 0);
  ssize_t got = 0, part;
  while (got < 10 && (part = read(master, text + got, 10 - got)) > 0) got += part;
  CHECK_TEXT("what was written is still there", text, "last words");
  CHECK_FAILS("then the end", read(master, text, 1), EIO);
  CHECK("POLLHUP", events(master, 0) & POLLHUP);
  char name[64];
  NEED(ptsname_r(master, name, sizeof name));
  slave = open(name, O_RDWR | O_NOCTTY);
  CHECK("the slave can be opened again", slave >= 0);
  CHECK("and lives", !(events(master, 0) & POLLHUP));
  NEED(write(slave, "back", 4));
  CHECK_IS("a new conversation", read(master, text, 4), 4);
  close(master);
  CHECK_IS("the master's end: end of file", read(slave, text, 1), 0);
  CHECK_FAILS("and no writing", write(slave, "x", 1), EIO);
  close(slave);
}

static void leader_dies(void) {
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  pid_t leader = fork();
  if (leader == 0) {
    login_tty(slave);
    if (fork() == 0) {
      signal(SIGHUP, handler);
      handler(0);
      for (;;) pause();
    }
    char byte;
    if (read(ready[0], &byte, 1) < 0) _exit(1);
    _exit(0);
  }
  CHECK_IS("the job runs", told(), 0);
  NEED(write(ready[1], "g", 1));
  CHECK_IS("the leader ends", wait_code(leader), 0);
  CHECK_IS("the foreground gets SIGHUP", told(), SIGHUP);
  close(slave);
  close(master);
}

int main(void) {
  NEED(pipe(report));
  NEED(pipe(ready));
  master_closes();
  slave_closes();
  leader_dies();
  return check_status();
}
