/* Input without line editing: VMIN and VTIME, cfmakeraw, input mapping, and changing back. */
#include "../check.h"
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

static int master, slave;
static struct termios modes;

static void type(const char *text) { NEED(write(master, text, strlen(text))); }

/* Types and waits until all of it has arrived. */
static void arrive(const char *text) {
  int before = 0, now = 0;
  ioctl(slave, FIONREAD, &before);
  type(text);
  do ioctl(slave, FIONREAD, &now);
  while (now < before + (int)strlen(text));
}

static const char *get(size_t size) {
  static char text[100];
  ssize_t length = read(slave, text, size);
  if (length < 0) return strerrorname_np(errno);
  text[length] = 0;
  return text;
}

static void set(int minimum, int tenths) {
  modes.c_cc[VMIN] = minimum;
  modes.c_cc[VTIME] = tenths;
  NEED(tcsetattr(slave, TCSANOW, &modes));
}

static long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int ready(int wait) {
  struct pollfd event = {slave, POLLIN, 0};
  return poll(&event, 1, wait) == 1;
}

int main(void) {
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  NEED(tcgetattr(slave, &modes));
  struct termios usual = modes;
  cfmakeraw(&modes);
  set(1, 0);
  arrive("a");
  CHECK_TEXT("one byte is enough", get(10), "a");
  arrive("\003\004\177\r\n\021\023\026");
  CHECK_TEXT("nothing is special", get(20), "\003\004\177\r\n\021\023\026");
  arrive("abcdef");
  CHECK_TEXT("a short read", get(4), "abcd");
  CHECK_TEXT("the rest", get(10), "ef");

  set(0, 0);
  CHECK_TEXT("VMIN 0, VTIME 0: nothing is an answer", get(10), "");
  arrive("xyz");
  CHECK_TEXT("what is there", get(10), "xyz");
  set(0, 1);
  long start = milliseconds();
  CHECK_TEXT("VMIN 0, VTIME 1: nothing after a while", get(10), "");
  CHECK("a tenth of a second", milliseconds() - start >= 90);
  arrive("q");
  CHECK_TEXT("something at once", get(10), "q");

  set(3, 0);
  arrive("12");
  CHECK("VMIN 3: two bytes don't wake poll", !ready(0));
  pid_t child = fork();
  if (child == 0) {
    type("3");
    _exit(0);
  }
  CHECK_TEXT("read waits for three", get(10), "123");
  wait_code(child);
  arrive("12345");
  CHECK("five bytes do", ready(0));
  CHECK_TEXT("and all are read", get(10), "12345");
  set(5, 1);
  arrive("ab");
  start = milliseconds();
  CHECK_TEXT("VMIN 5, VTIME 1: a pause ends the read", get(10), "ab");
  CHECK("the pause was waited for", milliseconds() - start >= 90);
  set(2, 0);
  fcntl(slave, F_SETFL, O_NONBLOCK);
  CHECK_TEXT("non-blocking", get(10), "EAGAIN");
  fcntl(slave, F_SETFL, 0);

  set(1, 0);
  modes.c_iflag = ICRNL;
  NEED(tcsetattr(slave, TCSANOW, &modes));
  arrive("a\rb\n");
  CHECK_TEXT("ICRNL", get(10), "a\nb\n");
  modes.c_iflag = INLCR;
  NEED(tcsetattr(slave, TCSANOW, &modes));
  arrive("a\rb\n");
  CHECK_TEXT("INLCR", get(10), "a\rb\r");
  modes.c_iflag = IGNCR;
  NEED(tcsetattr(slave, TCSANOW, &modes));
  type("\r\r");
  arrive("c");
  CHECK_TEXT("IGNCR", get(10), "c");
  arrive("dropped");
  modes.c_iflag = ISTRIP;
  NEED(tcsetattr(slave, TCSAFLUSH, &modes));
  arrive("\xe1\xe2");
  CHECK_TEXT("TCSAFLUSH drops the rest; ISTRIP", get(10), "ab");

  /* Bytes typed in one mode and read in the other. */
  modes.c_iflag = 0;
  NEED(tcsetattr(slave, TCSANOW, &modes));
  usual.c_lflag &= ~ECHO;
  NEED(tcsetattr(slave, TCSANOW, &usual));
  type("line\n");
  CHECK_TEXT("back to lines", get(10), "line\n");
  type("half");
  type("\004");
  CHECK_TEXT("EOF works again", get(10), "half");
  return check_status();
}
