/* sigaltstack(2): SA_ONSTACK, its flags and errors, and surviving a stack overflow. */
#include "../check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

static char *memory;
static size_t size = 65536;
static volatile sig_atomic_t on_it, flags_inside, change_errno, runs;
static sigjmp_buf back;

static int is_on(const volatile void *place) {
  uintptr_t at = (uintptr_t)place;
  return at >= (uintptr_t)memory && at < (uintptr_t)memory + size;
}

static void handler(int number) {
  volatile int here = number;
  stack_t now, change = {.ss_flags = SS_DISABLE};
  on_it = is_on(&here);
  sigaltstack(NULL, &now);
  flags_inside = now.ss_flags;
  change_errno = sigaltstack(&change, NULL) == 0 ? 0 : errno;
  runs++;
}

static void nested(int number) {
  volatile int here = number;
  on_it = is_on(&here);
  if (number == SIGUSR1) raise(SIGUSR2);
}

static void escape(int number) {
  volatile int here = number;
  on_it = is_on(&here);
  siglongjmp(back, 1);
}

__attribute__((noinline)) static int recurse(volatile int depth) {
  volatile char room[1000];
  room[depth % 1000] = 1;
  if (depth == 1 << 30) return 0;
  return recurse(depth + 1) + room[depth % 1000];
}

static int overflow_without(void) { return recurse(1); }

static void install(int number, void (*function)(int), int flags) {
  struct sigaction action = {.sa_handler = function, .sa_flags = flags};
  sigaction(number, &action, NULL);
}

int main(void) {
  struct rlimit limit = {0, 0};
  setrlimit(RLIMIT_CORE, &limit);
  memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t stack = {.ss_sp = memory, .ss_size = size}, old;
  CHECK_IS("ask first", sigaltstack(NULL, &old), 0);
  CHECK_IS("none", old.ss_flags, SS_DISABLE);
  install(SIGUSR1, handler, SA_ONSTACK);
  raise(SIGUSR1);
  CHECK_IS("without one the usual stack serves", on_it, 0);
  CHECK_IS("set", sigaltstack(&stack, NULL), 0);
  sigaltstack(NULL, &old);
  CHECK("told", old.ss_sp == memory && old.ss_size == size && old.ss_flags == 0);
  raise(SIGUSR1);
  CHECK_IS("SA_ONSTACK", on_it, 1);
  CHECK_IS("SS_ONSTACK inside", flags_inside, SS_ONSTACK);
  CHECK_IS("it can't be changed while in use", change_errno, EPERM);
  install(SIGUSR1, handler, 0);
  raise(SIGUSR1);
  CHECK_IS("without SA_ONSTACK", on_it, 0);
  CHECK_IS("disabled by that handler", change_errno, 0);
  sigaltstack(NULL, &old);
  CHECK_IS("its return put back what was there", old.ss_flags, 0);

  sigaltstack(&stack, NULL);
  install(SIGUSR1, nested, SA_ONSTACK);
  install(SIGUSR2, nested, 0);
  raise(SIGUSR1);
  CHECK_IS("a nested handler stays on it", on_it, 1);

  stack_t small = {.ss_sp = memory, .ss_size = 100};
  CHECK_FAILS("too small", sigaltstack(&small, NULL), ENOMEM);
  stack_t strange = {.ss_sp = memory, .ss_size = size, .ss_flags = 0x1234};
  CHECK_FAILS("unknown flags", sigaltstack(&strange, NULL), EINVAL);

  install(SIGSEGV, escape, SA_ONSTACK);
  limit.rlim_cur = 1 << 20;
  limit.rlim_max = RLIM_INFINITY;
  setrlimit(RLIMIT_STACK, &limit);
  for (int i = 0; i < 3; i++) {
    on_it = 0;
    if (sigsetjmp(back, 1) == 0) recurse(1);
    CHECK_IS("a stack overflow is survived", on_it, 1);
  }
  install(SIGSEGV, escape, 0);
  CHECK_IS("but not on the full stack", in_child(overflow_without), 128 + SIGSEGV);

  /* SS_AUTODISARM lets the handler use it for something else. */
  stack.ss_flags = (int)(1u << 31);
  CHECK_IS("SS_AUTODISARM", sigaltstack(&stack, NULL), 0);
  install(SIGUSR1, handler, SA_ONSTACK);
  raise(SIGUSR1);
  CHECK("disarmed inside", on_it == 1 && flags_inside == SS_DISABLE && change_errno == 0);
  sigaltstack(NULL, &old);
  CHECK("armed again", old.ss_sp == memory && old.ss_flags == (int)(1u << 31));
  return check_status();
}
