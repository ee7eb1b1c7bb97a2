// static
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// pread(2) and pwrite(2): an offset of their own.
int main(void) {
  char text[32] = {0};
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  CHECK_IS("pwrite", pwrite(fd, "abcdef", 6, 0), 6);
  CHECK_IS("moves nothing", lseek(fd, 0, SEEK_CUR), 0);
  CHECK_IS("pread", pread(fd, text, 3, 2), 3);
  CHECK_TEXT("the bytes", text, "cde");
  CHECK_IS("moves nothing either", lseek(fd, 0, SEEK_CUR), 0);
  CHECK_IS("a short pread", pread(fd, text, 32, 4), 2);
  CHECK_IS("at the end", pread(fd, text, 32, 6), 0);
  CHECK_IS("far beyond the end", pread(fd, text, 32, 1L << 40), 0);
  CHECK_FAILS("negative pread", pread(fd, text, 1, -1), EINVAL);
  CHECK_FAILS("negative pwrite", pwrite(fd, text, 1, -1), EINVAL);
  CHECK_IS("zero bytes", pread(fd, text, 0, 0), 0);
  CHECK_IS("zero bytes written", pwrite(fd, text, 0, 1000), 0);
  struct stat st;
  NEED(fstat(fd, &st));
  CHECK_IS("do not grow the file", st.st_size, 6);
  CHECK_IS("pwrite over the middle", pwrite(fd, "XY", 2, 1), 2);
  memset(text, 0, sizeof text);
  CHECK_IS("read it all", pread(fd, text, 32, 0), 6);
  CHECK_TEXT("the bytes now", text, "aXYdef");
  CHECK_IS("pwrite beyond the end", pwrite(fd, "z", 1, 9), 1);
  CHECK_IS("size", lseek(fd, 0, SEEK_END), 10);
  CHECK_IS("the gap", pread(fd, text, 10, 0), 10);
  CHECK("is zero", text[6] == 0 && text[8] == 0 && text[9] == 'z');

  int appending = NEED(open("f", O_WRONLY | O_APPEND));
  CHECK_IS("pwrite with O_APPEND", pwrite(appending, "!", 1, 0), 1);
  NEED(fstat(fd, &st));
  CHECK_IS("appends in spite of its offset", st.st_size, 11);

  int ends[2];
  NEED(pipe(ends));
  CHECK_FAILS("pread of a pipe", pread(ends[0], text, 1, 0), ESPIPE);
  CHECK_FAILS("pwrite to a pipe", pwrite(ends[1], text, 1, 0), ESPIPE);
  CHECK_FAILS("wrong way", pread(appending, text, 1, 0), EBADF);
  CHECK_FAILS("bad descriptor", pread(99, text, 1, 0), EBADF);
  CHECK_FAILS("bad buffer", pread(fd, (void *)8, 4, 0), EFAULT);
  CHECK_FAILS("bad buffer written", pwrite(fd, (void *)8, 4, 0), EFAULT);
  int directory = NEED(open(".", O_RDONLY));
  CHECK_FAILS("a directory", pread(directory, text, 1, 0), EISDIR);

  // Blocks that do not fit the page size, checked byte by byte.
  static unsigned char block[3000], back[3000];
  int good = 1;
  for (int i = 0; i < 40; i++) {
    memset(block, i + 1, sizeof block);
    good &= pwrite(fd, block, sizeof block, (39 - i) * 3000L) == sizeof block;
  }
  CHECK("40 blocks backwards", good);
  for (int i = 0; i < 40; i++) {
    good &= pread(fd, back, sizeof back, i * 3000L) == sizeof back;
    good &= back[0] == 40 - i && back[2999] == 40 - i;
  }
  CHECK("read forwards", good);
  return check_status();
}
