/* clone(2): what each sharing flag shares, where the tids are written, and what is refused. */
#include "../check.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

static char stack[65536] __attribute__((aligned(16)));
static int value, descriptor;
static pid_t parent_tid, child_tid;

static int body(void *unused) {
  value = 2;
  close(descriptor);
  if (chdir("/proc") != 0) return 9;
  return child_tid == getpid() ? 6 : 5;
}

/* Runs the body with these flags; its exit code. */
static int run(int flags) {
  value = 1;
  descriptor = dup(0);
  parent_tid = child_tid = 0;
  NEED(chdir("/"));
  pid_t child = clone(body, stack + sizeof stack, flags | SIGCHLD, NULL, &parent_tid, NULL,
                      &child_tid);
  if (child < 0) return -errno;
  if ((flags & CLONE_PARENT_SETTID) && parent_tid != child) return -2;
  return wait_code(child);
}

static int open_now(void) {
  int result = fcntl(descriptor, F_GETFD) != -1;
  close(descriptor);
  return result;
}

static const char *directory(void) {
  static char path[64];
  return getcwd(path, sizeof path);
}

static long raw(unsigned long flags) { return syscall(SYS_clone, flags, 0, 0, 0, 0); }

int main(void) {
  CHECK_IS("nothing shared", run(0), 5);
  CHECK_IS("memory is a copy", value, 1);
  CHECK("descriptors are a copy", open_now());
  CHECK_TEXT("directory is a copy", directory(), "/");

  CHECK_IS("CLONE_VM", run(CLONE_VM), 5);
  CHECK_IS("memory is shared", value, 2);
  CHECK("descriptors are not", open_now());

  CHECK_IS("CLONE_FILES", run(CLONE_FILES), 5);
  CHECK("descriptors are shared", !open_now());
  CHECK_IS("memory is not", value, 1);

  CHECK_IS("CLONE_FS", run(CLONE_FS), 5);
  CHECK_TEXT("directory is shared", directory(), "/proc");
  CHECK("descriptors are still a copy", open_now());

  CHECK_IS("CLONE_VM and CLONE_VFORK", run(CLONE_VM | CLONE_VFORK), 5);
  CHECK_IS("written before the parent goes on", value, 2);
  close(descriptor);

  CHECK_IS("CLONE_PARENT_SETTID", run(CLONE_PARENT_SETTID), 5);
  CHECK("the parent's copy is written", parent_tid > 0);
  CHECK_IS("CLONE_CHILD_SETTID", run(CLONE_CHILD_SETTID), 6);
  CHECK_IS("only the child's copy is written", child_tid, 0);
  CHECK_IS("CLONE_CHILD_CLEARTID", run(CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID), 6);
  CHECK_IS("cleared at the end", child_tid, 0);

  CHECK_FAILS("CLONE_SIGHAND needs CLONE_VM", raw(CLONE_SIGHAND | SIGCHLD), EINVAL);
  CHECK_FAILS("CLONE_THREAD needs CLONE_SIGHAND", raw(CLONE_THREAD | CLONE_VM), EINVAL);
  CHECK_FAILS("CLONE_FS against CLONE_NEWNS", raw(CLONE_FS | CLONE_NEWNS), EINVAL);

  /* CLONE_PARENT makes a sibling. */
  pid_t child = fork();
  if (child == 0) {
    pid_t sibling = raw(CLONE_PARENT | SIGCHLD);
    if (sibling == 0) _exit(21);
    _exit(sibling > 0 && waitpid(sibling, NULL, 0) == -1 && errno == ECHILD ? 20 : 1);
  }
  CHECK_IS("CLONE_PARENT", wait_code(child), 20);
  int status = 0;
  CHECK("the sibling is ours", wait(&status) > 0 && WEXITSTATUS(status) == 21);
  CHECK_FAILS("nobody left", wait(NULL), ECHILD);
  return check_status();
}
