#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

// Extended attributes of the user namespace, xattr(7).
int main(void) {
  char value[64] = "", list[256];
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  NEED(symlink("f", "link"));
  NEED(mkdir("d", 0700));
  CHECK_IS("none at first", listxattr("f", list, sizeof list), 0);
  CHECK_OK("set", setxattr("f", "user.one", "1234", 4, 0));
  CHECK_IS("get", getxattr("f", "user.one", value, sizeof value), 4);
  CHECK_TEXT("value", value, "1234");
  CHECK_IS("ask for the size", getxattr("f", "user.one", NULL, 0), 4);
  CHECK_FAILS("no room", getxattr("f", "user.one", value, 3), ERANGE);
  CHECK_FAILS("XATTR_CREATE over one", setxattr("f", "user.one", "x", 1, XATTR_CREATE), EEXIST);
  CHECK_FAILS("XATTR_REPLACE of none", setxattr("f", "user.two", "x", 1, XATTR_REPLACE), ENODATA);
  CHECK_OK("XATTR_REPLACE", setxattr("f", "user.one", "xy", 2, XATTR_REPLACE));
  CHECK_IS("shorter", fgetxattr(fd, "user.one", value, sizeof value), 2);
  CHECK_OK("an empty value", fsetxattr(fd, "user.two", "", 0, XATTR_CREATE));
  CHECK_IS("has size 0", fgetxattr(fd, "user.two", value, sizeof value), 0);
  CHECK_IS("list", flistxattr(fd, list, sizeof list), 18);
  CHECK("both names", memmem(list, 18, "user.one", 9) && memmem(list, 18, "user.two", 9));
  CHECK_IS("ask for the list's size", listxattr("f", NULL, 0), 18);
  CHECK_FAILS("no room for the list", listxattr("f", list, 10), ERANGE);
  CHECK_OK("remove", removexattr("f", "user.two"));
  CHECK_FAILS("remove again", fremovexattr(fd, "user.two"), ENODATA);
  CHECK_FAILS("get none", getxattr("f", "user.two", value, 8), ENODATA);

  CHECK_IS("through a link", getxattr("link", "user.one", value, sizeof value), 2);
  CHECK_FAILS("a link has none", lgetxattr("link", "user.one", value, 8), ENODATA);
  CHECK_FAILS("a link can't have one", lsetxattr("link", "user.x", "1", 1, 0), EPERM);
  CHECK_OK("a directory can", setxattr("d", "user.dir", "1", 1, 0));
  CHECK_IS("get it", getxattr("d", "user.dir", value, 8), 1);
  CHECK_FAILS("an unknown namespace", setxattr("f", "nope.x", "1", 1, 0), EOPNOTSUPP);
  CHECK_FAILS("no name", setxattr("f", "", "1", 1, 0), ERANGE);
  char name[300] = "user.";
  memset(name + 5, 'n', 290);
  CHECK_FAILS("a name of 295 bytes", setxattr("f", name, "1", 1, 0), ERANGE);
  CHECK_FAILS("unknown flags", setxattr("f", "user.x", "1", 1, 8), EINVAL);
  CHECK_FAILS("a missing file", getxattr("m", "user.x", value, 8), ENOENT);
  CHECK_FAILS("a closed descriptor", fgetxattr(99, "user.x", value, 8), EBADF);
  CHECK_FAILS("too large", setxattr("f", "user.x", name, 70000, 0), E2BIG);
  CHECK_FAILS("a bad value", setxattr("f", "user.x", (void *)8, 4, 0), EFAULT);
  NEED(chmod("f", 0444));
  IN_CHILD({
    NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("write needs permission", setxattr("f", "user.x", "1", 1, 0), EACCES);
    CHECK_IS("read has it", getxattr("f", "user.one", value, 8), 2);
  });
  NEED(rename("f", "g"));
  CHECK_IS("it moves with the file", getxattr("g", "user.one", value, 8), 2);
  return check_status();
}
