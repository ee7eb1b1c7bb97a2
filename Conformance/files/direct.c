#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

// O_DIRECT: past the page cache, and yet the same file as everybody else sees.

static char aligned[16384] __attribute__((aligned(4096)));

int main(void) {
  char text[16];
  int buffered = NEED(open("f", O_RDWR | O_CREAT, 0600));
  int direct;
  CHECK_OK("open", direct = open("f", O_RDWR | O_DIRECT));
  CHECK("F_GETFL has it", fcntl(direct, F_GETFL) & O_DIRECT);
  memset(aligned, 'd', 8192);
  CHECK_IS("write", pwrite(direct, aligned, 8192, 0), 8192);
  CHECK_IS("a reader sees it", (pread(buffered, text, 4, 5000), memcmp(text, "dddd", 4)), 0);
  char *map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, buffered, 0);
  CHECK("so does a mapping", map != MAP_FAILED && map[8191] == 'd');
  memset(aligned, 'e', 4096);
  CHECK_IS("write under the mapping", pwrite(direct, aligned, 4096, 4096), 4096);
  CHECK("which sees it", map[4095] == 'd' && map[4096] == 'e');
  map[100] = 'm';
  CHECK_OK("msync", msync(map, 4096, MS_SYNC));
  CHECK_IS("write by the cache", pwrite(buffered, "cached", 6, 4200), 6);
  CHECK_IS("read past it", pread(direct, aligned, 8192, 0), 8192);
  CHECK("both are there", aligned[100] == 'm' && !memcmp(aligned + 4200, "cached", 6));
  CHECK_IS("read at the end", pread(direct, aligned, 4096, 8192), 0);
  CHECK_IS("read by the offset", read(direct, aligned, 4096), 4096);
  CHECK_IS("which moves", lseek(direct, 0, SEEK_CUR), 4096);
  CHECK_IS("write by it", write(direct, aligned, 4096), 4096);
  CHECK_IS("copies a block", (pread(buffered, text, 1, 4196), text[0]), 'm');

  // A file system may take any address, or say EINVAL.
  CHECK("a crooked address", pread(direct, aligned + 1, 4096, 0) == 4096 || errno == EINVAL);
  CHECK("a crooked offset", pread(direct, aligned, 4096, 3) == 4096 || errno == EINVAL);

  CHECK_OK("on later", fcntl(buffered, F_SETFL, fcntl(buffered, F_GETFL) | O_DIRECT));
  CHECK("it is set", fcntl(buffered, F_GETFL) & O_DIRECT);
  CHECK_IS("read", pread(buffered, aligned, 4096, 0), 4096);
  CHECK_OK("off again", fcntl(direct, F_SETFL, fcntl(direct, F_GETFL) & ~O_DIRECT));
  CHECK_IS("a crooked read", pread(direct, aligned + 1, 100, 3), 100);
  CHECK_OK("with O_APPEND", direct = open("f", O_WRONLY | O_DIRECT | O_APPEND));
  CHECK_IS("append", write(direct, aligned, 4096), 4096);
  CHECK_IS("at the end", lseek(direct, 0, SEEK_CUR), 12288);
  return check_status();
}
