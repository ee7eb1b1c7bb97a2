/* Filters last: over fork, threads and exec, and they only get stricter. */
#include "../check.h"
#include "filter.h"
#include <pthread.h>
#include <sys/mman.h>

static void without_right(void) {
  NEED(setresuid(1000, 1000, 1000));
  CHECK_FAILS("without privilege and no_new_privs", decide(SYS_getppid, SECCOMP_RET_ALLOW), EACCES);
  NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  CHECK_IS("with no_new_privs", decide(SYS_getppid, SECCOMP_RET_ALLOW), 0);
}

static void grandchild(void) { CHECK_FAILS("after fork", syscall(SYS_getppid), ENETDOWN); }

static void *other_thread(void *unused) {
  CHECK_FAILS("in a new thread", syscall(SYS_getppid), ENETDOWN);
  return unused;
}

static void inherit(void) {
  CHECK_IS("the mode before", prctl(PR_GET_SECCOMP), 0);
  NEED(decide(SYS_getppid, SECCOMP_RET_ERRNO | ENETDOWN));
  CHECK_IS("the mode after", prctl(PR_GET_SECCOMP), 2);
  CHECK_IS("in the status file", status_field("Seccomp"), 2);
  CHECK_IS("fork", child(grandchild), 0);
  pthread_t thread;
  pthread_create(&thread, NULL, other_thread, NULL);
  pthread_join(thread, NULL);
  NEED(decide(SYS_getppid, SECCOMP_RET_ALLOW));
  CHECK_FAILS("a later filter can't allow", syscall(SYS_getppid), ENETDOWN);
  NEED(decide(SYS_getppid, SECCOMP_RET_ERRNO | EDOM));
  CHECK_FAILS("of equals the newest counts", syscall(SYS_getppid), EDOM);
  NEED(decide(SYS_getppid, SECCOMP_RET_LOG));
  CHECK_FAILS("a milder one doesn't", syscall(SYS_getppid), EDOM);
  CHECK("filters are counted", status_field("Seccomp_filters") >= 4);
  struct sock_filter by_prctl[] = {
    LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 1),
    RETURN(SECCOMP_RET_ERRNO | ERANGE), RETURN(SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = COUNT(by_prctl), .filter = by_prctl};
  CHECK_IS("by prctl(2)", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
  CHECK_FAILS("as by seccomp(2)", syscall(SYS_getuid), ERANGE);
  CHECK_FAILS("no other mode any more", prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
  execl("/proc/self/exe", "inheritance", "again", NULL);
  _exit(9);
}

static void strict(void) {
  NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
  if (write(1, "strict: writes\n", 15) == 15) syscall(SYS_exit, 5);
}

static void strict_kill(void) {
  NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
  syscall(SYS_getpid);
}

static pthread_barrier_t barrier;

static void *synchronized(void *unused) {
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  CHECK_FAILS("the other thread has it, too", syscall(SYS_getppid), ENETDOWN);
  return unused;
}

static void *with_own_filter(void *unused) {
  NEED(decide(SYS_getppid, SECCOMP_RET_ALLOW));
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return unused;
}

static long for_all(unsigned flags) {
  struct sock_filter filter[] = {
    LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
    RETURN(SECCOMP_RET_ERRNO | ENETDOWN), RETURN(SECCOMP_RET_ALLOW),
  };
  return install(SECCOMP_FILTER_FLAG_TSYNC | flags, filter, COUNT(filter));
}

static void synchronize(void) {
  pthread_t thread;
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&thread, NULL, synchronized, NULL);
  pthread_barrier_wait(&barrier);
  CHECK_IS("for all threads", for_all(0), 0);
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
}

static void no_synchronize(void) {
  pthread_t thread;
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&thread, NULL, with_own_filter, NULL);
  pthread_barrier_wait(&barrier);
  CHECK("one with its own is named", for_all(0) > 0);
  CHECK_FAILS("or is an error", for_all(SECCOMP_FILTER_FLAG_TSYNC_ESRCH), ESRCH);
  CHECK_OK("and nothing has changed", syscall(SYS_getppid));
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
}

/* A heap of filters: there is an end to them, and they go with the process. */
static void too_many(void) {
  static struct sock_filter long_one[4000];
  for (size_t index = 0; index < COUNT(long_one); index++)
    long_one[index] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
  long result = 0;
  for (int count = 0; count < 20 && !result; count++)
    result = install(0, long_one, COUNT(long_one));
  int error = result == -1 ? errno : 0;
  CHECK_IS("too many instructions in all", error, ENOMEM);
}

static void many(void) {
  struct sock_filter allow[] = {RETURN(SECCOMP_RET_ALLOW)};
  long result = 0;
  int count = 0;
  while (!result && count < 7000) {
    result = install(0, allow, 1);
    count++;
  }
  int error = result == -1 ? errno : 0;
  CHECK("thousands of small ones, then no more", error == ENOMEM && count > 3000);
}

int main(int count, char **arguments) {
  (void)arguments;
  if (count > 1) {
    CHECK_FAILS("after exec", syscall(SYS_getppid), EDOM);
    CHECK_IS("mode after exec", prctl(PR_GET_SECCOMP), 2);
    return check_failures != 0;
  }
  unsigned action = SECCOMP_RET_ERRNO, unknown = 0x12340000;
  int ask = SECCOMP_GET_ACTION_AVAIL;
  CHECK_IS("an action that there is", syscall(SYS_seccomp, ask, 0, &action), 0);
  CHECK_FAILS("none", syscall(SYS_seccomp, ask, 0, &unknown), EOPNOTSUPP);
  CHECK_IS("without right", child(without_right), 0);
  CHECK_IS("inherit", child(inherit), 0);
  CHECK_IS("strict", WEXITSTATUS(child(strict)), 5);
  CHECK_IS("strict kills", WTERMSIG(child(strict_kill)), SIGKILL);
  NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  CHECK_IS("synchronize", child(synchronize), 0);
  CHECK_IS("do not synchronize", child(no_synchronize), 0);
  CHECK_IS("too many", child(too_many), 0);
  CHECK_IS("many", child(many), 0);
  return check_failures != 0;
}
