/* setfsuid(2) and setfsgid(2): another user for files alone. */
#include "../check.h"
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

static int body(void) {
  struct stat status;
  CHECK_IS("setfsuid answers the old one", setfsuid(1001), 0);
  CHECK_IS("and now", setfsuid(-1), 1001);
  CHECK_IS("setfsgid", setfsgid(1002), 0);
  CHECK_IS("the effective user is untouched", geteuid(), 0);
  CHECK_FAILS("root's file", open("root", O_RDONLY), EACCES);
  CHECK_OK("the other user's file", open("user", O_RDWR));
  int file = open("new", O_CREAT | O_WRONLY, 0600);
  CHECK("a new file", file >= 0 && fstat(file, &status) == 0);
  CHECK("belongs to both", status.st_uid == 1001 && status.st_gid == 1002);
  CHECK_IS("back", setfsuid(0), 1001);
  CHECK_OK("root's file again", open("root", O_RDONLY));
  setfsuid(1001);
  CHECK_IS("seteuid takes it along", seteuid(1003), 0);
  CHECK_IS("so it is", setfsuid(-1), 1003);
  CHECK_IS("to the real one without privilege", setfsuid(0), 1003);
  CHECK_IS("it is", setfsuid(1004), 0);
  CHECK_IS("a stranger is refused without a word", setfsuid(-1), 0);
  return check_status();
}

int main(void) {
  char directory[] = "/tmp/conformance-fsuser-XXXXXX", command[64];
  if (!mkdtemp(directory) || chdir(directory) != 0 || chmod(".", 0777) != 0) return 2;
  close(NEED(open("root", O_CREAT | O_WRONLY, 0600)));
  close(NEED(open("user", O_CREAT | O_WRONLY, 0600)));
  NEED(chown("user", 1001, 1001));
  CHECK_IS("body", in_child(body), 0);
  snprintf(command, sizeof command, "rm -r %s", directory);
  CHECK_IS("clean up", system(command), 0);
  return check_status();
}
