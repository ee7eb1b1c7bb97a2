#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

// A pseudo-terminal: line editing, echo, signals, size, hang-up.

static int master, slave;
static volatile int caught;

static void on_signal(int number) { caught = number; }

// Reads this many bytes, or up to an end or an error.
static const char *read_from(int fd, size_t size) {
  static char text[256];
  size_t length = 0;
  while (length < size) {
    struct pollfd wait = {fd, POLLIN, 0};
    if (poll(&wait, 1, 2000) == 0) break;
    long count = read(fd, text + length, sizeof text - 1 - length);
    if (count < 0) return strerrorname_np(errno);
    if (count == 0) break;
    length += count;
  }
  text[length] = 0;
  return text;
}

// The master reads, or the slave gets, exactly this next.
static void output(const char *name, const char *expected) {
  CHECK_TEXT(name, read_from(master, strlen(expected)), expected);
}

static void input(const char *name, const char *expected) {
  CHECK_TEXT(name, read_from(slave, strlen(expected)), expected);
}

static void type(const char *keys) { NEED(write(master, keys, strlen(keys))); }

static void set_mode(tcflag_t local, tcflag_t out) {
  struct termios mode;
  NEED(tcgetattr(slave, &mode));
  mode.c_lflag = local;
  mode.c_oflag = out;
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  NEED(tcsetattr(slave, TCSANOW, &mode));
}

static void check_lines(void) {
  char byte;
  type("hello\r");
  output("echo", "hello\r\n");
  input("a line, with CR as NL", "hello\n");
  type("half");
  output("its echo", "half");
  CHECK_FAILS("is no line yet", read(slave, &byte, 1), EAGAIN);
  type("\177\177ndle\r");
  input("erase", "handle\n");
  output("shows", "\b \b\b \bndle\r\n");
  type("wrong\025right\r");
  input("kill", "right\n");
  output("shows", "wrong\b \b\b \b\b \b\b \b\b \bright\r\n");
  type("two words\027x\r");
  input("word erase", "two x\n");
  output("shows", "two words\b \b\b \b\b \b\b \b\b \bx\r\n");
  type("one\rtwo\r");
  input("one line a read", "one\n");
  input("then the next", "two\n");
  output("echo", "one\r\ntwo\r\n");
  type("part\004");
  input("end of file pushes a part", "part");
  output("and has no echo", "part");
  type("\004");
  struct pollfd wait = {slave, POLLIN, 0};
  CHECK_IS("alone it is", poll(&wait, 1, 2000), 1);
  CHECK_IS("the end", read(slave, &byte, 1), 0);
  NEED(write(slave, "a\nb", 3));
  output("NL goes out as CR NL", "a\r\nb");
  type("\001");
  output("a control character shows as", "^A");
  type("\r");
  input("but comes as it is", "\001\n");
  output("echo", "\r\n");
  set_mode(ICANON, OPOST | ONLCR);
  type("quiet\r");
  input("without ECHO", "quiet\n");
  NEED(write(slave, "next", 4));
  output("nothing is shown", "next");
  set_mode(0, 0);
  type("raw\003");
  input("raw input", "raw\003");
  NEED(write(slave, "x\ny", 3));
  output("raw output", "x\ny");
}

static void check_size(void) {
  struct winsize size = {40, 120, 0, 0}, got = {0};
  CHECK_OK("TIOCSWINSZ", ioctl(master, TIOCSWINSZ, &size));
  CHECK_OK("TIOCGWINSZ", ioctl(slave, TIOCGWINSZ, &got));
  CHECK("the same at both ends", got.ws_row == 40 && got.ws_col == 120);
  int waiting = 0;
  type("12345");
  while (waiting < 5) NEED(ioctl(slave, FIONREAD, &waiting));
  CHECK_IS("FIONREAD", waiting, 5);
  CHECK_OK("tcflush", tcflush(slave, TCIFLUSH));
  char byte;
  CHECK_FAILS("nothing left", read(slave, &byte, 1), EAGAIN);
}

// Waits for a signal; the runner ends a test that waits for ever.
static void await(const char *name, int number) {
  while (caught != number) poll(NULL, 0, 1);
  say("%s: signal %d", name, number);
}

// In a session of its own, with the slave as its terminal.
static void check_session(void) {
  NEED(setsid());
  CHECK_FAILS("no terminal yet", open("/dev/tty", O_RDWR), ENXIO);
  CHECK_FAILS("tcgetpgrp", tcgetpgrp(slave), ENOTTY);
  CHECK_OK("TIOCSCTTY", ioctl(slave, TIOCSCTTY, 0));
  CHECK_OK("/dev/tty", close(open("/dev/tty", O_RDWR)));
  CHECK_IS("tcgetpgrp", tcgetpgrp(slave), getpid());
  CHECK_IS("tcgetsid", tcgetsid(slave), getpid());
  signal(SIGINT, on_signal);
  signal(SIGQUIT, on_signal);
  signal(SIGTSTP, on_signal);
  signal(SIGWINCH, on_signal);
  set_mode(ICANON | ISIG | ECHO, 0);
  type("lost\003");
  await("Ctrl-C", SIGINT);
  type("kept\r");
  input("drops the line before it", "kept\n");
  type("\034");
  await("Ctrl-\\", SIGQUIT);
  type("\032");
  await("Ctrl-Z", SIGTSTP);
  struct winsize size = {50, 100, 0, 0};
  NEED(ioctl(master, TIOCSWINSZ, &size));
  await("a new size", SIGWINCH);
  CHECK_IS("TIOCNOTTY", (signal(SIGHUP, SIG_IGN), ioctl(slave, TIOCNOTTY)), 0);
  CHECK_FAILS("no terminal any more", open("/dev/tty", O_RDWR), ENXIO);
}

int main(void) {
  struct stat st;
  CHECK_OK("posix_openpt", master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK));
  CHECK_OK("grantpt", grantpt(master));
  char *name = ptsname(master);
  CHECK("ptsname", name && strncmp(name, "/dev/pts/", 9) == 0);
  CHECK_FAILS("still locked", open(name, O_RDWR | O_NOCTTY), EIO);
  CHECK_OK("unlockpt", unlockpt(master));
  CHECK_OK("open the slave", slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK));
  CHECK("a terminal at both ends", isatty(master) && isatty(slave));
  CHECK_TEXT("ttyname", ttyname(slave), name);
  NEED(fstat(slave, &st));
  CHECK("a device", S_ISCHR(st.st_mode));
  int other = NEED(open("f", O_RDWR | O_CREAT, 0600));
  CHECK_IS("a file is none", isatty(other), 0);
  CHECK_FAILS("its error", tcgetpgrp(other), ENOTTY);
  check_lines();
  check_size();
  IN_CHILD(check_session());

  set_mode(0, 0);
  close(slave);
  struct pollfd wait = {master, POLLIN | POLLOUT, 0};
  CHECK_IS("poll", poll(&wait, 1, 0), 1);
  CHECK("the last slave's end hangs up", wait.revents & POLLHUP);
  char text[256];
  while (read(master, text, sizeof text) > 0) {}
  CHECK_FAILS("then a read says", read(master, text, sizeof text), EIO);
  CHECK_OK("it can be opened again", slave = open(name, O_RDWR | O_NOCTTY));
  type("again");
  input("and read", "again");
  close(master);
  CHECK_IS("without a master the end", read(slave, text, sizeof text), 0);
  CHECK_FAILS("and no writing", write(slave, "x", 1), EIO);
  CHECK_FAILS("the name is gone", stat(name, &st), ENOENT);
  return check_status();
}
