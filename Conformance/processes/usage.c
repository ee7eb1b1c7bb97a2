/* getrusage(2) and times(2): counted time only grows, and a reaped child's is added. */
#include "../check.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <time.h>

static long microseconds(int who) {
  struct rusage usage;
  if (getrusage(who, &usage) != 0) return -1;
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

/* Uses the processor for this many microseconds. */
static int burn(long amount) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  long end = now.tv_sec * 1000000L + now.tv_nsec / 1000 + amount, time;
  do {
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    time = now.tv_sec * 1000000L + now.tv_nsec / 1000;
  } while (time < end);
  return 0;
}

static int busy_child(void) { return burn(60000); }

int main(void) {
  struct rusage usage;
  CHECK_FAILS("unknown who", getrusage(5, &usage), EINVAL);
  CHECK_FAILS("answer into unmapped memory", getrusage(RUSAGE_SELF, (void *)8), EFAULT);
  long before = microseconds(RUSAGE_SELF);
  burn(50000);
  long used = microseconds(RUSAGE_SELF) - before;
  CHECK("own time grows with work", used >= 30000 && used < 2000000);
  CHECK("the thread's time too", microseconds(RUSAGE_THREAD) >= 30000);

  CHECK_IS("no child reaped: nothing", microseconds(RUSAGE_CHILDREN), 0);
  before = microseconds(RUSAGE_SELF);
  CHECK_IS("busy child", in_child(busy_child), 0);
  CHECK("the child's time is counted as a child's", microseconds(RUSAGE_CHILDREN) >= 40000);
  CHECK("and not as the parent's", microseconds(RUSAGE_SELF) - before < 40000);

  struct tms counted;
  clock_t ticks = times(&counted);
  CHECK("times answers ticks", ticks != (clock_t)-1);
  CHECK("times counts this process", counted.tms_utime + counted.tms_stime >= 2);
  CHECK("times counts children", counted.tms_cutime + counted.tms_cstime >= 3);
  CHECK("times without an answer", times(NULL) >= ticks);
  CHECK_IS("ticks a second", sysconf(_SC_CLK_TCK), 100);

  getrusage(RUSAGE_SELF, &usage);
  long faults = usage.ru_minflt, size = 64 * 4096;
  volatile char *memory =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise((void *)memory, size, MADV_NOHUGEPAGE);
  for (long i = 0; i < size; i += 4096) memory[i] = 1;
  getrusage(RUSAGE_SELF, &usage);
  CHECK("page faults are counted", usage.ru_minflt >= faults + 60);
  CHECK("a resident size is known", usage.ru_maxrss > 100);
  return check_status();
}
