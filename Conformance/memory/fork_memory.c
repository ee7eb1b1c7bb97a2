// static
/* fork with much memory: contents, copy on write both ways, many mappings, under pressure. */
#include "../check.h"
#include <stdint.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 4096 }; /* 16 MB */

static uint32_t *memory;
static uint32_t *at(int page) { return memory + (size_t)page * PAGE / 4; }

static int reads_all(void) {
  for (int i = 0; i < PAGES; i++)
    if (*at(i) != (uint32_t)i * 7 + 1) return 1;
  return 0;
}

static int writes_all(void) {
  for (int i = 0; i < PAGES; i += 2) *at(i) = 0xdead;
  for (int i = 1; i < PAGES; i += 2)
    if (*at(i) != (uint32_t)i * 7 + 1) return 1;
  return 0;
}

static int gate[2];
static int reads_late(void) {
  char byte;
  close(gate[1]);
  if (read(gate[0], &byte, 1) != 0) return 2;
  return reads_all();
}

int main(void) {
  size_t size = (size_t)PAGES * PAGE;
  memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < PAGES; i++) *at(i) = i * 7 + 1;
  CHECK_IS("a child reads everything", in_child(reads_all), 0);
  CHECK_IS("a child writes every other page", in_child(writes_all), 0);
  CHECK_IS("the parent has its own", reads_all(), 0);
  NEED(pipe(gate));
  pid_t child = fork();
  if (child == 0) _exit(reads_late());
  for (int i = 0; i < PAGES; i += 3) *at(i) = 5;
  close(gate[1]);
  CHECK_IS("a child keeps what the parent changes", wait_code(child), 0);
  for (int i = 0; i < PAGES; i += 3) *at(i) = i * 7 + 1;

  /* Many mappings of different kinds. */
  for (int i = 0; i < 1000; i++) mprotect(at(i * 4), PAGE, PROT_READ);
  CHECK_IS("a child with a thousand odd mappings", in_child(reads_all), 0);
  pid_t children[5];
  for (int i = 0; i < 5; i++) {
    children[i] = fork();
    if (children[i] == 0) _exit(reads_all());
  }
  int good = 1;
  for (int i = 0; i < 5; i++) good &= wait_code(children[i]) == 0;
  CHECK("five children at once", good);
  munmap(at(100), PAGES / 2 * (size_t)PAGE);
  child = fork();
  if (child == 0) {
    unsigned char present;
    _exit(*at(99) == 99 * 7 + 1 && mincore(at(101), PAGE, &present) == -1 ? 0 : 1);
  }
  CHECK_IS("a hole is a hole in the child", wait_code(child), 0);
  return check_status();
}
