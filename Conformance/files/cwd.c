#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// getcwd(2), chdir(2) and fchdir(2), also after renames and removals.

static char top[PATH_MAX];

// The working directory below the one where the test began.
static const char *here(void) {
  static char path[PATH_MAX];
  if (!getcwd(path, sizeof path)) return strerrorname_np(errno);
  return strncmp(path, top, strlen(top)) ? path : path + strlen(top);
}

int main(void) {
  struct stat st;
  char small[4];
  NEED(getcwd(top, sizeof top) ? 0 : -1);
  long length = syscall(SYS_getcwd, top, sizeof top);
  CHECK_IS("the call counts the terminator", length, strlen(top) + 1);
  CHECK_FAILS("too small", syscall(SYS_getcwd, small, 4), ERANGE);
  CHECK_FAILS("size 0", syscall(SYS_getcwd, small, 0), ERANGE);
  CHECK_FAILS("a bad buffer", syscall(SYS_getcwd, 8, 4096), EFAULT);

  NEED(mkdir("a", 0755));
  NEED(mkdir("a/b", 0755));
  NEED(symlink("a/b", "link"));
  CHECK_OK("chdir", chdir("a/b"));
  CHECK_TEXT("path", here(), "/a/b");
  CHECK_OK("..", chdir(".."));
  CHECK_TEXT("path", here(), "/a");
  CHECK_OK("through a link", chdir("../link"));
  CHECK_TEXT("the link is resolved", here(), "/a/b");
  CHECK_FAILS("nothing", chdir("m"), ENOENT);
  CHECK_TEXT("nothing changed", here(), "/a/b");

  int fd = NEED(open("..", O_RDONLY | O_DIRECTORY));
  CHECK_OK("fchdir", fchdir(fd));
  CHECK_TEXT("path", here(), "/a");
  CHECK_FAILS("fchdir of a closed descriptor", fchdir(99), EBADF);
  int file = NEED(open("f", O_RDWR | O_CREAT, 0600));
  CHECK_FAILS("fchdir of a file", fchdir(file), ENOTDIR);
  NEED(unlink("f"));

  CHECK_OK("rename the parent", rename("../a", "../renamed"));
  CHECK_TEXT("path", here(), "/renamed");
  NEED(chdir("b"));
  CHECK_OK("move the directory", rename("../b", "../../moved"));
  CHECK_TEXT("path", here(), "/moved");
  CHECK_OK(".. is the new parent", stat("../renamed", &st));

  IN_CHILD(CHECK_TEXT("a child inherits it", here(), "/moved"); NEED(chdir("/"));
    CHECK_TEXT("and changes its own", here(), "/"));
  CHECK_TEXT("not the parent's", here(), "/moved");

  CHECK_OK("remove it", rmdir("../moved"));
  CHECK_TEXT("no path", here(), "ENOENT");
  CHECK_OK("stat of .", stat(".", &st));
  CHECK_IS("no links", st.st_nlink, 0);
  CHECK_FAILS("create in it", open("x", O_RDWR | O_CREAT, 0600), ENOENT);
  CHECK_FAILS("look in it", stat("x", &st), ENOENT);
  CHECK_OK("chdir to .", chdir("."));
  CHECK_OK("chdir to ..", chdir(".."));
  CHECK_TEXT("is where it was", here(), "");
  CHECK_OK("the other descriptor", fchdir(fd));
  CHECK_TEXT("path", here(), "/renamed");
  CHECK_OK("a path with dots", chdir("./.././/renamed/../renamed/."));
  CHECK_TEXT("path", here(), "/renamed");
  return check_status();
}
