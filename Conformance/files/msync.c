#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>

// msync(2), and a file mapped by several processes at once.
int main(void) {
  enum { size = 1 << 20 };
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  NEED(ftruncate(fd, size));
  char *map = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK("map", map != MAP_FAILED);
  memset(map, 'a', size);
  CHECK_OK("MS_SYNC", msync(map, size, MS_SYNC));
  CHECK_OK("MS_ASYNC", msync(map, 4096, MS_ASYNC));
  CHECK_OK("MS_INVALIDATE", msync(map, 4096, MS_INVALIDATE));
  CHECK_OK("no length", msync(map, 0, MS_SYNC));
  CHECK_FAILS("both ways", msync(map, 4096, MS_SYNC | MS_ASYNC), EINVAL);
  CHECK_FAILS("unknown flags", msync(map, 4096, 0x100), EINVAL);
  CHECK_FAILS("a crooked address", msync(map + 1, 4096, MS_SYNC), EINVAL);
  NEED(munmap(map + 8192, 4096));
  CHECK_FAILS("a hole", msync(map, size, MS_SYNC), ENOMEM);

  // Four processes each fill a quarter through mappings of their own.
  NEED(munmap(map, size));
  pid_t children[4];
  for (int i = 0; i < 4; i++) {
    if ((children[i] = NEED(fork())) == 0) {
      int own = NEED(open("f", O_RDWR));
      char *quarter = mmap(0, size / 4, PROT_READ | PROT_WRITE, MAP_SHARED, own, i * (size / 4));
      memset(quarter, '0' + i, size / 4);
      _exit(0);
    }
  }
  for (int i = 0; i < 4; i++) CHECK_IS("a child", wait_code(children[i]), 0);
  static char back[size];
  CHECK_IS("read it all", pread(fd, back, size, 0), size);
  int good = 1;
  for (int i = 0; i < size; i++) good &= back[i] == '0' + i / (size / 4);
  CHECK("every quarter", good);

  // A counter that two processes share through the file.
  map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  int *counter = (int *)map;
  *counter = 0;
  pid_t child = NEED(fork());
  for (int i = 0; i < 10000; i++) __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
  if (child == 0) _exit(0);
  wait_code(child);
  CHECK_IS("20000 steps", *counter, 20000);
  CHECK_OK("madvise", madvise(map, 4096, MADV_DONTNEED));
  CHECK_IS("a shared page keeps its content", *counter, 20000);
  return check_status();
}
