/* Mutex, condition, semaphore, barrier and raw futex between processes in MAP_SHARED memory. */
#include "../check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { CHILDREN = 4, ROUNDS = 3000 };

static struct shared {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  pthread_barrier_t barrier;
  sem_t semaphore, back;
  long count;
  int turn, word, woken;
} *shared;

static void set_up(void *memory) {
  pthread_mutexattr_t mutex;
  pthread_condattr_t condition;
  pthread_barrierattr_t barrier;
  shared = memory;
  pthread_mutexattr_init(&mutex);
  pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&shared->mutex, &mutex);
  pthread_condattr_init(&condition);
  pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
  pthread_cond_init(&shared->condition, &condition);
  pthread_barrierattr_init(&barrier);
  pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&shared->barrier, &barrier, CHILDREN);
  sem_init(&shared->semaphore, 1, 0);
  sem_init(&shared->back, 1, 0);
}

static int work(int me) {
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(&shared->mutex);
    shared->count++;
    pthread_mutex_unlock(&shared->mutex);
  }
  pthread_barrier_wait(&shared->barrier);
  if (shared->count != CHILDREN * ROUNDS) return 1;
  for (int i = 0; i < 20; i++) {
    pthread_mutex_lock(&shared->mutex);
    while (shared->turn % CHILDREN != me) pthread_cond_wait(&shared->condition, &shared->mutex);
    shared->turn++;
    pthread_cond_broadcast(&shared->condition);
    pthread_mutex_unlock(&shared->mutex);
  }
  sem_post(&shared->semaphore);
  sem_wait(&shared->back);
  while (__atomic_load_n(&shared->word, __ATOMIC_ACQUIRE) == 0)
    syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, NULL, NULL, 0);
  __atomic_add_fetch(&shared->woken, 1, __ATOMIC_RELAXED);
  return 0;
}

static void run(const char *name, void *memory) {
  char text[80];
  pid_t children[CHILDREN];
  set_up(memory);
  for (int i = 0; i < CHILDREN; i++) {
    children[i] = fork();
    if (children[i] == 0) _exit(work(i));
  }
  for (int i = 0; i < CHILDREN; i++) sem_wait(&shared->semaphore);
  for (int i = 0; i < CHILDREN; i++) sem_post(&shared->back);
  __atomic_store_n(&shared->word, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, &shared->word, FUTEX_WAKE, CHILDREN, NULL, NULL, 0);
  int good = 1;
  for (int i = 0; i < CHILDREN; i++) good &= wait_code(children[i]) == 0;
  snprintf(text, sizeof text, "%s: children", name);
  CHECK(text, good);
  snprintf(text, sizeof text, "%s: mutex", name);
  CHECK_IS(text, shared->count, CHILDREN * ROUNDS);
  snprintf(text, sizeof text, "%s: condition", name);
  CHECK_IS(text, shared->turn, CHILDREN * 20);
  snprintf(text, sizeof text, "%s: futex", name);
  CHECK_IS(text, shared->woken, CHILDREN);
}

int main(void) {
  int access = PROT_READ | PROT_WRITE;
  run("anonymous", mmap(NULL, 8192, access, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  char path[] = "/tmp/conformance-shared-XXXXXX";
  int file = mkstemp(path);
  NEED(file);
  NEED(ftruncate(file, 8192));
  run("file", mmap(NULL, 8192, access, MAP_SHARED, file, 0));
  int memory = memfd_create("shared", 0);
  NEED(ftruncate(memory, 8192));
  run("memfd", mmap(NULL, 8192, access, MAP_SHARED, memory, 0));

  /* The same futex at two addresses: the file's page counts, not where it is mapped. */
  int *one = mmap(NULL, 8192, access, MAP_SHARED, file, 0);
  int other_file = open(path, O_RDWR);
  unlink(path);
  *one = 0;
  pid_t child = fork();
  if (child == 0) {
    int *two = mmap(NULL, 8192, access, MAP_SHARED, other_file, 0);
    if (two == one) _exit(9);
    while (__atomic_load_n(two, __ATOMIC_ACQUIRE) == 0)
      syscall(SYS_futex, two, FUTEX_WAIT, 0, NULL, NULL, 0);
    _exit(0);
  }
  *one = 1;
  while (syscall(SYS_futex, one, FUTEX_WAKE, 1, NULL, NULL, 0) < 0) continue;
  CHECK_IS("mapped twice", wait_code(child), 0);
  return check_status();
}
