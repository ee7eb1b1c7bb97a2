#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

// signalfd(2): signals as records to read.

static sigset_t set_of(int one, int other) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, one);
  if (other) sigaddset(&set, other);
  return set;
}

int main(void) {
  sigset_t both = set_of(SIGUSR1, SIGCHLD), usr2 = set_of(SIGUSR2, 0);
  struct signalfd_siginfo info, several[4];
  sigprocmask(SIG_BLOCK, &both, NULL);
  sigprocmask(SIG_BLOCK, &usr2, NULL);
  int fd;
  CHECK_OK("signalfd", fd = signalfd(-1, &both, SFD_NONBLOCK | SFD_CLOEXEC));
  CHECK_IS("SFD_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
  struct pollfd wait = {fd, POLLIN, 0};
  CHECK_FAILS("none", read(fd, &info, sizeof info), EAGAIN);
  CHECK_IS("not readable", poll(&wait, 1, 0), 0);
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR1);
  CHECK_IS("readable", poll(&wait, 1, 0), 1);
  CHECK_IS("read", read(fd, &info, sizeof info), sizeof info);
  CHECK_IS("signal", info.ssi_signo, SIGUSR1);
  CHECK_IS("sender", info.ssi_pid, getpid());
  CHECK_IS("its user", info.ssi_uid, getuid());
  CHECK_IS("sent by kill", info.ssi_code, SI_USER);
  CHECK_FAILS("once is enough", read(fd, &info, sizeof info), EAGAIN);
  sigset_t pending;
  sigpending(&pending);
  CHECK_IS("no longer pending", sigismember(&pending, SIGUSR1), 0);

  sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42});
  NEED(read(fd, &info, sizeof info));
  CHECK_IS("sigqueue's value", info.ssi_int, 42);
  CHECK_IS("its code", info.ssi_code, SI_QUEUE);

  pid_t child = NEED(fork());
  if (child == 0) _exit(9);
  NEED(fcntl(fd, F_SETFL, 0));
  CHECK_IS("a read waits for a child", read(fd, &info, sizeof info), sizeof info);
  CHECK_IS("SIGCHLD", info.ssi_signo, SIGCHLD);
  CHECK_IS("the child", info.ssi_pid, child);
  CHECK_IS("its status", info.ssi_status, 9);
  CHECK_IS("it exited", info.ssi_code, CLD_EXITED);
  wait_code(child);

  kill(getpid(), SIGUSR2);
  CHECK_IS("another signal", poll(&wait, 1, 0), 0);
  CHECK_IS("a new set for the same descriptor", signalfd(fd, &usr2, 0), fd);
  CHECK_IS("finds it", poll(&wait, 1, 0), 1);
  NEED(read(fd, &info, sizeof info));
  CHECK_IS("signal", info.ssi_signo, SIGUSR2);

  sigset_t real = set_of(SIGRTMIN, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &real, NULL);
  NEED(signalfd(fd, &real, 0));
  sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 3});
  sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1});
  sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 2});
  CHECK_IS("several at once", read(fd, several, sizeof several), 3 * sizeof info);
  CHECK("lowest first, then in order",
    several[0].ssi_int == 1 && several[1].ssi_int == 2 && several[2].ssi_int == 3);
  CHECK_FAILS("a short read", read(fd, &info, 100), EINVAL);
  CHECK_FAILS("unknown flags", signalfd(-1, &real, 0x10), EINVAL);
  CHECK_FAILS("not a signalfd", signalfd(0, &real, 0), EINVAL);
  CHECK_FAILS("a closed descriptor", signalfd(99, &real, 0), EBADF);
  return check_status();
}
