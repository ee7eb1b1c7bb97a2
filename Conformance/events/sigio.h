#ifndef SIGIO_H
#define SIGIO_H
/* What programs on O_ASYNC share. Include it after check.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#define NEWS (SIGRTMIN + 2)
#define IN (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM | POLLWRBAND)

static sigset_t waited;

/* The next of the signals that are blocked, for at most five seconds; 0 when none comes. */
static int next(siginfo_t *info) {
  struct timespec limit = {5, 0};
  int signal;
  do signal = sigtimedwait(&waited, info, &limit);
  while (signal < 0 && errno == EINTR);
  return signal < 0 ? 0 : signal;
}

/* No signal is here. */
static int none(void) {
  struct timespec now = {0, 0};
  siginfo_t info;
  int signal = sigtimedwait(&waited, &info, &now);
  return signal < 0 ? 0 : signal;
}

static void told(const char *name, int fd, int code, int band) {
  siginfo_t info = {0};
  char line[64];
  int signal = next(&info);
  snprintf(line, sizeof line, "%s: signal", name);
  CHECK_IS(line, signal, NEWS);
  snprintf(line, sizeof line, "%s: code", name);
  CHECK_IS(line, info.si_code, code);
  snprintf(line, sizeof line, "%s: band", name);
  CHECK_IS(line, info.si_band, band);
  snprintf(line, sizeof line, "%s: descriptor", name);
  CHECK_IS(line, info.si_fd, fd);
}

static void async(int fd, int signal) {
  NEED(fcntl(fd, F_SETOWN, getpid()));
  NEED(fcntl(fd, F_SETSIG, signal));
  NEED(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

#endif
