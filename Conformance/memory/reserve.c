/* Huge reservations as language runtimes make them: cheap until they are touched. */
#include "../check.h"
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096 };
#define GIGABYTE (1ul << 30)

static int limited(void) {
  struct rlimit limit = {GIGABYTE, GIGABYTE};
  setrlimit(RLIMIT_AS, &limit);
  CHECK_FAILS("RLIMIT_AS", mmap(NULL, 2 * GIGABYTE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
              ENOMEM);
  CHECK("malloc sees it too", malloc(2 * GIGABYTE) == NULL);
  void *small = mmap(NULL, 16 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK("less is allowed", small != MAP_FAILED);
  return check_status();
}

static char *reserved;
static int child(void) {
  reserved[512 * GIGABYTE] = 'c';
  return reserved[GIGABYTE] == 'p' ? 0 : 1;
}

int main(void) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  reserved = mmap(NULL, 1024 * GIGABYTE, PROT_NONE, flags, -1, 0);
  CHECK("a terabyte without access", reserved != MAP_FAILED);
  CHECK_IS("some of it opened", mprotect(reserved + GIGABYTE, 16 * PAGE, PROT_READ | PROT_WRITE),
           0);
  memset(reserved + GIGABYTE, 'p', 16 * PAGE);
  CHECK_IS("some far away", mprotect(reserved + 512 * GIGABYTE, PAGE, PROT_READ | PROT_WRITE), 0);
  reserved[512 * GIGABYTE] = 'p';
  CHECK_IS("a child", in_child(child), 0);
  CHECK_IS("its write is its own", reserved[512 * GIGABYTE], 'p');
  CHECK_IS("given back", madvise(reserved + GIGABYTE, 16 * PAGE, MADV_DONTNEED), 0);
  CHECK_IS("zero again", reserved[GIGABYTE], 0);
  char *fixed = mmap(reserved + 3 * GIGABYTE, PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK("mapped over a part", fixed == reserved + 3 * GIGABYTE && fixed[0] == 0);

  /* Aligned the way allocators do it: too much, then the edges cut off. */
  size_t unit = 64ul << 20;
  char *much = mmap(NULL, 2 * unit, PROT_NONE, flags, -1, 0);
  char *aligned = (char *)(((uintptr_t)much + unit - 1) & -unit);
  if (aligned > much) munmap(much, aligned - much);
  if (much + unit > aligned) munmap(aligned + unit, much + unit - aligned);
  CHECK_IS("an aligned piece", mprotect(aligned, unit, PROT_READ | PROT_WRITE), 0);
  aligned[0] = aligned[unit - 1] = 1;
  CHECK_IS("unmapped", munmap(aligned, unit), 0);

  char *readable = mmap(NULL, 256ul << 20, PROT_READ | PROT_WRITE, flags, -1, 0);
  long sum = 0;
  for (size_t i = 0; i < 256ul << 20; i += 1 << 20) sum += readable[i];
  CHECK_IS("reading untouched memory", sum, 0);
  for (size_t i = 0; i < 256ul << 20; i += 4 << 20) readable[i] = 1;
  for (size_t i = 0; i < 256ul << 20; i += 1 << 20) sum += readable[i];
  CHECK_IS("a write here and there", sum, 64);
  CHECK_IS("a terabyte unmapped", munmap(reserved, 1024 * GIGABYTE), 0);
  CHECK_IS("limited", in_child(limited), 0);
  return check_status();
}
