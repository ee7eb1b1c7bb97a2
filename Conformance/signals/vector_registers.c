// static
/* Vector and x87 registers hold over system calls, signals and a fork. */
#include "../check.h"
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

/* Loads all sixteen registers from `from`, issues a system call, stores them in `to`. */
static long call_with_xmm(long number, long a, long b, const void *from, void *to) {
  long result;
  register long r_a __asm__("rdi") = a;
  register long r_b __asm__("rsi") = b;
  __asm__ volatile(
      "movdqu (%[f]), %%xmm0\n movdqu 16(%[f]), %%xmm1\n movdqu 32(%[f]), %%xmm2\n"
      "movdqu 48(%[f]), %%xmm3\n movdqu 64(%[f]), %%xmm4\n movdqu 80(%[f]), %%xmm5\n"
      "movdqu 96(%[f]), %%xmm6\n movdqu 112(%[f]), %%xmm7\n movdqu 128(%[f]), %%xmm8\n"
      "movdqu 144(%[f]), %%xmm9\n movdqu 160(%[f]), %%xmm10\n movdqu 176(%[f]), %%xmm11\n"
      "movdqu 192(%[f]), %%xmm12\n movdqu 208(%[f]), %%xmm13\n movdqu 224(%[f]), %%xmm14\n"
      "movdqu 240(%[f]), %%xmm15\n syscall\n"
      "movdqu %%xmm0, (%[t])\n movdqu %%xmm1, 16(%[t])\n movdqu %%xmm2, 32(%[t])\n"
      "movdqu %%xmm3, 48(%[t])\n movdqu %%xmm4, 64(%[t])\n movdqu %%xmm5, 80(%[t])\n"
      "movdqu %%xmm6, 96(%[t])\n movdqu %%xmm7, 112(%[t])\n movdqu %%xmm8, 128(%[t])\n"
      "movdqu %%xmm9, 144(%[t])\n movdqu %%xmm10, 160(%[t])\n movdqu %%xmm11, 176(%[t])\n"
      "movdqu %%xmm12, 192(%[t])\n movdqu %%xmm13, 208(%[t])\n movdqu %%xmm14, 224(%[t])\n"
      "movdqu %%xmm15, 240(%[t])\n"
      : "=a"(result)
      : "a"(number), "r"(r_a), "r"(r_b), [f] "r"(from), [t] "r"(to)
      : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  return result;
}

/* The upper halves of the 256-bit registers, for processors that have them. */
__attribute__((target("avx"))) static int ymm_over_call(long number, long a, long b) {
  static uint64_t from[8] = {1, 2, 3, 4, 5, 6, 7, 8}, to[8];
  long result;
  memset(to, 0, sizeof to);
  __asm__ volatile("vmovdqu (%[f]), %%ymm3\n vmovdqu 32(%[f]), %%ymm12\n syscall\n"
                   "vmovdqu %%ymm3, (%[t])\n vmovdqu %%ymm12, 32(%[t])\n vzeroupper\n"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), [f] "r"(from), [t] "r"(to)
                   : "rcx", "r11", "memory", "xmm3", "xmm12");
  return !memcmp(from, to, sizeof from);
}

static volatile sig_atomic_t handled;
static void clobber(int number) {
  (void)number;
  handled++;
  __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n pcmpeqd %%xmm7, %%xmm7\n pcmpeqd %%xmm15, %%xmm15\n"
                   "fninit\n fldpi\n"
                   : : : "xmm0", "xmm7", "xmm15", "st");
}

static int same(long number, long a, long b) {
  static unsigned char from[256], to[256];
  for (int i = 0; i < 256; i++) from[i] = i * 7 + 3;
  memset(to, 0, sizeof to);
  call_with_xmm(number, a, b, from, to);
  return !memcmp(from, to, sizeof from);
}

int main(void) {
  int pair[2];
  NEED(pipe(pair));
  signal(SIGUSR1, clobber);
  CHECK("getpid", same(SYS_getpid, 0, 0));
  CHECK("an unknown call", same(99999, 0, 0));
  CHECK("sched_yield", same(SYS_sched_yield, 0, 0));
  CHECK("pipe", same(SYS_pipe, (long)pair, 0));
  CHECK("a failing call", same(SYS_close, -1, 0));
  CHECK("a signal in a call", same(SYS_kill, getpid(), SIGUSR1));
  CHECK_IS("it ran", handled, 1);
  char path[] = "/etc/passwd";
  CHECK("open", same(SYS_open, (long)path, 0));
  CHECK("stat", same(SYS_access, (long)path, 4));
  int in_parent = getpid();
  int good = same(SYS_fork, 0, 0);
  if (getpid() != in_parent) _exit(good ? 0 : 1);
  CHECK("fork in the parent", good);
  int status = -1;
  wait(&status);
  CHECK_IS("fork in the child", status, 0);

  if (__builtin_cpu_supports("avx")) {
    int intact = ymm_over_call(SYS_getpid, 0, 0) && ymm_over_call(SYS_kill, in_parent, SIGUSR1) &&
                 ymm_over_call(SYS_sched_yield, 0, 0) && ymm_over_call(SYS_dup, 0, 0);
    CHECK("256-bit registers", intact);
  } else {
    say("256-bit registers: ok");
  }

  long double pi = 0, kept = 0;
  __asm__ volatile("fldpi\n fstpt %0\n" : "=m"(pi));
  short control = 0, control_after = 0, wanted = 0x0c7f;
  unsigned state = 0x9fc0, state_after = 0;
  __asm__ volatile("fldpi\n fldcw %3\n ldmxcsr %4\n syscall\n fstpt %0\n fnstcw %1\n stmxcsr %2\n"
                   : "=m"(kept), "=m"(control_after), "=m"(state_after)
                   : "m"(wanted), "m"(state), "a"((long)SYS_kill), "D"((long)in_parent),
                     "S"((long)SIGUSR1)
                   : "rcx", "r11", "memory");
  control = 0x037f;
  state = 0x1f80;
  __asm__ volatile("fldcw %0\n ldmxcsr %1\n" : : "m"(control), "m"(state));
  CHECK("an x87 value over a signal", kept == pi);
  CHECK_IS("the x87 control word", control_after, 0x0c7f);
  CHECK_IS("the vector control word", state_after, 0x9fc0);
  return check_status();
}
