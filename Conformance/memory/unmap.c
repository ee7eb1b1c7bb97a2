// static
/* munmap(2): parts, holes, nothing at all, and that the memory is really gone. */
#include "../check.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

enum { PAGE = 4096, ACCESS = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };

static sigjmp_buf back;
static void jump(int number) { siglongjmp(back, number); }

/* One letter per page: what it holds, or '-' for no memory. */
static const char *picture(volatile char *memory, int pages) {
  static char text[64];
  for (volatile int i = 0; i < pages; i++) {
    text[i] = '-';
    if (sigsetjmp(back, 1) == 0) text[i] = memory[i * PAGE] ? memory[i * PAGE] : '0';
  }
  text[pages] = 0;
  return text;
}

static char *letters(int pages) {
  char *memory = mmap(NULL, pages * PAGE, ACCESS, ANONYMOUS, -1, 0);
  for (int i = 0; i < pages; i++) memory[i * PAGE] = 'a' + i;
  return memory;
}

int main(void) {
  signal(SIGSEGV, jump);
  char *memory = letters(8);
  CHECK_TEXT("whole", picture(memory, 8), "abcdefgh");
  CHECK_IS("the first page", munmap(memory, PAGE), 0);
  CHECK_IS("the last page", munmap(memory + 7 * PAGE, PAGE), 0);
  CHECK_IS("one in the middle", munmap(memory + 3 * PAGE, PAGE), 0);
  CHECK_TEXT("three are gone", picture(memory, 8), "-bc-efg-");
  CHECK_IS("a hole again", munmap(memory + 3 * PAGE, PAGE), 0);
  CHECK_IS("across a hole", munmap(memory + 2 * PAGE, 3 * PAGE), 0);
  CHECK_TEXT("three are left", picture(memory, 8), "-b---fg-");
  CHECK_IS("a size is rounded up", munmap(memory + 5 * PAGE, 1), 0);
  CHECK_TEXT("one page for one byte", picture(memory, 8), "-b----g-");
  CHECK_IS("everything", munmap(memory, 8 * PAGE), 0);
  CHECK_TEXT("nothing is left", picture(memory, 8), "--------");

  CHECK_FAILS("within a page", munmap(memory + 5, PAGE), EINVAL);
  CHECK_FAILS("nothing", munmap(memory, 0), EINVAL);
  CHECK_FAILS("beyond the program's half", munmap((void *)0x7ffffffff000, 8 * PAGE), EINVAL);

  /* Protection splits a mapping; parts can be unmapped across the seams. */
  memory = letters(8);
  mprotect(memory + 2 * PAGE, PAGE, PROT_READ);
  mprotect(memory + 4 * PAGE, 2 * PAGE, PROT_NONE);
  CHECK_IS("across three protections", munmap(memory + PAGE, 4 * PAGE), 0);
  CHECK_TEXT("the rest", picture(memory, 8), "a-----gh");
  mprotect(memory + 5 * PAGE, PAGE, PROT_READ);
  CHECK_TEXT("its contents outlived PROT_NONE", picture(memory, 8), "a----fgh");

  /* A thousand small mappings, every other one unmapped, in an order that jumps about. */
  enum { MANY = 1000 };
  memory = mmap(NULL, MANY * PAGE, ACCESS, ANONYMOUS, -1, 0);
  for (int i = 0; i < MANY; i++) memory[i * PAGE] = 1 + i % 100;
  int good = 1;
  for (int i = 0; i < MANY; i++) {
    int page = i * 387 % MANY;
    if (page % 2) good &= munmap(memory + page * PAGE, PAGE) == 0;
  }
  for (int i = 0; i < MANY; i += 2) good &= memory[i * PAGE] == 1 + i % 100;
  unsigned char present;
  for (int i = 1; i < MANY; i += 2)
    good &= mincore(memory + i * PAGE, PAGE, &present) == -1 && errno == ENOMEM;
  CHECK("every other of a thousand", good);
  return check_status();
}
