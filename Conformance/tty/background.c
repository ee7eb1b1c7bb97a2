/* Background jobs: SIGTTIN on reading, SIGTTOU on writing and on changing the terminal. */
#include "../check.h"
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <utmp.h>

/* Runs `body` in a background group of this session and tells how it stopped or ended. */
static int job(int (*body)(void)) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    _exit(body());
  }
  setpgid(child, child);
  if (waitpid(child, &status, WUNTRACED) != child) return -1;
  if (!WIFSTOPPED(status)) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  int number = WSTOPSIG(status);
  kill(-child, SIGKILL);
  waitpid(child, &status, 0);
  return 200 + number;
}

static int reads(void) {
  char byte;
  return read(0, &byte, 1) < 0 ? errno : 0;
}
static int reads_ignoring(void) {
  signal(SIGTTIN, SIG_IGN);
  return reads();
}
static int reads_blocking(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTTIN);
  sigprocmask(SIG_BLOCK, &set, NULL);
  return reads();
}
static void nothing(int number) { (void)number; }
static int reads_catching(void) {
  struct sigaction action = {.sa_handler = nothing};
  sigaction(SIGTTIN, &action, NULL);
  return reads();
}
static int writes(void) { return write(0, "-", 1) < 0 ? errno : 0; }
static int sets(void) {
  struct termios modes;
  if (tcgetattr(0, &modes) != 0) return errno;
  return tcsetattr(0, TCSANOW, &modes) != 0 ? errno : 0;
}
static int sets_ignoring(void) {
  signal(SIGTTOU, SIG_IGN);
  return sets();
}
static int takes(void) { return tcsetpgrp(0, getpgrp()) != 0 ? errno : 0; }
static int takes_ignoring(void) {
  signal(SIGTTOU, SIG_IGN);
  if (takes() != 0) return 1;
  return tcgetpgrp(0) == getpgrp() ? reads() : 2;
}
static int drains(void) { return tcdrain(0) != 0 ? errno : 0; }

static int session(void) {
  struct termios modes;
  pid_t self = getpgrp();
  CHECK_IS("reading stops", job(reads), 200 + SIGTTIN);
  CHECK_IS("ignored: reading fails", job(reads_ignoring), EIO);
  CHECK_IS("blocked: reading fails", job(reads_blocking), EIO);
  CHECK_IS("caught: reading is interrupted", job(reads_catching), EINTR);
  CHECK_IS("writing is allowed", job(writes), 0);
  CHECK_IS("changing modes stops", job(sets), 200 + SIGTTOU);
  CHECK_IS("ignored: changing works", job(sets_ignoring), 0);
  CHECK_IS("taking the foreground stops", job(takes), 200 + SIGTTOU);
  tcgetattr(0, &modes);
  modes.c_lflag |= TOSTOP;
  tcsetattr(0, TCSANOW, &modes);
  CHECK_IS("with TOSTOP writing stops", job(writes), 200 + SIGTTOU);
  CHECK_IS("and so does draining", job(drains), 200 + SIGTTOU);
  signal(SIGTTOU, SIG_IGN);
  CHECK_IS("ignored, TOSTOP does nothing", job(writes), 0);
  signal(SIGTTOU, SIG_DFL);
  CHECK_IS("taking the foreground with SIGTTOU ignored", job(takes_ignoring), 0);
  signal(SIGTTOU, SIG_IGN);
  CHECK_IS("taking it back", tcsetpgrp(0, self), 0);
  CHECK_IS("foreground again", tcgetpgrp(0), self);
  CHECK_FAILS("a group that does not exist", tcsetpgrp(0, 0x3fffffff), ESRCH);
  CHECK_FAILS("a negative group", tcsetpgrp(0, -1), EINVAL);
  CHECK_FAILS("a group of another session", tcsetpgrp(0, getpgid(getppid())), EPERM);
  return check_status();
}

int main(void) {
  int master, slave;
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  NEED(write(master, "input\ninput\n", 12));
  pid_t leader = fork();
  if (leader == 0) {
    int report = fcntl(1, F_DUPFD, 20);
    close(master);
    if (login_tty(slave) != 0 || dup2(report, 1) != 1) _exit(9);
    _exit(session());
  }
  close(slave);
  CHECK_IS("session", wait_code(leader), 0);
  return check_status();
}
