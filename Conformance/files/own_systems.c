#include "check.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/vfs.h>

// File systems that are not on a disk: their types, and the times of what is made in /dev.

static unsigned type(const char *path) {
  struct statfs fs;
  return statfs(path, &fs) < 0 ? 0 : fs.f_type;
}

int main(void) {
  struct statfs fs;
  struct stat st;
  char path[64];
  CHECK_IS("/proc", type("/proc/self/status"), 0x9fa0);
  CHECK_IS("/dev/pts", type("/dev/pts"), 0x1cd1);
  CHECK_IS("/dev", type("/dev/null"), 0x01021994);
  NEED(statfs("/dev", &fs));
  CHECK("blocks", fs.f_bsize == 4096 && fs.f_blocks > 0 && fs.f_bavail <= fs.f_bfree);
  CHECK("files", fs.f_files > 0 && fs.f_ffree < fs.f_files && fs.f_namelen == 255);
  NEED(statfs("/proc", &fs));
  CHECK("nothing in /proc", fs.f_blocks == 0 && fs.f_files == 0 && fs.f_namelen == 255);
  int ends[2];
  NEED(pipe(ends));
  NEED(fstatfs(ends[0], &fs));
  CHECK_IS("a pipe", fs.f_type, 0x50495045);
  NEED(fstatfs(NEED(memfd_create("m", 0)), &fs));
  CHECK_IS("memory", fs.f_type, 0x01021994);
  CHECK_FAILS("nothing", statfs("/proc/none", &fs), ENOENT);
  CHECK_FAILS("a bad address", statfs("/proc", (void *)8), EFAULT);

  snprintf(path, sizeof path, "/dev/paravane-%d", getpid());
  int fd = NEED(open(path, O_RDWR | O_CREAT | O_EXCL, 0644));
  struct timespec times[2] = {{1000, 0}, {2000, 0}};
  CHECK_OK("set times", utimensat(AT_FDCWD, path, times, 0));
  NEED(stat(path, &st));
  CHECK("both", st.st_atime == 1000 && st.st_mtime == 2000 && st.st_ctime > 2000);
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = 3000;
  CHECK_OK("one of them", futimens(fd, times));
  NEED(fstat(fd, &st));
  CHECK("the other stays", st.st_atime == 1000 && st.st_mtime == 3000);
  NEED(write(fd, "x", 1));
  NEED(fstat(fd, &st));
  CHECK("a write sets it", st.st_mtime > 3000 && st.st_atime == 1000);
  CHECK_OK("now", utimensat(AT_FDCWD, path, NULL, 0));
  NEED(fstat(fd, &st));
  CHECK("both are", st.st_atime > 3000 && st.st_mtime > 3000);
  NEED(chmod(path, 0444));
  IN_CHILD({
    NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("not by others", utimensat(AT_FDCWD, path, times, 0), EPERM);
    CHECK_FAILS("not even now", utimensat(AT_FDCWD, path, NULL, 0), EACCES);
  });
  IN_CHILD({
    NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("nor in /proc", utimensat(AT_FDCWD, "/proc/version", times, 0), EPERM);
  });
  int other = NEED(open(path, O_RDONLY));
  CHECK_OK("flock", flock(fd, LOCK_EX));
  CHECK_FAILS("only one", flock(other, LOCK_EX | LOCK_NB), EAGAIN);
  CHECK_OK("share it", flock(fd, LOCK_SH));
  CHECK_OK("with another", flock(other, LOCK_SH | LOCK_NB));
  CHECK_FAILS("not to oneself", flock(fd, LOCK_EX | LOCK_NB), EAGAIN);
  CHECK_FAILS("an unknown operation", flock(fd, 3), EINVAL);
  close(fd);
  CHECK_OK("closing lets go", flock(other, LOCK_EX | LOCK_NB));
  CHECK_OK("unlock", flock(other, LOCK_UN));
  CHECK_OK("unlink", unlink(path));
  return check_status();
}
