#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

// How much a pipe holds, F_SETPIPE_SZ, and when it counts as writable.

static char page[65536];

static long fill(int fd, size_t step) {
  long total = 0, count;
  while ((count = write(fd, page, step)) > 0) total += count;
  return total;
}

static int writable(int fd) {
  struct pollfd wait = {fd, POLLOUT, 0};
  return poll(&wait, 1, 0);
}

int main(void) {
  int ends[2];
  char text[8192];
  NEED(pipe2(ends, O_NONBLOCK));
  CHECK_IS("F_GETPIPE_SZ", fcntl(ends[0], F_GETPIPE_SZ), 65536);
  CHECK_IS("the same at the other end", fcntl(ends[1], F_GETPIPE_SZ), 65536);
  CHECK_IS("writable when empty", writable(ends[1]), 1);
  CHECK_IS("holds 64 KiB", fill(ends[1], 4096), 65536);
  CHECK_FAILS("not one byte more", write(ends[1], "x", 1), EAGAIN);
  CHECK_IS("not writable", writable(ends[1]), 0);
  int waiting;
  NEED(ioctl(ends[0], FIONREAD, &waiting));
  CHECK_IS("FIONREAD", waiting, 65536);
  CHECK_IS("read a page", read(ends[0], text, 4096), 4096);
  CHECK_IS("writable again", writable(ends[1]), 1);
  CHECK_IS("a page fits", write(ends[1], page, 4096), 4096);
  while (read(ends[0], text, sizeof text) > 0) {}
  CHECK_IS("a write larger than the rest is cut", write(ends[1], page, 60000), 60000);
  long rest = write(ends[1], page, 60000);
  CHECK("at the rest", rest > 0 && rest <= 5536);
  while (read(ends[0], text, sizeof text) > 0) {}

  CHECK_IS("F_SETPIPE_SZ", fcntl(ends[1], F_SETPIPE_SZ, 8192), 8192);
  CHECK_IS("holds 8 KiB", fill(ends[1], 4096), 8192);
  CHECK_FAILS("not smaller than its content", fcntl(ends[1], F_SETPIPE_SZ, 4096), EBUSY);
  CHECK_IS("larger", fcntl(ends[1], F_SETPIPE_SZ, 20000), 32768);
  CHECK_IS("the content stays", read(ends[0], text, sizeof text), 8192);
  CHECK_IS("at least a page", fcntl(ends[1], F_SETPIPE_SZ, 1), 4096);
  CHECK_IS("a million", fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
  CHECK_IS("holds a million", fill(ends[1], sizeof page), 1 << 20);
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  CHECK_FAILS("a file has no such size", fcntl(fd, F_GETPIPE_SZ), EBADF);
  return check_status();
}
