/* SIGSTOP, SIGTSTP, SIGTTIN, SIGCONT: stopping, catching, discarding, and the orphan rule. */
#include "../check.h"
#include <signal.h>

static int report[2], gate[2];
static void handler(int number) {
  char byte = number;
  if (write(report[1], &byte, 1) != 1) _exit(1);
}

/* A child in a group of its own that runs until the gate closes. */
static pid_t job(void (*setup)(void)) {
  char byte = 0;
  pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    close(gate[1]);
    if (setup) setup();
    if (write(report[1], &byte, 1) != 1) _exit(1);
    while (read(gate[0], &byte, 1) < 0 && errno == EINTR) continue;
    _exit(7);
  }
  NEED(read(report[0], &byte, 1));
  return child;
}

static int stopped_by(pid_t child) {
  int status;
  if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) return -1;
  return WSTOPSIG(status);
}

static int continued(pid_t child) {
  int status;
  return waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status);
}

static int told(void) {
  char byte = 0;
  return read(report[0], &byte, 1) == 1 ? byte : -1;
}

static void catch_all(void) {
  signal(SIGTSTP, handler);
  signal(SIGCONT, handler);
}

static void block_stop(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTSTP);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Members of an orphaned group don't stop at SIGTSTP, but do at SIGSTOP. */
static int orphaned(void) {
  setsid();
  raise(SIGTSTP);
  raise(SIGTTIN);
  raise(SIGTTOU);
  return 31;
}

int main(void) {
  NEED(pipe(report));
  NEED(pipe(gate));
  pid_t child = job(NULL);
  const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
  for (int i = 0; i < 4; i++) {
    char name[40];
    kill(child, stops[i]);
    snprintf(name, sizeof name, "signal %d stops", stops[i]);
    CHECK_IS(name, stopped_by(child), stops[i]);
    kill(child, SIGCONT);
    CHECK("and SIGCONT continues", continued(child));
  }
  kill(child, SIGSTOP);
  CHECK_IS("stopped", stopped_by(child), SIGSTOP);
  kill(child, SIGTSTP);
  kill(child, SIGUSR1);
  CHECK_IS("a stopped one does not die of a signal yet", waitpid(child, NULL, WNOHANG), 0);
  kill(child, SIGCONT);
  CHECK_IS("but when it continues", wait_code(child), 128 + SIGUSR1);
  child = job(NULL);
  kill(child, SIGSTOP);
  CHECK_IS("stopped again", stopped_by(child), SIGSTOP);
  kill(child, SIGKILL);
  CHECK_IS("SIGKILL needs no SIGCONT", wait_code(child), 128 + SIGKILL);

  child = job(catch_all);
  kill(child, SIGTSTP);
  CHECK_IS("SIGTSTP can be caught", told(), SIGTSTP);
  kill(child, SIGCONT);
  CHECK_IS("SIGCONT to a running one runs its handler", told(), SIGCONT);
  kill(child, SIGSTOP);
  CHECK_IS("SIGSTOP can't", stopped_by(child), SIGSTOP);
  kill(child, SIGCONT);
  CHECK("continued", continued(child));
  CHECK_IS("and its handler runs", told(), SIGCONT);
  kill(child, SIGKILL);
  wait_code(child);

  child = job(block_stop);
  kill(child, SIGTSTP);
  kill(child, SIGCONT);
  CHECK_IS("SIGCONT discards a pending stop", waitpid(child, NULL, WNOHANG | WUNTRACED), 0);
  kill(child, SIGSTOP);
  CHECK_IS("SIGSTOP is not blocked", stopped_by(child), SIGSTOP);
  kill(-child, SIGCONT);
  CHECK("a group continues", continued(child));
  close(gate[1]);
  CHECK_IS("and ends by itself", wait_code(child), 7);
  CHECK_IS("an orphaned group does not stop", in_child(orphaned), 31);
  return check_status();
}
