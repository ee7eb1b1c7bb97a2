/* Calls that a handler with SA_RESTART restarts, and that fail with EINTR without it. */
#include "../check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

/* The handler counts, and at the third signal makes the call's condition true. */
static volatile sig_atomic_t count;
static void (*complete)(void);

static void handler(int number) {
  (void)number;
  if (++count == 3 && complete) complete();
}

static int pair[2], word, listener, gate[2];
static pid_t child;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_length = sizeof(sa_family_t);

static void fill_pipe(void) { count += write(pair[1], "x", 1) != 1; }
static void drain_pipe(void) {
  char buffer[65536];
  count += read(pair[0], buffer, sizeof buffer) < 1;
}
static void open_gate(void) { close(gate[1]); }
static void wake_word(void) {
  word = 1;
  syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
}
static void connect_listener(void) {
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  count += connect(client, (void *)&address, address_length) != 0;
}

static long do_read(void) {
  char byte;
  return read(pair[0], &byte, 1);
}
static long do_write(void) { return write(pair[1], "y", 1); }
static long do_receive(void) {
  char byte;
  return recv(pair[0], &byte, 1, 0);
}
static long do_wait(void) { return waitpid(child, NULL, 0) == child ? 1 : -1; }
static long do_futex(void) {
  long result = syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
  return result == -1 && errno == EAGAIN ? 1 : result == 0 ? 1 : result;
}
static long do_accept(void) {
  int accepted = accept(listener, NULL, NULL);
  if (accepted < 0) return -1;
  close(accepted);
  return 1;
}

/* Signals every 5 ms; the first finds the call asleep, or at worst about to be. */
static void run(const char *name, long (*call)(void), void (*completion)(void), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec often = {{0, 5000000}, {0, 5000000}}, never = {{0, 0}, {0, 0}};
  timer_t timer;
  char text[80];
  sigaction(SIGUSR1, &action, NULL);
  count = 0;
  complete = completion;
  NEED(timer_create(CLOCK_MONOTONIC, &event, &timer));
  timer_settime(timer, 0, &often, NULL);
  errno = 0;
  long result = call();
  int error = errno;
  timer_settime(timer, 0, &never, NULL);
  timer_delete(timer);
  snprintf(text, sizeof text, "%s %s", name, flags ? "restarts" : "is interrupted");
  if (flags) check_report(text, result == 1 && count >= 3, result, error);
  else check_report(text, result == -1 && error == EINTR && count >= 1, result, error);
}

/* Interrupted first, as that leaves the condition as it was. */
static void both(const char *name, long (*call)(void), void (*completion)(void)) {
  run(name, call, NULL, 0);
  run(name, call, completion, SA_RESTART);
}

int main(void) {
  NEED(pipe(pair));
  both("read of a pipe", do_read, fill_pipe);
  fcntl(pair[1], F_SETFL, O_NONBLOCK);
  char block[4096] = {0};
  while (write(pair[1], block, sizeof block) > 0) continue;
  fcntl(pair[1], F_SETFL, 0);
  both("write of a full pipe", do_write, drain_pipe);
  both("FUTEX_WAIT", do_futex, wake_word);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  both("recv", do_receive, fill_pipe);
  /* Bound without a name, it gets one of its own. */
  listener = socket(AF_UNIX, SOCK_STREAM, 0);
  NEED(bind(listener, (void *)&address, address_length));
  address_length = sizeof address;
  NEED(getsockname(listener, (void *)&address, &address_length));
  NEED(listen(listener, 4));
  both("accept", do_accept, connect_listener);
  NEED(pipe(gate));
  child = fork();
  if (child == 0) {
    char byte;
    close(gate[1]);
    _exit(read(gate[0], &byte, 1));
  }
  both("waitpid", do_wait, open_gate);
  return check_status();
}
