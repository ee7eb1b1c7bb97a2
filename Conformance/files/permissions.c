#include "check.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

// Permission bits for the owner, the group, others and root.

static const char *can(const char *path) {
  static char text[4];
  int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
  for (int i = 0; i < 3; i++) {
    int fd = open(path, modes[i]);
    text[i] = fd >= 0 ? "rwb"[i] : errno == EACCES ? '-' : '?';
    close(fd);
  }
  return text;
}

static void become(uid_t user, gid_t group, gid_t other) {
  NEED(setgroups(1, &other));
  NEED(setresgid(group, group, group));
  NEED(setresuid(user, user, user));
}

static void all_modes(const char *who) {
  static const char *names[] = {"0600", "0060", "0006", "0444", "0222", "0066", "0640", "0000"};
  for (int i = 0; i < 8; i++) say("%s %s: %s", who, names[i], can(names[i]));
}

static void as_other(void) {
  struct stat st;
  become(2000, 2000, 2000);
  CHECK_FAILS("create in a closed directory", creat("closed/x", 0600), EACCES);
  CHECK_FAILS("stat in it", stat("closed/f", &st), EACCES);
  CHECK_FAILS("list it", open("closed", O_RDONLY), EACCES);
  CHECK_FAILS("enter it", chdir("closed"), EACCES);
  CHECK_OK("enter one with x only", stat("search/f", &st));
  CHECK_FAILS("but not list it", open("search", O_RDONLY), EACCES);
  CHECK_OK("list one with r only", close(open("list", O_RDONLY)));
  CHECK_FAILS("but not look inside", stat("list/f", &st), EACCES);
  CHECK_FAILS("nor for a missing file", stat("list/m", &st), EACCES);
  CHECK_FAILS("unlink without w", unlink("search/f"), EACCES);
  CHECK_FAILS("mkdir without w", mkdir("search/d", 0700), EACCES);
  CHECK_FAILS("rename without w", rename("search/f", "search/g"), EACCES);
  CHECK_FAILS("link without w", link("search/f", "search/g"), EACCES);
  CHECK_FAILS("an existing name comes first", mkdir("search/f", 0700), EEXIST);
  CHECK_FAILS("mknod of a device", mknod("any/null", S_IFCHR | 0666, 0x103), EPERM);
  CHECK_OK("create in an open one", close(creat("any/x", 0666)));
  NEED(stat("any/x", &st));
  CHECK("is one's own", st.st_uid == 2000 && st.st_gid == 2000);
  CHECK_OK("chdir and relative", chdir("any"));
  CHECK_OK("open", close(open("x", O_RDONLY)));
  CHECK_FAILS("O_NOATIME of another's", open("../0006", O_RDONLY | O_NOATIME), EPERM);
  CHECK_FAILS("chroot", chroot("."), EPERM);
}

int main(void) {
  umask(0);
  int modes[] = {0600, 0060, 0006, 0444, 0222, 0066, 0640, 0};
  char name[8];
  for (int i = 0; i < 8; i++) {
    snprintf(name, sizeof name, "%04o", modes[i]);
    close(NEED(open(name, O_RDWR | O_CREAT, modes[i])));
    NEED(chown(name, 1000, 100));
  }
  NEED(mkdir("closed", 0700));
  NEED(mkdir("search", 0711));
  NEED(mkdir("list", 0744));
  NEED(mkdir("any", 0777));
  close(NEED(creat("closed/f", 0666)));
  close(NEED(creat("search/f", 0666)));
  close(NEED(creat("list/f", 0666)));
  all_modes("root");
  IN_CHILD(become(1000, 1000, 1000); all_modes("owner"));
  IN_CHILD(become(2000, 100, 2000); all_modes("group"));
  IN_CHILD(become(2000, 2000, 100); all_modes("other group"));
  IN_CHILD(become(2000, 2000, 2000); all_modes("other"));
  IN_CHILD(as_other());
  IN_CHILD({
    NEED(seteuid(1000));
    CHECK_TEXT("an effective user", can("0600"), "rwb");
    NEED(seteuid(0));
    CHECK_OK("and back", chown("0600", 1000, 100));
  });
  return check_status();
}
