/* kill(2), tgkill(2), tkill(2): whom they reach and what they refuse. */
#include "../check.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

static volatile sig_atomic_t count;
static volatile pid_t ran_in;
static void handler(int number) {
  ran_in = syscall(SYS_gettid);
  count += number == SIGUSR1; /* last: who waits for it looks at the rest */
}

static pid_t sleeper(pid_t group) {
  pid_t child = fork();
  if (child == 0)
    for (;;) pause();
  NEED(child);
  setpgid(child, group ? group : child);
  return child;
}

static int gate[2];
static pid_t thread_id;
static void *thread(void *unused) {
  char byte;
  __atomic_store_n(&thread_id, syscall(SYS_gettid), __ATOMIC_RELEASE);
  while (read(gate[0], &byte, 1) < 0 && errno == EINTR) continue;
  return unused;
}

static int unprivileged(void) {
  pid_t parent = getppid();
  if (setresuid(54321, 54321, 54321) != 0) return 9;
  CHECK_FAILS("another user's process", kill(parent, SIGTERM), EPERM);
  CHECK_FAILS("not even signal 0", kill(parent, 0), EPERM);
  CHECK_IS("SIGCONT within the session is allowed", kill(parent, SIGCONT), 0);
  CHECK_FAILS("tgkill", syscall(SYS_tgkill, parent, parent, SIGTERM), EPERM);
  CHECK_IS("itself", kill(getpid(), 0), 0);
  return check_status();
}

int main(void) {
  signal(SIGUSR1, handler);
  CHECK_IS("signal 0", kill(getpid(), 0), 0);
  CHECK_FAILS("no such process", kill(0x3fffffff, 0), ESRCH);
  CHECK_FAILS("no such group", kill(-0x3fffffff, 0), ESRCH);
  CHECK_FAILS("not a signal", kill(getpid(), 65), EINVAL);
  CHECK_FAILS("a negative signal", kill(getpid(), -1), EINVAL);
  CHECK_IS("itself", kill(getpid(), SIGUSR1), 0);
  CHECK_IS("delivered before kill returns", count, 1);

  pid_t first = sleeper(0), second = sleeper(first), third = sleeper(0);
  CHECK_IS("a group", kill(-first, SIGTERM), 0);
  CHECK_IS("its leader", wait_code(first), 128 + SIGTERM);
  CHECK_IS("its member", wait_code(second), 128 + SIGTERM);
  CHECK_IS("another group lives", waitpid(third, NULL, WNOHANG), 0);
  CHECK_FAILS("the group is gone", kill(-first, 0), ESRCH);
  CHECK_IS("killpg", killpg(third, SIGINT), 0);
  CHECK_IS("its leader again", wait_code(third), 128 + SIGINT);

  pid_t own = fork();
  if (own == 0) {
    setpgid(0, 0);
    _exit(kill(0, SIGUSR1) == 0 && count == 2 ? 0 : 1);
  }
  CHECK_IS("pid 0 is the own group", wait_code(own), 0);
  CHECK_IS("and no other", count, 1);

  pthread_t id;
  NEED(pipe(gate));
  pthread_create(&id, NULL, thread, NULL);
  while (!__atomic_load_n(&thread_id, __ATOMIC_ACQUIRE)) sched_yield();
  CHECK_IS("tgkill", syscall(SYS_tgkill, getpid(), thread_id, SIGUSR1), 0);
  while (count < 2) sched_yield();
  CHECK_IS("that thread ran it", ran_in, thread_id);
  CHECK_IS("tkill", syscall(SYS_tkill, thread_id, SIGUSR1), 0);
  while (count < 3) sched_yield();
  CHECK_IS("the same thread", ran_in, thread_id);
  CHECK_FAILS("tgkill with another's pid", syscall(SYS_tgkill, getppid(), thread_id, 0), ESRCH);
  CHECK_FAILS("tgkill of 0", syscall(SYS_tgkill, 0, thread_id, 0), EINVAL);
  CHECK_FAILS("tgkill of no thread", syscall(SYS_tgkill, getpid(), 0x3fffffff, 0), ESRCH);
  CHECK_IS("a thread's id works as a pid for kill", kill(thread_id, 0), 0);
  close(gate[1]);
  pthread_join(id, NULL);
  CHECK_FAILS("an ended thread", syscall(SYS_tgkill, getpid(), thread_id, 0), ESRCH);
  CHECK_IS("unprivileged", in_child(unprivileged), 0);
  return check_status();
}
