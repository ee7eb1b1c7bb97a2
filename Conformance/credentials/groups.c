/* setgroups(2), getgroups(2) and what supplementary groups allow. */
#include "../check.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int member(void) {
  if (setresuid(1001, 1001, 1001) != 0) return 9;
  CHECK_FAILS("setgroups without privilege", setgroups(0, NULL), EPERM);
  CHECK_OK("a file of a supplementary group", open("group-file", O_RDONLY));
  CHECK_FAILS("not of another group", open("other-group-file", O_RDONLY), EACCES);
  CHECK_IS("access agrees", access("group-file", R_OK), 0);
  return check_status();
}

static int make(const char *name, gid_t group, mode_t mode) {
  int file = open(name, O_WRONLY | O_CREAT, 0600);
  if (file < 0 || fchown(file, 0, group) != 0 || fchmod(file, mode) != 0) return -1;
  return close(file);
}

static int all(void) {
  gid_t list[4] = {2001, 2002, 2003, 2001}, back[4] = {0};
  CHECK_IS("setgroups", setgroups(4, list), 0);
  CHECK_IS("count", getgroups(0, NULL), 4);
  CHECK_FAILS("too little room", getgroups(2, back), EINVAL);
  CHECK_IS("getgroups", getgroups(4, back), 4);
  int sum = 0;
  for (int i = 0; i < 4; i++) sum += back[i] - 2000;
  CHECK_IS("all are there", sum, 7);
  CHECK_FAILS("negative room", syscall(SYS_getgroups, -1, back), EINVAL);
  CHECK_FAILS("too many", setgroups(65537, list), EINVAL);
  CHECK_FAILS("unmapped", syscall(SYS_setgroups, 2, 8), EFAULT);
  CHECK_FAILS("into unmapped memory", syscall(SYS_getgroups, 4, 8), EFAULT);
  NEED(make("group-file", 2002, 0640));
  NEED(make("other-group-file", 2009, 0640));
  CHECK_IS("member", in_child(member), 0);
  CHECK_IS("none", setgroups(0, NULL), 0);
  CHECK_IS("no groups", getgroups(4, back), 0);
  enum { MANY = 1000 };
  static gid_t many[MANY], again[MANY];
  for (int i = 0; i < MANY; i++) many[i] = i * 3;
  CHECK_IS("a thousand", setgroups(MANY, many), 0);
  CHECK_IS("a thousand back", getgroups(MANY, again), MANY);
  CHECK("sorted or as given", again[0] == 0 && again[MANY - 1] == (MANY - 1) * 3);
  pid_t child = fork();
  if (child == 0) _exit(getgroups(MANY, again) == MANY ? 0 : 1);
  CHECK_IS("a child has them", wait_code(child), 0);
  return check_status();
}

int main(void) {
  char directory[] = "/tmp/conformance-groups-XXXXXX", command[64];
  if (!mkdtemp(directory) || chdir(directory) != 0 || chmod(directory, 0755) != 0) return 2;
  CHECK_IS("all", in_child(all), 0);
  snprintf(command, sizeof command, "rm -r %s", directory);
  CHECK_IS("clean up", system(command), 0);
  return check_status();
}
