/* Priority-inheriting futexes and mutexes. */
#include "../check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

static uint32_t word;
static int locked;

static long futex(int op, const void *limit) {
  return syscall(SYS_futex, &word, op | FUTEX_PRIVATE_FLAG, 0, limit, NULL, 0);
}

static void *try_elsewhere(void *unused) {
  (void)unused;
  return (void *)(futex(FUTEX_TRYLOCK_PI, NULL) == -1 ? (long)errno : 0l);
}
static void *unlock_elsewhere(void *unused) {
  (void)unused;
  return (void *)(futex(FUTEX_UNLOCK_PI, NULL) == -1 ? (long)errno : 0l);
}
static void *limited(void *unused) {
  struct timespec past = {1, 0};
  (void)unused;
  return (void *)(futex(FUTEX_LOCK_PI, &past) == -1 ? (long)errno : 0l);
}
static void *lock_elsewhere(void *unused) {
  (void)unused;
  __atomic_store_n(&locked, 1, __ATOMIC_SEQ_CST);
  long result = futex(FUTEX_LOCK_PI, NULL);
  long owner = word & FUTEX_TID_MASK;
  if (result == 0 && owner != syscall(SYS_gettid)) return (void *)99;
  if (result == 0) futex(FUTEX_UNLOCK_PI, NULL);
  return (void *)(result == -1 ? (long)errno : 0l);
}

static long elsewhere(void *(*body)(void *)) {
  pthread_t id;
  void *result;
  pthread_create(&id, NULL, body, NULL);
  pthread_join(id, &result);
  return (long)result;
}

static pthread_mutex_t mutex;
static long count;
static void *counting(void *unused) {
  for (int i = 0; i < 3000; i++) {
    pthread_mutex_lock(&mutex);
    count++;
    pthread_mutex_unlock(&mutex);
  }
  return unused;
}

int main(void) {
  CHECK_IS("lock", futex(FUTEX_LOCK_PI, NULL), 0);
  CHECK_IS("the word holds the owner", word, syscall(SYS_gettid));
  CHECK_FAILS("locked twice", futex(FUTEX_LOCK_PI, NULL), EDEADLK);
  CHECK_IS("trylock by another", elsewhere(try_elsewhere), EAGAIN);
  CHECK_IS("unlock by another", elsewhere(unlock_elsewhere), EPERM);
  CHECK_IS("a time limit", elsewhere(limited), ETIMEDOUT);
  pthread_t id;
  void *result;
  pthread_create(&id, NULL, lock_elsewhere, NULL);
  while (!__atomic_load_n(&locked, __ATOMIC_SEQ_CST)) sched_yield();
  while (!(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS)) sched_yield();
  CHECK_IS("unlock", futex(FUTEX_UNLOCK_PI, NULL), 0);
  pthread_join(id, &result);
  CHECK_IS("handed over", result, 0);
  CHECK_IS("free", word & FUTEX_TID_MASK, 0);
  CHECK_IS("trylock of a free one", futex(FUTEX_TRYLOCK_PI, NULL), 0);
  CHECK_IS("unlock again", futex(FUTEX_UNLOCK_PI, NULL), 0);
  word = 0x3ffffff0;
  CHECK_FAILS("an owner that does not exist", futex(FUTEX_LOCK_PI, NULL), ESRCH);

  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  CHECK_IS("a mutex that inherits", pthread_mutex_init(&mutex, &attributes), 0);
  pthread_t ids[4];
  for (int i = 0; i < 4; i++) pthread_create(&ids[i], NULL, counting, NULL);
  for (int i = 0; i < 4; i++) pthread_join(ids[i], NULL);
  CHECK_IS("under contention", count, 12000);
  return check_status();
}
