/* Small filters of seccomp(2). Include after check.h. */
#ifndef FILTER_H
#define FILTER_H
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(verdict) BPF_STMT(BPF_RET | BPF_K, verdict)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The filter's result. */
__attribute__((unused)) static long install(
    unsigned flags, struct sock_filter *filter, size_t count) {
  struct sock_fprog program = {.len = count, .filter = filter};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* A verdict for one number, everything else is allowed. */
__attribute__((unused)) static long decide(long number, unsigned verdict) {
  struct sock_filter filter[] = {
    LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(verdict),
    RETURN(SECCOMP_RET_ALLOW),
  };
  return install(0, filter, COUNT(filter));
}

/* What wait(2) says of a child that runs `body`. */
__attribute__((unused)) static int child(void (*body)(void)) {
  int status;
  pid_t pid = NEED(fork());
  if (!pid) {
    body();
    _exit(0);
  }
  NEED(waitpid(pid, &status, 0));
  return status;
}

/* A number of /proc/self/status. */
__attribute__((unused)) static long status_field(const char *name) {
  char line[256];
  long value = -1;
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file))
    if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
      value = atol(line + strlen(name) + 1);
  if (file) fclose(file);
  return value;
}
#endif
