// static
/* What a parent learns from a child's end: eight bits of its code, or the signal. */
#include "../check.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int status_of_exit(long call, int code) {
  pid_t child = fork();
  if (child == 0) syscall(call, code);
  return wait_status(child);
}

static int status_of_signal(int number) {
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    signal(number, SIG_DFL);
    kill(getpid(), number);
    _exit(77);
  }
  return wait_status(child);
}

static void at_exit(void) { say("exit handlers run on exit"); }

int main(void) {
  const int codes[] = {0, 1, 7, 127, 128, 255, 256, 257, -1, 0x12345678};
  char name[64];
  for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
    snprintf(name, sizeof name, "exit_group(%d)", codes[i]);
    CHECK_IS(name, status_of_exit(SYS_exit_group, codes[i]), (codes[i] & 0xff) << 8);
    snprintf(name, sizeof name, "exit(%d)", codes[i]);
    CHECK_IS(name, status_of_exit(SYS_exit, codes[i]), (codes[i] & 0xff) << 8);
  }
  const int fatal[] = {SIGHUP,  SIGINT,    SIGQUIT, SIGILL,  SIGABRT, SIGFPE,  SIGKILL,
                       SIGSEGV, SIGPIPE,   SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGBUS,
                       SIGSYS,  SIGTRAP,   SIGXCPU, SIGXFSZ, SIGPROF, SIGIO,   SIGVTALRM,
                       SIGPWR,  SIGSTKFLT, SIGRTMIN, SIGRTMIN + 5};
  for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) {
    snprintf(name, sizeof name, "killed by signal %d", fatal[i]);
    CHECK_IS(name, status_of_signal(fatal[i]) & ~0x80, fatal[i]);
  }
  const int harmless[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
  for (unsigned i = 0; i < sizeof harmless / sizeof *harmless; i++) {
    snprintf(name, sizeof name, "ignored by default: signal %d", harmless[i]);
    CHECK_IS(name, status_of_signal(harmless[i]), 77 << 8);
  }
  pid_t child = fork();
  if (child == 0) {
    atexit(at_exit);
    exit(9);
  }
  CHECK_IS("exit from libc", wait_code(child), 9);
  child = fork();
  if (child == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGABRT, SIG_IGN);
    abort();
  }
  CHECK_IS("abort even when ignored", wait_status(child) & ~0x80, SIGABRT);
  return check_status();
}
