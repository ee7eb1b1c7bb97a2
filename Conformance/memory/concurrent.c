/* Threads that map, protect, move, touch and unmap at the same time, while one forks. */
#include "../check.h"
#include <pthread.h>
#include <sys/mman.h>

enum { PAGE = 4096, THREADS = 4, ROUNDS = 300, ACCESS = PROT_READ | PROT_WRITE };
static int forks;

static void *work(void *argument) {
  long me = (long)argument, good = 0;
  for (int i = 0; i < ROUNDS; i++) {
    size_t pages = 4 + (i * 7 + me) % 13;
    unsigned char *memory =
        mmap(NULL, pages * PAGE, ACCESS, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) break;
    for (size_t j = 0; j < pages; j++) memory[j * PAGE] = me * 16 + j;
    mprotect(memory + PAGE, PAGE, PROT_READ);
    unsigned char *moved = mremap(memory, pages * PAGE, (pages + 5) * PAGE, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) {
      /* A mapping of two protections can't be moved as one. */
      mprotect(memory + PAGE, PAGE, ACCESS);
      moved = mremap(memory, pages * PAGE, (pages + 5) * PAGE, MREMAP_MAYMOVE);
      if (moved == MAP_FAILED) break;
    }
    madvise(moved + 2 * PAGE, PAGE, MADV_DONTNEED);
    int same = moved[2 * PAGE] == 0;
    for (size_t j = 0; j < pages; j++)
      same &= j == 2 || moved[j * PAGE] == (unsigned char)(me * 16 + j);
    same &= munmap(moved, (pages + 5) * PAGE) == 0;
    good += same;
  }
  return (void *)good;
}

static void *fork_meanwhile(void *unused) {
  long good = 0;
  (void)unused;
  while (!__atomic_load_n(&forks, __ATOMIC_SEQ_CST) && good < 40) {
    pid_t child = fork();
    if (child == 0) _exit(17);
    if (wait_code(child) != 17) return (void *)-1l;
    good++;
  }
  return (void *)good;
}

int main(void) {
  pthread_t ids[THREADS], forker;
  void *result;
  long total = 0;
  pthread_create(&forker, NULL, fork_meanwhile, NULL);
  for (long i = 0; i < THREADS; i++) pthread_create(&ids[i], NULL, work, (void *)i);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(ids[i], &result);
    total += (long)result;
  }
  CHECK_IS("rounds in which all was right", total, THREADS * ROUNDS);
  __atomic_store_n(&forks, 1, __ATOMIC_SEQ_CST);
  pthread_join(forker, &result);
  CHECK("forks meanwhile", (long)result >= 0);

  /* Blocks of the heap, small and large, keep their contents. */
  void *blocks[200];
  int good = 1;
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < 200; i++) {
      size_t size = (size_t)(i * 977 + round * 131) % 200000 + 16;
      blocks[i] = malloc(size);
      memset(blocks[i], i, size < 4096 ? size : 4096);
    }
    for (int i = 199; i >= 0; i--) {
      good &= ((unsigned char *)blocks[i])[15] == (unsigned char)i;
      free(blocks[i]);
    }
  }
  CHECK("the heap", good);
  return check_status();
}
