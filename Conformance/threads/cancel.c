/* pthread_cancel: deferred, asynchronous, disabled, with clean-up, and in blocking calls. */
#include "../check.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

static sem_t ready;
static int cleaned, pair[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void clean(void *unused) {
  (void)unused;
  cleaned++;
}
static void unlock(void *lock) {
  cleaned++;
  pthread_mutex_unlock(lock);
}

static void *in_read(void *unused) {
  char byte;
  pthread_cleanup_push(clean, NULL);
  sem_post(&ready);
  if (read(pair[0], &byte, 1) < 0) return unused;
  pthread_cleanup_pop(0);
  return unused;
}
static void *in_sleep(void *unused) {
  pthread_cleanup_push(clean, NULL);
  sem_post(&ready);
  struct timespec wanted = {30, 0};
  nanosleep(&wanted, NULL);
  pthread_cleanup_pop(0);
  return unused;
}
static void *in_condition(void *unused) {
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(unlock, &mutex);
  sem_post(&ready);
  for (;;) pthread_cond_wait(&condition, &mutex);
  pthread_cleanup_pop(0);
  return unused;
}
static void *in_semaphore(void *never) {
  pthread_cleanup_push(clean, NULL);
  sem_post(&ready);
  sem_wait(never);
  pthread_cleanup_pop(0);
  return never;
}
static void *in_join(void *other) {
  pthread_cleanup_push(clean, NULL);
  sem_post(&ready);
  pthread_join(*(pthread_t *)other, NULL);
  pthread_cleanup_pop(0);
  return other;
}
static void *busy(void *unused) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  sem_post(&ready);
  for (;;) __asm__ volatile("pause");
  return unused;
}
static void *testing(void *unused) {
  pthread_cleanup_push(clean, NULL);
  sem_post(&ready);
  for (;;) pthread_testcancel();
  pthread_cleanup_pop(0);
  return unused;
}
static sem_t go;
static void *disabled(void *unused) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  sem_post(&ready);
  sem_wait(&go);
  cleaned += 10;
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
  pthread_testcancel();
  cleaned += 100;
  return unused;
}

static void run(const char *name, void *(*body)(void *), void *argument, int expected) {
  pthread_t id;
  void *result = NULL;
  cleaned = 0;
  NEED(-pthread_create(&id, NULL, body, argument));
  sem_wait(&ready);
  pthread_cancel(id);
  if (body == disabled) sem_post(&go);
  pthread_join(id, &result);
  check_report(name, result == PTHREAD_CANCELED && cleaned == expected, cleaned, 0);
}

int main(void) {
  static sem_t never;
  sem_init(&ready, 0, 0);
  sem_init(&never, 0, 0);
  sem_init(&go, 0, 0);
  NEED(pipe(pair));
  pthread_t other;
  pthread_create(&other, NULL, in_read, NULL);
  sem_wait(&ready);
  run("in read", in_read, NULL, 1);
  run("in nanosleep", in_sleep, NULL, 1);
  run("in a condition's wait", in_condition, NULL, 1);
  CHECK_IS("the mutex is free", pthread_mutex_trylock(&mutex), 0);
  run("in a semaphore's wait", in_semaphore, &never, 1);
  run("in a join", in_join, &other, 1);
  run("busy", busy, NULL, 0);
  run("at a test", testing, NULL, 1);
  run("put off while disabled", disabled, NULL, 10);
  for (int i = 0; i < 100; i++) {
    pthread_t id;
    pthread_create(&id, NULL, in_read, NULL);
    pthread_cancel(id);
    pthread_join(id, NULL);
    sem_trywait(&ready);
  }
  CHECK("a hundred cancelled at birth", 1);
  return check_status();
}
