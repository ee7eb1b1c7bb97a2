#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

// Files in memory get their pages by fallocate(2) and by copies as well as by writes.

static struct stat st;

static void check_size(const char *when, int fd, off_t size, off_t least) {
  NEED(fstat(fd, &st));
  CHECK_IS(when, st.st_size, size);
  CHECK(when, st.st_blocks * 512 >= least && st.st_blocks * 512 < least + 65536);
}

static void check_byte(const char *when, int fd, off_t offset, char byte) {
  char found = 0;
  NEED(pread(fd, &found, 1, offset));
  CHECK_IS(when, found, byte);
}

static void allocate(void) {
  int fd = NEED(memfd_create("test", MFD_ALLOW_SEALING));
  CHECK_OK("allocate", fallocate(fd, 0, 0, 1 << 20));
  check_size("allocated", fd, 1 << 20, 1 << 20);
  CHECK_OK("keep the size", fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 20, 1 << 20));
  check_size("behind the end", fd, 1 << 20, 2 << 20);
  CHECK_OK("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1 << 20));
  check_size("with a hole", fd, 1 << 20, 1 << 20);
  CHECK_FAILS("zeros", fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096), EOPNOTSUPP);
  CHECK_FAILS("nothing", fallocate(fd, 0, 0, 0), EINVAL);
  CHECK_OK("F_SEAL_GROW", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
  CHECK_FAILS("beyond a seal", fallocate(fd, 0, 0, 2 << 20), EPERM);
  CHECK_OK("within it", fallocate(fd, 0, 0, 1 << 20));
  check_size("within the seal", fd, 1 << 20, 2 << 20);
}

static void copy(void) {
  int from = NEED(memfd_create("from", 0)), to = NEED(memfd_create("to", 0));
  NEED(pwrite(from, "abcdefgh", 8, 0));
  NEED(ftruncate(from, 100000));
  off64_t start = 4, end = 50000;
  CHECK_IS("copy_file_range", copy_file_range(from, &start, to, &end, 8192, 0), 8192);
  CHECK_IS("its source", start, 8196);
  CHECK_IS("its target", end, 58192);
  check_byte("copied", to, 50000, 'e');
  start = 0;
  CHECK_FAILS("onto itself", copy_file_range(to, NULL, to, &start, 10, 0), EINVAL);
  CHECK_IS("from its position", copy_file_range(from, NULL, to, NULL, 100, 0), 100);
  CHECK_IS("which moves", lseek(from, 0, SEEK_CUR), 100);
  CHECK_IS("here, too", lseek(to, 0, SEEK_CUR), 100);
  check_byte("copied", to, 1, 'b');

  start = 2;
  CHECK_IS("sendfile", sendfile(to, from, &start, 3), 3);
  CHECK_IS("its offset", start, 5);
  check_byte("sent", to, 101, 'd');
  CHECK_IS("from its position", sendfile(to, from, NULL, 50), 50);
  CHECK_IS("which moves", lseek(from, 0, SEEK_CUR), 150);
}

static void splice_pipe(void) {
  int to = NEED(memfd_create("to", 0)), ends[2];
  NEED(pipe(ends));
  NEED(write(ends[1], "0123456789", 10));
  off64_t place = 4096;
  CHECK_IS("splice", splice(ends[0], NULL, to, &place, 4, 0), 4);
  CHECK_IS("its offset", place, 4100);
  check_byte("spliced", to, 4099, '3');
  CHECK_IS("at its position", splice(ends[0], NULL, to, NULL, 100, 0), 6);
  CHECK_IS("which moves", lseek(to, 0, SEEK_CUR), 6);
  check_byte("spliced", to, 5, '9');
  CHECK_FAILS("an empty pipe", splice(ends[0], NULL, to, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
  NEED(close(ends[1]));
  CHECK_IS("its end", splice(ends[0], NULL, to, NULL, 1, 0), 0);
}

int main(void) {
  allocate();
  copy();
  splice_pipe();
  return check_status();
}
