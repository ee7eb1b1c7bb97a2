#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

// Holes, offsets beyond 4 GiB and positions as preadv2(2) and pwritev2(2) take them.

static char block[65536], text[64];

int main(void) {
  struct stat st;
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  memset(block, 'x', sizeof block);
  CHECK_IS("write at 5 GiB", pwrite(fd, "far", 3, 5L << 30), 3);
  NEED(fstat(fd, &st));
  CHECK_IS("size", st.st_size, (5L << 30) + 3);
  CHECK("few blocks", st.st_blocks < 1000);
  CHECK_IS("zeros before", pread(fd, text, 10, (5L << 30) - 10), 10);
  CHECK("all", !memcmp(text, "\0\0\0\0\0\0\0\0\0\0", 10));
  CHECK_IS("read it", pread(fd, text, 10, 5L << 30), 3);
  CHECK_IS("seek there", lseek(fd, 5L << 30, SEEK_SET), 5L << 30);
  CHECK_IS("read on", read(fd, text, 10), 3);
  CHECK_IS("a hole at the start", lseek(fd, 0, SEEK_HOLE), 0);
  off_t data = lseek(fd, 0, SEEK_DATA);
  CHECK("then data", data > 4L << 30 && data <= 5L << 30);
  CHECK_IS("to the end", lseek(fd, data, SEEK_HOLE), (5L << 30) + 3);

  char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 5L << 30);
  CHECK("map it there", page != MAP_FAILED && !memcmp(page, "far", 3));
  page[1] = 'u';
  CHECK_IS("a store", (pread(fd, text, 3, 5L << 30), memcmp(text, "fur", 3)), 0);
  CHECK_OK("truncate to 6 GiB", ftruncate(fd, 6L << 30));
  CHECK_IS("write before the end", pwrite(fd, "end", 3, (6L << 30) - 3), 3);
  CHECK_OK("to 4 GiB and a bit", truncate("f", (4L << 30) + 2));
  NEED(fstat(fd, &st));
  CHECK_IS("size", st.st_size, (4L << 30) + 2);
  CHECK_IS("the rest is gone", pread(fd, text, 3, 5L << 30), 0);
  CHECK_OK("and back", truncate("f", 6L << 30));
  CHECK_IS("as zeros", (pread(fd, text, 3, 5L << 30), memcmp(text, "\0\0\0", 3)), 0);
  CHECK_IS("in the mapping too", page[1], 0);
  CHECK_OK("8 TiB", ftruncate(fd, 8L << 40));
  CHECK_IS("its last byte", pread(fd, text, 3, (8L << 40) - 1), 1);
  CHECK_OK("no more", ftruncate(fd, 0));

  int holes = NEED(open("holes", O_RDWR | O_CREAT, 0600));
  NEED(write(holes, block, sizeof block));
  CHECK_OK("punch", fallocate(holes, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 16384, 16384));
  CHECK_IS("data", lseek(holes, 0, SEEK_DATA), 0);
  CHECK_IS("hole", lseek(holes, 0, SEEK_HOLE), 16384);
  CHECK_IS("data after it", lseek(holes, 16384, SEEK_DATA), 32768);
  CHECK_IS("zeros", pread(holes, text, 4, 16384), 4);
  CHECK("all", !memcmp(text, "\0\0\0\0", 4));
  CHECK_IS("data before", (pread(holes, text, 1, 16383), text[0]), 'x');
  CHECK_IS("data behind", (pread(holes, text, 1, 32768), text[0]), 'x');
  NEED(fstat(holes, &st));
  CHECK_IS("the size stays", st.st_size, sizeof block);
  CHECK_OK("beyond the end", fallocate(holes, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20,
    4096));
  char *map = mmap(NULL, sizeof block, PROT_READ | PROT_WRITE, MAP_SHARED, holes, 0);
  CHECK_IS("a mapping sees the hole", map[20000], 0);
  map[20000] = 'm';
  CHECK_IS("a file sees the mapping", (pread(holes, text, 1, 20000), text[0]), 'm');
  CHECK_IS("a mapping sees a write", (pwrite(holes, "w", 1, 40000), map[40000]), 'w');
  CHECK_OK("keep the size", fallocate(holes, FALLOC_FL_KEEP_SIZE, 0, 1 << 20));
  NEED(fstat(holes, &st));
  CHECK_IS("it stays", st.st_size, sizeof block);
  CHECK_FAILS("a fresh end of the file", lseek(holes, sizeof block, SEEK_DATA), ENXIO);
  return check_status();
}
