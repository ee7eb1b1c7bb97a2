// static
/* futex(2): WAIT, WAKE, WAIT_BITSET, WAKE_BITSET, time limits and errors. */
#include "../check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

static uint32_t word;
static int started, woken[8], results[8];
static uint32_t masks[8];

static long futex(void *address, int op, uint32_t value, const void *limit, void *other,
                  uint32_t value3) {
  return syscall(SYS_futex, address, op, value, limit, other, value3);
}

static void *waiter(void *argument) {
  long me = (long)argument;
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  long result = futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, masks[me]);
  results[me] = result == 0 ? 0 : errno;
  __atomic_store_n(&woken[me], 1, __ATOMIC_SEQ_CST);
  return NULL;
}

/* Wakes until `count` were woken; they may not all sleep yet. */
static int wake(uint32_t mask, int count) {
  int total = 0;
  while (total < count) {
    long result = futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, count - total, NULL, NULL,
                        mask);
    if (result < 0) return -1;
    total += result;
    if (result == 0) sched_yield();
  }
  return total;
}

static int woken_count(void) {
  int count = 0;
  for (int i = 0; i < 8; i++) count += __atomic_load_n(&woken[i], __ATOMIC_SEQ_CST);
  return count;
}

static long milliseconds(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

static void limits(void) {
  struct timespec brief = {0, 20000000}, start, until, bad = {0, 1000000000};
  clock_gettime(CLOCK_MONOTONIC, &start);
  CHECK_FAILS("a relative limit", futex(&word, FUTEX_WAIT, 0, &brief, NULL, 0), ETIMEDOUT);
  CHECK("it lasted", milliseconds(&start) >= 20);
  clock_gettime(CLOCK_MONOTONIC, &start);
  until = start;
  until.tv_nsec += 20000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  CHECK_FAILS("an absolute limit", futex(&word, FUTEX_WAIT_BITSET, 0, &until, NULL, ~0u),
              ETIMEDOUT);
  CHECK("it lasted as well", milliseconds(&start) >= 20);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec -= 1;
  CHECK_FAILS("a limit in the past",
              futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL, ~0u),
              ETIMEDOUT);
  CHECK_FAILS("not a time", futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
  bad = (struct timespec){-1, 0};
  CHECK_FAILS("a negative time", futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
}

int main(void) {
  CHECK_FAILS("another value", futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
  CHECK_IS("nobody to wake", futex(&word, FUTEX_WAKE, 100, NULL, NULL, 0), 0);
  limits();
  CHECK_FAILS("unaligned", futex((char *)&word + 1, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
  CHECK_FAILS("unmapped", futex((void *)0x1000, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
  CHECK_FAILS("shared unmapped wake", futex((void *)0x1000, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
  CHECK_FAILS("no bits", futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
  CHECK_FAILS("no bits to wake", futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
  CHECK_FAILS("unknown operation", futex(&word, 100, 0, NULL, NULL, 0), ENOSYS);

  pthread_t ids[8];
  for (long i = 0; i < 8; i++) {
    masks[i] = i < 4 ? 1 : 6;
    pthread_create(&ids[i], NULL, waiter, (void *)i);
  }
  while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < 8) sched_yield();
  CHECK_IS("wake two of the first kind", wake(1, 2), 2);
  CHECK_IS("wake two of the second kind", wake(4, 2), 2);
  while (woken_count() < 4) sched_yield();
  CHECK_IS("wake by a mask that nobody has", futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG,
                                                   100, NULL, NULL, 8), 0);
  int first = 0;
  for (int i = 0; i < 4; i++) first += woken[i];
  CHECK_IS("two of each kind", first, 2);
  CHECK_IS("a plain wake reaches any mask", wake(~0u, 4), 4);
  for (int i = 0; i < 8; i++) pthread_join(ids[i], NULL);
  int sum = 0;
  for (int i = 0; i < 8; i++) sum += results[i];
  CHECK_IS("all waits ended with 0", sum, 0);

  /* A private wake does not need the page to be there before. */
  uint32_t *fresh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_FAILS("an untouched page holds 0",
              futex(fresh, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), EAGAIN);
  return check_status();
}
