// static
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

// /dev/null, /dev/zero and /dev/full.

static char buffer[10000];

static int all_are(int value, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (buffer[i] != value) return 0;
  return 1;
}

static void check_number(const char *path, int minor_number) {
  struct stat st;
  NEED(stat(path, &st));
  CHECK(path, S_ISCHR(st.st_mode) && (st.st_mode & 0666) == 0666
    && st.st_rdev == makedev(1, minor_number));
}

int main(void) {
  check_number("/dev/null", 3);
  check_number("/dev/zero", 5);
  check_number("/dev/full", 7);
  check_number("/dev/random", 8);
  check_number("/dev/urandom", 9);
  int null = NEED(open("/dev/null", O_RDWR)), zero = NEED(open("/dev/zero", O_RDWR));
  int full = NEED(open("/dev/full", O_RDWR));
  CHECK_IS("null is at its end", read(null, buffer, 100), 0);
  CHECK_IS("and takes everything", write(null, buffer, sizeof buffer), sizeof buffer);
  CHECK_IS("from nowhere", write(null, (void *)8, 100), 100);
  CHECK_IS("lseek", lseek(null, 500, SEEK_SET), 0);
  CHECK_IS("pwrite", pwrite(null, buffer, 10, 1000), 10);
  CHECK_OK("O_TRUNC", close(open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0600)));
  CHECK_FAILS("ftruncate", ftruncate(null, 0), EINVAL);
  CHECK_FAILS("O_DIRECTORY", open("/dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);

  memset(buffer, 'x', sizeof buffer);
  CHECK_IS("zero has no end", read(zero, buffer, sizeof buffer), sizeof buffer);
  CHECK("zeros", all_are(0, sizeof buffer));
  CHECK_IS("takes everything", write(zero, buffer, 100), 100);
  CHECK_FAILS("but gives to a good buffer only", read(zero, (void *)8, 100), EFAULT);
  CHECK_IS("none", read(zero, (void *)8, 0), 0);
  memset(buffer, 'x', sizeof buffer);
  CHECK_IS("full reads zeros", read(full, buffer, 100), 100);
  CHECK("zeros", all_are(0, 100));
  CHECK_FAILS("and takes nothing", write(full, buffer, 1), ENOSPC);
  CHECK_FAILS("null can't be written by a reader", write(NEED(open("/dev/null", O_RDONLY)), "x", 1),
    EBADF);

  char *map = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
  CHECK("map zero", map != MAP_FAILED && map[0] == 0 && map[8191] == 0);
  map[5000] = 'x';
  CHECK_IS("private", pread(zero, buffer, 1, 5000) == 1 && buffer[0] == 0, 1);
  char *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
  CHECK("shared", shared != MAP_FAILED);
  IN_CHILD(shared[7] = 'c');
  CHECK("memory shared with a child", shared[7] == 'c');
  CHECK("null can't be mapped", mmap(0, 4096, PROT_READ, MAP_SHARED, null, 0) == MAP_FAILED
    && errno == ENODEV);
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    CHECK_OK("anybody opens them", open("/dev/null", O_RDWR));
    CHECK_OK("to write", open("/dev/zero", O_RDWR));
    CHECK_FAILS("not remove them", unlink("/dev/null"), EACCES));
  return check_status();
}
