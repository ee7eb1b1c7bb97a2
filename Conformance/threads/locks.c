/* Read-write locks, barriers, spin locks, semaphores and once. */
#include "../check.h"
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static long a, b, torn;

static void *writer(void *unused) {
  for (int i = 0; i < 3000; i++) {
    pthread_rwlock_wrlock(&lock);
    a++;
    b++;
    pthread_rwlock_unlock(&lock);
  }
  return unused;
}
static void *reader(void *unused) {
  for (int i = 0; i < 3000; i++) {
    pthread_rwlock_rdlock(&lock);
    if (a != b) __atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
    pthread_rwlock_unlock(&lock);
  }
  return unused;
}

static pthread_barrier_t barrier;
static int round_of[4], serial, uneven;
static void *rounds(void *index) {
  int me = (int)(long)index;
  for (int i = 0; i < 200; i++) {
    round_of[me] = i;
    int result = pthread_barrier_wait(&barrier);
    if (result == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
    for (int j = 0; j < 4; j++)
      if (round_of[j] != i) __atomic_add_fetch(&uneven, 1, __ATOMIC_RELAXED);
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

static pthread_spinlock_t spin;
static long spun;
static void *spinning(void *unused) {
  for (int i = 0; i < 5000; i++) {
    pthread_spin_lock(&spin);
    spun++;
    pthread_spin_unlock(&spin);
  }
  return unused;
}

static sem_t full, empty;
static long passed;
static void *receive(void *unused) {
  for (int i = 0; i < 3000; i++) {
    sem_wait(&full);
    passed++;
    sem_post(&empty);
  }
  return unused;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int initialized;
static void initialize(void) { initialized++; }
static void *initializing(void *unused) {
  pthread_once(&once, initialize);
  return unused;
}

static void *try_locks(void *unused) {
  long result = pthread_rwlock_tryrdlock(&lock) * 1000 + pthread_rwlock_trywrlock(&lock);
  (void)unused;
  return (void *)result;
}

static void run(void *(*first)(void *), void *(*second)(void *), int count) {
  pthread_t ids[8];
  for (long i = 0; i < count; i++)
    pthread_create(&ids[i], NULL, i % 2 ? second : first, (void *)i);
  for (int i = 0; i < count; i++) pthread_join(ids[i], NULL);
}

int main(void) {
  run(writer, reader, 6);
  CHECK("writers are alone", a == 9000 && b == 9000 && torn == 0);
  pthread_t id;
  void *result;
  pthread_rwlock_wrlock(&lock);
  pthread_create(&id, NULL, try_locks, NULL);
  pthread_join(id, &result);
  CHECK_IS("a written lock is busy for both", result, EBUSY * 1000 + EBUSY);
  pthread_rwlock_unlock(&lock);

  pthread_barrier_init(&barrier, NULL, 4);
  run(rounds, rounds, 4);
  CHECK_IS("one serial thread a round", serial, 200);
  CHECK_IS("nobody runs ahead", uneven, 0);

  pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
  run(spinning, spinning, 3);
  CHECK_IS("spin lock", spun, 15000);

  sem_init(&full, 0, 0);
  sem_init(&empty, 0, 2);
  pthread_create(&id, NULL, receive, NULL);
  for (int i = 0; i < 3000; i++) {
    sem_wait(&empty);
    sem_post(&full);
  }
  pthread_join(id, NULL);
  CHECK_IS("semaphores", passed, 3000);
  CHECK_FAILS("an empty semaphore", sem_trywait(&full), EAGAIN);
  struct timespec past = {1, 0};
  CHECK_FAILS("a time limit", sem_timedwait(&full, &past), ETIMEDOUT);
  run(initializing, initializing, 8);
  CHECK_IS("once", initialized, 1);
  return check_status();
}
