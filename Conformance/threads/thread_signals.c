/* Signals and threads: masks of their own, one handler for all, who runs a process's signal. */
#include "../check.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

static volatile sig_atomic_t count;
static volatile pid_t ran_in;
static void handler(int number) {
  ran_in = syscall(SYS_gettid);
  count += number > 0;
}

static int ready, stop;
static pid_t tids[4];
static int blocked_in[4];

static void *thread(void *argument) {
  long me = (long)argument;
  sigset_t set;
  pthread_sigmask(SIG_SETMASK, NULL, &set);
  blocked_in[me] = sigismember(&set, SIGUSR2);
  if (me == 3) {
    sigemptyset(&set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
  }
  tids[me] = syscall(SYS_gettid);
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) sched_yield();
  return NULL;
}

static void wait_for(int value) {
  while (count < value) sched_yield();
}

static void *waits(void *unused) {
  sigset_t set;
  int number;
  (void)unused;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  __atomic_store_n(&ready, 9, __ATOMIC_SEQ_CST);
  sigwait(&set, &number);
  return (void *)(long)number;
}

static void *pending_of_thread(void *unused) {
  sigset_t set;
  (void)unused;
  raise(SIGHUP);
  sigpending(&set);
  return (void *)(long)sigismember(&set, SIGHUP);
}

int main(void) {
  sigset_t set, all;
  pthread_t ids[4], id;
  void *result;
  signal(SIGUSR1, handler);
  signal(SIGUSR2, handler);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  for (long i = 0; i < 4; i++) pthread_create(&ids[i], NULL, thread, (void *)i);
  while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 4) sched_yield();
  CHECK_IS("threads inherit the mask", blocked_in[0] + blocked_in[3], 2);

  pthread_kill(ids[1], SIGUSR1);
  wait_for(1);
  CHECK_IS("pthread_kill", ran_in, tids[1]);
  kill(getpid(), SIGUSR2);
  wait_for(2);
  CHECK_IS("a process's signal goes to the thread that lets it", ran_in, tids[3]);
  pthread_kill(ids[0], SIGUSR2);
  sigpending(&all);
  CHECK("pending in one thread is not in another", !sigismember(&all, SIGUSR2));
  CHECK_IS("and does not run elsewhere", count, 2);
  CHECK_IS("pthread_kill with 0", pthread_kill(ids[2], 0), 0);
  CHECK_IS("pthread_kill with nonsense", pthread_kill(ids[2], 65), EINVAL);

  pthread_create(&id, NULL, pending_of_thread, NULL);
  pthread_join(id, &result);
  CHECK_IS("raise is for the own thread", result, 1);
  sigpending(&all);
  CHECK("and ends with it", !sigismember(&all, SIGHUP));

  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 4; i++) pthread_join(ids[i], NULL);
  pthread_create(&id, NULL, waits, NULL);
  while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != 9) sched_yield();
  kill(getpid(), SIGTERM);
  pthread_join(id, &result);
  CHECK_IS("a thread in sigwait takes a blocked signal", result, SIGTERM);
  kill(getpid(), SIGHUP);
  sigpending(&all);
  CHECK("blocked in all threads: pending in the process", sigismember(&all, SIGHUP));
  union sigval value = {.sival_int = 8};
  CHECK_IS("pthread_sigqueue", pthread_sigqueue(pthread_self(), SIGUSR1, value), 0);
  CHECK_IS("ran here", ran_in, getpid());
  return check_status();
}
