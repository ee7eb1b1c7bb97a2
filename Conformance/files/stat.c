// static
#include "check.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

// stat(2), fstat(2), lstat(2) and statx(2) of every type of file.
int main(void) {
  struct stat st, again;
  umask(0);
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0640));
  NEED(write(fd, "hello", 5));
  CHECK_OK("stat", stat("f", &st));
  CHECK_IS("mode", st.st_mode, S_IFREG | 0640);
  CHECK_IS("size", st.st_size, 5);
  CHECK_IS("links", st.st_nlink, 1);
  CHECK_IS("owner", st.st_uid, geteuid());
  CHECK_IS("group", st.st_gid, getegid());
  CHECK("block size", st.st_blksize >= 512);
  CHECK("device and inode", st.st_dev != 0 && st.st_ino != 0);
  CHECK_OK("fstat", fstat(fd, &again));
  CHECK("is the same", st.st_ino == again.st_ino && st.st_dev == again.st_dev);
  CHECK("times", st.st_mtime > 1000000000 && st.st_ctime > 1000000000);
  static char block[8192];
  NEED(write(fd, block, sizeof block));
  NEED(fsync(fd));
  NEED(fstat(fd, &st));
  CHECK("blocks of 512 bytes", st.st_blocks >= 16);

  NEED(symlink("f", "link"));
  CHECK_OK("stat of a link", stat("link", &again));
  CHECK("is the target's", again.st_ino == st.st_ino);
  CHECK_OK("lstat of a link", lstat("link", &again));
  CHECK_IS("mode of a link", again.st_mode, S_IFLNK | 0777);
  CHECK_IS("size of a link", again.st_size, 1);

  NEED(mkdir("d", 0751));
  NEED(stat("d", &again));
  CHECK_IS("mode of a directory", again.st_mode, S_IFDIR | 0751);
  NEED(mkfifo("fifo", 0604));
  NEED(stat("fifo", &again));
  CHECK_IS("mode of a fifo", again.st_mode, S_IFIFO | 0604);
  NEED(stat("/dev/null", &again));
  CHECK_IS("type of /dev/null", again.st_mode & S_IFMT, S_IFCHR);
  CHECK("its device", again.st_rdev == makedev(1, 3));
  int ends[2];
  NEED(pipe(ends));
  NEED(fstat(ends[0], &again));
  CHECK_IS("a pipe", again.st_mode, S_IFIFO | 0600);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  NEED(fstat(ends[0], &again));
  CHECK_IS("a socket", again.st_mode & S_IFMT, S_IFSOCK);
  CHECK_FAILS("fstat of a closed descriptor", fstat(99, &st), EBADF);
  CHECK_FAILS("stat of nothing", stat("m", &st), ENOENT);
  CHECK_FAILS("into a bad buffer", stat("f", (void *)8), EFAULT);
  CHECK_FAILS("of a bad path", stat((void *)8, &st), EFAULT);

  struct statx sx;
  NEED(stat("f", &st));
  CHECK_OK("statx", statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
  CHECK_IS("fills the basic fields", sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
  CHECK("they agree", sx.stx_ino == st.st_ino && sx.stx_size == st.st_size
    && sx.stx_mode == st.st_mode && sx.stx_nlink == st.st_nlink
    && sx.stx_uid == st.st_uid && sx.stx_mtime.tv_sec == st.st_mtime
    && makedev(sx.stx_dev_major, sx.stx_dev_minor) == st.st_dev);
  CHECK_OK("statx of a descriptor", statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx));
  CHECK_IS("its size", sx.stx_size, 8197);
  CHECK_OK("AT_SYMLINK_NOFOLLOW", statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx));
  CHECK_IS("is a link", sx.stx_mode & S_IFMT, S_IFLNK);
  CHECK_FAILS("unknown flags", statx(AT_FDCWD, "f", 0x40000000, STATX_TYPE, &sx), EINVAL);
  CHECK_FAILS("a reserved mask", statx(AT_FDCWD, "f", 0, 0x80000000, &sx), EINVAL);
  CHECK_FAILS("a missing file", statx(AT_FDCWD, "m", 0, STATX_TYPE, &sx), ENOENT);
  return check_status();
}
