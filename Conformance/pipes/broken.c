#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

// Writing without a reader: SIGPIPE or EPIPE.

static volatile int caught;

static void on_pipe(int number) { caught = number; }

int main(void) {
  int ends[2];
  NEED(pipe(ends));
  close(ends[0]);
  pid_t child = NEED(fork());
  if (child == 0) {
    write(ends[1], "x", 1);
    _exit(0);
  }
  CHECK_IS("SIGPIPE ends the process", wait_code(child), 128 + SIGPIPE);

  signal(SIGPIPE, on_pipe);
  CHECK_FAILS("with a handler", write(ends[1], "x", 1), EPIPE);
  CHECK_IS("it is called", caught, SIGPIPE);
  signal(SIGPIPE, SIG_IGN);
  CHECK_FAILS("ignored", write(ends[1], "x", 1), EPIPE);
  CHECK_IS("no bytes are no write", write(ends[1], "x", 0), 0);
  close(ends[1]);

  // A writer that waits for room learns that the reader is gone.
  NEED(pipe(ends));
  child = NEED(fork());
  if (child == 0) {
    static char block[200000];
    close(ends[0]);
    long count = write(ends[1], block, sizeof block);
    CHECK("a started write says how much went", count > 0 && count < (long)sizeof block);
    CHECK_FAILS("the next one fails", write(ends[1], block, 1), EPIPE);
    _exit(check_failures);
  }
  close(ends[1]);
  char text[4096];
  NEED(read(ends[0], text, sizeof text));
  close(ends[0]);
  CHECK_IS("child", wait_code(child), 0);

  caught = 0;
  signal(SIGPIPE, on_pipe);
  int sockets[2];
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  close(sockets[0]);
  CHECK_FAILS("a socket", write(sockets[1], "x", 1), EPIPE);
  CHECK_IS("signals too", caught, SIGPIPE);
  caught = 0;
  CHECK_FAILS("MSG_NOSIGNAL", send(sockets[1], "x", 1, MSG_NOSIGNAL), EPIPE);
  CHECK_IS("does not", caught, 0);

  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  sigprocmask(SIG_BLOCK, &set, NULL);
  NEED(pipe(ends));
  close(ends[0]);
  CHECK_FAILS("blocked", write(ends[1], "x", 1), EPIPE);
  CHECK_IS("not delivered", caught, 0);
  sigpending(&set);
  CHECK("but pending", sigismember(&set, SIGPIPE));
  return check_status();
}
