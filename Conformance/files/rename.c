#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// rename(2): what may replace what.

static struct stat st;

static int exists(const char *path) { return lstat(path, &st) == 0; }

static void make(const char *path) {
  int fd = NEED(creat(path, 0644));
  NEED(write(fd, path, strlen(path)));
  close(fd);
}

static long size_of(const char *path) {
  NEED(stat(path, &st));
  return st.st_size;
}

int main(void) {
  make("a");
  CHECK_OK("a file", rename("a", "b"));
  CHECK("moved", !exists("a") && exists("b"));
  make("longer");
  int replaced = NEED(open("b", O_RDONLY));
  CHECK_OK("over a file", rename("longer", "b"));
  CHECK_IS("replaces it", size_of("b"), 6);
  NEED(fstat(replaced, &st));
  CHECK("the open one lives on", st.st_nlink == 0 && st.st_size == 1);

  NEED(link("b", "same"));
  CHECK_OK("onto another name of the same file", rename("b", "same"));
  CHECK("does nothing", exists("b") && exists("same"));
  CHECK_OK("onto itself", rename("b", "b"));
  NEED(unlink("same"));

  NEED(mkdir("d", 0755));
  NEED(mkdir("e", 0755));
  NEED(mkdir("full", 0755));
  make("full/f");
  CHECK_FAILS("a file over a directory", rename("b", "d"), EISDIR);
  CHECK_FAILS("a directory over a file", rename("d", "b"), ENOTDIR);
  CHECK_OK("a directory over an empty one", rename("d", "e"));
  CHECK("replaces it", !exists("d") && exists("e"));
  CHECK_FAILS("a directory over a full one", rename("e", "full"), ENOTEMPTY);
  CHECK_OK("a full directory over an empty one", rename("full", "e"));
  CHECK("with what is in it", exists("e/f"));
  NEED(mkdir("e/sub", 0755));
  CHECK_FAILS("a directory below itself", rename("e", "e/sub/x"), EINVAL);
  CHECK_FAILS("a directory over its parent", rename("e/sub", "e"), ENOTEMPTY);
  CHECK_OK("out of its directory", rename("e/f", "f"));
  CHECK("moved", exists("f") && !exists("e/f"));

  NEED(stat(".", &st));
  long links = st.st_nlink;
  CHECK_OK("a directory to another parent", rename("e/sub", "sub"));
  NEED(stat(".", &st));
  CHECK_IS("counts one link more", st.st_nlink, links + 1);
  NEED(stat("e", &st));
  CHECK_IS("and one less", st.st_nlink, 2);
  struct stat parent;
  NEED(stat("sub/..", &parent));
  NEED(stat(".", &st));
  CHECK("its .. is the new parent", parent.st_ino == st.st_ino);

  CHECK_FAILS("a missing file", rename("m", "x"), ENOENT);
  CHECK_FAILS("to a missing directory", rename("b", "m/x"), ENOENT);
  CHECK_FAILS("to below a file", rename("b", "f/x"), ENOTDIR);
  CHECK_FAILS("the working directory", rename(".", "x"), EBUSY);
  CHECK_FAILS("the parent", rename("..", "x"), EBUSY);
  CHECK_FAILS("to .", rename("sub", "."), EBUSY);
  CHECK_FAILS("an empty path", rename("", "x"), ENOENT);
  CHECK_FAILS("a file to a name with a slash", rename("b", "x/"), ENOTDIR);
  CHECK_OK("a directory to a name with a slash", rename("sub", "x/"));
  NEED(symlink("b", "link"));
  CHECK_OK("a link", rename("link", "moved"));
  NEED(lstat("moved", &st));
  CHECK("is not followed", S_ISLNK(st.st_mode));
  make("last");
  CHECK_OK("over a link", rename("last", "moved"));
  NEED(lstat("moved", &st));
  CHECK("replaces the link", S_ISREG(st.st_mode));
  CHECK_IS("and not its target", size_of("b"), 6);
  CHECK_FAILS("across file systems", rename("b", "/dev/shm/paravane-rename"), EXDEV);
  return check_status();
}
