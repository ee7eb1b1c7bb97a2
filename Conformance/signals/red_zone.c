// static
/* The 128 bytes below the stack pointer survive system calls and signals in a leaf function. */
#include "../check.h"
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* Fills the red zone, calls, and sums up what is left. rdi: number, rsi, rdx: arguments. */
long leaf_call(long number, long a, long b);
/* Fills the red zone and spins until `*flag` is set by a handler. */
long leaf_spin(volatile sig_atomic_t *flag);
__asm__(
    ".macro fill\n"
    ".set offset, -128\n .rept 16\n movq $0x1357, offset(%rsp)\n .set offset, offset + 8\n .endr\n"
    ".endm\n"
    ".macro total\n"
    "xor %eax, %eax\n"
    ".set offset, -128\n .rept 16\n add offset(%rsp), %rax\n .set offset, offset + 8\n .endr\n"
    ".endm\n"
    "leaf_call: mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n fill\n syscall\n total\n ret\n"
    "leaf_spin: fill\n again: pause\n cmpl $0, (%rdi)\n je again\n total\n ret\n");

enum { TOTAL = 16 * 0x1357 };

static volatile sig_atomic_t flag, count;
static void handler(int number) {
  volatile char room[5000];
  for (unsigned i = 0; i < sizeof room; i++) room[i] = number;
  count++;
  flag = 1;
}

int main(void) {
  int pair[2];
  NEED(pipe(pair));
  signal(SIGUSR1, handler);
  signal(SIGALRM, handler);
  CHECK_IS("getpid", leaf_call(SYS_getpid, 0, 0), TOTAL);
  CHECK_IS("getpid again", leaf_call(SYS_getpid, 0, 0), TOTAL);
  CHECK_IS("an unknown call", leaf_call(7777, 0, 0), TOTAL);
  CHECK_IS("a failing call", leaf_call(SYS_close, -1, 0), TOTAL);
  CHECK_IS("sched_yield", leaf_call(SYS_sched_yield, 0, 0), TOTAL);
  CHECK_IS("dup", leaf_call(SYS_dup, 0, 0), TOTAL);
  CHECK_IS("kill itself", leaf_call(SYS_kill, getpid(), SIGUSR1), TOTAL);
  CHECK_IS("the handler ran", count, 1);
  int good = 1;
  for (int i = 0; i < 1000; i++) good &= leaf_call(SYS_getppid, 0, 0) == TOTAL;
  CHECK("a thousand calls", good);
  pid_t self = getpid();
  int in_fork = leaf_call(SYS_fork, 0, 0) == TOTAL;
  if (getpid() != self) _exit(in_fork ? 0 : 1);
  int status = -1;
  wait(&status);
  CHECK("fork", in_fork && status == 0);

  struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  good = 1;
  for (int i = 0; i < 50; i++) {
    flag = 0;
    good &= leaf_spin(&flag) == TOTAL;
  }
  for (int i = 0; i < 5000; i++) good &= leaf_call(SYS_getppid, 0, 0) == TOTAL;
  setitimer(ITIMER_REAL, &never, NULL);
  CHECK("signals at any moment", good);
  return check_status();
}
