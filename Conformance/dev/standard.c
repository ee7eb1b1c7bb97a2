#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

// The links of /dev, /dev/tty without a terminal, and /dev/shm.

static const char *link_of(const char *path) {
  static char text[256];
  long length = readlink(path, text, sizeof text - 1);
  if (length < 0) return strerrorname_np(errno);
  text[length] = 0;
  return text;
}

int main(void) {
  struct stat st, other;
  char text[16];
  CHECK_TEXT("/dev/fd", link_of("/dev/fd"), "/proc/self/fd");
  CHECK_TEXT("/dev/stdin", link_of("/dev/stdin"), "/proc/self/fd/0");
  CHECK_TEXT("/dev/stdout", link_of("/dev/stdout"), "/proc/self/fd/1");
  CHECK_TEXT("/dev/stderr", link_of("/dev/stderr"), "/proc/self/fd/2");
  int ends[2];
  NEED(pipe(ends));
  NEED(dup2(ends[0], 0));
  int fd;
  CHECK_OK("open /dev/stdin", fd = open("/dev/stdin", O_RDONLY));
  NEED(write(ends[1], "in", 2));
  CHECK_IS("is the pipe", read(fd, text, 16), 2);
  snprintf(text, sizeof text, "/dev/fd/%d", ends[1]);
  CHECK_OK("open /dev/fd/N", fd = open(text, O_WRONLY));
  NEED(write(fd, "out", 3));
  CHECK_IS("is the pipe", read(0, text, 16), 3);

  NEED(stat("/dev/tty", &st));
  CHECK("/dev/tty", S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 0));
  IN_CHILD(NEED(setsid());
    CHECK_FAILS("without a terminal", open("/dev/tty", O_RDWR), ENXIO));

  NEED(stat("/dev/shm", &st));
  CHECK_IS("/dev/shm", st.st_mode, S_IFDIR | 01777);
  NEED(stat("/dev", &other));
  CHECK("is a file system of its own", st.st_dev != other.st_dev);
  NEED(stat("/dev/pts", &st));
  CHECK("/dev/pts too", S_ISDIR(st.st_mode) && st.st_dev != other.st_dev);
  NEED(stat("/dev/ptmx", &st));
  CHECK("/dev/ptmx", S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 2));
  NEED(stat("/tmp", &st));
  CHECK_IS("/tmp", st.st_mode, S_IFDIR | 01777);
  CHECK_FAILS("a missing device", open("/dev/no-such-device", O_RDWR), ENOENT);
  return check_status();
}
