/* Handlers in handlers, deep and of many kinds, and faults inside handlers. */
#include "../check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

static volatile int depth, deepest, order;
static char *page;

static void deeper(int number) {
  depth++;
  if (depth > deepest) deepest = depth;
  if (depth < 200) raise(number);
  depth--;
}

/* Each real-time signal raises the next. */
static void next(int number) {
  order = order * 31 + number;
  if (number < SIGRTMAX) raise(number + 1);
  order = order * 31 + number;
}

static void repair(int number) {
  (void)number;
  mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static volatile int repaired;
static void touches(int number) {
  mprotect(page, 4096, PROT_NONE);
  page[0] = (char)number;
  repaired += page[0] == number;
}

static sigjmp_buf outer, inner;
static void jumps_inside(int number) {
  if (number == SIGUSR2) siglongjmp(inner, 1);
  if (sigsetjmp(inner, 1) == 0) raise(SIGUSR2);
  siglongjmp(outer, 2);
}

/* The carry, sign and direction flags are the program's own: cleared or kept as the ABI says. */
static volatile long flags_inside;
static void look_at_flags(int number) {
  long flags;
  (void)number;
  __asm__ volatile("pushfq\n pop %0" : "=r"(flags));
  flags_inside = flags;
}

int main(void) {
  struct sigaction action = {.sa_handler = deeper, .sa_flags = SA_NODEFER};
  page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  CHECK_IS("two hundred deep", deepest, 200);
  CHECK_IS("and back", depth, 0);

  int expected = 0;
  action = (struct sigaction){.sa_handler = next};
  for (int i = SIGRTMIN; i <= SIGRTMAX; i++) sigaction(i, &action, NULL);
  for (int i = SIGRTMIN; i <= SIGRTMAX; i++) expected = expected * 31 + i;
  for (int i = SIGRTMAX; i >= SIGRTMIN; i--) expected = expected * 31 + i;
  raise(SIGRTMIN);
  CHECK_IS("one in another through all real-time signals", order, expected);
  sigset_t set;
  sigprocmask(SIG_SETMASK, NULL, &set);
  int blocked = 0;
  for (int i = 1; i <= 64; i++) blocked += sigismember(&set, i) == 1;
  CHECK_IS("no signal stays blocked", blocked, 0);

  signal(SIGSEGV, repair);
  signal(SIGUSR1, touches);
  for (int i = 0; i < 50; i++) raise(SIGUSR1);
  CHECK_IS("a fault in a handler", repaired, 50);
  signal(SIGUSR1, jumps_inside);
  signal(SIGUSR2, jumps_inside);
  volatile int rounds = 0;
  while (rounds < 100) {
    int value = sigsetjmp(outer, 1);
    if (value == 0) raise(SIGUSR1);
    if (value != 2) break;
    rounds++;
  }
  CHECK_IS("jumps inside and out", rounds, 100);

  signal(SIGUSR1, look_at_flags);
  long call = 62, self = getpid(), after;
  __asm__ volatile("std\n syscall\n pushfq\n pop %1\n cld"
                   : "+a"(call), "=r"(after)
                   : "D"(self), "S"((long)SIGUSR1)
                   : "rcx", "r11", "memory", "cc");
  CHECK_IS("direction is forward in a handler", flags_inside & 0x400, 0);
  CHECK_IS("and as it was after it", after & 0x400, 0x400);
  return check_status();
}
