#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

// truncate(2), ftruncate(2) and RLIMIT_FSIZE.

static long size_of(int fd) {
  struct stat st;
  NEED(fstat(fd, &st));
  return st.st_size;
}

int main(void) {
  char text[16] = "";
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0644));
  NEED(write(fd, "0123456789", 10));
  CHECK_OK("shrink", ftruncate(fd, 4));
  CHECK_IS("size", size_of(fd), 4);
  CHECK_IS("the offset stays", lseek(fd, 0, SEEK_CUR), 10);
  CHECK_OK("grow", ftruncate(fd, 8));
  CHECK_IS("size", size_of(fd), 8);
  CHECK_IS("read", pread(fd, text, 16, 0), 8);
  CHECK("old bytes, then zeros", memcmp(text, "0123\0\0\0\0", 8) == 0);
  CHECK_IS("write at the offset", write(fd, "x", 1), 1);
  CHECK_IS("size", size_of(fd), 11);
  CHECK_OK("truncate by path", truncate("f", 2));
  CHECK_IS("size", size_of(fd), 2);
  CHECK_OK("to 3 GiB", truncate("f", 3L << 30));
  CHECK_IS("size", size_of(fd), 3L << 30);
  CHECK_OK("to nothing", truncate("f", 0));
  CHECK_IS("size", size_of(fd), 0);

  CHECK_FAILS("a negative size", ftruncate(fd, -1), EINVAL);
  CHECK_FAILS("a negative size by path", truncate("f", -1), EINVAL);
  CHECK_FAILS("a missing file", truncate("m", 0), ENOENT);
  CHECK_FAILS("a closed descriptor", ftruncate(99, 0), EBADF);
  int reader = NEED(open("f", O_RDONLY));
  CHECK_FAILS("a descriptor for reading", ftruncate(reader, 0), EINVAL);
  int ends[2];
  NEED(pipe(ends));
  CHECK_FAILS("a pipe", ftruncate(ends[1], 0), EINVAL);
  CHECK_FAILS("a directory", truncate(".", 0), EISDIR);
  NEED(chmod("f", 0444));
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("without permission", truncate("f", 0), EACCES);
    CHECK_OK("the descriptor has it", ftruncate(fd, 5)));
  CHECK_IS("size", size_of(fd), 5);

  struct rlimit limit = {1 << 20, 1 << 20};
  IN_CHILD({
    NEED(setrlimit(RLIMIT_FSIZE, &limit));
    signal(SIGXFSZ, SIG_IGN);
    static char block[200];
    CHECK_OK("up to the limit", ftruncate(fd, 1 << 20));
    CHECK_FAILS("beyond it", ftruncate(fd, (1 << 20) + 1), EFBIG);
    CHECK_IS("a write is cut at it", pwrite(fd, block, 200, (1 << 20) - 150), 150);
    CHECK_FAILS("none fits", pwrite(fd, block, 1, 1 << 20), EFBIG);
  });
  pid_t child = NEED(fork());
  if (child == 0) {
    setrlimit(RLIMIT_FSIZE, &limit);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    ftruncate(fd, 2 << 20);
    _exit(0);
  }
  CHECK_IS("SIGXFSZ", wait_code(child), 128 + SIGXFSZ);
  return check_status();
}
