#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// mkdir(2) and rmdir(2).

static struct stat st;

static int links_of(const char *path) {
  NEED(stat(path, &st));
  return st.st_nlink;
}

int main(void) {
  umask(027);
  CHECK_OK("mkdir", mkdir("d", 0777));
  NEED(stat("d", &st));
  CHECK_IS("mode honours umask", st.st_mode, S_IFDIR | 0750);
  CHECK_IS("two links", links_of("d"), 2);
  CHECK_FAILS("again", mkdir("d", 0700), EEXIST);
  CHECK_OK("a trailing slash", mkdir("e/", 0700));
  CHECK_FAILS("in a missing directory", mkdir("m/d", 0700), ENOENT);
  CHECK_FAILS("an empty path", mkdir("", 0700), ENOENT);
  CHECK_FAILS(".", mkdir(".", 0700), EEXIST);
  CHECK_FAILS("d/.", mkdir("d/.", 0700), EEXIST);
  CHECK_FAILS("d/..", mkdir("d/..", 0700), EEXIST);
  CHECK_FAILS("the root", mkdir("/", 0700), EEXIST);
  CHECK_OK("a child", mkdir("d/a", 0700));
  CHECK_OK("another", mkdir("d/b", 0700));
  CHECK_IS("each child is a link", links_of("d"), 4);
  CHECK_OK("sticky and setgid", mkdir("special", 07777));
  NEED(stat("special", &st));
  CHECK_IS("only sticky is taken", st.st_mode & 07777, 01750);

  CHECK_FAILS("rmdir of a full one", rmdir("d"), ENOTEMPTY);
  CHECK_FAILS("rmdir of .", rmdir("."), EINVAL);
  CHECK_FAILS("rmdir of d/.", rmdir("d/."), EINVAL);
  CHECK_FAILS("rmdir of d/a/..", rmdir("d/a/.."), ENOTEMPTY);
  CHECK_FAILS("rmdir of nothing", rmdir("m"), ENOENT);
  CHECK_FAILS("rmdir of an empty path", rmdir(""), ENOENT);
  CHECK_FAILS("rmdir of the root", rmdir("/"), EBUSY);
  CHECK_OK("rmdir", rmdir("d/a"));
  CHECK_OK("rmdir with a slash", rmdir("d/b/"));
  CHECK_IS("two links again", links_of("d"), 2);

  int fd = NEED(open("d", O_RDONLY | O_DIRECTORY));
  CHECK_OK("rmdir of an open one", rmdir("d"));
  NEED(fstat(fd, &st));
  CHECK_IS("no links", st.st_nlink, 0);
  CHECK_FAILS("mkdirat in it", mkdirat(fd, "x", 0700), ENOENT);
  CHECK_FAILS("openat in it", openat(fd, "x", O_RDONLY), ENOENT);
  CHECK_OK("openat of .", close(openat(fd, ".", O_RDONLY)));

  char path[400] = "deep";
  NEED(mkdir(path, 0700));
  for (int i = 0; i < 50; i++) {
    strcat(path, "/level");
    NEED(mkdir(path, 0700));
  }
  CHECK_OK("50 levels", stat(path, &st));
  CHECK_OK("chdir to the deepest", chdir(path));
  char up[200] = "..";
  for (int i = 0; i < 50; i++) strcat(up, "/..");
  CHECK_OK("and up again", chdir(up));
  CHECK_OK("to where it began", stat("deep", &st));

  umask(0);
  CHECK_OK("mkfifo", mkfifo("fifo", 0644));
  CHECK_OK("mknod of a file", mknod("file", S_IFREG | 0644, 0));
  CHECK_OK("mknod without a type", mknod("plain", 0644, 0));
  NEED(stat("plain", &st));
  CHECK_IS("is a file", st.st_mode, S_IFREG | 0644);
  CHECK_OK("mknod of a socket", mknod("socket", S_IFSOCK | 0644, 0));
  CHECK_FAILS("mknod of a directory", mknod("x", S_IFDIR | 0755, 0), EPERM);
  CHECK_FAILS("mknod over a name", mknod("file", S_IFREG | 0644, 0), EEXIST);
  CHECK_FAILS("open of a socket", open("socket", O_RDONLY), ENXIO);
  return check_status();
}
