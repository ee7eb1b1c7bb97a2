// static
/* SIGFPE, SIGILL, SIGTRAP and SIGBUS made by the processor: codes and addresses. */
#include "../check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>

extern char divide_here[], illegal_here[], break_here[], step_here[], privileged_here[];
long divide(long value, long by);
void illegal(void), break_point(void), single_step(void), privileged(void);
__asm__(
    "divide: mov %rsi, %rcx\n mov %rdi, %rax\n cqto\n divide_here: idiv %rcx\n ret\n"
    "illegal: illegal_here: ud2\n ret\n"
    "break_point: break_here: int3\n ret\n"
    "privileged: privileged_here: hlt\n ret\n"
    /* Sets the trap flag: the trap comes after the next instruction. */
    "single_step: pushfq\n orq $0x100, (%rsp)\n popfq\n nop\n step_here: nop\n ret\n");

static sigjmp_buf back;
static volatile sig_atomic_t code, number, trap, count;
static void *volatile address;
static uintptr_t volatile rip;

static void record(int which, siginfo_t *info, ucontext_t *state) {
  count++;
  number = which;
  code = info->si_code;
  address = info->si_addr;
  trap = state->uc_mcontext.gregs[REG_TRAPNO];
  rip = state->uc_mcontext.gregs[REG_RIP];
}

static void jump(int which, siginfo_t *info, void *context) {
  record(which, info, context);
  siglongjmp(back, 1);
}

static void go_on(int which, siginfo_t *info, void *context) {
  ucontext_t *state = context;
  record(which, info, context);
  state->uc_mcontext.gregs[REG_EFL] &= ~0x100;
  if (which == SIGILL) state->uc_mcontext.gregs[REG_RIP] += 2;
}

static void install(void (*handler)(int, siginfo_t *, void *)) {
  const int signals[] = {SIGFPE, SIGILL, SIGTRAP, SIGBUS, SIGSEGV};
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  for (int i = 0; i < 5; i++) sigaction(signals[i], &action, NULL);
}

static int divides(void) { return divide(1, 0); }
static int traps(void) { break_point(); return 0; }
static int runs_nonsense(void) { illegal(); return 0; }

int main(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  install(jump);
  if (sigsetjmp(back, 1) == 0) divide(1, 0);
  CHECK("division by zero", number == SIGFPE && code == FPE_INTDIV);
  CHECK("at the instruction", address == divide_here && rip == (uintptr_t)divide_here);
  CHECK_IS("trap 0", trap, 0);
  if (sigsetjmp(back, 1) == 0) divide(INT64_MIN, -1);
  CHECK("division that overflows", number == SIGFPE && code == FPE_INTDIV);

  if (sigsetjmp(back, 1) == 0) illegal();
  CHECK("illegal instruction", number == SIGILL && code == ILL_ILLOPN);
  CHECK("at the instruction it is", address == illegal_here && rip == (uintptr_t)illegal_here);
  CHECK_IS("trap 6", trap, 6);
  if (sigsetjmp(back, 1) == 0) privileged();
  CHECK("privileged instruction", number == SIGSEGV && code == SI_KERNEL);
  CHECK("without an address", address == NULL && rip == (uintptr_t)privileged_here);
  CHECK_IS("trap 13", trap, 13);

  /* A floating-point exception that was unmasked. */
  unsigned control = 0x1f80 & ~0x200, normal = 0x1f80;
  volatile float zero = 0, result = 1;
  if (sigsetjmp(back, 1) == 0) {
    __asm__ volatile("ldmxcsr %0" : : "m"(control));
    result = result / zero;
  }
  __asm__ volatile("ldmxcsr %0" : : "m"(normal));
  CHECK("vector division by zero", number == SIGFPE && code == FPE_FLTDIV);
  CHECK_IS("trap 19", trap, 19);

  install(go_on);
  break_point();
  CHECK("int3", number == SIGTRAP && code == SI_KERNEL && trap == 3);
  CHECK("after the instruction", rip == (uintptr_t)break_here + 1);
  count = 0;
  single_step();
  CHECK("single step", number == SIGTRAP && code == TRAP_TRACE && trap == 1);
  CHECK("after the next instruction", rip == (uintptr_t)step_here);
  CHECK_IS("once", count, 1);
  illegal();
  CHECK_IS("a handler skips an instruction", number, SIGILL);

  signal(SIGFPE, SIG_DFL);
  signal(SIGTRAP, SIG_DFL);
  signal(SIGILL, SIG_IGN);
  CHECK_IS("dies of SIGFPE", in_child(divides), 128 + SIGFPE);
  CHECK_IS("dies of SIGTRAP", in_child(traps), 128 + SIGTRAP);
  CHECK_IS("dies of an ignored SIGILL", in_child(runs_nonsense), 128 + SIGILL);
  return check_status();
}
