/* Processor time: virtual and profiling timers, clocks of threads and children. */
#include "../check.h"
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t virtual_count, profile_count;
static void handler(int number) {
  virtual_count += number == SIGVTALRM;
  profile_count += number == SIGPROF;
}

static int64_t now(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) return -1;
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void burn(int64_t nanoseconds) {
  int64_t end = now(CLOCK_THREAD_CPUTIME_ID) + nanoseconds;
  while (now(CLOCK_THREAD_CPUTIME_ID) < end) continue;
}

static void *burning(void *amount) {
  int64_t before = now(CLOCK_THREAD_CPUTIME_ID);
  burn(*(int64_t *)amount);
  return (void *)(long)(before < 50000000);
}

int main(void) {
  struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
  signal(SIGVTALRM, handler);
  signal(SIGPROF, handler);
  setitimer(ITIMER_VIRTUAL, &often, NULL);
  usleep(30000);
  CHECK("a sleeping program's virtual timer stands still", virtual_count <= 1);
  while (virtual_count < 3)
    for (volatile int i = 0; i < 10000; i++) continue;
  setitimer(ITIMER_VIRTUAL, &never, NULL);
  CHECK("it runs with the program", virtual_count >= 3);
  setitimer(ITIMER_PROF, &often, NULL);
  while (profile_count < 3) getppid();
  setitimer(ITIMER_PROF, &never, NULL);
  CHECK("a profiling timer runs in calls too", profile_count >= 3);

  int64_t amount = 20000000, process = now(CLOCK_PROCESS_CPUTIME_ID);
  pthread_t ids[2], self = pthread_self();
  void *fresh[2];
  for (int i = 0; i < 2; i++) pthread_create(&ids[i], NULL, burning, &amount);
  for (int i = 0; i < 2; i++) pthread_join(ids[i], &fresh[i]);
  CHECK("threads start with little", fresh[0] && fresh[1]);
  CHECK("the process counts all threads", now(CLOCK_PROCESS_CPUTIME_ID) - process >= 40000000);
  clockid_t clock;
  CHECK_IS("a thread's clock", pthread_getcpuclockid(self, &clock), 0);
  int64_t before = now(clock);
  burn(5000000);
  CHECK("counts that thread", now(clock) - before >= 5000000);

  before = now(CLOCK_PROCESS_CPUTIME_ID);
  usleep(30000);
  CHECK("sleeping costs little", now(CLOCK_PROCESS_CPUTIME_ID) - before < 20000000);
  pid_t child = fork();
  if (child == 0) {
    int64_t started = now(CLOCK_PROCESS_CPUTIME_ID);
    _exit(started < 50000000 ? 0 : 1);
  }
  CHECK_IS("a child starts afresh", wait_code(child), 0);
  return check_status();
}
