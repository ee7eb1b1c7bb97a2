/* Each action of a filter: what the program sees, and how it ends. */
#include "../check.h"
#include "filter.h"
#include <pthread.h>

static volatile siginfo_t seen;
static volatile int traps;
static volatile long register_in_handler;

static void on_trap(int number, siginfo_t *info, void *context) {
  (void)number;
  seen = *info;
  traps++;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  register_in_handler = registers[REG_RAX];
  registers[REG_RAX] = 4711;
}

static void errors(void) {
  NEED(decide(SYS_getppid, SECCOMP_RET_ERRNO | ENETDOWN));
  CHECK_FAILS("an error of the filter's choice", syscall(SYS_getppid), ENETDOWN);
  NEED(decide(SYS_getuid, SECCOMP_RET_ERRNO | 0));
  CHECK_IS("the error 0", syscall(SYS_getuid), 0);
  NEED(decide(SYS_getgid, SECCOMP_RET_ERRNO | 0xffff));
  CHECK_IS("errors end at 4095", syscall(SYS_getgid) == -1 ? errno : 0, 4095);
  CHECK_OK("others are allowed", syscall(SYS_getpid));
  NEED(decide(SYS_gettid, SECCOMP_RET_LOG));
  CHECK_OK("what is logged is served", syscall(SYS_gettid));
  NEED(decide(SYS_geteuid, SECCOMP_RET_TRACE | 1));
  CHECK_FAILS("traced without a tracer", syscall(SYS_geteuid), ENOSYS);
  NEED(decide(SYS_getegid, SECCOMP_RET_USER_NOTIF));
  CHECK_FAILS("asked without a supervisor", syscall(SYS_getegid), ENOSYS);
}

static void trap(void) {
  struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
  NEED(sigaction(SIGSYS, &action, NULL));
  NEED(decide(SYS_getppid, SECCOMP_RET_TRAP | 77));
  for (int round = 0; round < 3; round++)
    CHECK_IS("the handler's value is the result", syscall(SYS_getppid), 4711);
  CHECK_IS("each is a signal", traps, 3);
  CHECK_IS("its code", seen.si_code, 1 /* SYS_SECCOMP */);
  CHECK_IS("its data", seen.si_errno, 77);
  CHECK_IS("its call", seen.si_syscall, SYS_getppid);
  CHECK_IS("its architecture", seen.si_arch, AUDIT_ARCH_X86_64);
  CHECK("its address", seen.si_call_addr != NULL);
  CHECK_IS("the number is still there", register_in_handler, SYS_getppid);
}

static void trap_without_handler(void) {
  NEED(decide(SYS_getppid, SECCOMP_RET_TRAP));
  syscall(SYS_getppid);
}

static void trap_blocked(void) {
  sigset_t set;
  struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
  NEED(sigaction(SIGSYS, &action, NULL));
  sigemptyset(&set);
  sigaddset(&set, SIGSYS);
  NEED(sigprocmask(SIG_BLOCK, &set, NULL));
  NEED(decide(SYS_getppid, SECCOMP_RET_TRAP));
  syscall(SYS_getppid);
}

static void kill_process(void) {
  NEED(decide(SYS_getppid, SECCOMP_RET_KILL_PROCESS));
  signal(SIGSYS, SIG_IGN);
  syscall(SYS_getppid);
}

static void kill_thread(void) {
  NEED(decide(SYS_getppid, SECCOMP_RET_KILL_THREAD));
  syscall(SYS_getppid);
}

static void unknown_action(void) {
  NEED(decide(SYS_getppid, 0x12340000));
  syscall(SYS_getppid);
}

static void *in_thread(void *unused) {
  NEED(decide(SYS_getppid, SECCOMP_RET_KILL_THREAD));
  syscall(SYS_getppid);
  say("not reached");
  return unused;
}

static void *in_deadly_thread(void *unused) {
  NEED(decide(SYS_getppid, SECCOMP_RET_KILL_PROCESS));
  syscall(SYS_getppid);
  return unused;
}

static void kill_one_thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, in_thread, NULL);
  pthread_join(thread, NULL);
  CHECK_OK("the others live on", getppid());
  _exit(3);
}

static void kill_all_threads(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, in_deadly_thread, NULL);
  pthread_join(thread, NULL);
  say("not reached");
}

int main(void) {
  NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  CHECK_IS("errors", child(errors), 0);
  CHECK_IS("trap", child(trap), 0);
  CHECK_IS("trap without a handler", WTERMSIG(child(trap_without_handler)), SIGSYS);
  CHECK_IS("trap while blocked", WTERMSIG(child(trap_blocked)), SIGSYS);
  CHECK_IS("kill the process", WTERMSIG(child(kill_process)), SIGSYS);
  CHECK_IS("kill the only thread", WTERMSIG(child(kill_thread)), SIGSYS);
  CHECK_IS("an unknown action", WTERMSIG(child(unknown_action)), SIGSYS);
  CHECK_IS("kill one thread", WEXITSTATUS(child(kill_one_thread)), 3);
  CHECK_IS("kill all threads", WTERMSIG(child(kill_all_threads)), SIGSYS);
  return check_failures != 0;
}
