/* pidfd_open(2), pidfd_send_signal(2), waitid(P_PIDFD) and polling a pidfd. */
#include "../check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int pidfd_open(pid_t pid, unsigned flags) { return syscall(SYS_pidfd_open, pid, flags); }

static int send_signal(int pidfd, int number, siginfo_t *info, unsigned flags) {
  return syscall(SYS_pidfd_send_signal, pidfd, number, info, flags);
}

static int readable(int pidfd, int timeout) {
  struct pollfd event = {pidfd, POLLIN, 0};
  return poll(&event, 1, timeout) == 1 && event.revents & POLLIN;
}

int main(void) {
  CHECK_FAILS("pid 0", pidfd_open(0, 0), EINVAL);
  CHECK_FAILS("negative pid", pidfd_open(-1, 0), EINVAL);
  CHECK_FAILS("no such process", pidfd_open(0x3fffffff, 0), ESRCH);
  CHECK_FAILS("unknown flag", pidfd_open(getpid(), 1), EINVAL);
  int self = pidfd_open(getpid(), 0);
  CHECK("own process", self >= 0);
  CHECK_IS("close-on-exec always", fcntl(self, F_GETFD), FD_CLOEXEC);
  CHECK("own process runs", !readable(self, 0));
  CHECK_IS("signal 0", send_signal(self, 0, NULL, 0), 0);
  CHECK_FAILS("unknown flag to send", send_signal(self, 0, NULL, 1u << 30), EINVAL);
  CHECK_FAILS("not a signal", send_signal(self, 65, NULL, 0), EINVAL);
  CHECK_FAILS("not a pidfd", send_signal(0, SIGTERM, NULL, 0), EBADF);
  CHECK_FAILS("not a descriptor", send_signal(999, SIGTERM, NULL, 0), EBADF);
  char byte;
  CHECK_FAILS("a pidfd can't be read", read(self, &byte, 1), EINVAL);

  pid_t child = fork();
  if (child == 0)
    for (;;) pause();
  int pidfd = pidfd_open(child, 0);
  CHECK("child", pidfd >= 0);
  siginfo_t info;
  memset(&info, 0xff, sizeof info);
  CHECK_IS("waitid(P_PIDFD, WNOHANG)", waitid(P_PIDFD, pidfd, &info, WEXITED | WNOHANG), 0);
  CHECK_IS("still running", info.si_pid, 0);
  CHECK("not readable", !readable(pidfd, 0));
  CHECK_IS("kill it", send_signal(pidfd, SIGTERM, NULL, 0), 0);
  CHECK("readable at its end", readable(pidfd, 10000));
  CHECK_IS("a zombie takes signals", send_signal(pidfd, SIGTERM, NULL, 0), 0);
  CHECK_IS("waitid(P_PIDFD)", waitid(P_PIDFD, pidfd, &info, WEXITED), 0);
  CHECK("it tells who and how", info.si_pid == child && info.si_code == CLD_KILLED &&
                                    info.si_status == SIGTERM);
  CHECK_FAILS("reaped", waitid(P_PIDFD, pidfd, &info, WEXITED), ECHILD);
  CHECK_FAILS("nobody to signal", send_signal(pidfd, 0, NULL, 0), ESRCH);
  CHECK("a dead one stays readable", readable(pidfd, 0));
  CHECK_FAILS("waitid of no pidfd", waitid(P_PIDFD, 0, &info, WEXITED), EBADF);

  /* A non-blocking pidfd makes waitid answer at once. */
  child = fork();
  if (child == 0)
    for (;;) pause();
  pidfd = pidfd_open(child, O_NONBLOCK);
  CHECK("non-blocking", pidfd >= 0);
  CHECK_FAILS("waitid does not wait", waitid(P_PIDFD, pidfd, &info, WEXITED), EAGAIN);
  kill(child, SIGKILL);
  CHECK_IS("reaped by pid", wait_code(child), 128 + SIGKILL);
  return check_status();
}
