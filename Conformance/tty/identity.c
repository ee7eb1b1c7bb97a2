/* Which descriptors are terminals, their names, and the way from /dev/ptmx to a slave. */
#include "../check.h"
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

int main(void) {
  int pair[2];
  char name[64] = "", other[64] = "", expected[64];
  NEED(pipe(pair));
  int null = open("/dev/null", O_RDWR), file = open("/etc/passwd", O_RDONLY);
  CHECK_IS("/dev/null is none", isatty(null), 0);
  CHECK_IS("a pipe is none", isatty(pair[0]), 0);
  CHECK_IS("a file is none", isatty(file), 0);
  struct termios modes;
  CHECK_FAILS("modes of a file", tcgetattr(file, &modes), ENOTTY);
  CHECK_FAILS("modes of a pipe", tcgetattr(pair[0], &modes), ENOTTY);
  CHECK_FAILS("window of a file", ioctl(file, TIOCGWINSZ, &modes), ENOTTY);
  CHECK_FAILS("modes of nothing", tcgetattr(-1, &modes), EBADF);

  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  CHECK("/dev/ptmx", master >= 0);
  CHECK_IS("a terminal", isatty(master), 1);
  unsigned number = 999999;
  CHECK_IS("its number", ioctl(master, TIOCGPTN, &number), 0);
  CHECK_IS("its name", ptsname_r(master, name, sizeof name), 0);
  snprintf(expected, sizeof expected, "/dev/pts/%u", number);
  CHECK_TEXT("by number", name, expected);
  CHECK_FAILS("locked at first", open(name, O_RDWR | O_NOCTTY), EIO);
  CHECK_IS("grantpt", grantpt(master), 0);
  CHECK_IS("unlockpt", unlockpt(master), 0);
  int slave = open(name, O_RDWR | O_NOCTTY);
  CHECK("open the slave", slave >= 0);
  CHECK_IS("a terminal too", isatty(slave), 1);
  CHECK_IS("ttyname", ttyname_r(slave, other, sizeof other), 0);
  CHECK_TEXT("the same name", other, name);
  CHECK_FAILS("a slave has no number", ioctl(slave, TIOCGPTN, &number), ENOTTY);

  struct stat status;
  CHECK_IS("stat", fstat(slave, &status), 0);
  CHECK("a character device", S_ISCHR(status.st_mode));
  CHECK("a pseudo-terminal's device number",
        major(status.st_rdev) == 136 && minor(status.st_rdev) == number);
  CHECK_IS("owned by who opened it", status.st_uid, getuid());
  CHECK("readable and writable by the owner", (status.st_mode & 0600) == 0600);
  CHECK_IS("stat of the master", fstat(master, &status), 0);
  CHECK("is /dev/ptmx", major(status.st_rdev) == 5 && minor(status.st_rdev) == 2);
  CHECK_FAILS("no seeking", lseek(slave, 0, SEEK_SET), ESPIPE);
  int again = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
  CHECK("TIOCGPTPEER", again >= 0);
  CHECK_IS("leads to the same slave", ttyname_r(again, other, sizeof other), 0);
  CHECK_TEXT("by name", other, name);

  int second = posix_openpt(O_RDWR | O_NOCTTY);
  NEED(ptsname_r(second, other, sizeof other));
  CHECK("every master has a slave of its own", strcmp(name, other) != 0);
  close(second);
  CHECK_FAILS("which goes with it", access(other, F_OK), ENOENT);
  struct winsize size = {1, 1, 1, 1};
  CHECK_IS("window", ioctl(slave, TIOCGWINSZ, &size), 0);
  CHECK("none at first", size.ws_row == 0 && size.ws_col == 0);
  size = (struct winsize){24, 80, 0, 0};
  CHECK_IS("set from the slave", ioctl(slave, TIOCSWINSZ, &size), 0);
  memset(&size, 0, sizeof size);
  CHECK("seen by the master", ioctl(master, TIOCGWINSZ, &size) == 0 && size.ws_col == 80);
  return check_status();
}
