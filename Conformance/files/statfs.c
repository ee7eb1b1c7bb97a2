#include "check.h"
#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

// statfs(2): the type of a file system, and figures that make sense.
int main(void) {
  struct statfs fs;
  struct statvfs vfs;
  CHECK_OK("statfs of /proc", statfs("/proc", &fs));
  CHECK_IS("PROC_SUPER_MAGIC", fs.f_type, 0x9fa0);
  CHECK_OK("statfs of /dev/shm", statfs("/dev/shm", &fs));
  CHECK_IS("TMPFS_MAGIC", fs.f_type, 0x01021994);
  CHECK_OK("statfs of .", statfs(".", &fs));
  CHECK("block size", fs.f_bsize >= 512 && fs.f_frsize >= 512);
  CHECK("blocks", fs.f_blocks > 0 && fs.f_bfree <= fs.f_blocks && fs.f_bavail <= fs.f_bfree);
  CHECK("longest name", fs.f_namelen == 255);
  int fd = NEED(open(".", O_RDONLY));
  struct statfs again;
  CHECK_OK("fstatfs", fstatfs(fd, &again));
  CHECK("the same type", again.f_type == fs.f_type && again.f_blocks == fs.f_blocks);
  int path = NEED(open(".", O_PATH));
  CHECK_OK("fstatfs of O_PATH", fstatfs(path, &again));
  CHECK_OK("statvfs", statvfs(".", &vfs));
  CHECK("agrees", vfs.f_blocks == fs.f_blocks && vfs.f_namemax == 255);
  int ends[2];
  NEED(pipe(ends));
  CHECK_OK("fstatfs of a pipe", fstatfs(ends[0], &fs));
  CHECK_IS("PIPEFS_MAGIC", fs.f_type, 0x50495045);
  CHECK_FAILS("a missing file", statfs("m", &fs), ENOENT);
  CHECK_FAILS("a closed descriptor", fstatfs(99, &fs), EBADF);
  CHECK_FAILS("a bad buffer", statfs(".", (void *)8), EFAULT);
  CHECK_IS("_PC_NAME_MAX", pathconf(".", _PC_NAME_MAX), 255);
  CHECK_IS("_PC_PIPE_BUF", fpathconf(ends[0], _PC_PIPE_BUF), 4096);
  return check_status();
}
