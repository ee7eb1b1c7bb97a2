/* getrlimit(2), setrlimit(2) and prlimit(2): soft, hard, inheritance and who may raise. */
#include "../check.h"
#include <signal.h>
#include <sys/resource.h>

static int child_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur == 50 && limit.rlim_max == 60 ? 0 : 1;
}

static int set(int resource, rlim_t soft, rlim_t hard) {
  struct rlimit limit = {soft, hard};
  return setrlimit(resource, &limit);
}

static int without_privileges(void) {
  if (setresuid(65534, 65534, 65534) != 0) return 9;
  CHECK_FAILS("soft above hard", set(RLIMIT_NOFILE, 61, 60), EINVAL);
  CHECK_FAILS("raise the hard limit", set(RLIMIT_NOFILE, 50, 61), EPERM);
  CHECK_IS("soft up to hard", set(RLIMIT_NOFILE, 60, 60), 0);
  CHECK_IS("lower both", set(RLIMIT_NOFILE, 40, 40), 0);
  CHECK_FAILS("there is no way back", set(RLIMIT_NOFILE, 40, 60), EPERM);
  struct rlimit limit;
  CHECK_FAILS("another user's limits", prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit), EPERM);
  return check_status();
}

static int of_a_child(void) {
  int gate[2];
  NEED(pipe(gate));
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(gate[1]);
    if (read(gate[0], &byte, 1) < 0) _exit(9);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    _exit(limit.rlim_cur);
  }
  struct rlimit before, limit = {33, 44};
  CHECK_IS("prlimit of a child", prlimit(child, RLIMIT_NOFILE, &limit, &before), 0);
  CHECK("it answers the old limits", before.rlim_cur == 50 && before.rlim_max == 60);
  close(gate[1]);
  CHECK_IS("the child's limit", wait_code(child), 33);
  return check_status();
}

int main(void) {
  struct rlimit limit;
  CHECK_FAILS("unknown resource", getrlimit(16, &limit), EINVAL);
  CHECK_FAILS("unknown resource to set", set(16, 1, 1), EINVAL);
  CHECK_FAILS("no such process", prlimit(0x3fffffff, RLIMIT_NOFILE, NULL, &limit), ESRCH);
  CHECK_FAILS("answer into unmapped memory", getrlimit(RLIMIT_NOFILE, (void *)8), EFAULT);
  CHECK_FAILS("limit from unmapped memory", setrlimit(RLIMIT_NOFILE, (void *)8), EFAULT);
  for (int resource = 0; resource < 16; resource++) {
    char name[64];
    snprintf(name, sizeof name, "resource %d", resource);
    CHECK(name, getrlimit(resource, &limit) == 0 && limit.rlim_cur <= limit.rlim_max);
  }
  CHECK_IS("set", set(RLIMIT_NOFILE, 50, 60), 0);
  CHECK("get", getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 50 &&
                   limit.rlim_max == 60);
  CHECK_IS("sysconf agrees", sysconf(_SC_OPEN_MAX), 50);
  CHECK_IS("a child inherits", in_child(child_limit), 0);
  CHECK_IS("of a child", in_child(of_a_child), 0);
  CHECK_IS("without privileges", in_child(without_privileges), 0);
  CHECK_IS("pid 0 is the caller", prlimit(0, RLIMIT_NOFILE, NULL, &limit), 0);
  CHECK_IS("children don't change the parent", limit.rlim_cur, 50);
  return check_status();
}
