// static
/* What a handler finds in its ucontext, and that every change to it takes effect on return. */
#include "../check.h"
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

/* Loads every register from `in`, spins until *flag, stores them to `out`. */
struct state {
  uint64_t r[14];
};
extern char loop_start[], loop_end[];
void spin(const struct state *in, struct state *out, volatile sig_atomic_t *flag);
__asm__(
    "spin: push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rsi\n"
    "mov %rdx, %r15\n mov %rdi, %rax\n"
    "mov 8(%rax), %rbx\n mov 16(%rax), %rcx\n mov 24(%rax), %rdx\n mov 32(%rax), %rsi\n"
    "mov 40(%rax), %rdi\n mov 48(%rax), %rbp\n mov 56(%rax), %r8\n mov 64(%rax), %r9\n"
    "mov 72(%rax), %r10\n mov 80(%rax), %r11\n mov 88(%rax), %r12\n mov 96(%rax), %r13\n"
    "mov 104(%rax), %r14\n mov 0(%rax), %rax\n"
    "loop_start: pause\n cmpl $0, (%r15)\n je loop_start\n loop_end:"
    "mov (%rsp), %r15\n"
    "mov %rax, 0(%r15)\n mov %rbx, 8(%r15)\n mov %rcx, 16(%r15)\n mov %rdx, 24(%r15)\n"
    "mov %rsi, 32(%r15)\n mov %rdi, 40(%r15)\n mov %rbp, 48(%r15)\n mov %r8, 56(%r15)\n"
    "mov %r9, 64(%r15)\n mov %r10, 72(%r15)\n mov %r11, 80(%r15)\n mov %r12, 88(%r15)\n"
    "mov %r13, 96(%r15)\n mov %r14, 104(%r15)\n"
    "pop %rsi\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");

static const int order[14] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14};
static volatile sig_atomic_t flag;
static struct state seen;
static int change, selectors;

/* Looks only at signals that come inside the loop. */
static void on_user(int number, siginfo_t *info, void *context) {
  ucontext_t *state = context;
  (void)number, (void)info;
  uintptr_t rip = state->uc_mcontext.gregs[REG_RIP];
  if (rip < (uintptr_t)loop_start || rip >= (uintptr_t)loop_end || flag) return;
  for (int i = 0; i < 14; i++) {
    seen.r[i] = state->uc_mcontext.gregs[order[i]];
    if (change) state->uc_mcontext.gregs[order[i]] = ~seen.r[i];
  }
  selectors = state->uc_mcontext.gregs[REG_CSGSFS] & 0xffff;
  flag = 1;
}

static void add_to_mask(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

static uint64_t vector_seen;
static void vectors(int number, siginfo_t *info, void *context) {
  struct _libc_fpstate *state = ((ucontext_t *)context)->uc_mcontext.fpregs;
  (void)number, (void)info;
  memcpy(&vector_seen, &state->_xmm[5], 8);
  uint64_t other = 0xfeedface;
  memcpy(&state->_xmm[5], &other, 8);
}

static void install(int number, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(number, &action, NULL);
}

/* A child sends signals until one has found the loop. */
static void round_trip(const struct state *in, struct state *out) {
  pid_t self = getpid(), child;
  flag = 0;
  child = fork();
  if (child == 0) {
    while (getppid() == self && kill(self, SIGUSR1) == 0) usleep(500);
    _exit(0);
  }
  spin(in, out, &flag);
  kill(child, SIGKILL);
  wait_code(child);
}

int main(void) {
  struct state in, out;
  for (int i = 0; i < 14; i++) in.r[i] = 0x0123456789abcdefull * (i + 1);
  install(SIGUSR1, on_user);
  round_trip(&in, &out);
  CHECK("registers are kept", !memcmp(&in, &out, sizeof in));
  CHECK_IS("code segment", selectors, 0x33);
  CHECK("and seen", !memcmp(&seen, &in, sizeof in));
  change = 1;
  round_trip(&in, &out);
  int changed = 1;
  for (int i = 0; i < 14; i++) changed &= out.r[i] == ~in.r[i];
  CHECK("changed registers take effect", changed);

  install(SIGUSR1, add_to_mask);
  raise(SIGUSR1);
  sigset_t set;
  sigprocmask(SIG_SETMASK, NULL, &set);
  CHECK("a changed mask too", sigismember(&set, SIGUSR2) && !sigismember(&set, SIGUSR1));
  install(SIGUSR1, vectors);
  uint64_t value = 0xabcdef12345, result = 0;
  long call = 62, self = getpid();
  __asm__ volatile("movq %2, %%xmm5\n syscall\n movq %%xmm5, %1\n"
                   : "+a"(call), "=r"(result)
                   : "r"(value), "D"(self), "S"((long)SIGUSR1)
                   : "rcx", "r11", "memory", "xmm5");
  CHECK("a vector register is seen", vector_seen == value);
  CHECK("and changed", result == 0xfeedface);
  return check_status();
}
