#include "check.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

// The flags of preadv2(2) and pwritev2(2).

static char text[64];
static struct iovec in = {text, sizeof text}, out = {"abcd", 4};

int main(void) {
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  CHECK_IS("RWF_DSYNC", pwritev2(fd, &out, 1, 0, RWF_DSYNC), 4);
  CHECK_IS("RWF_SYNC", pwritev2(fd, &out, 1, 4, RWF_SYNC), 4);
  CHECK_IS("RWF_HIPRI", preadv2(fd, &in, 1, 0, RWF_HIPRI), 8);
  CHECK_IS("the position stays", lseek(fd, 0, SEEK_CUR), 0);
  CHECK_IS("RWF_APPEND", pwritev2(fd, &out, 1, 0, RWF_APPEND), 4);
  CHECK_IS("at the end", preadv2(fd, &in, 1, 0, 0), 12);
  CHECK_IS("by the position", preadv2(fd, &in, 1, -1, 0), 12);
  CHECK_IS("which moves", lseek(fd, 0, SEEK_CUR), 12);
  CHECK_IS("write by it", pwritev2(fd, &out, 1, -1, RWF_DSYNC), 4);
  CHECK_IS("and again", lseek(fd, 0, SEEK_CUR), 16);
  CHECK_FAILS("unknown flags", preadv2(fd, &in, 1, 0, 0x8000), EOPNOTSUPP);
  CHECK_FAILS("unknown flags to write", pwritev2(fd, &out, 1, 0, 0x8000), EOPNOTSUPP);
  CHECK_FAILS("a position of -2", preadv2(fd, &in, 1, -2, 0), EINVAL);
  CHECK_FAILS("a closed descriptor", preadv2(99, &in, 1, 0, 0), EBADF);
  CHECK_FAILS("too many", preadv2(fd, &in, 1025, 0, 0), EINVAL);

  CHECK_IS("RWF_NOWAIT on a file", preadv2(fd, &in, 1, 0, RWF_NOWAIT), 16);
  CHECK_IS("at its end", preadv2(fd, &in, 1, 16, RWF_NOWAIT), 0);
  int append = NEED(open("f", O_WRONLY | O_APPEND));
  CHECK_IS("O_APPEND takes no position", pwritev2(append, &out, 1, 0, 0), 4);
  CHECK_IS("but the end", (NEED(pread(fd, text, 64, 0)), preadv2(fd, &in, 1, 0, 0)), 20);
  CHECK_IS("RWF_APPEND moves the offset", pwritev2(fd, &out, 1, -1, RWF_APPEND), 4);
  CHECK_IS("to the end", lseek(fd, 0, SEEK_CUR), 24);
  // RWF_NOAPPEND, which not every libc names.
  CHECK_IS("RWF_NOAPPEND", pwritev2(append, &(struct iovec){"WXYZ", 4}, 1, 0, 0x20), 4);
  CHECK_IS("takes it", (NEED(pread(fd, text, 4, 0)), memcmp(text, "WXYZ", 4)), 0);
  CHECK_FAILS("not with RWF_APPEND", pwritev2(append, &out, 1, 0, 0x20 | RWF_APPEND), EINVAL);

  int ends[2];
  NEED(pipe(ends));
  CHECK_FAILS("a position in a pipe", preadv2(ends[0], &in, 1, 0, 0), ESPIPE);
  CHECK_IS("a pipe", pwritev2(ends[1], &out, 1, -1, 0), 4);
  CHECK_IS("read it", preadv2(ends[0], &in, 1, -1, 0), 4);
  CHECK_FAILS("RWF_NOWAIT on an empty pipe", preadv2(ends[0], &in, 1, -1, RWF_NOWAIT), EAGAIN);
  NEED(write(ends[1], "x", 1));
  CHECK_IS("on a full one", preadv2(ends[0], &in, 1, -1, RWF_NOWAIT), 1);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  CHECK_FAILS("a position in a socket", preadv2(ends[0], &in, 1, 0, 0), ESPIPE);
  CHECK_FAILS("RWF_NOWAIT on an empty socket", preadv2(ends[0], &in, 1, -1, RWF_NOWAIT), EAGAIN);
  NEED(send(ends[1], "xy", 2, 0));
  CHECK_IS("on a full one", preadv2(ends[0], &in, 1, -1, RWF_NOWAIT), 2);
  CHECK_IS("RWF_HIPRI on a socket", pwritev2(ends[0], &out, 1, -1, RWF_HIPRI), 4);

  int null = NEED(open("/dev/null", O_RDWR)), zero = NEED(open("/dev/zero", O_RDWR));
  CHECK_IS("/dev/null", pwritev2(null, &out, 1, -1, RWF_DSYNC), 4);
  CHECK_IS("/dev/zero", preadv2(zero, &in, 1, 0, RWF_HIPRI), 64);
  int proc = NEED(open("/proc/self/status", O_RDONLY));
  CHECK("/proc", preadv2(proc, &in, 1, 0, RWF_HIPRI) > 0);
  return check_status();
}
