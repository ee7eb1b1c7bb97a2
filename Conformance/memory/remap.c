// static
/* mremap(2): growing in place, moving, shrinking, fixed targets, and errors. */
#include "../check.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { PAGE = 4096, ACCESS = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };

static sigjmp_buf back;
static void jump(int number) { siglongjmp(back, number); }
static int present(volatile char *memory) {
  if (sigsetjmp(back, 1)) return 0;
  (void)*memory;
  return 1;
}

static char *fresh(int pages) {
  char *memory = mmap(NULL, pages * PAGE, ACCESS, ANONYMOUS, -1, 0);
  for (int i = 0; i < pages; i++) memory[i * PAGE] = 'a' + i;
  return memory;
}

static int holds(const char *memory, const char *letters) {
  for (int i = 0; letters[i]; i++)
    if (memory[i * PAGE] != (letters[i] == '0' ? 0 : letters[i])) return 0;
  return 1;
}

static long remap(void *old, size_t old_size, size_t size, int flags, void *target) {
  return mremap(old, old_size, size, flags, target) == MAP_FAILED ? -1 : 0;
}

int main(void) {
  signal(SIGSEGV, jump);
  char *memory = fresh(8);
  munmap(memory + 4 * PAGE, 4 * PAGE);
  CHECK("grow in place", mremap(memory, 4 * PAGE, 6 * PAGE, 0) == memory);
  CHECK("new pages are zero", holds(memory, "abcd00"));
  CHECK("shrink", mremap(memory, 6 * PAGE, 2 * PAGE, 0) == memory);
  CHECK("the end is gone", holds(memory, "ab") && !present(memory + 2 * PAGE));
  CHECK("the same size", mremap(memory, 2 * PAGE, 2 * PAGE, 0) == memory);

  char *blocked = fresh(6);
  CHECK_FAILS("no room to grow", remap(blocked, 3 * PAGE, 9 * PAGE, 0, NULL), ENOMEM);
  char *moved = mremap(blocked, 3 * PAGE, 9 * PAGE, MREMAP_MAYMOVE);
  CHECK("moved", moved != MAP_FAILED && moved != blocked);
  CHECK("with its contents", holds(moved, "abc000000"));
  CHECK("away from the old place", !present(blocked) && present(blocked + 3 * PAGE));
  CHECK("the rest stays there", holds(blocked + 3 * PAGE, "def"));

  char *target = mmap(NULL, 8 * PAGE, ACCESS, ANONYMOUS, -1, 0);
  char *source = fresh(4);
  CHECK("to a fixed place",
        mremap(source, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE) ==
            target + PAGE);
  CHECK("over what was there", holds(target + PAGE, "abcd00") && target[7 * PAGE] == 0);
  CHECK("its old place is free", !present(source));
  source = fresh(4);
  CHECK("MREMAP_DONTUNMAP",
        mremap(source, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
               target) == target);
  CHECK("the old place is empty but there", holds(source, "0000") && holds(target, "abcd"));

  source = fresh(4);
  CHECK_FAILS("within a page", remap(source + 1, PAGE, 2 * PAGE, 0, NULL), EINVAL);
  CHECK_FAILS("to no size", remap(source, PAGE, 0, 0, NULL), EINVAL);
  CHECK_FAILS("unknown flags", remap(source, PAGE, PAGE, 0x100, NULL), EINVAL);
  CHECK_FAILS("fixed without maymove", remap(source, PAGE, PAGE, MREMAP_FIXED, target), EINVAL);
  CHECK_FAILS("onto itself",
              remap(source, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, source + PAGE),
              EINVAL);
  CHECK_FAILS("to a place within a page",
              remap(source, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 9), EINVAL);
  munmap(source + 2 * PAGE, PAGE);
  CHECK_FAILS("what is not mapped", remap(source + 2 * PAGE, PAGE, 2 * PAGE, 1, NULL), EFAULT);
  CHECK_FAILS("across a hole", remap(source, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, NULL), EFAULT);

  /* Realloc of a large block moves pages instead of copying. */
  size_t size = 1 << 20;
  char *block = malloc(size);
  memset(block, 'z', size);
  int good = 1;
  for (int i = 0; i < 6; i++) {
    block = realloc(block, size * 2);
    good &= block[0] == 'z' && block[size - 1] == 'z';
    memset(block + size, 'z', size);
    size *= 2;
  }
  CHECK("realloc up to 64 MB", good);
  free(block);
  return check_status();
}
