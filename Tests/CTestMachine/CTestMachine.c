#define _GNU_SOURCE
#include "CTestMachine.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The functions that the sandbox's assembly defines, for guest modules that are linked into a test
 * on the host. Declared here once more, because the tests need nothing else of CPlatform. */
#define DOUBLE __attribute__((weak))

DOUBLE long pv_direct(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

DOUBLE long pv_direct_blocking(long number, long a, long b, long c, long d, long e, long f) {
  return pv_direct(number, a, b, c, d, e, f);
}

DOUBLE size_t pv_copy_user(void *to, const void *from, size_t count) {
  memmove(to, from, count);
  return 0;
}

DOUBLE size_t pv_clear_user(void *to, size_t count) {
  memset(to, 0, count);
  return 0;
}

DOUBLE long pv_copy_user_string(uint8_t *to, const uint8_t *from, size_t limit) {
  for (size_t index = 0; index < limit; index++) {
    to[index] = from[index];
    if (from[index] == 0) return (long)index;
  }
  return -2;
}

DOUBLE long pv_user_load32(const uint32_t *from, uint32_t *value) {
  *value = __atomic_load_n(from, __ATOMIC_SEQ_CST);
  return 0;
}

DOUBLE long pv_user_store32(uint32_t *to, uint32_t value) {
  __atomic_store_n(to, value, __ATOMIC_SEQ_CST);
  return 0;
}

DOUBLE long pv_user_store64(uint64_t *to, uint64_t value) {
  __atomic_store_n(to, value, __ATOMIC_SEQ_CST);
  return 0;
}

DOUBLE long pv_user_exchange32(uint32_t *at, uint32_t expected, uint32_t desired, uint32_t *found) {
  *found = expected;
  return !__atomic_compare_exchange_n(at, found, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

DOUBLE long pv_save_vectors(void *area, uint64_t features) {
  (void)area, (void)features;
  return 0;
}
DOUBLE long pv_restore_vectors(const void *area, uint64_t features) {
  (void)area, (void)features;
  return 0;
}
DOUBLE void pv_reset_vectors(void) {}
DOUBLE uint64_t pv_get_fs_base(void) { return 0; }
DOUBLE void pv_set_fs_base(uint64_t base) { (void)base; }

DOUBLE void pv_lock_slow(uint32_t *word) {
  while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
    pv_direct(202 /* futex */, (long)word, 128 /* FUTEX_WAIT_PRIVATE */, 2, 0, 0, 0);
}
DOUBLE void pv_unlock_slow(uint32_t *word) {
  pv_direct(202 /* futex */, (long)word, 129 /* FUTEX_WAKE_PRIVATE */, 1, 0, 0, 0);
}

int test_memory_file(const void *bytes, size_t count) {
  int file = memfd_create("test", MFD_CLOEXEC);
  if (file >= 0 && write(file, bytes, count) != (ssize_t)count) return -1;
  return file;
}

DOUBLE void pv_trap(void) { __builtin_trap(); }
DOUBLE void pv_return_to_user(void) { __builtin_trap(); }
DOUBLE void pv_end_thread(void) { __builtin_trap(); }
