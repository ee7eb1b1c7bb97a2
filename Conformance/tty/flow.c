/* tcflush, tcdrain, tcflow, Ctrl-S and Ctrl-Q, and a full terminal. */
#include "../check.h"
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static void type(const char *text) { NEED(write(master, text, strlen(text))); }

static int waiting(void) {
  int count = -1;
  ioctl(slave, FIONREAD, &count);
  return count;
}

static void wait_for(int count) {
  while (waiting() != count) continue;
}

static int readable(int file, int wait) {
  struct pollfd event = {file, POLLIN, 0};
  return poll(&event, 1, wait) == 1;
}

int main(void) {
  char text[64] = "";
  struct termios modes;
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  tcgetattr(slave, &modes);
  modes.c_lflag &= ~(ECHO | ICANON);
  modes.c_oflag &= ~OPOST;
  NEED(tcsetattr(slave, TCSANOW, &modes));

  type("dropped");
  wait_for(7);
  CHECK_IS("flush input", tcflush(slave, TCIFLUSH), 0);
  CHECK_IS("nothing is left", waiting(), 0);
  type("kept");
  wait_for(4);
  CHECK_IS("flush output", tcflush(slave, TCOFLUSH), 0);
  CHECK_IS("input stays", waiting(), 4);
  CHECK_IS("flush both", tcflush(slave, TCIOFLUSH), 0);
  CHECK_IS("nothing again", waiting(), 0);
  CHECK_FAILS("flush nonsense", tcflush(slave, 99), EINVAL);
  CHECK_IS("drain", tcdrain(slave), 0);
  CHECK_IS("break", tcsendbreak(slave, 0), 0);

  CHECK_IS("stop output", tcflow(slave, TCOOFF), 0);
  fcntl(slave, F_SETFL, O_NONBLOCK);
  CHECK_FAILS("no writing while stopped", write(slave, "x", 1), EAGAIN);
  CHECK_IS("start output", tcflow(slave, TCOON), 0);
  CHECK_IS("writing again", write(slave, "y", 1), 1);
  CHECK_IS("it arrives", read(master, text, 10), 1);
  CHECK_FAILS("flow nonsense", tcflow(slave, 99), EINVAL);

  type("\023.");
  wait_for(1);
  CHECK_FAILS("Ctrl-S stops output", write(slave, "x", 1), EAGAIN);
  type("\021.");
  wait_for(2);
  CHECK_IS("Ctrl-Q starts it", write(slave, "z", 1), 1);
  CHECK_IS("it arrives as well", read(master, text, 10), 1);
  CHECK_IS("the two are not input", read(slave, text, 10), 2);
  CHECK("just what lay between", text[0] == '.' && text[1] == '.');
  modes.c_iflag &= ~IXON;
  NEED(tcsetattr(slave, TCSANOW, &modes));
  type("\023\021");
  wait_for(2);
  CHECK_IS("without IXON they are input", read(slave, text, 10), 2);
  CHECK("both", text[0] == 19 && text[1] == 17);

  /* A slave that writes more than the master reads stops, and goes on later. */
  fcntl(slave, F_SETFL, 0);
  enum { MUCH = 200000 };
  pid_t child = fork();
  if (child == 0) {
    static char block[MUCH];
    for (int i = 0; i < MUCH; i++) block[i] = 'a' + i % 26;
    _exit(write(slave, block, MUCH) == MUCH ? 0 : 1);
  }
  long total = 0;
  int good = 1;
  while (total < MUCH) {
    char buffer[4096];
    ssize_t got = read(master, buffer, sizeof buffer);
    if (got <= 0) break;
    for (ssize_t i = 0; i < got; i++) good &= buffer[i] == 'a' + (total + i) % 26;
    total += got;
  }
  CHECK_IS("all of it comes through", total, MUCH);
  CHECK("in order", good);
  CHECK_IS("the writer ended", wait_code(child), 0);
  CHECK("nothing more", !readable(master, 0));
  return check_status();
}
