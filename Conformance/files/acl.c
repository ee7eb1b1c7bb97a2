#include "check.h"
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/xattr.h>

// Access control lists of acl(5), by the attributes that libacl reads and writes.

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };
struct entry {
  uint16_t tag, permissions;
  uint32_t id;
};
struct list {
  uint32_t version;
  struct entry entries[8];
};
#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define NOBODY 65534

static struct list list, back;

static size_t size_of(int count) { return 4 + count * sizeof(struct entry); }

static unsigned mode_of(const char *path) {
  struct stat st;
  NEED(stat(path, &st));
  return st.st_mode & 07777;
}

static int try_open(const char *path, int flags) {
  int fd = open(path, flags);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

// An access list with one more user.
static void name_user(uint32_t user, int permissions, int mask) {
  list = (struct list){2, {{USER_OBJ, 6, -1}, {USER, permissions, user}, {GROUP_OBJ, 4, -1},
    {MASK, mask, -1}, {OTHER, 0, -1}}};
}

static void check_kept(void) {
  CHECK_FAILS("none at first", getxattr("f", ACCESS, &back, sizeof back), ENODATA);
  name_user(NOBODY, 6, 6);
  CHECK_OK("set", setxattr("f", ACCESS, &list, size_of(5), 0));
  CHECK_IS("get", getxattr("f", ACCESS, &back, sizeof back), size_of(5));
  CHECK("the same", !memcmp(&list, &back, size_of(5)));
  CHECK_IS("the mask is the group's", mode_of("f"), 0660);
  CHECK_OK("chmod", chmod("f", 0640));
  NEED(getxattr("f", ACCESS, &back, sizeof back));
  CHECK_IS("sets the mask", back.entries[3].permissions, 4);
  CHECK_IS("not the group", back.entries[2].permissions, 4);
  NEED(rename("f", "g"));
  CHECK_IS("it moves with the file", getxattr("g", ACCESS, &back, sizeof back), size_of(5));
  NEED(rename("g", "f"));
  CHECK_OK("one that says no more than the mode", setxattr("f", ACCESS,
    &(struct list){2, {{USER_OBJ, 6, -1}, {GROUP_OBJ, 0, -1}, {OTHER, 0, -1}}}, size_of(3), 0));
  CHECK_FAILS("is none", getxattr("f", ACCESS, &back, sizeof back), ENODATA);
  CHECK_IS("but the mode", mode_of("f"), 0600);
  CHECK_FAILS("no such version", setxattr("f", ACCESS, &(struct list){7}, 4, 0), EOPNOTSUPP);
  list.entries[0].tag = OTHER;
  CHECK_FAILS("no order", setxattr("f", ACCESS, &list, size_of(5), 0), EINVAL);
  CHECK_FAILS("none for a file", setxattr("f", DEFAULT, &list, size_of(5), 0), EACCES);
}

static void check_inherited(void) {
  NEED(mkdir("d", 0777));
  name_user(NOBODY, 7, 7);
  CHECK_OK("a default", setxattr("d", DEFAULT, &list, size_of(5), 0));
  int fd = NEED(open("d/file", O_WRONLY | O_CREAT, 0666));
  close(fd);
  // The umask has no say.
  CHECK_IS("a new file's mode", mode_of("d/file"), 0660);
  CHECK_IS("has the list", getxattr("d/file", ACCESS, &back, sizeof back), size_of(5));
  CHECK_IS("cut to what was asked for", back.entries[3].permissions, 6);
  NEED(mkdir("d/sub", 0777));
  CHECK_IS("a new directory hands it on", getxattr("d/sub", DEFAULT, &back, sizeof back),
    size_of(5));
  CHECK_IS("its mode", mode_of("d/sub"), 0670);
  NEED(mkfifo("d/fifo", 0666));
  CHECK_IS("a FIFO's", mode_of("d/fifo"), 0660);
  CHECK_OK("away with it", removexattr("d", DEFAULT));
  close(NEED(open("d/plain", O_WRONLY | O_CREAT, 0666)));
  CHECK_IS("now the umask counts", mode_of("d/plain"), 0644);
}

static void check_enforced(void) {
  NEED(chown("f", 1, 1));
  name_user(NOBODY, 6, 6);
  NEED(setxattr("f", ACCESS, &list, size_of(5), 0));
  IN_CHILD({
    NEED(setgroups(0, NULL));
    NEED(setresgid(NOBODY, NOBODY, NOBODY));
    NEED(setresuid(NOBODY, NOBODY, NOBODY));
    CHECK_IS("a named user reads and writes", try_open("f", O_RDWR), 0);
    CHECK_OK("access(2) says so", access("f", R_OK | W_OK));
  });
  name_user(NOBODY, 6, 4);
  NEED(setxattr("f", ACCESS, &list, size_of(5), 0));
  IN_CHILD({
    NEED(setgroups(0, NULL));
    NEED(setresuid(NOBODY, NOBODY, NOBODY));
    CHECK_IS("only what the mask has", try_open("f", O_RDWR), EACCES);
    CHECK_IS("which is to read", try_open("f", O_RDONLY), 0);
  });
  IN_CHILD({
    NEED(setgroups(0, NULL));
    NEED(setresuid(4, 4, 4));
    CHECK_IS("another user has nothing", try_open("f", O_RDONLY), EACCES);
  });
  // The bits of the mode say rw for the group, and mean the mask.
  list = (struct list){2, {{USER_OBJ, 6, -1}, {GROUP_OBJ, 0, -1}, {GROUP, 6, 7}, {MASK, 6, -1},
    {OTHER, 4, -1}}};
  NEED(setxattr("f", ACCESS, &list, size_of(5), 0));
  IN_CHILD({
    NEED(setgroups(0, NULL));
    NEED(setresgid(1, 1, 1));
    NEED(setresuid(4, 4, 4));
    CHECK_IS("the group has nothing", try_open("f", O_RDONLY), EACCES);
    CHECK_FAILS("nor by access(2)", access("f", R_OK), EACCES);
  });
  IN_CHILD({
    NEED(setgroups(1, (gid_t[]){7}));
    NEED(setresgid(5, 5, 5));
    NEED(setresuid(4, 4, 4));
    CHECK_IS("a named group has", try_open("f", O_RDWR), 0);
  });
  IN_CHILD({
    NEED(setgroups(0, NULL));
    NEED(setresgid(5, 5, 5));
    NEED(setresuid(4, 4, 4));
    CHECK_IS("others have theirs", try_open("f", O_RDONLY), 0);
    CHECK_IS("and no more", try_open("f", O_RDWR), EACCES);
    CHECK_FAILS("and set none", setxattr("f", ACCESS, &list, size_of(5), 0), EPERM);
  });
  NEED(mkdir("way", 0700));
  close(NEED(creat("way/in", 0644)));
  list = (struct list){2, {{USER_OBJ, 7, -1}, {USER, 3, NOBODY}, {GROUP_OBJ, 0, -1},
    {MASK, 3, -1}, {OTHER, 0, -1}}};
  NEED(setxattr("way", ACCESS, &list, size_of(5), 0));
  IN_CHILD({
    NEED(setgroups(0, NULL));
    NEED(setresuid(NOBODY, NOBODY, NOBODY));
    CHECK_IS("through a directory", try_open("way/in", O_RDONLY), 0);
    CHECK_IS("not to list it", try_open("way", O_RDONLY), EACCES);
    CHECK_OK("make a name there", mkdir("way/new", 0700));
  });
  IN_CHILD({
    NEED(setgroups(0, NULL));
    NEED(setresgid(0, 0, 0));
    NEED(setresuid(4, 4, 4));
    CHECK_IS("the group may not", try_open("way/in", O_RDONLY), EACCES);
  });
}

int main(void) {
  umask(022);
  close(NEED(open("f", O_RDWR | O_CREAT, 0600)));
  check_kept();
  check_inherited();
  check_enforced();
  return check_status();
}
