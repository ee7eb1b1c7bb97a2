/* forkpty(3) with an interactive shell: prompts, commands, job control and the end. */
#include "../check.h"
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master;
static char seen[1 << 16];
static size_t used;

/* Reads until `text` has come out of the terminal behind what was seen before; 0 when it ends. */
static int until(const char *text) {
  for (;;) {
    char *found = strstr(seen, text);
    if (found) {
      memmove(seen, found + strlen(text), strlen(found + strlen(text)) + 1);
      used = strlen(seen);
      return 1;
    }
    struct pollfd event = {master, POLLIN, 0};
    if (poll(&event, 1, 10000) != 1) return 0;
    ssize_t got = read(master, seen + used, sizeof seen - 1 - used);
    if (got <= 0) return 0;
    used += got;
    seen[used] = 0;
  }
}

static void type(const char *text) { NEED(write(master, text, strlen(text))); }

/* The shell's answer is the calculated one, so that the echo of the command is not taken for it. */
static void ask(const char *name, const char *command, const char *answer) {
  type(command);
  CHECK(name, until(answer) && until("ready> "));
}

int main(void) {
  struct winsize size = {.ws_row = 41, .ws_col = 90};
  pid_t child = forkpty(&master, NULL, NULL, &size);
  if (child == 0) {
    char *arguments[] = {"bash", "--norc", "--noprofile", "-i", NULL};
    char *environment[] = {"PS1=ready> ", "PATH=/usr/bin:/bin", "TERM=dumb", "HOME=/",
                           "HISTFILE=/dev/null", NULL};
    execve("/bin/bash", arguments, environment);
    _exit(127);
  }
  NEED(child);
  CHECK("a prompt", until("ready> "));
  ask("a command", "echo $((40+2))\n", "\r\n42\r\n");
  ask("a terminal", "test -t 0 && echo tty$((1+1))\n", "tty2\r\n");
  ask("its size", "stty size\n", "41 90\r\n");
  size.ws_col = 100;
  ioctl(master, TIOCSWINSZ, &size);
  ask("another size", "stty size\n", "41 100\r\n");
  ask("a pipeline", "echo abc | tr a-c x-z\n", "xyz\r\n");
  ask("line editing of the shell", "echo e$((5+5))X\177\n", "e10\r\n");

  type("sh -c 'echo run$((1+2)); exec cat'\n");
  CHECK("cat runs", until("run3\r\n"));
  type("hello\n");
  CHECK("a program reads the terminal", until("hello\r\n") && until("hello\r\n"));
  type("\004");
  CHECK("until its end", until("ready> "));
  type("sh -c 'echo run$((3+4)); exec sleep 1000'\n");
  CHECK("a program that lasts", until("run7\r\n"));
  type("\003");
  CHECK("Ctrl-C ends it", until("ready> "));
  ask("and leaves its mark", "echo code$?\n", "code130\r\n");
  type("sh -c 'echo run$((4+4)); exec sleep 1000'\n");
  CHECK("another", until("run8\r\n"));
  type("\032");
  CHECK("Ctrl-Z stops it", until("Stopped") && until("ready> "));
  ask("it is listed", "jobs | wc -l | sed s/^/count/\n", "count1\r\n");
  ask("in the background", "bg > /dev/null; echo bg$((2+2))\n", "bg4\r\n");
  type("fg\n");
  CHECK("in the foreground", until("sleep 1000"));
  while (tcgetpgrp(master) == child) usleep(1000);
  type("\003");
  CHECK("ended there", until("ready> "));
  ask("a background job", "sleep 0 & wait; echo waited$((6+6))\n", "waited12\r\n");
  ask("a trap", "trap 'echo trapped$((7+7))' USR1; kill -USR1 $$\n", "trapped14\r\n");
  type("exit 9\n");
  CHECK_IS("exit", wait_code(child), 9);
  return check_status();
}
