/* setuid(2), setreuid(2), setresuid(2) and the same for groups: every transition and refusal. */
#include "../check.h"
#include <sys/syscall.h>

enum { A = 1001, B = 1002, C = 1003 };

/* Raw calls, as libc's would change all threads and keep books of its own. */
#define U(call, ...) syscall(SYS_##call, __VA_ARGS__)

static const char *users(void) {
  static char text[64];
  uid_t real, effective, saved;
  getresuid(&real, &effective, &saved);
  snprintf(text, sizeof text, "%u %u %u", real, effective, saved);
  return text;
}

static const char *groups(void) {
  static char text[64];
  gid_t real, effective, saved;
  getresgid(&real, &effective, &saved);
  snprintf(text, sizeof text, "%u %u %u", real, effective, saved);
  return text;
}

static int privileged_setuid(void) {
  CHECK_IS("setuid with privilege", U(setuid, A), 0);
  CHECK_TEXT("sets all three", users(), "1001 1001 1001");
  CHECK_FAILS("there is no way back", U(setuid, 0), EPERM);
  CHECK_FAILS("nor to another", U(setuid, B), EPERM);
  CHECK_IS("the same is allowed", U(setuid, A), 0);
  return check_status();
}

static int effective_only(void) {
  CHECK_IS("setresuid of the effective user", U(setresuid, -1, A, -1), 0);
  CHECK_TEXT("root is kept elsewhere", users(), "0 1001 0");
  CHECK_FAILS("no privilege now", U(setresuid, B, B, B), EPERM);
  CHECK_IS("setuid to the saved one", U(setuid, 0), 0);
  CHECK_TEXT("back", users(), "0 0 0");
  CHECK_IS("three different ones", U(setresuid, A, B, C), 0);
  CHECK_TEXT("set", users(), "1001 1002 1003");
  CHECK_IS("setuid changes the effective alone", U(setuid, C), 0);
  CHECK_TEXT("to the saved one", users(), "1001 1003 1003");
  CHECK_IS("setresuid permutes", U(setresuid, C, A, -1), 0);
  CHECK_TEXT("permuted", users(), "1003 1001 1003");
  CHECK_FAILS("but invents none", U(setresuid, B, -1, -1), EPERM);
  return check_status();
}

static int real_and_effective(void) {
  CHECK_IS("setreuid with privilege", U(setreuid, A, B), 0);
  CHECK_TEXT("the saved one follows the effective", users(), "1001 1002 1002");
  CHECK_IS("exchange", U(setreuid, B, A), 0);
  CHECK_TEXT("exchanged", users(), "1002 1001 1001");
  CHECK_IS("the effective alone", U(setreuid, -1, B), 0);
  CHECK_TEXT("saved follows when it is not the real one", users(), "1002 1002 1001");
  CHECK_FAILS("the real one to the saved", U(setreuid, A, -1), EPERM);
  CHECK_IS("the effective one to the saved", U(setreuid, -1, A), 0);
  CHECK_FAILS("to a stranger", U(setreuid, -1, C), EPERM);
  CHECK_IS("nothing", U(setreuid, -1, -1), 0);
  return check_status();
}

static int of_groups(void) {
  CHECK_IS("setresgid", U(setresgid, A, B, C), 0);
  CHECK_TEXT("groups", groups(), "1001 1002 1003");
  CHECK_IS("drop the user", U(setresuid, A, A, A), 0);
  CHECK_IS("setgid to the saved", U(setgid, C), 0);
  CHECK_TEXT("effective alone", groups(), "1001 1003 1003");
  CHECK_FAILS("setgid to a stranger", U(setgid, 0), EPERM);
  CHECK_FAILS("setregid to a stranger", U(setregid, 5, -1), EPERM);
  CHECK_IS("setregid exchanges", U(setregid, C, A), 0);
  CHECK_TEXT("exchanged groups", groups(), "1003 1001 1001");
  CHECK_FAILS("setresgid to a stranger", U(setresgid, -1, -1, 7), EPERM);
  return check_status();
}

static int inherited(void) {
  U(setresuid, A, B, C);
  pid_t child = fork();
  if (child == 0) _exit(!strcmp(users(), "1001 1002 1003") ? 0 : 1);
  CHECK_IS("a child has the same users", wait_code(child), 0);
  CHECK_FAILS("no user -1", U(setuid, -1), EINVAL);
  CHECK_FAILS("no group -1", U(setgid, -1), EINVAL);
  CHECK_FAILS("unmapped", U(getresuid, 8, 8, 8), EFAULT);
  return check_status();
}

int main(void) {
  CHECK_TEXT("start", users(), "0 0 0");
  CHECK_IS("setuid", in_child(privileged_setuid), 0);
  CHECK_IS("setresuid and setuid", in_child(effective_only), 0);
  CHECK_IS("setreuid", in_child(real_and_effective), 0);
  CHECK_IS("groups", in_child(of_groups), 0);
  CHECK_IS("inherited", in_child(inherited), 0);
  CHECK_TEXT("the parent is what it was", users(), "0 0 0");
  return check_status();
}
