#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// fallocate(2): reserving, keeping the size and punching holes.

static struct stat st;

int main(void) {
  char text[16];
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  CHECK_OK("reserve", fallocate(fd, 0, 0, 10000));
  NEED(fstat(fd, &st));
  CHECK_IS("size", st.st_size, 10000);
  CHECK("blocks", st.st_blocks * 512 >= 10000);
  CHECK_OK("inside the file", fallocate(fd, 0, 100, 10));
  NEED(fstat(fd, &st));
  CHECK_IS("the size stays", st.st_size, 10000);
  CHECK_OK("FALLOC_FL_KEEP_SIZE", fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 50000));
  NEED(fstat(fd, &st));
  CHECK_IS("the size stays", st.st_size, 10000);
  CHECK("the blocks grow", st.st_blocks * 512 >= 50000);
  CHECK_OK("posix_fallocate", posix_fallocate(fd, 0, 20000));
  NEED(fstat(fd, &st));
  CHECK_IS("size", st.st_size, 20000);

  static char block[12288];
  memset(block, 'x', sizeof block);
  NEED(pwrite(fd, block, sizeof block, 0));
  CHECK_OK("punch a hole",
    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4000, 4196));
  CHECK_IS("read around it", pread(fd, text, 4, 3998), 4);
  CHECK("data, then zeros", text[0] == 'x' && text[1] == 'x' && !text[2] && !text[3]);
  CHECK_IS("read at its end", pread(fd, text, 4, 8194), 4);
  CHECK("zeros, then data", !text[0] && !text[1] && text[2] == 'x' && text[3] == 'x');

  CHECK_FAILS("a hole needs KEEP_SIZE", fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
  CHECK_FAILS("no length", fallocate(fd, 0, 0, 0), EINVAL);
  CHECK_FAILS("a negative offset", fallocate(fd, 0, -1, 5), EINVAL);
  CHECK_FAILS("a negative length", fallocate(fd, 0, 0, -5), EINVAL);
  CHECK_FAILS("too long", fallocate(fd, 0, 1L << 62, 1L << 62), EFBIG);
  CHECK_FAILS("an unknown mode", fallocate(fd, 0x8000, 0, 1), EOPNOTSUPP);
  CHECK_FAILS("a closed descriptor", fallocate(99, 0, 0, 1), EBADF);
  int reader = NEED(open("f", O_RDONLY));
  CHECK_FAILS("a descriptor for reading", fallocate(reader, 0, 0, 1), EBADF);
  int ends[2];
  NEED(pipe(ends));
  CHECK_FAILS("a pipe", fallocate(ends[1], 0, 0, 1), ESPIPE);
  int directory = NEED(open(".", O_RDONLY));
  CHECK_FAILS("a directory", fallocate(directory, 0, 0, 1), EBADF);

  CHECK_OK("fsync", fsync(fd));
  CHECK_OK("fdatasync", fdatasync(fd));
  CHECK_OK("fsync of a directory", fsync(directory));
  CHECK_FAILS("fsync of a pipe", fsync(ends[0]), EINVAL);
  CHECK_FAILS("fsync of a closed descriptor", fsync(99), EBADF);
  CHECK_OK("syncfs", syncfs(fd));
  CHECK_OK("sync_file_range", sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE));
  CHECK_IS("posix_fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED), 0);
  CHECK_IS("unknown advice", posix_fadvise(fd, 0, 0, 77), EINVAL);
  CHECK_IS("advice on a pipe", posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
  CHECK_OK("readahead", readahead(fd, 0, 4096));
  return check_status();
}
