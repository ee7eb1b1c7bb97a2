/* Canonical input: whole lines, editing with ERASE, WERASE and KILL, EOF, and several at once. */
#include "../check.h"
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static void type(const char *text) { NEED(write(master, text, strlen(text))); }

/* What a read of the slave gets, as text with \n shown. */
static const char *line(size_t size) {
  static char text[600];
  ssize_t length = read(slave, text, size);
  if (length < 0) return strerrorname_np(errno);
  text[length] = 0;
  return text;
}

/* What is typed arrives a little later. */
static int ready(int milliseconds) {
  struct pollfd event = {slave, POLLIN, 0};
  return poll(&event, 1, milliseconds) == 1;
}

static void edited(const char *name, const char *typed, const char *expected) {
  type(typed);
  CHECK_TEXT(name, line(500), expected);
}

int main(void) {
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  struct termios modes;
  NEED(tcgetattr(slave, &modes));
  modes.c_lflag &= ~(ECHO | ECHOE | ECHOK | ECHOCTL);
  NEED(tcsetattr(slave, TCSANOW, &modes));

  type("begin");
  CHECK("no line, nothing to read", !ready(0));
  type("ning\n");
  CHECK("a line", ready(10000));
  CHECK_TEXT("read", line(500), "beginning\n");
  type("one\ntwo\nthree\n");
  CHECK_TEXT("a read gets one line", line(500), "one\n");
  CHECK_TEXT("the next", line(500), "two\n");
  CHECK_TEXT("part of a line", line(2), "th");
  CHECK_TEXT("the rest of it", line(500), "ree\n");
  CHECK("nothing is left", !ready(0));

  edited("carriage return is newline", "text\r", "text\n");
  edited("ERASE", "abx\177c\n", "abc\n");
  edited("ERASE at the start", "\177\177a\n", "a\n");
  edited("ERASE over two", "abxy\177\177c\n", "abc\n");
  edited("WERASE", "one two\027three\n", "one three\n");
  edited("WERASE with blanks behind", "one two  \027three\n", "one three\n");
  edited("KILL", "nonsense\025sense\n", "sense\n");
  edited("LNEXT", "a\026\177b\n", "a\177b\n");
  edited("LNEXT of EOF", "a\026\004b\n", "a\004b\n");
  edited("an empty line", "\n", "\n");
  edited("a tab", "a\tb\n", "a\tb\n");

  type("unfinished\004");
  CHECK_TEXT("EOF pushes an unfinished line", line(500), "unfinished");
  type("\004");
  CHECK_TEXT("EOF alone is the end", line(500), "");
  type("after\n");
  CHECK_TEXT("but not for ever", line(500), "after\n");
  type("a\004b\n");
  CHECK_TEXT("before the EOF", line(500), "a");
  CHECK_TEXT("behind it", line(500), "b\n");
  type("kept\004");
  type("\004");
  CHECK_TEXT("an EOF after pushed text", line(500), "kept");
  CHECK_TEXT("is an end by itself", line(500), "");

  modes.c_cc[VEOL] = ';';
  modes.c_cc[VERASE] = '#';
  NEED(tcsetattr(slave, TCSANOW, &modes));
  edited("another end of line", "first;", "first;");
  edited("another ERASE", "abx#c\n", "abc\n");
  int available = -1;
  type("12345\n");
  ready(10000);
  CHECK_IS("FIONREAD", ioctl(slave, FIONREAD, &available) ? -1 : available, 6);
  CHECK_TEXT("counted", line(500), "12345\n");

  fcntl(slave, F_SETFL, O_NONBLOCK);
  CHECK_TEXT("nothing, non-blocking", line(500), "EAGAIN");
  type("part");
  CHECK_TEXT("half a line, non-blocking", line(500), "EAGAIN");
  type("\n");
  ready(10000);
  CHECK_TEXT("the line", line(500), "part\n");

  /* A line has room for 4095 bytes and its end. */
  char *many = malloc(6000);
  memset(many, 'm', 5000);
  many[5000] = 0;
  fcntl(slave, F_SETFL, 0);
  int written = 0;
  fcntl(master, F_SETFL, O_NONBLOCK);
  while (written < 5000) {
    ssize_t got = write(master, many + written, 5000 - written);
    if (got <= 0) break;
    written += got;
  }
  type("\n");
  memset(many, 0, 6000);
  ssize_t length = read(slave, many, 6000);
  CHECK_IS("a long line is cut", length, 4096);
  CHECK_IS("and ends", many[4095], '\n');
  return check_status();
}
