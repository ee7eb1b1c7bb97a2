#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <grp.h>

// chmod(2) and chown(2): who may, and which bits are lost.

static int mode_of(const char *path) {
  struct stat st;
  NEED(lstat(path, &st));
  return st.st_mode & 07777;
}

static int owned_by(const char *path, uid_t user, gid_t group) {
  struct stat st;
  NEED(lstat(path, &st));
  return st.st_uid == user && st.st_gid == group;
}

static void as_owner(void) {
  gid_t groups[] = {1000, 1001};
  NEED(setgroups(2, groups));
  NEED(setresgid(1000, 1000, 1000));
  NEED(setresuid(1000, 1000, 1000));
  CHECK_OK("the owner may chmod", chmod("owned", 0600));
  CHECK_FAILS("not another's file", chmod("f", 0600), EPERM);
  CHECK_OK("may give it to a group of his", chown("owned", -1, 1001));
  CHECK_FAILS("not to another group", chown("owned", -1, 2000), EPERM);
  CHECK_FAILS("not to another user", chown("owned", 2000, -1), EPERM);
  CHECK_OK("to himself is no change", chown("owned", 1000, -1));
  CHECK_FAILS("not another's file", chown("f", 1000, -1), EPERM);
  CHECK_OK("setgid in a group of his", chmod("owned", 02755));
  CHECK_IS("stays", mode_of("owned"), 02755);
  CHECK_OK("set-user-id", chmod("owned", 04755));
  CHECK_IS("is set", mode_of("owned"), 04755);
  int fd = NEED(open("owned", O_WRONLY));
  NEED(write(fd, "x", 1));
  CHECK_IS("writing clears it", mode_of("owned"), 0755);
  CHECK_OK("set-user-id on a file for his group", chmod("owned", 06755));
  CHECK_OK("chown clears it", chown("owned", -1, 1000));
  CHECK_IS("both bits", mode_of("owned"), 0755);
}

int main(void) {
  umask(0);
  int fd = NEED(creat("f", 0644));
  CHECK_OK("chmod", chmod("f", 0751));
  CHECK_IS("mode", mode_of("f"), 0751);
  CHECK_OK("fchmod", fchmod(fd, 07777));
  CHECK_IS("all bits", mode_of("f"), 07777);
  CHECK_OK("bits of the type are ignored", chmod("f", S_IFDIR | 0640));
  CHECK_IS("mode", mode_of("f"), 0640);
  CHECK_FAILS("a missing file", chmod("m", 0600), ENOENT);
  CHECK_FAILS("a closed descriptor", fchmod(99, 0600), EBADF);

  CHECK_OK("chown", chown("f", 1000, 1001));
  CHECK("owner and group", owned_by("f", 1000, 1001));
  CHECK_OK("-1 leaves the owner", chown("f", -1, 7));
  CHECK("only the group", owned_by("f", 1000, 7));
  CHECK_OK("fchown", fchown(fd, 8, -1));
  CHECK("only the owner", owned_by("f", 8, 7));
  NEED(symlink("f", "link"));
  CHECK_OK("lchown", lchown("link", 3, 4));
  CHECK("the link's owner", owned_by("link", 3, 4));
  CHECK("not the target's", owned_by("f", 8, 7));
  CHECK_OK("chown follows", chown("link", 5, 6));
  CHECK("the target's owner", owned_by("f", 5, 6));
  CHECK_OK("fchownat AT_EMPTY_PATH", fchownat(fd, "", 0, 0, AT_EMPTY_PATH));
  CHECK("by descriptor", owned_by("f", 0, 0));
  CHECK_FAILS("unknown flags", fchownat(AT_FDCWD, "f", 0, 0, 0x40), EINVAL);

  NEED(chmod("f", 06755));
  NEED(chown("f", 9, 9));
  CHECK_IS("chown by root clears set-user-id too", mode_of("f"), 0755);
  NEED(chown("f", 0, 0));
  NEED(mkdir("d", 0755));
  NEED(chmod("d", 02755));
  NEED(chown("d", 9, 9));
  CHECK_IS("but not setgid of a directory", mode_of("d"), 02755);
  NEED(mkdir("d/sub", 0755));
  CHECK_IS("which directories inherit", mode_of("d/sub"), 02755);
  CHECK("with the group", owned_by("d/sub", 0, 9));
  close(NEED(creat("d/file", 0644)));
  CHECK("files inherit the group", owned_by("d/file", 0, 9));
  CHECK_IS("not the bit", mode_of("d/file"), 0644);

  close(NEED(creat("owned", 0644)));
  NEED(chown("owned", 1000, 1000));
  IN_CHILD(as_owner());
  return check_status();
}
