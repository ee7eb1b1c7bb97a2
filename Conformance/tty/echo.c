/* What a terminal echoes while a line is typed, and what output processing makes of output. */
#include "../check.h"
#include <pty.h>
#include <termios.h>

static int master, slave;
static tcflag_t usual_local, usual_output;

/* A terminal of its own for each case, as what is typed is handled a little later. */
static void begin(tcflag_t local, tcflag_t output) {
  struct termios modes;
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  NEED(tcgetattr(slave, &modes));
  usual_local = modes.c_lflag;
  usual_output = modes.c_oflag;
  if (local) modes.c_lflag = local;
  if (output) modes.c_oflag = output;
  NEED(tcsetattr(slave, TCSANOW, &modes));
}

static void end(void) {
  close(slave);
  close(master);
}

/* All that comes out of the terminal up to the mark $, with controls shown. */
static const char *shown(void) {
  static char text[600];
  char raw[200];
  size_t used = 0, length = 0;
  while (used == 0 || raw[used - 1] != '$') used += NEED(read(master, raw + used, 1));
  for (size_t i = 0; i + 1 < used; i++) {
    unsigned char byte = raw[i];
    if (byte < 32 || byte == 127) length += sprintf(text + length, "<%d>", byte);
    else text[length++] = byte;
  }
  text[length] = 0;
  return text;
}

/* The echo of the mark itself says that all before it was echoed. */
static void typed(const char *name, tcflag_t local, const char *text, const char *expected) {
  begin(local, 0);
  NEED(write(master, text, strlen(text)));
  NEED(write(master, "$", 1));
  CHECK_TEXT(name, shown(), expected);
  end();
}

/* Without echo, the line that arrives says so. */
static void typed_unseen(const char *name, tcflag_t local, const char *text, const char *expected) {
  char line[100];
  begin(local, 0);
  NEED(write(master, text, strlen(text)));
  NEED(read(slave, line, sizeof line));
  NEED(write(slave, "$", 1));
  CHECK_TEXT(name, shown(), expected);
  end();
}

static void printed(const char *name, tcflag_t output, const char *text, const char *expected) {
  begin(0, output);
  NEED(write(slave, text, strlen(text)));
  NEED(write(slave, "$", 1));
  CHECK_TEXT(name, shown(), expected);
  end();
}

int main(void) {
  begin(0, 0);
  tcflag_t local = usual_local, output = usual_output;
  end();
  typed("letters", local, "abc", "abc");
  typed("a newline", local, "abc\n", "abc<13><10>");
  typed("a carriage return", local, "abc\r", "abc<13><10>");
  typed("ERASE", local, "ab\177", "ab<8> <8>");
  typed("ERASE at the start", local, "\177", "");
  typed("a control character", local, "a\001", "a^A");
  typed("ERASE of a control character", local, "\001\177", "^A<8> <8><8> <8>");
  typed("a tab", local, "a\t", "a<9>");
  typed("ERASE of a tab", local, "a\t\177", "a<9><8><8><8><8><8><8><8>");
  typed("WERASE", local, "ab cd\027", "ab cd<8> <8><8> <8>");
  typed("KILL", local, "abc\025", "abc<8> <8><8> <8><8> <8>");
  typed("LNEXT", local, "\026", "^<8>");
  typed("EOF is not echoed", local, "a\004", "a");
  typed("ERASE without ECHOE", local & ~ECHOE, "ab\177", "ab^?");
  typed("controls without ECHOCTL", local & ~ECHOCTL, "a\001", "a<1>");
  typed("KILL without ECHOKE", local & ~(ECHOKE | ECHOE), "abc\025", "abc^U<13><10>");
  typed("no line editing", local & ~ICANON, "ab\177\025", "ab^?^U");
  typed_unseen("no echo", local & ~ECHO, "abc\n", "");
  typed_unseen("ECHONL", (local & ~ECHO) | ECHONL, "abc\n", "<13><10>");

  printed("ONLCR", output, "a\nb", "a<13><10>b");
  printed("without OPOST", output & ~OPOST, "a\nb", "a<10>b");
  printed("OPOST alone", OPOST, "a\nb\r", "a<10>b<13>");
  printed("OCRNL", OPOST | OCRNL, "a\rb", "a<10>b");
  printed("OLCUC", OPOST | OLCUC, "aBc", "ABC");
  printed("XTABS", OPOST | XTABS, "\ra\tb", "<13>a       b");
  printed("ONOCR", OPOST | ONOCR, "\r\rx\r", "x<13>");
  printed("ONLRET", OPOST | ONLRET, "ab\n", "ab<10>");
  return check_status();
}
