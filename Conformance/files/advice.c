#include "check.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

// posix_fadvise(2) and readahead(2), by what RWF_NOWAIT finds in the page cache.

static char block[65536];

// Whether a read at the offset would have to wait for the disk.
static int must_wait(int fd, off_t offset) {
  struct iovec in = {block, 4096};
  long got = preadv2(fd, &in, 1, offset, RWF_NOWAIT);
  return got == -1 ? errno == EAGAIN ? 1 : -errno : 0;
}

int main(void) {
  struct statfs fs;
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600)), ends[2];
  for (int i = 0; i < 16; i++) NEED(write(fd, block, sizeof block));
  NEED(fsync(fd));
  NEED(statfs(".", &fs));
  // Memory is no copy of anything.
  int is_memory = fs.f_type == TMPFS_MAGIC;
  CHECK_IS("just written", must_wait(fd, 0), 0);
  CHECK_IS("DONTNEED", posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
  CHECK_IS("it is gone", must_wait(fd, 500000), !is_memory);
  CHECK_IS("read it", pread(fd, block, 65536, 500000), 65536);
  CHECK_IS("it is back", must_wait(fd, 500000), 0);
  NEED(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
  CHECK_IS("a part", pread(fd, block, 4096, 0), 4096);
  CHECK_IS("DONTNEED of another", posix_fadvise(fd, 524288, 524288, POSIX_FADV_DONTNEED), 0);
  CHECK_IS("leaves it", must_wait(fd, 0), 0);
  for (int advice = POSIX_FADV_NORMAL; advice <= POSIX_FADV_NOREUSE; advice++)
    CHECK_IS("an advice", posix_fadvise(fd, 0, 4096, advice), 0);
  CHECK_IS("none", posix_fadvise(fd, 0, 4096, 6), EINVAL);
  CHECK_IS("none below", posix_fadvise(fd, 0, 4096, -1), EINVAL);
  CHECK_IS("a negative length", posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL), EINVAL);
  CHECK_IS("a negative offset", posix_fadvise(fd, -4096, 0, POSIX_FADV_NORMAL), 0);
  CHECK_IS("beyond the end", posix_fadvise(fd, 1L << 40, 1L << 40, POSIX_FADV_WILLNEED), 0);
  CHECK_IS("a closed descriptor", posix_fadvise(99, 0, 0, POSIX_FADV_NORMAL), EBADF);
  CHECK_IS("O_PATH", posix_fadvise(NEED(open("f", O_PATH)), 0, 0, POSIX_FADV_NORMAL), EBADF);
  NEED(pipe(ends));
  CHECK_IS("a pipe", posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
  CHECK_IS("/dev/null", posix_fadvise(NEED(open("/dev/null", O_RDONLY)), 0, 0, 0), 0);

  CHECK_OK("readahead", readahead(fd, 0, 1 << 20));
  CHECK_IS("read what it brought", pread(fd, block, 65536, 900000), 65536);
  int writer = NEED(open("f", O_WRONLY)), directory = NEED(open(".", O_RDONLY));
  CHECK_FAILS("for writing", readahead(writer, 0, 4096), EBADF);
  CHECK_FAILS("a directory", readahead(directory, 0, 4096), EINVAL);
  CHECK_FAILS("a pipe", readahead(ends[0], 0, 4096), EINVAL);
  CHECK_FAILS("a closed descriptor", readahead(99, 0, 4096), EBADF);

  CHECK_OK("sync_file_range", sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE
    | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
  CHECK_OK("without flags", sync_file_range(fd, 4096, 4096, 0));
  CHECK_FAILS("flags of no meaning", sync_file_range(fd, 0, 4096, 8), EINVAL);
  CHECK_FAILS("a negative offset", sync_file_range(fd, -1, 4096, 0), EINVAL);
  CHECK_FAILS("a negative length", sync_file_range(fd, 0, -1, 0), EINVAL);
  CHECK_FAILS("too far", sync_file_range(fd, 1L << 62, 1L << 62, 0), EINVAL);
  CHECK_FAILS("a pipe", sync_file_range(ends[1], 0, 1, 0), ESPIPE);
  CHECK_OK("a directory", sync_file_range(directory, 0, 1, 0));
  return check_status();
}
