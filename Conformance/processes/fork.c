// static
/* fork(2): what the child copies, what it starts afresh, and what both keep sharing. */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

static int value = 1;
static pid_t parent;

static int child_sees_copies(void) {
  CHECK_IS("child has the parent's memory", value, 2);
  value = 3;
  CHECK("child has its own pid", getpid() != parent);
  CHECK_IS("child knows its parent", getppid(), parent);
  return check_status();
}

static int child_starts_afresh(void) {
  sigset_t pending;
  sigpending(&pending);
  CHECK("no pending signal is inherited", !sigismember(&pending, SIGUSR1));
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  CHECK("the signal mask is inherited", sigismember(&mask, SIGUSR1));
  CHECK_IS("no alarm is inherited", alarm(0), 0);
  struct itimerval timer;
  getitimer(ITIMER_VIRTUAL, &timer);
  CHECK_IS("no interval timer is inherited", timer.it_value.tv_sec, 0);
  CHECK_IS("umask is inherited", umask(022), 027);
  return check_status();
}

static int offsets_are_shared(void) {
  char path[] = "/tmp/conformance-fork-XXXXXX";
  int file = mkstemp(path);
  NEED(file);
  unlink(path);
  NEED(write(file, "abcdef", 6));
  lseek(file, 1, SEEK_SET);
  pid_t child = fork();
  if (child == 0) {
    char byte;
    _exit(read(file, &byte, 1) == 1 ? byte : 0);
  }
  CHECK_IS("child reads at the common offset", wait_code(child), 'b');
  CHECK_IS("the child's read moved the parent's offset", lseek(file, 0, SEEK_CUR), 2);

  child = fork();
  if (child == 0) {
    fcntl(file, F_SETFD, FD_CLOEXEC);
    fcntl(file, F_SETFL, O_APPEND);
    close(file);
    _exit(0);
  }
  wait_code(child);
  CHECK_IS("descriptor flags are the child's own", fcntl(file, F_GETFD), 0);
  CHECK("status flags are shared", fcntl(file, F_GETFL) & O_APPEND);
  CHECK_OK("close in the child leaves the parent's open", lseek(file, 0, SEEK_SET));
  return 0;
}

static int grandchild(void) {
  return in_child(child_sees_copies) == 0 && value == 2 ? 7 : 8;
}

int main(void) {
  parent = getpid();
  value = 2;
  CHECK_IS("first child", in_child(child_sees_copies), 0);
  CHECK_IS("the parent's memory is untouched", value, 2);

  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGUSR1);
  umask(027);
  alarm(1000);
  struct itimerval timer = {{0, 0}, {1000, 0}};
  setitimer(ITIMER_VIRTUAL, &timer, NULL);
  CHECK_IS("second child", in_child(child_starts_afresh), 0);
  CHECK("the parent's alarm still runs", alarm(0) > 900);
  sigset_t pending;
  sigpending(&pending);
  CHECK("the parent's signal is still pending", sigismember(&pending, SIGUSR1));

  offsets_are_shared();
  parent = -1;
  pid_t child = fork();
  if (child == 0) {
    parent = getpid();
    _exit(grandchild());
  }
  CHECK_IS("a child forks too", wait_code(child), 7);
  return check_status();
}
