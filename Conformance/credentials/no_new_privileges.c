/* PR_SET_NO_NEW_PRIVS and programs with the set-user-id bit. */
#include "../check.h"
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* The new program answers with what it is. */
static int answer(void) {
  uid_t real, effective, saved;
  getresuid(&real, &effective, &saved);
  say("  users %u %u %u, group %u, secure %lu, dumpable %d", real, effective, saved, getegid(),
      getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE) == 1);
  return 0;
}

static int run(int no_new, const char *path) {
  pid_t child = fork();
  if (child == 0) {
    if (no_new && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(8);
    if (setresgid(1001, 1001, 1001) || setresuid(1001, 1001, 1001)) _exit(9);
    char *arguments[] = {"new", "answer", NULL}, *environment[] = {NULL};
    execve(path, arguments, environment);
    _exit(127);
  }
  return wait_code(child);
}

static int inherited(void) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  pid_t child = fork();
  if (child == 0) _exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  return wait_code(child);
}

int main(int argc, char **argv) {
  if (argc > 1) return answer();
  char directory[] = "/tmp/conformance-privilege-XXXXXX", command[256];
  if (!mkdtemp(directory) || chdir(directory) != 0 || chmod(".", 0755) != 0) return 2;
  snprintf(command, sizeof command, "cp /proc/%d/exe program", getpid());
  if (system(command) != 0 || chown("program", 1002, 1003) != 0) return 2;
  NEED(chmod("program", 0755));
  CHECK_IS("not set at the start", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
  CHECK_IS("a plain program", run(0, "./program"), 0);
  NEED(chmod("program", 04755));
  CHECK_IS("set-user-id", run(0, "./program"), 0);
  NEED(chmod("program", 02755));
  CHECK_IS("set-group-id", run(0, "./program"), 0);
  NEED(chmod("program", 06755));
  CHECK_IS("both", run(0, "./program"), 0);
  CHECK_IS("both without new privileges", run(1, "./program"), 0);
  CHECK_IS("a child inherits it", in_child(inherited), 1);
  CHECK_FAILS("it can't be cleared", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
  CHECK_FAILS("strange arguments", prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
  CHECK_IS("the parent is as before", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
  snprintf(command, sizeof command, "rm -r %s", directory);
  CHECK_IS("clean up", system(command), 0);
  return check_status();
}
