#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// access(2) asks for the real user, AT_EACCESS for the effective one.

static int faccessat2(int fd, const char *path, int mode, int flags) {
  return syscall(SYS_faccessat2, fd, path, mode, flags);
}

static void as_root(void) {
  CHECK_OK("root may read anything", access("none", R_OK));
  CHECK_OK("and write", access("none", W_OK));
  CHECK_FAILS("but not execute without a bit", access("none", X_OK), EACCES);
  CHECK_OK("execute with a bit", access("run", X_OK));
  CHECK_OK("search a directory", access("closed", X_OK));
}

static void as_nobody(void) {
  NEED(setresgid(65534, 65534, 65534));
  NEED(setresuid(65534, 65534, 65534));
  CHECK_OK("others may read", access("all", R_OK));
  CHECK_FAILS("not write", access("all", W_OK), EACCES);
  CHECK_FAILS("not both", access("all", R_OK | W_OK), EACCES);
  CHECK_FAILS("nothing at all", access("none", R_OK), EACCES);
  CHECK_OK("it exists", access("none", F_OK));
  CHECK_OK("execute", access("run", R_OK | X_OK));
  CHECK_FAILS("a closed directory", access("closed", R_OK), EACCES);
  CHECK_FAILS("what is in it", access("closed/f", F_OK), EACCES);
  CHECK_FAILS("what is not", access("closed/m", F_OK), EACCES);
}

int main(void) {
  umask(0);
  close(NEED(creat("all", 0644)));
  close(NEED(creat("none", 0)));
  close(NEED(creat("run", 0755)));
  NEED(mkdir("closed", 0700));
  close(NEED(creat("closed/f", 0644)));
  NEED(symlink("nowhere", "dangling"));
  CHECK_OK("F_OK", access("all", F_OK));
  CHECK_FAILS("a missing file", access("m", F_OK), ENOENT);
  CHECK_FAILS("below a file", access("all/x", F_OK), ENOTDIR);
  CHECK_FAILS("a dangling link", access("dangling", F_OK), ENOENT);
  CHECK_FAILS("an unknown mode", access("all", 8), EINVAL);
  CHECK_FAILS("a negative mode", access("all", -1), EINVAL);
  CHECK_FAILS("a bad path", access((void *)8, F_OK), EFAULT);
  as_root();
  IN_CHILD(as_nobody());

  IN_CHILD({
    NEED(setresuid(65534, 0, 0));
    CHECK_FAILS("the real user counts", access("none", R_OK), EACCES);
    CHECK_FAILS("faccessat2 without flags", faccessat2(AT_FDCWD, "none", R_OK, 0), EACCES);
    CHECK_OK("AT_EACCESS asks for the effective one",
      faccessat2(AT_FDCWD, "none", R_OK, AT_EACCESS));
  });
  IN_CHILD({
    NEED(setresuid(0, 65534, 0));
    CHECK_OK("the real user is root", access("none", R_OK));
    CHECK_FAILS("the effective one is not", faccessat2(AT_FDCWD, "none", R_OK, AT_EACCESS), EACCES);
    CHECK_FAILS("nor may it open", open("none", O_RDONLY), EACCES);
  });

  int fd = NEED(open("closed", O_RDONLY));
  CHECK_OK("faccessat", faccessat(fd, "f", R_OK, 0));
  CHECK_OK("AT_EMPTY_PATH", faccessat2(fd, "", R_OK, AT_EMPTY_PATH));
  CHECK_OK("AT_SYMLINK_NOFOLLOW",
    faccessat2(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
  CHECK_FAILS("unknown flags", faccessat2(AT_FDCWD, "all", F_OK, 0x8000), EINVAL);
  CHECK_FAILS("a bad directory", faccessat(99, "f", F_OK, 0), EBADF);
  return check_status();
}
