#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>

// splice(2) and its kin where they wait, are interrupted, or move a lot.

enum { SIZE = 1 << 20 };
static char content[SIZE], back[SIZE];
static volatile int caught;

static void on_signal(int number) { caught = number; }

static void alarm_soon(void) {
  struct itimerval timer = {{0, 20000}, {0, 20000}};
  caught = 0;
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void alarm_off(void) { setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL); }

// Through a pipe to a file, with a process at each end.
static void check_through_pipe(int source) {
  int ends[2];
  NEED(pipe(ends));
  pid_t child = NEED(fork());
  if (child == 0) {
    close(ends[0]);
    for (long left = SIZE, moved; left > 0; left -= moved)
      moved = NEED(splice(source, NULL, ends[1], NULL, left, SPLICE_F_MORE));
    _exit(0);
  }
  close(ends[1]);
  int target = NEED(open("target", O_RDWR | O_CREAT | O_TRUNC, 0600));
  long total = 0, moved;
  while ((moved = splice(ends[0], NULL, target, NULL, SIZE, SPLICE_F_MOVE)) > 0) total += moved;
  CHECK_IS("all of it", total, SIZE);
  CHECK_IS("then the end", moved, 0);
  CHECK_IS("child", wait_code(child), 0);
  CHECK_IS("read back", pread(target, back, SIZE, 0), SIZE);
  CHECK("the same", !memcmp(content, back, SIZE));
  close(ends[0]);
}

// File to pipe to socket, and socket to pipe.
static void check_through_socket(int source) {
  int ends[2], sockets[2];
  NEED(pipe(ends));
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  pid_t child = NEED(fork());
  if (child == 0) {
    close(sockets[1]);
    NEED(lseek(source, 0, SEEK_SET));
    for (long left = SIZE; left > 0;) {
      long in_pipe = NEED(splice(source, NULL, ends[1], NULL, left < 65536 ? left : 65536, 0));
      left -= in_pipe;
      while (in_pipe > 0) in_pipe -= NEED(splice(ends[0], NULL, sockets[0], NULL, in_pipe, 0));
    }
    _exit(0);
  }
  close(sockets[0]);
  memset(back, 0, SIZE);
  long total = 0, got;
  while ((got = read(sockets[1], back + total, SIZE - total)) > 0) total += got;
  CHECK_IS("all of it", total, SIZE);
  CHECK("the same", !memcmp(content, back, SIZE));
  CHECK_IS("child", wait_code(child), 0);
}

static void check_sendfile(int source) {
  int ends[2];
  NEED(pipe(ends));
  pid_t child = NEED(fork());
  if (child == 0) {
    close(ends[0]);
    for (off_t offset = 0; offset < SIZE;) NEED(sendfile(ends[1], source, &offset, SIZE));
    _exit(0);
  }
  close(ends[1]);
  memset(back, 0, SIZE);
  long total = 0, got;
  while ((got = read(ends[0], back + total, SIZE - total)) > 0) total += got;
  CHECK_IS("sendfile waits for room in a pipe", total, SIZE);
  CHECK("the same", !memcmp(content, back, SIZE));
  CHECK_IS("child", wait_code(child), 0);
  NEED(pipe2(ends, O_NONBLOCK));
  off_t offset = 0;
  long moved = sendfile(ends[1], source, &offset, SIZE);
  CHECK("a pipe that does not wait takes what fits", moved > 0 && moved < SIZE && offset == moved);
  CHECK_FAILS("then nothing", sendfile(ends[1], source, &offset, SIZE), EAGAIN);
  CHECK_FAILS("from a pipe", sendfile(source, ends[0], NULL, 10), EINVAL);
  int sockets[2];
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  CHECK_FAILS("from a socket", sendfile(source, sockets[0], NULL, 10), EINVAL);
  int null = NEED(open("/dev/null", O_WRONLY));
  offset = 0;
  CHECK_IS("to /dev/null", sendfile(null, source, &offset, SIZE), SIZE);
  CHECK_IS("from nothing", sendfile(null, source, &(off_t){SIZE}, 10), 0);
}

static void check_signals(void) {
  int ends[2], others[2];
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGPIPE, &action, NULL);
  NEED(pipe(ends));
  NEED(pipe(others));
  alarm_soon();
  CHECK_FAILS("a signal ends a wait for data", splice(ends[0], NULL, others[1], NULL, 10, 0), EINTR);
  CHECK_FAILS("and of tee", tee(ends[0], others[1], 10, 0), EINTR);
  alarm_off();
  NEED(fcntl(others[1], F_SETFL, O_NONBLOCK));
  while (write(others[1], content, 4096) > 0) {}
  NEED(fcntl(others[1], F_SETFL, 0));
  NEED(write(ends[1], "abc", 3));
  alarm_soon();
  CHECK_FAILS("and one for room", splice(ends[0], NULL, others[1], NULL, 10, 0), EINTR);
  alarm_off();
  CHECK_FAILS("no room, no wait", splice(ends[0], NULL, others[1], NULL, 10, SPLICE_F_NONBLOCK),
    EAGAIN);
  CHECK_IS("nothing was lost", read(ends[0], back, 10), 3);
  close(others[0]);
  NEED(write(ends[1], "abc", 3));
  caught = 0;
  CHECK_FAILS("no reader", splice(ends[0], NULL, others[1], NULL, 10, 0), EPIPE);
  CHECK_IS("SIGPIPE", caught, SIGPIPE);
  int null = NEED(open("/dev/null", O_WRONLY)), zero = NEED(open("/dev/zero", O_RDONLY));
  CHECK_IS("to /dev/null", splice(ends[0], NULL, null, NULL, 10, 0), 3);
  CHECK_IS("from /dev/zero", splice(zero, NULL, ends[1], NULL, 100, 0), 100);
  CHECK_IS("zeros", read(ends[0], back, 200), 100);
}

int main(void) {
  for (int i = 0; i < SIZE; i++) content[i] = i * 7 % 251;
  int source = NEED(open("source", O_RDWR | O_CREAT, 0600));
  NEED(write(source, content, SIZE));
  NEED(lseek(source, 0, SEEK_SET));
  check_through_pipe(source);
  check_through_socket(source);
  check_sendfile(source);
  check_signals();
  return check_status();
}
