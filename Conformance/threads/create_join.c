// static
/* pthread_create, join, detach and exit: values, many threads, stack sizes, the last one out. */
#include "../check.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>

static void *twice(void *value) { return (void *)((uintptr_t)value * 2); }

static void *exits(void *value) { pthread_exit(value); }

static sem_t done;
static void *posts(void *unused) {
  sem_post(&done);
  return unused;
}

static void *creates(void *depth) {
  pthread_t id;
  void *result = NULL;
  if ((uintptr_t)depth == 0) return (void *)1;
  if (pthread_create(&id, NULL, creates, (void *)((uintptr_t)depth - 1)) != 0) return NULL;
  pthread_join(id, &result);
  return (void *)((uintptr_t)result + 1);
}

static void *uses_stack(void *size) {
  volatile char room[200000];
  for (uintptr_t i = 0; i < sizeof room; i += 4096) room[i] = 1;
  return size;
}

static pthread_t first;
static void *outlives(void *unused) {
  pthread_join(first, NULL);
  _exit(71);
  return unused;
}

static int main_thread_leaves(void) {
  pthread_t id;
  first = pthread_self();
  pthread_create(&id, NULL, outlives, NULL);
  pthread_exit(NULL);
}

static void *slow(void *gate) {
  char byte;
  while (read(*(int *)gate, &byte, 1) < 0) continue;
  return gate;
}

static int last_one_out(void) {
  /* When the last thread ends, the process ends with code 0. */
  static int gate[2];
  pthread_t id;
  if (pipe(gate) != 0) return 9;
  pthread_create(&id, NULL, slow, &gate[0]);
  if (write(gate[1], "x", 1) != 1) return 8;
  pthread_exit(NULL);
}

int main(void) {
  enum { COUNT = 64 };
  pthread_t ids[COUNT], id;
  void *result;
  for (uintptr_t i = 0; i < COUNT; i++) NEED(-pthread_create(&ids[i], NULL, twice, (void *)i));
  int good = 1;
  for (uintptr_t i = 0; i < COUNT; i++)
    good &= pthread_join(ids[i], &result) == 0 && (uintptr_t)result == i * 2;
  CHECK("sixty-four at once", good);

  good = 1;
  for (uintptr_t i = 0; i < 1000; i++) {
    good &= pthread_create(&id, NULL, twice, (void *)i) == 0;
    good &= pthread_join(id, &result) == 0 && (uintptr_t)result == i * 2;
  }
  CHECK("a thousand one after another", good);

  pthread_create(&id, NULL, exits, (void *)99);
  pthread_join(id, &result);
  CHECK_IS("pthread_exit", result, 99);
  CHECK_IS("joining oneself", pthread_join(pthread_self(), NULL), EDEADLK);

  sem_init(&done, 0, 0);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  for (int i = 0; i < 100; i++) NEED(-pthread_create(&id, &attributes, posts, NULL));
  for (int i = 0; i < 100; i++) sem_wait(&done);
  CHECK("a hundred detached", 1);
  pthread_create(&id, NULL, posts, NULL);
  CHECK_IS("detach later", pthread_detach(id), 0);
  sem_wait(&done);

  pthread_create(&id, NULL, creates, (void *)10);
  pthread_join(id, &result);
  CHECK_IS("threads that make threads", result, 11);

  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  NEED(-pthread_create(&id, &attributes, uses_stack, (void *)256));
  pthread_join(id, &result);
  CHECK_IS("a small stack", result, 256);
  CHECK_IS("the first thread leaves before the others", in_child(main_thread_leaves), 71);
  CHECK_IS("the last one out", in_child(last_one_out), 0);
  return check_status();
}
