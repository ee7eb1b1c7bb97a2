/* What a process keeps across exec, and what it loses besides its memory. */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define PLACE ((void *)0x123450000000)

static int new_program(char **argv) {
  char path[64];
  CHECK_IS("pid", getpid(), atoi(argv[1]));
  CHECK_IS("parent", getppid(), atoi(argv[2]));
  CHECK_IS("child", wait_code(atoi(argv[3])), 17);
  CHECK_IS("process group", getpgrp(), getpid());
  CHECK_TEXT("working directory", getcwd(path, sizeof path), "/proc");
  CHECK_IS("umask", umask(022), 031);
  CHECK_IS("nice value", getpriority(PRIO_PROCESS, 0), 3);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  CHECK_IS("limits", limit.rlim_cur, 77);
  int number = -1;
  prctl(PR_GET_PDEATHSIG, &number);
  CHECK_IS("parent death signal", number, SIGUSR1);
  int subreaper = -1;
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  CHECK_IS("subreaper", subreaper, 1);
  CHECK_IS("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
  CHECK_IS("timer slack", prctl(PR_GET_TIMERSLACK), 1234);

  CHECK_IS("keep-capabilities is cleared", prctl(PR_GET_KEEPCAPS), 0);
  CHECK_IS("dumpable again", prctl(PR_GET_DUMPABLE), 1);
  unsigned char present;
  CHECK_FAILS("mappings are gone", mincore(PLACE, 4096, &present), ENOMEM);
  struct itimerspec setting;
  CHECK_FAILS("timers are gone", syscall(SYS_timer_gettime, atoi(argv[4]), &setting), EINVAL);
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  CHECK("processor time goes on", used.tv_sec * 1000000000 + used.tv_nsec > atol(argv[5]));
  return check_status();
}

int main(int argc, char **argv) {
  if (argc > 1) return new_program(argv);
  pid_t middle = fork();
  if (middle != 0) {
    CHECK_IS("new program", wait_code(middle), 0);
    return check_status();
  }
  int timer;
  struct timespec used;
  char text[5][32];
  setpgid(0, 0);
  if (chdir("/proc") != 0) return 2;
  umask(031);
  if (nice(3) != 3) return 2;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 77;
  setrlimit(RLIMIT_NOFILE, &limit);
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_TIMERSLACK, 1234);
  prctl(PR_SET_KEEPCAPS, 1);
  prctl(PR_SET_DUMPABLE, 0);
  mmap(PLACE, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &timer);
  pid_t child = fork();
  if (child == 0) _exit(17);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  long values[] = {getpid(), getppid(), child, timer, used.tv_sec * 1000000000 + used.tv_nsec};
  for (int i = 0; i < 5; i++) snprintf(text[i], sizeof text[i], "%ld", values[i]);
  char *arguments[] = {"new", text[0], text[1], text[2], text[3], text[4], NULL};
  execve("/proc/self/exe", arguments, environ);
  return 127;
}
