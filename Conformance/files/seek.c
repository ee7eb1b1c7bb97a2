#include "check.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

// lseek(2): every whence, holes, and who shares an offset.
int main(void) {
  char text[16];
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  NEED(write(fd, "0123456789", 10));
  CHECK_IS("after write", lseek(fd, 0, SEEK_CUR), 10);
  CHECK_IS("SEEK_SET", lseek(fd, 3, SEEK_SET), 3);
  CHECK_IS("read 2", read(fd, text, 2), 2);
  CHECK("from there", text[0] == '3' && text[1] == '4');
  CHECK_IS("SEEK_CUR forwards", lseek(fd, 2, SEEK_CUR), 7);
  CHECK_IS("SEEK_CUR backwards", lseek(fd, -7, SEEK_CUR), 0);
  CHECK_IS("SEEK_END", lseek(fd, -1, SEEK_END), 9);
  CHECK_IS("a short read", read(fd, text, 5), 1);
  CHECK_IS("end of file", read(fd, text, 5), 0);
  CHECK_FAILS("before the start", lseek(fd, -1, SEEK_SET), EINVAL);
  CHECK_FAILS("before the start from the end", lseek(fd, -11, SEEK_END), EINVAL);
  CHECK_IS("a failure moves nothing", lseek(fd, 0, SEEK_CUR), 10);
  CHECK_FAILS("unknown whence", lseek(fd, 0, 77), EINVAL);
  CHECK_FAILS("too far", lseek(fd, INT64_MAX, SEEK_SET), EINVAL);
  CHECK_FAILS("bad descriptor", lseek(99, 0, SEEK_SET), EBADF);

  CHECK_IS("beyond the end", lseek(fd, 100000, SEEK_SET), 100000);
  CHECK_IS("reads nothing", read(fd, text, 1), 0);
  struct stat st;
  NEED(fstat(fd, &st));
  CHECK_IS("does not grow the file", st.st_size, 10);
  CHECK_IS("write there", write(fd, "x", 1), 1);
  NEED(fstat(fd, &st));
  CHECK_IS("grows it", st.st_size, 100001);
  CHECK_IS("the gap", pread(fd, text, 4, 50000), 4);
  CHECK("is zeros", !text[0] && !text[1] && !text[2] && !text[3]);

  CHECK_IS("SEEK_DATA at data", lseek(fd, 0, SEEK_DATA), 0);
  CHECK_FAILS("SEEK_DATA beyond the end", lseek(fd, 200000, SEEK_DATA), ENXIO);
  CHECK_FAILS("SEEK_HOLE beyond the end", lseek(fd, 200000, SEEK_HOLE), ENXIO);
  off_t hole = lseek(fd, 0, SEEK_HOLE);
  CHECK("SEEK_HOLE finds the gap or the end", hole >= 10 && hole <= 100001);

  int copy = NEED(dup(fd));
  lseek(fd, 4, SEEK_SET);
  CHECK_IS("dup shares the offset", lseek(copy, 0, SEEK_CUR), 4);
  int own = NEED(open("f", O_RDONLY));
  CHECK_IS("another open does not", lseek(own, 0, SEEK_CUR), 0);
  IN_CHILD(CHECK_IS("the child sees it", lseek(fd, 0, SEEK_CUR), 4); lseek(fd, 6, SEEK_SET));
  CHECK_IS("fork shares it", lseek(fd, 0, SEEK_CUR), 6);

  int ends[2];
  NEED(pipe(ends));
  CHECK_FAILS("a pipe", lseek(ends[0], 0, SEEK_CUR), ESPIPE);
  CHECK_FAILS("a pipe with a bad whence", lseek(ends[0], 0, 77), EINVAL);
  int directory = NEED(open(".", O_RDONLY));
  CHECK_IS("a directory rewinds", lseek(directory, 0, SEEK_SET), 0);

  int big = NEED(open("big", O_RDWR | O_CREAT, 0600));
  CHECK_IS("beyond 4 GiB", lseek(big, 5L << 30, SEEK_SET), 5L << 30);
  CHECK_IS("write there", write(big, "far", 3), 3);
  NEED(fstat(big, &st));
  CHECK_IS("size", st.st_size, (5L << 30) + 3);
  CHECK("sparse", st.st_blocks < 1000);
  CHECK_IS("read there", pread(big, text, 8, (5L << 30) + 1), 2);
  CHECK("the bytes", text[0] == 'a' && text[1] == 'r');
  return check_status();
}
