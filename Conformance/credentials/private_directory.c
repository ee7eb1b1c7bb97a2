/* Calls with two paths, by a user in a directory that is nobody else's, and not root's. */
#include "../check.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

enum { OWNER = 1234 };

static void make(const char *path) { close(NEED(open(path, O_CREAT | O_WRONLY, 0600))); }
static int exists(const char *path) {
  return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int main(void) {
  NEED(mkdir("private", 0700));
  NEED(chown("private", OWNER, OWNER));
  NEED(chmod(".", 0755));
  NEED(setgroups(0, NULL));
  NEED(setresgid(OWNER, OWNER, OWNER));
  NEED(setresuid(OWNER, OWNER, OWNER));
  NEED(chdir("private"));
  NEED(mkdir("one", 0700));
  NEED(mkdir("two", 0700));
  make("one/a");
  make("top");

  CHECK_IS("rename in a directory", rename("one/a", "one/b"), 0);
  CHECK_IS("rename to another directory", rename("one/b", "two/c"), 0);
  CHECK_IS("rename to below", rename("top", "one/top"), 0);
  CHECK("the files have moved", !exists("one/a") && exists("two/c") && exists("one/top"));
  CHECK_FAILS("rename of nothing", rename("one/missing", "two/d"), ENOENT);
  CHECK_FAILS("rename to nowhere", rename("two/c", "missing/d"), ENOENT);
  CHECK_IS("link", link("two/c", "one/linked"), 0);
  CHECK_FAILS("link of nothing", link("two/missing", "one/other"), ENOENT);
  CHECK_IS("symlink", symlink("two/c", "one/symbolic"), 0);
  CHECK_IS("rename of a link", rename("one/symbolic", "two/symbolic"), 0);
  CHECK_IS("rename over a file", rename("two/symbolic", "one/linked"), 0);
  CHECK_IS("rename of a directory", rename("one", "two/one"), 0);
  int one = NEED(open("two/one", O_RDONLY | O_DIRECTORY));
  int two = NEED(open("two", O_RDONLY | O_DIRECTORY));
  CHECK_IS("renameat", renameat(one, "top", two, "from-one"), 0);
  CHECK_IS("linkat", linkat(two, "c", one, "again", 0), 0);
  char target[64];
  CHECK_IS("readlink", readlink("two/one/linked", target, sizeof target), 5);
  CHECK("all is where it should be",
        exists("two/c") && exists("two/from-one") && exists("two/one/again") && !exists("one"));
  return check_status();
}
