#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

// readv(2) and its kin: many buffers, one call.
int main(void) {
  char one[4] = "one", two[4] = "two", none[1];
  struct iovec out[] = {{one, 3}, {none, 0}, {two, 3}};
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  CHECK_IS("writev", writev(fd, out, 3), 6);
  CHECK_IS("moved", lseek(fd, 0, SEEK_CUR), 6);
  char a[3] = "", b[9] = "";
  struct iovec in[] = {{a, 2}, {b, 8}};
  CHECK_IS("preadv", preadv(fd, in, 2, 0), 6);
  CHECK_TEXT("first buffer", a, "on");
  CHECK_TEXT("second buffer", b, "etwo");
  CHECK_IS("not moved", lseek(fd, 0, SEEK_CUR), 6);
  lseek(fd, 1, SEEK_SET);
  CHECK_IS("readv", readv(fd, in, 2), 5);
  CHECK_TEXT("from the offset", a, "ne");
  CHECK_IS("readv at the end", readv(fd, in, 2), 0);
  CHECK_IS("pwritev", pwritev(fd, out, 3, 3), 6);
  CHECK_IS("size", lseek(fd, 0, SEEK_END), 9);

  CHECK_IS("no buffers", readv(fd, in, 0), 0);
  CHECK_FAILS("a negative count", readv(fd, in, -1), EINVAL);
  static struct iovec many[IOV_MAX + 1];
  for (int i = 0; i <= IOV_MAX; i++) many[i] = (struct iovec){none, 0};
  CHECK_IS("IOV_MAX buffers", writev(fd, many, IOV_MAX), 0);
  CHECK_FAILS("one more", writev(fd, many, IOV_MAX + 1), EINVAL);
  struct iovec huge[] = {{one, SIZE_MAX / 2 + 1}, {two, 3}};
  CHECK_FAILS("a negative size", readv(fd, huge, 2), EINVAL);
  CHECK_FAILS("a bad vector", readv(fd, (void *)8, 1), EFAULT);
  lseek(fd, 0, SEEK_SET);
  struct iovec bad_first[] = {{(void *)8, 3}, {one, 3}};
  CHECK_FAILS("a bad first buffer", readv(fd, bad_first, 2), EFAULT);
  CHECK_FAILS("bad descriptor", readv(99, in, 1), EBADF);
  CHECK_FAILS("preadv at a negative offset", preadv(fd, in, 1, -1), EINVAL);
  int ends[2];
  NEED(pipe(ends));
  CHECK_FAILS("preadv of a pipe", preadv(ends[0], in, 1, 0), ESPIPE);
  CHECK_IS("writev to a pipe", writev(ends[1], out, 3), 6);
  CHECK_IS("readv of a pipe", readv(ends[0], in, 2), 6);
  CHECK_TEXT("the bytes", b, "etwo");
  CHECK_FAILS("the first bad buffer of a pipe", writev(ends[1], bad_first, 2), EFAULT);

  CHECK_IS("pwritev2", pwritev2(fd, out, 1, 20, 0), 3);
  CHECK_IS("preadv2", preadv2(fd, in, 1, 20, 0), 2);
  CHECK_TEXT("its bytes", a, "on");
  lseek(fd, 21, SEEK_SET);
  CHECK_IS("preadv2 at -1 uses the offset", preadv2(fd, in, 1, -1, 0), 2);
  CHECK_TEXT("from there", a, "ne");
  CHECK_IS("and moves it", lseek(fd, 0, SEEK_CUR), 23);
  CHECK_IS("RWF_APPEND", pwritev2(fd, out, 1, 0, RWF_APPEND), 3);
  CHECK_IS("appends", lseek(fd, 0, SEEK_END), 26);
  CHECK_FAILS("unknown flags", preadv2(fd, in, 1, 0, 0x10000000), EOPNOTSUPP);

  // A vector over several pages, in pieces of odd sizes.
  static char source[20000], target[20000];
  struct iovec pieces[200], holes[100];
  for (int i = 0; i < 20000; i++) source[i] = i % 251;
  for (int i = 0; i < 200; i++) pieces[i] = (struct iovec){source + i * 100, 100};
  for (int i = 0; i < 100; i++) holes[i] = (struct iovec){target + i * 200, 200};
  CHECK_IS("200 pieces", pwritev(fd, pieces, 200, 7), 20000);
  CHECK_IS("100 pieces back", preadv(fd, holes, 100, 7), 20000);
  CHECK("are the same", memcmp(source, target, sizeof source) == 0);
  return check_status();
}
