/* tcgetattr and tcsetattr: the modes a terminal starts with, and which of them stay set. */
#include "../check.h"
#include <asm/ioctls.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

int main(void) {
  int master, slave;
  struct termios modes, back;
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  CHECK_IS("tcgetattr", tcgetattr(slave, &modes), 0);
  CHECK_IS("input modes", modes.c_iflag, ICRNL | IXON);
  CHECK_IS("output modes", modes.c_oflag, OPOST | ONLCR);
  CHECK_IS("local modes", modes.c_lflag,
           ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
  CHECK_IS("control modes", modes.c_cflag & (CSIZE | CREAD | PARENB | CSTOPB), CS8 | CREAD);
  CHECK_IS("speed", cfgetospeed(&modes), B38400);
  const unsigned char expected[] = {
      [VINTR] = 3,   [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21,  [VEOF] = 4,     [VTIME] = 0,
      [VMIN] = 1,    [VSWTC] = 0,  [VSTART] = 17,  [VSTOP] = 19,  [VSUSP] = 26,   [VEOL] = 0,
      [VREPRINT] = 18, [VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22, [VEOL2] = 0};
  for (unsigned i = 0; i < sizeof expected; i++) {
    char name[40];
    snprintf(name, sizeof name, "control character %u", i);
    CHECK_IS(name, modes.c_cc[i], expected[i]);
  }
  CHECK("the master has the same", tcgetattr(master, &back) == 0 &&
                                       back.c_lflag == modes.c_lflag &&
                                       !memcmp(back.c_cc, modes.c_cc, 17));

  struct termios changed = modes;
  changed.c_iflag = IGNBRK | ISTRIP | IXANY | IMAXBEL | IUTF8;
  changed.c_oflag = OPOST | OCRNL;
  changed.c_lflag = ICANON | NOFLSH | TOSTOP;
  changed.c_cc[VINTR] = 1;
  changed.c_cc[VMIN] = 200;
  const int when[] = {TCSANOW, TCSADRAIN, TCSAFLUSH};
  for (int i = 0; i < 3; i++) {
    char name[40];
    snprintf(name, sizeof name, "tcsetattr %d", when[i]);
    NEED(tcsetattr(slave, TCSANOW, &modes));
    CHECK_IS(name, tcsetattr(slave, when[i], &changed), 0);
    NEED(tcgetattr(slave, &back));
    CHECK("all of it", back.c_iflag == changed.c_iflag && back.c_oflag == changed.c_oflag &&
                           back.c_lflag == changed.c_lflag && back.c_cc[VINTR] == 1 &&
                           back.c_cc[VMIN] == 200);
  }
  CHECK_FAILS("at no known time", tcsetattr(slave, 77, &modes), EINVAL);
  NEED(tcsetattr(slave, TCSANOW, &modes));
  cfsetspeed(&changed, B9600);
  NEED(tcsetattr(slave, TCSANOW, &changed));
  NEED(tcgetattr(slave, &back));
  CHECK_IS("another speed", cfgetospeed(&back), B9600);
  CHECK_IS("for input too", cfgetispeed(&back), B9600);

  cfmakeraw(&changed);
  NEED(tcsetattr(slave, TCSANOW, &changed));
  NEED(tcgetattr(slave, &back));
  CHECK_IS("raw: local modes", back.c_lflag & (ECHO | ICANON | ISIG | IEXTEN), 0);
  CHECK_IS("raw: output", back.c_oflag & OPOST, 0);
  CHECK_FAILS("into unmapped memory", ioctl(slave, TCGETS, 8), EFAULT);
  CHECK_FAILS("from unmapped memory", ioctl(slave, TCSETS, 8), EFAULT);
  CHECK_FAILS("unknown request", ioctl(slave, 0x54ff, 0), ENOTTY);
  int value = -1;
  CHECK_IS("line discipline", ioctl(slave, TIOCGETD, &value) ? -1 : value, 0);
  return check_status();
}
