/* madvise(2), mincore(2), mlock(2). */
#include "../check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096, ACCESS = PROT_READ | PROT_WRITE };

static int unprivileged(void) {
  struct rlimit limit = {2 * PAGE, 2 * PAGE};
  setrlimit(RLIMIT_MEMLOCK, &limit);
  if (setresuid(54321, 54321, 54321) != 0) return 9;
  char *memory = mmap(NULL, 4 * PAGE, ACCESS, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_IS("mlock within the limit", mlock(memory, 2 * PAGE), 0);
  CHECK_FAILS("mlock beyond it", mlock(memory, 4 * PAGE), ENOMEM);
  CHECK_IS("munlock", munlock(memory, 2 * PAGE), 0);
  limit = (struct rlimit){0, 0};
  setrlimit(RLIMIT_MEMLOCK, &limit);
  CHECK_FAILS("mlock with a limit of 0", mlock(memory, PAGE), EPERM);
  return check_status();
}

static int child_sees(const volatile char *memory) {
  pid_t made = fork();
  if (made == 0) _exit(memory[0]);
  return wait_code(made);
}

int main(void) {
  unsigned char present[8];
  char *memory = mmap(NULL, 8 * PAGE, ACCESS, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, 8 * PAGE, MADV_NOHUGEPAGE);
  CHECK_IS("mincore", mincore(memory, 8 * PAGE, present), 0);
  int sum = 0;
  for (int i = 0; i < 8; i++) sum += present[i] & 1;
  CHECK_IS("nothing is present", sum, 0);
  memset(memory, 'x', 3 * PAGE);
  mincore(memory, 8 * PAGE, present);
  sum = 0;
  for (int i = 0; i < 8; i++) sum = sum * 10 + (present[i] & 1);
  CHECK_IS("three pages are", sum, 11100000);
  CHECK_FAILS("mincore within a page", mincore(memory + 1, PAGE, present), EINVAL);
  CHECK_FAILS("mincore into unmapped memory", mincore(memory, PAGE, (void *)8), EFAULT);

  CHECK_IS("MADV_DONTNEED", madvise(memory + PAGE, PAGE, MADV_DONTNEED), 0);
  CHECK("the page is zero again", memory[PAGE] == 0 && memory[2 * PAGE - 1] == 0);
  CHECK("its neighbours are not", memory[PAGE - 1] == 'x' && memory[2 * PAGE] == 'x');
  CHECK_IS("MADV_WILLNEED", madvise(memory, 8 * PAGE, MADV_WILLNEED), 0);
  CHECK_IS("MADV_RANDOM", madvise(memory, 8 * PAGE, MADV_RANDOM), 0);
  CHECK_IS("MADV_SEQUENTIAL", madvise(memory, 8 * PAGE, MADV_SEQUENTIAL), 0);
  CHECK_IS("MADV_NORMAL", madvise(memory, 8 * PAGE, MADV_NORMAL), 0);
  CHECK_IS("MADV_FREE", madvise(memory, PAGE, MADV_FREE), 0);
  memory[0] = 'y';
  CHECK_IS("written after MADV_FREE it stays", memory[0], 'y');
  CHECK_FAILS("unknown advice", madvise(memory, PAGE, 9999), EINVAL);
  CHECK_FAILS("advice within a page", madvise(memory + 1, PAGE, MADV_NORMAL), EINVAL);
  CHECK_IS("advice on nothing", madvise(memory, 0, MADV_DONTNEED), 0);

  CHECK_IS("MADV_DONTFORK", madvise(memory, PAGE, MADV_DONTFORK), 0);
  CHECK_IS("a child does not have it", child_sees(memory), 128 + 11);
  CHECK_IS("MADV_DOFORK", madvise(memory, PAGE, MADV_DOFORK), 0);
  CHECK_IS("a child has it again", child_sees(memory), 'y');
  CHECK_IS("MADV_WIPEONFORK", madvise(memory, PAGE, MADV_WIPEONFORK), 0);
  CHECK_IS("a child finds zeroes", child_sees(memory), 0);
  CHECK_IS("the parent does not", memory[0], 'y');

  char *file = mmap(NULL, PAGE, ACCESS, MAP_PRIVATE, open("/etc/passwd", O_RDONLY), 0);
  char first = file[0];
  file[0] = first + 1;
  CHECK_IS("MADV_DONTNEED of a private file mapping", madvise(file, PAGE, MADV_DONTNEED), 0);
  CHECK("brings the file back", file[0] == first);
  char *shared = mmap(NULL, PAGE, ACCESS, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared[0] = 's';
  madvise(shared, PAGE, MADV_DONTNEED);
  CHECK_IS("shared memory keeps its contents", shared[0], 's');
  munmap(memory + 4 * PAGE, PAGE);
  CHECK_FAILS("across a hole", madvise(memory, 8 * PAGE, MADV_DONTNEED), ENOMEM);
  CHECK("but done for the rest", memory[2 * PAGE] == 0 && memory[0] == 0);
  CHECK_FAILS("mlock of unmapped memory", mlock(memory + 4 * PAGE, PAGE), ENOMEM);
  CHECK_IS("munlockall", munlockall(), 0);
  CHECK_FAILS("mlockall of nothing", mlockall(0), EINVAL);
  CHECK_IS("unprivileged", in_child(unprivileged), 0);
  return check_status();
}
