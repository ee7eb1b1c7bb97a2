#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// renameat2(2): RENAME_NOREPLACE and RENAME_EXCHANGE.

static struct stat st;

static void make(const char *path) {
  int fd = NEED(creat(path, 0644));
  NEED(write(fd, path, strlen(path)));
  close(fd);
}

static long size_of(const char *path) {
  NEED(lstat(path, &st));
  return st.st_size;
}

static int swap(const char *one, const char *other, unsigned flags) {
  return renameat2(AT_FDCWD, one, AT_FDCWD, other, flags);
}

int main(void) {
  make("a");
  make("bb");
  CHECK_FAILS("NOREPLACE over a file", swap("a", "bb", RENAME_NOREPLACE), EEXIST);
  CHECK_OK("NOREPLACE", swap("a", "c", RENAME_NOREPLACE));
  CHECK_FAILS("the old name is gone", lstat("a", &st), ENOENT);
  CHECK_FAILS("NOREPLACE onto itself", swap("c", "c", RENAME_NOREPLACE), EEXIST);
  CHECK_OK("EXCHANGE", swap("c", "bb", RENAME_EXCHANGE));
  CHECK_IS("one size", size_of("c"), 2);
  CHECK_IS("the other", size_of("bb"), 1);
  CHECK_FAILS("EXCHANGE with nothing", swap("c", "m", RENAME_EXCHANGE), ENOENT);
  CHECK_FAILS("EXCHANGE of nothing", swap("m", "c", RENAME_EXCHANGE), ENOENT);
  NEED(mkdir("d", 0755));
  make("d/inside");
  CHECK_OK("EXCHANGE of a file and a full directory", swap("c", "d", RENAME_EXCHANGE));
  CHECK_OK("the directory moved", lstat("c/inside", &st));
  CHECK_IS("the file too", size_of("d"), 2);
  CHECK_FAILS("EXCHANGE with its own child", swap("c", "c/inside", RENAME_EXCHANGE), EINVAL);
  CHECK_FAILS("both flags", swap("c", "d", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
  CHECK_FAILS("unknown flags", swap("c", "d", 0x100), EINVAL);
  CHECK_OK("no flags", swap("d", "bb", 0));
  CHECK_IS("replaces", size_of("bb"), 2);
  NEED(symlink("bb", "link"));
  CHECK_OK("EXCHANGE with a link", swap("bb", "link", RENAME_EXCHANGE));
  NEED(lstat("bb", &st));
  CHECK("does not follow", S_ISLNK(st.st_mode));
  NEED(lstat("link", &st));
  CHECK("either way", S_ISREG(st.st_mode));
  int fd = NEED(open("c", O_RDONLY));
  CHECK_OK("with directory descriptors",
    renameat2(fd, "inside", fd, "renamed", RENAME_NOREPLACE));
  CHECK_OK("moved", lstat("c/renamed", &st));
  CHECK_FAILS("a bad directory", renameat2(99, "a", fd, "b", 0), EBADF);

  // An overlay takes no whiteouts of others; elsewhere one is the device 0:0, which is none.
  make("w");
  errno = 0;
  if (swap("w", "moved", RENAME_WHITEOUT) == -1 && errno == EINVAL) return check_status();
  CHECK_OK("WHITEOUT", lstat("moved", &st));
  CHECK_OK("leaves something", lstat("w", &st));
  CHECK("a device", S_ISCHR(st.st_mode));
  CHECK_IS("of number 0", st.st_rdev, 0);
  CHECK("that can't be opened", open("w", O_RDONLY) == -1);
  CHECK_FAILS("with EXCHANGE", swap("moved", "link", RENAME_EXCHANGE | RENAME_WHITEOUT), EINVAL);
  CHECK_FAILS("NOREPLACE", swap("moved", "w", RENAME_NOREPLACE | RENAME_WHITEOUT), EEXIST);
  CHECK_OK("over one", swap("moved", "w", RENAME_WHITEOUT));
  CHECK_IS("the file is back", size_of("w"), 1);
  CHECK_OK("the whiteout is where it was", lstat("moved", &st));
  CHECK_OK("unlink it", unlink("moved"));
  return check_status();
}
