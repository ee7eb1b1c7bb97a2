/* The host's processes, from inside.
 *
 *     processes reach PID...   signals, tracing, memory and descriptors of the host's processes
 *     processes kill           every process of the sandbox, past the kernel
 *     processes stop           the same with SIGSTOP
 *     processes orphans        processes that the guest kernel knows nothing of, which stay behind
 *     processes parent         children for whoever started the sandbox
 *     processes timers         timers and signals that never end
 */
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "attack.h"

/* 0 is only asking; the driver sees that its processes still run. */
static void reach_one(long pid) {
  char bytes[16];
  struct iovec local = {bytes, sizeof bytes}, remote = {(void *)0x400000, sizeof bytes};
  static const int signals[] = {0, SIGSTOP, SIGKILL};
  for (size_t i = 0; i < LENGTH(signals); i++) {
    if (HOST(SYS_tgkill, pid, pid, signals[i]) == 0)
      say("breach: tgkill past the kernel reaches host process %ld", pid);
    GUEST(SYS_tgkill, pid, pid, signals[i]);
    GUEST(SYS_kill, pid, signals[i]);
  }
  if (GUEST(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0) > 0)
    say("breach: process_vm_readv reads host process %ld", pid);
  if (GUEST(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0) == 0) say("breach: ptrace of %ld", pid);
  static const long numbers[] = {SYS_kill, SYS_ptrace, SYS_process_vm_readv,
                                 SYS_process_vm_writev, SYS_pidfd_open, SYS_kcmp, SYS_prlimit64,
                                 SYS_sched_setaffinity, SYS_setpriority, SYS_migrate_pages,
                                 SYS_pidfd_send_signal, SYS_process_madvise};
  for (size_t i = 0; i < LENGTH(numbers); i++) {
    long a[6] = {pid, 0, 0, 0, 0, 0};
    if (numbers[i] == SYS_ptrace) a[0] = PTRACE_SEIZE, a[1] = pid;
    if (numbers[i] == SYS_process_vm_readv || numbers[i] == SYS_process_vm_writev) {
      a[1] = (long)&local, a[2] = 1, a[3] = (long)&remote, a[4] = 1;
    }
    if (numbers[i] == SYS_setpriority) a[1] = pid, a[0] = 0, a[2] = 19;
    struct outcome outcome = probe(numbers[i], a);
    if (outcome.verdict == ANSWERED)
      say("breach: call %ld on host process %ld returned %ld", numbers[i], pid, outcome.result);
  }
}

static int reach(int count, char **pids) {
  for (int i = 0; i < count; i++) reach_one(atol(pids[i]));
  return 0;
}

static int signal_all(int number) {
  long self = HOST(SYS_tgkill, 1, 1, 0);
  say("note: tgkill of process 1 says %ld", self);
  long reached = 0;
  for (long pid = 32768; pid > 0; pid--)
    if (HOST(SYS_tgkill, pid, pid, number) == 0) reached++;
  say("note: %ld processes signalled", reached);
  return 0;
}

/* The child shares nothing but the stack's copy and touches no kernel. */
static void wait_for_ever(void) {
  for (;;) HOST(SYS_ppoll, 0, 0, 0, 0, 8);
}

static int orphans(long flags) {
  long made = 0, result = 0;
  for (int i = 0; i < 40; i++) {
    result = HOST(SYS_clone, flags, 0, 0, 0, 0);
    if (result == 0) wait_for_ever();
    if (result < 0) break;
    made++;
  }
  say("note: %ld processes that the kernel does not know, last result %ld", made, result);
  return 0;
}

static int timers(void) {
  struct itimerval often = {{0, 100}, {0, 100}};
  for (long which = 0; which < 3; which++) HOST(SYS_setitimer, which, &often, 0);
  for (int i = 0; i < 2000; i++) getppid();
  pid_t child = fork();
  if (child == 0) _exit(0);
  if (child > 0) waitpid(child, NULL, 0);
  return 0;
}

int main(int count, char **values) {
  find_kernel();
  int result = 2;
  const char *mode = count > 1 ? values[1] : "";
  if (!strcmp(mode, "reach")) result = reach(count - 2, values + 2);
  else if (!strcmp(mode, "kill")) result = signal_all(SIGKILL);
  else if (!strcmp(mode, "stop")) result = signal_all(SIGSTOP);
  else if (!strcmp(mode, "orphans")) result = orphans(0);
  else if (!strcmp(mode, "parent")) result = orphans(0x8000 | SIGCHLD); /* CLONE_PARENT */
  else if (!strcmp(mode, "timers")) result = timers();
  if (result == 0) say("done");
  return result;
}
