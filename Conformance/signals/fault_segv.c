// static
/* SIGSEGV: code and address, a handler that repairs, skips or jumps, and death without one. */
#include "../check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>

static volatile sig_atomic_t code, trap, faults;
static void *volatile address;
static uint64_t volatile error_bits;
static char *page;
static sigjmp_buf back;

static void record(siginfo_t *info, void *context) {
  ucontext_t *state = context;
  faults++;
  code = info->si_code;
  address = info->si_addr;
  trap = state->uc_mcontext.gregs[REG_TRAPNO];
  error_bits = state->uc_mcontext.gregs[REG_ERR];
}

static void jump(int number, siginfo_t *info, void *context) {
  record(info, context);
  siglongjmp(back, number);
}

static void repair(int number, siginfo_t *info, void *context) {
  (void)number;
  record(info, context);
  mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

/* The faulting instruction is `mov (%rdi), %eax`, two bytes long. */
int load(const void *from);
__asm__("load: mov (%rdi), %eax\n ret\n");

static void skip(int number, siginfo_t *info, void *context) {
  ucontext_t *state = context;
  (void)number;
  record(info, context);
  state->uc_mcontext.gregs[REG_RIP] += 2;
  state->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void install(void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
}

/* Tries to load from an address and jumps out; the signal or 0. */
static int try_load(const void *from) {
  int number = sigsetjmp(back, 1);
  if (number == 0) load(from);
  return number;
}

static int dies(void) {
  signal(SIGSEGV, SIG_DFL);
  return load((void *)16);
}
static int dies_though_ignored(void) {
  signal(SIGSEGV, SIG_IGN);
  return load((void *)16);
}
static int dies_though_blocked(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSEGV);
  sigprocmask(SIG_BLOCK, &set, NULL);
  return load((void *)16);
}
static void faulting_handler(int number) { load((void *)(uintptr_t)number); }
static int dies_in_handler(void) {
  signal(SIGSEGV, faulting_handler);
  return load((void *)16);
}

int main(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  install(jump);
  CHECK_IS("unmapped", try_load((void *)16), SIGSEGV);
  CHECK_IS("its code", code, SEGV_MAPERR);
  CHECK("its address", address == (void *)16);
  CHECK_IS("its trap number", trap, 14);
  CHECK_IS("its error code: a read by the program", error_bits & 6, 4);
  CHECK_IS("PROT_NONE", try_load(page + 123), SIGSEGV);
  CHECK_IS("code of a protected page", code, SEGV_ACCERR);
  CHECK("exact address", address == page + 123);
  CHECK_IS("an address that is not canonical", try_load((void *)0x8000000000000000), SIGSEGV);
  CHECK_IS("has a code of the kernel", code, SI_KERNEL);
  CHECK("and no address", address == NULL);
  CHECK_IS("an address of the kernel's half", try_load((void *)0xffffffff80000000), SIGSEGV);
  CHECK_IS("is unmapped", code, SEGV_MAPERR);
  mprotect(page, 4096, PROT_READ);
  if (sigsetjmp(back, 1) == 0) page[5] = 1;
  CHECK("writing to a read-only page", code == SEGV_ACCERR && address == page + 5);
  CHECK_IS("is told as a write", error_bits & 6, 6);
  if (sigsetjmp(back, 1) == 0) ((void (*)(void))page)();
  CHECK("executing it", code == SEGV_ACCERR && address == page);

  install(repair);
  page[7] = 9;
  CHECK_IS("a repaired write is repeated", page[7], 9);
  install(skip);
  CHECK_IS("a handler changes rip and rax", load(NULL), 4711);
  mprotect(page, 4096, PROT_NONE);
  faults = 0;
  install(repair);
  for (int i = 0; i < 200; i++) {
    mprotect(page, 4096, PROT_NONE);
    page[i] = i;
  }
  CHECK_IS("two hundred faults", faults, 200);
  CHECK_IS("died", in_child(dies), 128 + SIGSEGV);
  CHECK_IS("died though ignored", in_child(dies_though_ignored), 128 + SIGSEGV);
  CHECK_IS("died though blocked", in_child(dies_though_blocked), 128 + SIGSEGV);
  CHECK_IS("died in its handler", in_child(dies_in_handler), 128 + SIGSEGV);
  return check_status();
}
