#include "check.h"
#include "proc/text.h"
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

// /proc/self/status, stat, comm and limits.

static const char *status(const char *name) {
  const char *value = field_of("/proc/self/status", name);
  return value ? value : "(missing)";
}

static const char *number(long value) {
  static char text[32];
  snprintf(text, sizeof text, "%ld", value);
  return text;
}

static void *wait_for_end(void *fd) {
  char byte;
  NEED(read(*(int *)fd, &byte, 1));
  return NULL;
}

static void on_signal(int number) { (void)number; }

static void check_stat(void) {
  char name[32], state;
  int pid, parent, group, session;
  NEED(prctl(PR_SET_NAME, "a) (b c"));
  const char *text = text_of("/proc/self/stat");
  CHECK_IS("stat can be read", sscanf(text, "%d (%31[^S]", &pid, name), 2);
  const char *rest = strrchr(text, ')');
  CHECK("the name is in parentheses", strncmp(strchr(text, '('), "(a) (b c)", 9) == 0);
  CHECK_IS("fields after it", sscanf(rest, ") %c %d %d %d", &state, &parent, &group, &session), 4);
  CHECK_IS("state", state, 'R');
  CHECK("ids", pid == getpid() && parent == getppid() && group == getpgrp()
    && session == getsid(0));
  int fields = 0;
  for (const char *at = rest; *at; at++) fields += *at == ' ';
  CHECK_IS("number of fields", fields + 2, 52);
}

static void check_limits(void) {
  struct rlimit limit = {123, 456};
  NEED(setrlimit(RLIMIT_NOFILE, &limit));
  const char *line = strstr(text_of("/proc/self/limits"), "Max open files");
  unsigned soft = 0, hard = 0;
  CHECK_IS("limits", line ? sscanf(line, "Max open files %u %u files", &soft, &hard) : 0, 2);
  CHECK("open files", soft == 123 && hard == 456);
  line = strstr(text_of("/proc/self/limits"), "Max cpu time");
  CHECK("unlimited", line && strncmp(line + 26, "unlimited", 9) == 0);
}

int main(void) {
  int ends[2];
  CHECK_TEXT("Name", status("Name"), "prog");
  CHECK_TEXT("comm", text_of("/proc/self/comm"), "prog\n");
  CHECK_TEXT("State", status("State"), "R (running)");
  CHECK_TEXT("Pid", status("Pid"), number(getpid()));
  CHECK_TEXT("Tgid", status("Tgid"), number(getpid()));
  CHECK_TEXT("PPid", status("PPid"), number(getppid()));
  CHECK_TEXT("TracerPid", status("TracerPid"), "0");
  CHECK_TEXT("Threads", status("Threads"), "1");
  CHECK("VmSize", strtol(status("VmSize"), NULL, 10) > 0 && strstr(status("VmSize"), " kB"));
  CHECK("VmRSS", strtol(status("VmRSS"), NULL, 10) > 0);
  pthread_t thread;
  NEED(pipe(ends));
  pthread_create(&thread, NULL, wait_for_end, ends);
  CHECK_TEXT("Threads", status("Threads"), "2");
  close(ends[1]);
  pthread_join(thread, NULL);

  IN_CHILD({
    gid_t groups[] = {5, 7, 9};
    NEED(setgroups(3, groups));
    NEED(setresgid(11, 12, 13));
    NEED(setresuid(21, 0, 23));
    CHECK_TEXT("Uid", status("Uid"), "21\t0\t23\t0");
    CHECK_TEXT("Gid", status("Gid"), "11\t12\t13\t12");
    CHECK("Groups", strncmp(status("Groups"), "5 7 9", 5) == 0);
  });

  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGHUP, SIG_IGN);
  signal(SIGUSR2, on_signal);
  raise(SIGUSR1);
  CHECK_TEXT("SigBlk", status("SigBlk"), "0000000000004200");
  CHECK_TEXT("SigIgn", status("SigIgn"), "0000000000000001");
  CHECK("SigCgt", strtoul(status("SigCgt"), NULL, 16) & 1 << (SIGUSR2 - 1));
  CHECK("SigPnd", (strtoul(status("SigPnd"), NULL, 16) | strtoul(status("ShdPnd"), NULL, 16))
    == 1 << (SIGUSR1 - 1));

  int fd = NEED(open("/proc/self/comm", O_WRONLY));
  CHECK_IS("write comm", write(fd, "renamed by comm", 15), 15);
  char name[32];
  prctl(PR_GET_NAME, name);
  CHECK_TEXT("PR_GET_NAME", name, "renamed by comm");
  prctl(PR_SET_NAME, "a name that is too long");
  CHECK_TEXT("fifteen bytes are kept", text_of("/proc/self/comm"), "a name that is \n");
  CHECK_TEXT("Umask", (umask(027), status("Umask")), "0027");
  CHECK_TEXT("NoNewPrivs", status("NoNewPrivs"), "0");
  IN_CHILD(NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    CHECK_TEXT("NoNewPrivs", status("NoNewPrivs"), "1"));
  check_stat();
  IN_CHILD(check_limits());
  return check_status();
}
