/* RLIMIT_CPU: a second of processor time, then SIGXCPU. */
#include "../check.h"
#include <signal.h>
#include <sys/resource.h>

static volatile sig_atomic_t warned;
static void handler(int number) { warned = number; }

static int spin(void) {
  struct rlimit limit = {1, RLIM_INFINITY};
  signal(SIGXCPU, handler);
  setrlimit(RLIMIT_CPU, &limit);
  while (!warned) __asm__ volatile("pause");
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  long used = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
              (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  CHECK("not long before its time", used >= 800);
  return warned == SIGXCPU ? check_status() : 9;
}

int main(void) {
  CHECK_IS("SIGXCPU", in_child(spin), 0);
  return check_status();
}
