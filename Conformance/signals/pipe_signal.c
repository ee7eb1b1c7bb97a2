/* SIGPIPE: writing where nobody reads. */
#include "../check.h"
#include <signal.h>
#include <sys/socket.h>

static volatile sig_atomic_t count;
static siginfo_t last;
static void handler(int number, siginfo_t *info, void *context) {
  (void)context;
  count += number == SIGPIPE;
  last = *info;
}

static int pair[2];
static int dies(void) {
  signal(SIGPIPE, SIG_DFL);
  return write(pair[1], "x", 1) == 1;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGPIPE, &action, NULL);
  NEED(pipe(pair));
  close(pair[0]);
  CHECK_FAILS("a pipe without reader", write(pair[1], "x", 1), EPIPE);
  CHECK_IS("a signal", count, 1);
  CHECK("from the kernel, to this thread", last.si_signo == SIGPIPE && last.si_code == SI_USER &&
                                               last.si_pid == getpid());
  CHECK_IS("writing nothing", write(pair[1], "", 0), 0);
  CHECK_IS("kills by default", in_child(dies), 128 + SIGPIPE);
  signal(SIGPIPE, SIG_IGN);
  CHECK_FAILS("ignored", write(pair[1], "x", 1), EPIPE);
  CHECK_IS("no further signal", count, 1);
  close(pair[1]);

  sigaction(SIGPIPE, &action, NULL);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  close(pair[0]);
  CHECK_FAILS("a socket without peer", write(pair[1], "x", 1), EPIPE);
  CHECK_IS("a signal again", count, 2);
  CHECK_FAILS("MSG_NOSIGNAL", send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
  CHECK_IS("none", count, 2);
  close(pair[1]);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  shutdown(pair[1], SHUT_WR);
  CHECK_FAILS("after shutdown", send(pair[1], "x", 1, 0), EPIPE);
  CHECK_IS("a third", count, 3);

  /* A writer that sleeps when the last reader goes. */
  NEED(pipe(pair));
  int ready[2];
  NEED(pipe(ready));
  pid_t child = fork();
  if (child == 0) {
    static char block[1 << 20];
    signal(SIGPIPE, SIG_DFL);
    close(pair[0]);
    close(ready[0]);
    if (write(ready[1], "r", 1) != 1) _exit(1);
    if (write(pair[1], block, sizeof block) < 0) _exit(2);
    _exit(3);
  }
  close(pair[1]);
  char buffer[4096];
  NEED(read(ready[0], buffer, 1));
  CHECK_IS("part arrives", read(pair[0], buffer, sizeof buffer), sizeof buffer);
  close(pair[0]);
  CHECK_IS("the writer is killed", wait_code(child), 128 + SIGPIPE);
  return check_status();
}
