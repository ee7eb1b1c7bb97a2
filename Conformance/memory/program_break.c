// static
/* brk(2) and sbrk(3). */
#include "../check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { PAGE = 4096 };
static sigjmp_buf back;
static void jump(int number) { siglongjmp(back, number); }
static int present(volatile char *memory) {
  if (sigsetjmp(back, 1)) return 0;
  (void)*memory;
  return 1;
}

static char *raw(void *to) { return (char *)syscall(SYS_brk, to); }

static int limited(void) {
  struct rlimit limit = {1 << 20, 1 << 20};
  char *now = raw(NULL);
  setrlimit(RLIMIT_DATA, &limit);
  CHECK("RLIMIT_DATA", raw(now + (4 << 20)) == now);
  return check_status();
}

static int child(void) {
  char *now = raw(NULL);
  now[-1] = 'c';
  return raw(now + PAGE) == now + PAGE ? 0 : 1;
}

int main(void) {
  signal(SIGSEGV, jump);
  char *start = raw(NULL);
  CHECK("the break is known", start != NULL);
  CHECK("it lies above the program", (uintptr_t)start > (uintptr_t)&back);
  char *aligned = (char *)(((uintptr_t)start + PAGE - 1) & -PAGE);
  CHECK("grow", raw(aligned + 4 * PAGE) == aligned + 4 * PAGE);
  CHECK("told again", raw(NULL) == aligned + 4 * PAGE);
  int zero = 1;
  for (int i = 0; i < 4 * PAGE; i++) zero &= aligned[i] == 0;
  CHECK("new memory is zero", zero);
  memset(aligned, 7, 4 * PAGE);
  CHECK("shrink", raw(aligned + PAGE) == aligned + PAGE);
  CHECK("the end is gone", present(aligned) && !present(aligned + PAGE));
  CHECK("grow within a page", raw(aligned + PAGE + 100) == aligned + PAGE + 100);
  CHECK("it is fresh", aligned[PAGE] == 0 && aligned[PAGE + 99] == 0);
  CHECK("below the start: nothing happens", raw(start - 100 * PAGE) == aligned + PAGE + 100);
  CHECK("absurd: nothing happens", raw((void *)0x7fffffffffff) == aligned + PAGE + 100);

  CHECK_IS("libc's brk", brk(aligned + PAGE + 100), 0);
  CHECK("sbrk answers the old break", sbrk(PAGE) == aligned + PAGE + 100);
  CHECK("sbrk(0) the present one", sbrk(0) == aligned + 2 * PAGE + 100);
  CHECK("sbrk can give back", sbrk(-PAGE) == aligned + 2 * PAGE + 100);

  char *top = sbrk(0);
  top[-1] = 'p';
  CHECK_IS("a child has its own", in_child(child), 0);
  CHECK("the parent's did not move", sbrk(0) == top && top[-1] == 'p');
  CHECK_IS("limited", in_child(limited), 0);

  /* A mapping in the way stops the heap. */
  char *wall = (char *)(((uintptr_t)top + 20 * PAGE) & -PAGE);
  NEED(mmap(wall, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
               MAP_FAILED ? -1 : 0);
  CHECK("up to a mapping", raw(wall - PAGE) == wall - PAGE);
  CHECK("not through it", raw(wall + 2 * PAGE) == wall - PAGE);
  CHECK("the mapping is still there", present(wall));
  return check_status();
}
