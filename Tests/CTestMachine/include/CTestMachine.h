/* A machine for tests of the guest modules on the host: what the kernel's assembly does in a
 * sandbox. Its functions are weak, so that a test can bring its own. */
#ifndef CTESTMACHINE_H
#define CTESTMACHINE_H
#include <stddef.h>
#include <stdint.h>

/* A program's registers; rsp is the caller's. */
struct test_registers {
  uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, flags;
  uint64_t red_zone; /* the 8 bytes below the return address */
};

/* Runs the code, which ends in `ret`, with these registers, and stores those it leaves behind. */
void test_run(const void *code, struct test_registers *registers);

/* What the last rewritten site handed over when it entered the "kernel" at pv_entry_site. */
struct test_entry {
  uint64_t count;
  uint64_t number;      /* rax */
  uint64_t resume;      /* rcx */
  uint64_t after_site;  /* r11 */
};
struct test_entry *test_last_entry(void);
/* What the next calls return. */
void test_set_result(uint64_t result);

uint64_t test_entry_address(void);

/* A descriptor of a file in memory with these bytes, or -1. */
int test_memory_file(const void *bytes, size_t count);
#endif
