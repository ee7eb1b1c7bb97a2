/* How user, groups and mode decide over files, for plain users and for root. */
#include "../check.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { OWNER = 1001, FRIEND = 1002, STRANGER = 1003, GROUP = 2000 };

/* Opens every file as this user; one letter each: r, w, both as b, or none. */
static void table(uid_t user, gid_t group, const char *expected) {
  char text[16], name[32];
  pid_t child = fork();
  if (child != 0) {
    snprintf(name, sizeof name, "user %u", user);
    CHECK_IS(name, wait_code(child), 0);
    return;
  }
  if (setgroups(0, NULL) || setresgid(group, group, group) || setresuid(user, user, user)) _exit(9);
  const char *names[] = {"600", "640", "644", "060", "006", "000", "466", "604"};
  for (int i = 0; i < 8; i++) {
    int reads = open(names[i], O_RDONLY) >= 0, writes = open(names[i], O_WRONLY) >= 0;
    text[i] = reads ? writes ? 'b' : 'r' : writes ? 'w' : '-';
    if ((access(names[i], R_OK) == 0) != reads || (access(names[i], W_OK) == 0) != writes)
      text[i] = '?';
  }
  text[8] = 0;
  snprintf(name, sizeof name, "user %u's files", user);
  CHECK_TEXT(name, text, expected);
  _exit(check_status());
}

static int plain(void) {
  if (setgroups(0, NULL) || setresgid(5, 5, 5) || setresuid(STRANGER, STRANGER, STRANGER)) return 9;
  CHECK_FAILS("chmod of another's file", chmod("644", 0777), EPERM);
  CHECK_FAILS("chown of another's file", chown("644", STRANGER, -1), EPERM);
  CHECK_FAILS("unlink in another's directory", unlink("644"), EACCES);
  CHECK_FAILS("create in another's directory", open("new", O_CREAT | O_WRONLY, 0600), EACCES);
  CHECK_FAILS("through a closed directory", open("closed/file", O_RDONLY), EACCES);
  CHECK_FAILS("list an unreadable directory", open("closed", O_RDONLY), EACCES);
  CHECK_OK("through a directory with search only", open("passable/file", O_RDONLY));
  CHECK_FAILS("listing it", open("passable", O_RDONLY), EACCES);
  CHECK_FAILS("remove another's file in a sticky directory", unlink("sticky/file"), EPERM);
  int own = open("sticky/own", O_CREAT | O_WRONLY, 0644);
  CHECK("create one there", own >= 0);
  struct stat status;
  CHECK("it is the creator's", fstat(own, &status) == 0 && status.st_uid == STRANGER);
  CHECK_FAILS("give it away", fchown(own, OWNER, -1), EPERM);
  CHECK_FAILS("to a group that is not one's own", fchown(own, -1, GROUP), EPERM);
  CHECK_IS("chmod of one's own", fchmod(own, 0600), 0);
  CHECK_IS("remove one's own", unlink("sticky/own"), 0);
  return check_status();
}

/* Root by name, but with the effective user of someone else: access(2) asks for the real one. */
static int mixed(void) {
  if (setresuid(0, STRANGER, 0) != 0) return 9;
  CHECK_FAILS("open counts the effective user", open("600", O_RDONLY), EACCES);
  CHECK_IS("access the real one", access("600", R_OK), 0);
  CHECK_FAILS("unless asked otherwise", faccessat(AT_FDCWD, "600", R_OK, AT_EACCESS), EACCES);
  return check_status();
}

static void make(const char *name, mode_t mode) {
  int file = open(name, O_CREAT | O_WRONLY, 0600);
  NEED(file);
  NEED(fchown(file, OWNER, GROUP));
  NEED(fchmod(file, mode));
  close(file);
}

int main(void) {
  char directory[] = "/tmp/conformance-permission-XXXXXX", command[64];
  if (!mkdtemp(directory) || chdir(directory) != 0 || chmod(".", 0755) != 0) return 2;
  make("600", 0600), make("640", 0640), make("644", 0644), make("060", 0060);
  make("006", 0006), make("000", 0000), make("466", 0466), make("604", 0604);
  umask(0);
  mkdir("closed", 0700), mkdir("passable", 0711), mkdir("sticky", 01777);
  make("closed/file", 0644), make("passable/file", 0644), make("sticky/file", 0666);
  table(OWNER, GROUP, "bbb---rb");
  table(FRIEND, GROUP, "-rrb--b-");
  table(STRANGER, 3000, "--r-b-br");
  table(0, 0, "bbbbbbbb");
  CHECK_IS("plain user", in_child(plain), 0);
  CHECK_IS("mixed", in_child(mixed), 0);
  CHECK_FAILS("root executes nothing without an x", access("600", X_OK), EACCES);
  NEED(chown("644", 0, 0));
  NEED(chmod("644", 06755));
  NEED(chown("644", OWNER, -1));
  struct stat status;
  CHECK_IS("chown clears set-id", stat("644", &status) ? 0 : status.st_mode & 07777, 0755);
  snprintf(command, sizeof command, "rm -r %s", directory);
  CHECK_IS("clean up", system(command), 0);
  return check_status();
}
