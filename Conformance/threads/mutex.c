/* Mutexes of every type: contention, errors, time limits. */
#include "../check.h"
#include <pthread.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long shared;

static void *count(void *unused) {
  for (int i = 0; i < 20000; i++) {
    pthread_mutex_lock(&mutex);
    shared++;
    pthread_mutex_unlock(&mutex);
  }
  return unused;
}

static pthread_mutex_t make(int type, int protocol) {
  pthread_mutexattr_t attributes;
  pthread_mutex_t made;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutex_init(&made, &attributes);
  return made;
}

static pthread_mutex_t *tried;
static void *try_lock(void *unused) {
  (void)unused;
  return (void *)(long)pthread_mutex_trylock(tried);
}
static void *timed_lock(void *unused) {
  struct timespec until;
  (void)unused;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 20000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  return (void *)(long)pthread_mutex_timedlock(tried, &until);
}
static void *unlock(void *unused) {
  (void)unused;
  return (void *)(long)pthread_mutex_unlock(tried);
}

static long elsewhere(void *(*body)(void *), pthread_mutex_t *lock) {
  pthread_t id;
  void *result;
  tried = lock;
  pthread_create(&id, NULL, body, NULL);
  pthread_join(id, &result);
  return (long)result;
}

static void contend(const char *name, int type, int protocol) {
  pthread_t ids[8];
  mutex = make(type, protocol);
  shared = 0;
  for (int i = 0; i < 8; i++) pthread_create(&ids[i], NULL, count, NULL);
  for (int i = 0; i < 8; i++) pthread_join(ids[i], NULL);
  CHECK_IS(name, shared, 8 * 20000);
}

int main(void) {
  contend("normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE);
  contend("error-checking", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE);
  contend("recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE);
  contend("adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE);

  pthread_mutex_t normal = make(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE);
  pthread_mutex_lock(&normal);
  CHECK_IS("trylock of a locked one", elsewhere(try_lock, &normal), EBUSY);
  CHECK_IS("timedlock of a locked one", elsewhere(timed_lock, &normal), ETIMEDOUT);
  pthread_mutex_unlock(&normal);
  CHECK_IS("trylock of a free one", pthread_mutex_trylock(&normal), 0);
  pthread_mutex_unlock(&normal);

  pthread_mutex_t checking = make(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE);
  pthread_mutex_lock(&checking);
  CHECK_IS("locked twice", pthread_mutex_lock(&checking), EDEADLK);
  CHECK_IS("unlocked by another", elsewhere(unlock, &checking), EPERM);
  pthread_mutex_unlock(&checking);
  CHECK_IS("unlocked twice", pthread_mutex_unlock(&checking), EPERM);

  pthread_mutex_t recursive = make(PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE);
  for (int i = 0; i < 3; i++) pthread_mutex_lock(&recursive);
  pthread_mutex_unlock(&recursive);
  pthread_mutex_unlock(&recursive);
  CHECK_IS("still locked after two of three", elsewhere(try_lock, &recursive), EBUSY);
  pthread_mutex_unlock(&recursive);
  CHECK_IS("free after three", pthread_mutex_trylock(&recursive), 0);
  return check_status();
}
