// static
/* mmap(2): zeroed memory, fixed places, hints, and what is refused. */
#include "../check.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { PAGE = 4096, ACCESS = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };

static int zero(const char *memory, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (memory[i]) return 0;
  return 1;
}

static long map(void *place, size_t size, int access, int flags, int file, off_t offset) {
  void *result = mmap(place, size, access, flags, file, offset);
  return result == MAP_FAILED ? -1 : 0;
}

int main(void) {
  char *memory = mmap(NULL, 16 * PAGE, ACCESS, ANONYMOUS, -1, 0);
  CHECK("anonymous", memory != MAP_FAILED && (uintptr_t)memory % PAGE == 0);
  CHECK("it is zero", zero(memory, 16 * PAGE));
  memset(memory, 1, 16 * PAGE);
  char *again = mmap(memory + 4 * PAGE, 4 * PAGE, ACCESS, ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK("MAP_FIXED replaces", again == memory + 4 * PAGE && zero(again, 4 * PAGE));
  CHECK("its neighbours stay", memory[4 * PAGE - 1] == 1 && memory[8 * PAGE] == 1);
  CHECK_FAILS("MAP_FIXED_NOREPLACE over a mapping",
              map(memory + PAGE, PAGE, ACCESS, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
  munmap(memory + 2 * PAGE, PAGE);
  CHECK_IS("MAP_FIXED_NOREPLACE in a hole",
           map(memory + 2 * PAGE, PAGE, ACCESS, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), 0);
  CHECK("memory in the hole is fresh", zero(memory + 2 * PAGE, PAGE));

  munmap(memory + 10 * PAGE, PAGE);
  CHECK("a hint that is free is taken",
        mmap(memory + 10 * PAGE, PAGE, ACCESS, ANONYMOUS, -1, 0) == memory + 10 * PAGE);
  char *elsewhere = mmap(memory + 10 * PAGE, PAGE, ACCESS, ANONYMOUS, -1, 0);
  CHECK("a hint that is taken is passed over",
        elsewhere != MAP_FAILED && elsewhere != memory + 10 * PAGE && memory[11 * PAGE] == 1);
  char *odd = mmap(NULL, 100, ACCESS, ANONYMOUS, -1, 0);
  CHECK("a size is rounded up", zero(odd, PAGE));
  odd[PAGE - 1] = 1;
  char *low = mmap(NULL, PAGE, ACCESS, ANONYMOUS | MAP_32BIT, -1, 0);
  CHECK("MAP_32BIT", low != MAP_FAILED && (uintptr_t)low < 0x80000000);
  CHECK_IS("MAP_POPULATE", map(NULL, 4 * PAGE, ACCESS, ANONYMOUS | MAP_POPULATE, -1, 0), 0);
  CHECK_IS("MAP_STACK and MAP_NORESERVE are hints",
           map(NULL, PAGE, ACCESS, ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0), 0);

  int file = open("/etc/passwd", O_RDONLY), write_only = open("/dev/null", O_WRONLY);
  CHECK_FAILS("size 0", map(NULL, 0, ACCESS, ANONYMOUS, -1, 0), EINVAL);
  CHECK_FAILS("neither private nor shared", map(NULL, PAGE, ACCESS, MAP_ANONYMOUS, -1, 0), EINVAL);
  CHECK_FAILS("a fixed place within a page",
              map(memory + 1, PAGE, ACCESS, ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
  CHECK_FAILS("an offset within a page", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 100),
              EINVAL);
  CHECK_FAILS("no descriptor", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, 9999, 0), EBADF);
  CHECK_FAILS("too much", map(NULL, 1ul << 62, ACCESS, ANONYMOUS, -1, 0), ENOMEM);
  CHECK_FAILS("a size that wraps around", map(NULL, -1ul, ACCESS, ANONYMOUS, -1, 0), ENOMEM);
  CHECK_FAILS("beyond the program's half",
              map((void *)0x800000000000, PAGE, ACCESS, ANONYMOUS | MAP_FIXED, -1, 0), ENOMEM);
  CHECK_FAILS("shared and writable of a read-only file",
              map(NULL, PAGE, ACCESS, MAP_SHARED, file, 0), EACCES);
  CHECK_IS("private and writable of it is allowed", map(NULL, PAGE, ACCESS, MAP_PRIVATE, file, 0),
           0);
  CHECK_FAILS("a write-only file", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, write_only, 0), EACCES);
  int directory = open("/", O_RDONLY);
  CHECK_FAILS("a directory", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0), ENODEV);
  int pair[2];
  NEED(pipe(pair));
  CHECK_FAILS("a pipe", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, pair[0], 0), ENODEV);
  int zeroes = open("/dev/zero", O_RDWR);
  char *from_device = mmap(NULL, PAGE, ACCESS, MAP_PRIVATE, zeroes, 0);
  CHECK("/dev/zero", from_device != MAP_FAILED && zero(from_device, PAGE));
  return check_status();
}
