/* futex(2): REQUEUE, CMP_REQUEUE and WAKE_OP. */
#include "../check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>

static uint32_t from, to;
static int ended;

static long futex(void *address, int op, uint32_t value, unsigned long value2, void *other,
                  uint32_t value3) {
  return syscall(SYS_futex, address, op | FUTEX_PRIVATE_FLAG, value, value2, other, value3);
}

static void *waiter(void *address) {
  long result = futex(address, FUTEX_WAIT, 0, 0, NULL, 0);
  __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
  return (void *)result;
}

static pthread_t ids[8];
static void start(int count, uint32_t *address) {
  ended = 0;
  for (int i = 0; i < count; i++) pthread_create(&ids[i], NULL, waiter, address);
}
static int finish(int count) {
  int good = 1;
  void *result;
  for (int i = 0; i < count; i++) {
    pthread_join(ids[i], &result);
    good &= result == NULL;
  }
  return good;
}

/* Moves waiters from `from` to `to` until `count` were moved. */
static int move(int op, int count) {
  int total = 0;
  while (total < count) {
    long result = futex(&from, op, 0, count - total, &to, 0);
    if (result < 0) return -1;
    total += result;
    if (result == 0) sched_yield();
  }
  return total;
}

static int wake_all(uint32_t *address, int count) {
  int total = 0;
  while (total < count) {
    long result = futex(address, FUTEX_WAKE, count, 0, NULL, 0);
    if (result < 0) return -1;
    total += result;
    if (result == 0) sched_yield();
  }
  return total;
}

static int ended_now(void) { return __atomic_load_n(&ended, __ATOMIC_SEQ_CST); }

static uint32_t op(int operation, int argument, int comparison, int with) {
  return FUTEX_OP(operation, argument, comparison, with);
}

int main(void) {
  start(4, &from);
  CHECK_IS("REQUEUE moves four", move(FUTEX_REQUEUE, 4), 4);
  CHECK_IS("nobody was woken", ended_now(), 0);
  CHECK_IS("nobody is left", futex(&from, FUTEX_WAKE, 100, 0, NULL, 0), 0);
  CHECK_IS("they wait at the other word", wake_all(&to, 4), 4);
  CHECK("their waits succeed", finish(4));

  start(5, &from);
  CHECK_IS("CMP_REQUEUE moves four", move(FUTEX_CMP_REQUEUE, 4), 4);
  CHECK_FAILS("another value", futex(&from, FUTEX_CMP_REQUEUE, 1, 1, &to, 77), EAGAIN);
  CHECK_IS("one was left", wake_all(&from, 1), 1);
  CHECK_IS("four wait at the other word", wake_all(&to, 4), 4);
  CHECK("all succeed", finish(5));
  CHECK_FAILS("a negative count", futex(&from, FUTEX_CMP_REQUEUE, -1, 1, &to, 0), EINVAL);

  /* WAKE_OP: changes the second word, wakes at the first, and at the second on a condition. */
  to = 5;
  CHECK_IS("add", futex(&from, FUTEX_WAKE_OP, 1, 1, &to, op(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 9)),
           0);
  CHECK_IS("added", to, 8);
  futex(&from, FUTEX_WAKE_OP, 1, 1, &to, op(FUTEX_OP_SET, 12, FUTEX_OP_CMP_EQ, 9));
  CHECK_IS("set", to, 12);
  futex(&from, FUTEX_WAKE_OP, 1, 1, &to, op(FUTEX_OP_OR, 3, FUTEX_OP_CMP_EQ, 9));
  CHECK_IS("or", to, 15);
  futex(&from, FUTEX_WAKE_OP, 1, 1, &to, op(FUTEX_OP_ANDN, 6, FUTEX_OP_CMP_EQ, 0));
  CHECK_IS("and not", to, 9);
  futex(&from, FUTEX_WAKE_OP, 1, 1, &to, op(FUTEX_OP_XOR, 10, FUTEX_OP_CMP_EQ, 0));
  CHECK_IS("xor", to, 3);

  to = 0;
  start(2, &to);
  int total = 0;
  while (total < 1) {
    long result = futex(&from, FUTEX_WAKE_OP, 1, 1, &to, op(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_LT, 1));
    if (result < 0) break;
    total += result;
  }
  CHECK_IS("the condition holds: one woken at the second word", total, 1);
  CHECK_IS("it does not hold: nobody",
           futex(&from, FUTEX_WAKE_OP, 1, 1, &to, op(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_GT, 1)), 0);
  CHECK_IS("the other is woken", wake_all(&to, 1), 1);
  CHECK("both succeed", finish(2));
  CHECK_FAILS("an unmapped second word", futex(&from, FUTEX_WAKE_OP, 1, 1, (void *)0x1000, 0),
              EFAULT);
  return check_status();
}
