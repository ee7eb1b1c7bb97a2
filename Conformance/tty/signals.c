/* ISIG: Ctrl-C, Ctrl-\ and Ctrl-Z to the foreground group; window size and SIGWINCH. */
#include "../check.h"
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <utmp.h>

static int master, slave, report[2];

static void handler(int number) {
  char byte = number;
  if (write(report[1], &byte, 1) != 1) _exit(1);
}

static int told(void) {
  char byte = -1;
  NEED(read(report[0], &byte, 1));
  return byte;
}

/* A session on the terminal. Its leader starts a job in the foreground that runs `body`. */
static pid_t session(void (*body)(void)) {
  NEED(openpty(&master, &slave, NULL, NULL, NULL));
  pid_t leader = fork();
  if (leader == 0) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    close(master);
    if (login_tty(slave) != 0) _exit(9);
    signal(SIGTTOU, SIG_IGN);
    pid_t job = fork();
    if (job == 0) {
      setpgid(0, 0);
      tcsetpgrp(0, getpid());
      signal(SIGTTOU, SIG_DFL);
      body();
      _exit(3);
    }
    int status;
    if (waitpid(job, &status, WUNTRACED) != job) _exit(8);
    if (WIFSTOPPED(status)) {
      char byte = WSTOPSIG(status);
      if (write(report[1], &byte, 1) != 1) _exit(7);
      tcsetpgrp(0, getpgrp());
      kill(-job, SIGCONT);
      kill(-job, SIGKILL);
      waitpid(job, &status, 0);
      _exit(100 + byte);
    }
    _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 50 + WEXITSTATUS(status));
  }
  close(slave);
  return leader;
}

static void ready(void) { handler(0); }

static void defaults(void) {
  ready();
  for (;;) pause();
}

static void catches(void) {
  signal(SIGINT, handler);
  signal(SIGQUIT, handler);
  signal(SIGWINCH, handler);
  ready();
  char text[100];
  /* A signal from the terminal drops what was typed. */
  while (read(0, text, sizeof text) < 0 && errno == EINTR) continue;
  _exit(!strncmp(text, "clean\n", 6) ? 5 : 6);
}

static void disabled(void) {
  struct termios modes;
  tcgetattr(0, &modes);
  modes.c_lflag &= ~ISIG;
  tcsetattr(0, TCSANOW, &modes);
  ready();
  char text[100];
  ssize_t length = read(0, text, sizeof text);
  _exit(length == 4 && !memcmp(text, "\003\034\032\n", 4) ? 5 : 6);
}

static void type(const char *text) { NEED(write(master, text, strlen(text))); }

static void one(const char *name, const char *typed, int code) {
  pid_t leader = session(defaults);
  CHECK_IS("the job runs", told(), 0);
  type(typed);
  if (code > 100) CHECK_IS("the leader sees it stop", told(), code - 100);
  CHECK_IS(name, wait_code(leader), code);
  close(master);
}

int main(void) {
  NEED(pipe(report));
  one("Ctrl-C", "\003", SIGINT);
  one("Ctrl-\\", "\034", SIGQUIT);
  one("Ctrl-Z", "\032", 100 + SIGTSTP);

  pid_t leader = session(catches);
  CHECK_IS("a job that catches", told(), 0);
  type("dirty\003");
  CHECK_IS("its handler runs", told(), SIGINT);
  type("dirty\034");
  CHECK_IS("for both", told(), SIGQUIT);
  struct winsize size = {.ws_row = 33, .ws_col = 77}, now = {0};
  CHECK_IS("TIOCSWINSZ", ioctl(master, TIOCSWINSZ, &size), 0);
  CHECK_IS("SIGWINCH to the foreground", told(), SIGWINCH);
  CHECK_IS("TIOCGWINSZ", ioctl(master, TIOCGWINSZ, &now), 0);
  CHECK("the size", now.ws_row == 33 && now.ws_col == 77);
  type("clean\n");
  CHECK_IS("the line before the signal is gone", wait_code(leader), 55);
  close(master);

  leader = session(disabled);
  CHECK_IS("without ISIG", told(), 0);
  type("\003\034\032\n");
  CHECK_IS("they are bytes like others", wait_code(leader), 55);
  close(master);
  return check_status();
}
