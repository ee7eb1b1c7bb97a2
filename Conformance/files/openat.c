#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// openat(2) and its kin: paths relative to a directory's descriptor.
int main(void) {
  struct stat st, other;
  char text[64];
  NEED(mkdir("d", 0755));
  NEED(mkdir("e", 0755));
  int d = NEED(open("d", O_RDONLY | O_DIRECTORY));
  int e = NEED(open("e", O_PATH | O_DIRECTORY));
  int file;
  CHECK_OK("openat creates in d", file = openat(d, "f", O_RDWR | O_CREAT, 0644));
  CHECK_OK("it is there", stat("d/f", &st));
  CHECK_OK("openat in an O_PATH directory", close(openat(e, "g", O_RDWR | O_CREAT, 0644)));
  CHECK_OK("it is there too", stat("e/g", &st));
  CHECK_OK("AT_FDCWD", close(openat(AT_FDCWD, "d/f", O_RDONLY)));
  CHECK_FAILS("not in the working directory", openat(AT_FDCWD, "f", O_RDONLY), ENOENT);
  CHECK_FAILS("a file as directory", openat(file, "x", O_RDONLY), ENOTDIR);
  CHECK_FAILS("a bad descriptor", openat(99, "x", O_RDONLY), EBADF);
  CHECK_OK("an absolute path ignores it", close(openat(99, "/", O_RDONLY)));
  CHECK_FAILS("empty path", openat(d, "", O_RDONLY), ENOENT);
  CHECK_OK("..", close(openat(d, "../e/g", O_RDONLY)));

  CHECK_OK("mkdirat", mkdirat(d, "sub", 0700));
  CHECK_OK("renameat", renameat(d, "f", e, "h"));
  CHECK_FAILS("the old name is gone", fstatat(d, "f", &st, 0), ENOENT);
  CHECK_OK("fstatat of the new name", fstatat(e, "h", &st, 0));
  NEED(fstat(file, &other));
  CHECK("it is the same file", st.st_ino == other.st_ino && st.st_dev == other.st_dev);

  CHECK_OK("symlinkat", symlinkat("h", e, "link"));
  CHECK_IS("readlinkat", readlinkat(e, "link", text, sizeof text), 1);
  NEED(fstatat(e, "link", &st, 0));
  CHECK("fstatat follows", S_ISREG(st.st_mode));
  NEED(fstatat(e, "link", &st, AT_SYMLINK_NOFOLLOW));
  CHECK("AT_SYMLINK_NOFOLLOW does not", S_ISLNK(st.st_mode));
  CHECK_OK("linkat", linkat(e, "h", d, "hard", 0));
  NEED(fstat(file, &st));
  CHECK_IS("two names", st.st_nlink, 2);
  CHECK_OK("linkat of a symlink itself", linkat(e, "link", d, "link2", 0));
  NEED(fstatat(d, "link2", &st, AT_SYMLINK_NOFOLLOW));
  CHECK("it is a symlink", S_ISLNK(st.st_mode));
  CHECK_OK("AT_SYMLINK_FOLLOW", linkat(e, "link", d, "hard2", AT_SYMLINK_FOLLOW));
  NEED(fstatat(d, "hard2", &st, AT_SYMLINK_NOFOLLOW));
  CHECK("it is the file", S_ISREG(st.st_mode) && st.st_nlink == 3);

  CHECK_FAILS("fstatat of nothing", fstatat(file, "", &st, 0), ENOENT);
  CHECK_OK("AT_EMPTY_PATH", fstatat(file, "", &st, AT_EMPTY_PATH));
  CHECK("is the descriptor's file", S_ISREG(st.st_mode) && st.st_nlink == 3);
  CHECK_OK("AT_EMPTY_PATH of the working directory", fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
  CHECK("is a directory", S_ISDIR(st.st_mode));
  CHECK_FAILS("unknown flags", fstatat(d, "hard", &st, 0x40000000), EINVAL);

  CHECK_OK("fchmodat", fchmodat(e, "h", 0600, 0));
  NEED(fstat(file, &st));
  CHECK_IS("its mode", st.st_mode & 07777, 0600);
  CHECK_OK("mknodat of a fifo", mknodat(d, "fifo", S_IFIFO | 0600, 0));
  CHECK_FAILS("unlinkat of a directory", unlinkat(d, "sub", 0), EISDIR);
  CHECK_FAILS("AT_REMOVEDIR of a file", unlinkat(d, "hard", AT_REMOVEDIR), ENOTDIR);
  CHECK_OK("AT_REMOVEDIR", unlinkat(d, "sub", AT_REMOVEDIR));
  CHECK_FAILS("unlinkat with unknown flags", unlinkat(d, "hard", 1), EINVAL);
  CHECK_OK("unlinkat", unlinkat(d, "hard", 0));

  CHECK_OK("rename the directory away", rename("d", "moved"));
  CHECK_OK("its descriptor still works", fstatat(d, "fifo", &st, 0));
  CHECK_OK("and finds its new parent", fstatat(d, "../moved", &st, 0));
  unlinkat(d, "fifo", 0), unlinkat(d, "link2", 0), unlinkat(d, "hard2", 0);
  CHECK_OK("remove it", rmdir("moved"));
  CHECK_FAILS("create in a removed directory", openat(d, "x", O_CREAT | O_RDWR, 0600), ENOENT);
  return check_status();
}
