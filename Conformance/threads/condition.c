/* Condition variables: a bounded queue, broadcast, time limits on both clocks. */
#include "../check.h"
#include <pthread.h>
#include <time.h>

enum { ITEMS = 5000, PRODUCERS = 3, CONSUMERS = 3, ROOM = 4 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static int queue[ROOM], used, next_in, next_out;
static long consumed;

static void *produce(void *unused) {
  for (int i = 1; i <= ITEMS; i++) {
    pthread_mutex_lock(&mutex);
    while (used == ROOM) pthread_cond_wait(&not_full, &mutex);
    queue[next_in++ % ROOM] = i;
    used++;
    pthread_cond_signal(&not_empty);
    pthread_mutex_unlock(&mutex);
  }
  return unused;
}

static void *consume(void *unused) {
  for (int i = 0; i < ITEMS * PRODUCERS / CONSUMERS; i++) {
    pthread_mutex_lock(&mutex);
    while (used == 0) pthread_cond_wait(&not_empty, &mutex);
    consumed += queue[next_out++ % ROOM];
    used--;
    pthread_cond_signal(&not_full);
    pthread_mutex_unlock(&mutex);
  }
  return unused;
}

static int generation, waiting;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER, arrived = PTHREAD_COND_INITIALIZER;
static void *wait_turns(void *unused) {
  pthread_mutex_lock(&mutex);
  for (int i = 1; i <= 50; i++) {
    waiting++;
    pthread_cond_signal(&arrived);
    while (generation < i) pthread_cond_wait(&turn, &mutex);
  }
  pthread_mutex_unlock(&mutex);
  return unused;
}

static long milliseconds(clockid_t clock, const struct timespec *since) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

static void time_limit(const char *name, clockid_t clock) {
  pthread_condattr_t attributes;
  pthread_cond_t never;
  struct timespec start, until;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, clock);
  pthread_cond_init(&never, &attributes);
  clock_gettime(clock, &start);
  until = start;
  until.tv_nsec += 30000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(&mutex);
  CHECK_IS(name, pthread_cond_timedwait(&never, &mutex, &until), ETIMEDOUT);
  CHECK("it waited", milliseconds(clock, &start) >= 30);
  until.tv_sec -= 100;
  CHECK_IS("a time in the past", pthread_cond_timedwait(&never, &mutex, &until), ETIMEDOUT);
  pthread_mutex_unlock(&mutex);
}

int main(void) {
  pthread_t ids[PRODUCERS + CONSUMERS];
  for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
    pthread_create(&ids[i], NULL, i < PRODUCERS ? produce : consume, NULL);
  for (int i = 0; i < PRODUCERS + CONSUMERS; i++) pthread_join(ids[i], NULL);
  CHECK_IS("all items arrive", consumed, (long)PRODUCERS * ITEMS * (ITEMS + 1) / 2);
  CHECK_IS("the queue is empty", used, 0);

  for (int i = 0; i < 6; i++) pthread_create(&ids[i], NULL, wait_turns, NULL);
  pthread_mutex_lock(&mutex);
  for (int i = 1; i <= 50; i++) {
    while (waiting < 6 * i) pthread_cond_wait(&arrived, &mutex);
    generation = i;
    pthread_cond_broadcast(&turn);
  }
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 6; i++) pthread_join(ids[i], NULL);
  CHECK_IS("broadcast wakes all, fifty times", waiting, 300);
  time_limit("realtime limit", CLOCK_REALTIME);
  time_limit("monotonic limit", CLOCK_MONOTONIC);
  return check_status();
}
