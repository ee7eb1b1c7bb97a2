/* The sched_* calls as ordinary programs use them. */
#include "../check.h"
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

static int child_affinity(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
  return CPU_COUNT(&set);
}

static void affinity(void) {
  cpu_set_t all, one;
  CHECK_IS("sched_getaffinity", sched_getaffinity(0, sizeof all, &all), 0);
  CHECK("at least one processor", CPU_COUNT(&all) >= 1);
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof all, &all);
  CHECK("the raw call answers bytes", bytes >= 8 && bytes % 8 == 0);
  CHECK_FAILS("a mask too small", syscall(SYS_sched_getaffinity, 0, 1, &all), EINVAL);
  CHECK_FAILS("no such thread", sched_getaffinity(0x3fffffff, sizeof all, &all), ESRCH);
  int first = 0;
  while (!CPU_ISSET(first, &all)) first++;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  CHECK_IS("pin to one", sched_setaffinity(0, sizeof one, &one), 0);
  CHECK_IS("pinned", child_affinity(), 1);
  CHECK_IS("running there", sched_getcpu(), first);
  CHECK_IS("a child inherits it", in_child(child_affinity), 1);
  CPU_ZERO(&one);
  CHECK_FAILS("no processor at all", sched_setaffinity(0, sizeof one, &one), EINVAL);
  CHECK_IS("back to all", sched_setaffinity(0, sizeof all, &all), 0);
}

/* Another user's process is none of ours. */
static int foreign(void) {
  cpu_set_t set;
  struct sched_param parameters = {0};
  if (syscall(SYS_setresuid, 1001, 1001, 1001) != 0) return 2;
  pid_t parent = getppid();
  CHECK_IS("its processors may be asked for", sched_getaffinity(parent, sizeof set, &set), 0);
  CHECK_FAILS("not changed", sched_setaffinity(parent, sizeof set, &set), EPERM);
  CHECK_FAILS("nor its policy", sched_setscheduler(parent, SCHED_BATCH, &parameters), EPERM);
  CHECK_FAILS("nor its parameters", sched_setparam(parent, &parameters), EPERM);
  CHECK_IS("our own may be", sched_setaffinity(0, sizeof set, &set), 0);
  return check_status();
}

int main(void) {
  struct sched_param parameters = {77};
  struct timespec interval = {-1, -1};
  affinity();
  CHECK_IS("policy", sched_getscheduler(0), SCHED_OTHER);
  CHECK_IS("parameters", sched_getparam(0, &parameters), 0);
  CHECK_IS("priority", parameters.sched_priority, 0);
  CHECK_IS("set the same policy", sched_setscheduler(0, SCHED_OTHER, &parameters), 0);
  CHECK_IS("batch", sched_setscheduler(0, SCHED_BATCH, &parameters), 0);
  CHECK_IS("policy now", sched_getscheduler(0), SCHED_BATCH);
  CHECK_IS("back", sched_setscheduler(0, SCHED_OTHER, &parameters), 0);
  CHECK_IS("set the same parameters", sched_setparam(0, &parameters), 0);
  parameters.sched_priority = 5;
  CHECK_FAILS("ordinary tasks have no priority", sched_setparam(0, &parameters), EINVAL);
  CHECK_FAILS("unknown policy", sched_setscheduler(0, 77, &parameters), EINVAL);
  CHECK_FAILS("no such process", sched_getscheduler(0x3fffffff), ESRCH);
  CHECK_FAILS("negative pid", sched_getscheduler(-1), EINVAL);
  CHECK_FAILS("no such process's parameters", sched_getparam(0x3fffffff, &parameters), ESRCH);
  CHECK_IS("highest of SCHED_OTHER", sched_get_priority_max(SCHED_OTHER), 0);
  CHECK_IS("highest of SCHED_FIFO", sched_get_priority_max(SCHED_FIFO), 99);
  CHECK_IS("lowest of SCHED_FIFO", sched_get_priority_min(SCHED_FIFO), 1);
  CHECK_IS("lowest of SCHED_RR", sched_get_priority_min(SCHED_RR), 1);
  CHECK_FAILS("range of an unknown policy", sched_get_priority_max(77), EINVAL);
  CHECK_IS("interval", sched_rr_get_interval(0, &interval), 0);
  CHECK("interval is a time", interval.tv_sec == 0 && interval.tv_nsec >= 0);
  CHECK_IS("yield", sched_yield(), 0);
  CHECK_IS("another user's process", in_child(foreign), 0);
  CHECK_IS("the group is asked by pid", sched_getscheduler(getpid()), SCHED_OTHER);
  return check_status();
}
