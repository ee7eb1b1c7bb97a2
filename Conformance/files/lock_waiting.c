#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

// F_SETLKW: waiting, giving up for a signal, and EDEADLK.

static int fd;

static int lock(int command, int type, long start) {
  struct flock record = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};
  return fcntl(fd, command, &record);
}

static void on_alarm(int number) { (void)number; }

static void signal_each(int *ends) { NEED(write(ends[1], "x", 1)); }
static void await_each(int *ends) {
  char byte;
  NEED(read(ends[0], &byte, 1));
}

int main(void) {
  int up[2], down[2];
  fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  NEED(pipe(up));
  NEED(pipe(down));

  CHECK_OK("the parent has it", lock(F_SETLK, F_WRLCK, 0));
  pid_t child = NEED(fork());
  if (child == 0) {
    signal_each(up);
    CHECK_OK("the child gets it", lock(F_SETLKW, F_WRLCK, 0));
    signal_each(up);
    await_each(down);
    _exit(check_failures);
  }
  await_each(up);
  say("the parent gives it up");
  NEED(lock(F_SETLK, F_UNLCK, 0));
  await_each(up);
  CHECK_FAILS("now the parent is refused", lock(F_SETLK, F_RDLCK, 0), EAGAIN);

  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  CHECK_FAILS("a signal ends the wait", lock(F_SETLKW, F_WRLCK, 0), EINTR);
  setitimer(ITIMER_REAL, &never, NULL);
  signal_each(down);
  CHECK_OK("the end of the child too", lock(F_SETLKW, F_WRLCK, 0));
  CHECK_IS("it ended well", wait_code(child), 0);
  NEED(lock(F_SETLK, F_UNLCK, 0));

  // The parent holds 1 and wants 2; the child holds 2 and wants 1. One of them is told.
  NEED(lock(F_SETLK, F_WRLCK, 1));
  child = NEED(fork());
  if (child == 0) {
    NEED(lock(F_SETLK, F_WRLCK, 2));
    signal_each(up);
    int result = lock(F_SETLKW, F_WRLCK, 1);
    _exit(result == 0 ? 10 : errno == EDEADLK ? 11 : 12);
  }
  await_each(up);
  int result = lock(F_SETLKW, F_WRLCK, 2), error = errno;
  if (result < 0) NEED(lock(F_SETLK, F_UNLCK, 1));
  int code = wait_code(child);
  CHECK("exactly one is told EDEADLK",
    (result == 0 && code == 11) || (result < 0 && error == EDEADLK && code == 10));
  NEED(lock(F_SETLK, F_UNLCK, 2));
  CHECK_OK("both are free again", lock(F_SETLK, F_WRLCK, 1));
  NEED(lock(F_SETLK, F_UNLCK, 1));

  // Three readers wait for one writer and all get in.
  NEED(lock(F_SETLK, F_WRLCK, 5));
  pid_t readers[3];
  for (int i = 0; i < 3; i++) {
    if ((readers[i] = NEED(fork())) == 0) {
      signal_each(up);
      if (lock(F_SETLKW, F_RDLCK, 5) < 0) _exit(1);
      signal_each(up);
      await_each(down);
      _exit(0);
    }
  }
  for (int i = 0; i < 3; i++) await_each(up);
  NEED(lock(F_SETLK, F_UNLCK, 5));
  for (int i = 0; i < 3; i++) await_each(up);
  say("three readers hold it at once");
  for (int i = 0; i < 3; i++) signal_each(down);
  for (int i = 0; i < 3; i++) CHECK_IS("a reader", wait_code(readers[i]), 0);
  return check_status();
}
