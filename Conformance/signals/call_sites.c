// static
/* Ways in which programs issue system calls: every shape of code around the instruction works,
 * the first time and later, also when it is jumped into, shared by threads or made at run time. */
#include "../check.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

long constant_then_call(void), twice_in_a_row(void), jumped_into(long number, long entry);
long number_in_register(long number), number_from_memory(const long *number);
long returns_at_once(long number), loops(long times), compares_after(void), alone(void);
long with_stack_use(void), conditional_entry(long number), pushes_and_pops(long number);
__asm__(
    "constant_then_call: mov $39, %eax\n syscall\n ret\n"
    "twice_in_a_row: mov $39, %eax\n syscall\n mov $39, %eax\n syscall\n ret\n"
    /* Entered at its beginning, or between the constant and the call with a number of its own. */
    "jumped_into: test %rsi, %rsi\n jnz 1f\n mov $39, %eax\n jmp 2f\n 1: mov %rdi, %rax\n jmp 3f\n"
    "2: mov $39, %eax\n 3: syscall\n ret\n"
    /* A branch back to the instruction right behind the call. */
    "loops: xor %r8d, %r8d\n mov %rdi, %r9\n 1: mov $39, %eax\n 2: syscall\n 3: inc %r8\n"
    "cmp %r9, %r8\n jae 4f\n test $1, %r8b\n jz 1b\n jmp 3b\n 4: ret\n"
    "number_in_register: mov %rdi, %rax\n syscall\n ret\n"
    "number_from_memory: mov (%rdi), %rax\n syscall\n ret\n"
    "returns_at_once: xchg %rdi, %rax\n syscall\n ret\n"
    "compares_after: mov $39, %eax\n syscall\n cmp $-4095, %rax\n jae 1f\n ret\n"
    "1: xor %eax, %eax\n ret\n"
    "alone: xor %eax, %eax\n mov $39, %al\n syscall\n nop\n ret\n"
    "with_stack_use: push %rbx\n mov %rsp, %rbx\n mov $39, %eax\n syscall\n mov %rbx, %rsp\n"
    "pop %rbx\n ret\n"
    "conditional_entry: mov $39, %eax\n cmp $0, %rdi\n cmovne %rdi, %rax\n syscall\n ret\n"
    "pushes_and_pops: push $39\n pop %rax\n syscall\n push %rax\n pop %rcx\n mov %rcx, %rax\n"
    "ret\n");

typedef long code(void);

/* `mov $39, %eax; syscall; ret` at an offset of a fresh page. */
static code *made_at_run_time(char *page, int offset) {
  static const unsigned char bytes[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
  memcpy(page + offset, bytes, sizeof bytes);
  return (code *)(uintptr_t)(page + offset);
}

static void at_run_time(void) {
  long self = getpid();
  int good = 1, all = PROT_READ | PROT_WRITE | PROT_EXEC;
  char *pages = mmap(NULL, 3 * 4096, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int offset = 4096 - 10; offset <= 4096 + 2; offset++)
    for (int i = 0; i < 3; i++) good &= made_at_run_time(pages, offset)() == self;
  CHECK("across the edge of a page", good);
  /* The same place holds other code later. */
  code *there = made_at_run_time(pages, 100);
  for (int i = 0; i < 3; i++) good &= there() == self;
  pages[101] = SYS_getppid;
  for (int i = 0; i < 3; i++) good &= there() == getppid();
  CHECK("rewritten by the program", good);
  code *last = made_at_run_time(pages, 3 * 4096 - 8);
  mprotect(pages, 3 * 4096, PROT_READ | PROT_EXEC);
  for (int i = 0; i < 3; i++) good &= last() == self;
  CHECK("the last bytes of a read-only mapping", good);
  munmap(pages, 3 * 4096);
  pages = mmap(pages, 4096, all, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  pages[100] = (char)0xc3;
  CHECK("unmapped and mapped again", pages[101] == 0);
  CHECK_IS("new code at the old place", made_at_run_time(pages, 100)(), self);
  munmap(pages, 4096);
}

static void *from_thread(void *sum) {
  for (int i = 0; i < 1000; i++) *(long *)sum += number_in_register(SYS_getpid) == getpid();
  return NULL;
}

int main(void) {
  long self = getpid(), number = SYS_getpid;
  for (int round = 0; round < 3; round++) {
    CHECK_IS("constant", constant_then_call(), self);
    CHECK_IS("two in a row", twice_in_a_row(), self);
    CHECK_IS("by the front door", jumped_into(SYS_getppid, 0), self);
    CHECK_IS("by the side door", jumped_into(SYS_getppid, 1), getppid());
    CHECK_IS("in a loop", loops(10), self);
    CHECK_IS("from a register", number_in_register(SYS_getppid), getppid());
    CHECK_IS("from memory", number_from_memory(&number), self);
    CHECK_IS("exchanged", returns_at_once(SYS_getpid), self);
    CHECK_IS("compared like libc does", compares_after(), self);
    CHECK_IS("by one byte", alone(), self);
    CHECK_IS("with the stack", with_stack_use(), self);
    CHECK_IS("chosen", conditional_entry(SYS_getppid), getppid());
    CHECK_IS("pushed", pushes_and_pops(0), self);
    CHECK_IS("unknown", number_in_register(123456), -ENOSYS);
  }
  at_run_time();
  pthread_t ids[4];
  long sums[4] = {0};
  for (int i = 0; i < 4; i++) pthread_create(&ids[i], NULL, from_thread, &sums[i]);
  for (int i = 0; i < 4; i++) pthread_join(ids[i], NULL);
  CHECK_IS("from four threads", sums[0] + sums[1] + sums[2] + sums[3], 4000);
  return check_status();
}
