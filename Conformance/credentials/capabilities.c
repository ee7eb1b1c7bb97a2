/* capget(2), capset(2), the bounding and ambient sets, and how a change of user alters them. */
#include "../check.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct sets {
  uint64_t effective, permitted, inheritable;
};

static int get(struct sets *sets) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  sets->effective = data[0].effective | (uint64_t)data[1].effective << 32;
  sets->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
  sets->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
  return 0;
}

static int set(struct sets sets) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {sets.effective, sets.permitted, sets.inheritable},
      {sets.effective >> 32, sets.permitted >> 32, sets.inheritable >> 32}};
  return syscall(SYS_capset, &header, data);
}

#define BIT(capability) (1ull << (capability))
#define TWO (BIT(CAP_CHOWN) | BIT(CAP_KILL))

static int drop(void) {
  struct sets now;
  CHECK_IS("two only", set((struct sets){TWO, TWO, 0}), 0);
  get(&now);
  CHECK("two are left", now.effective == TWO && now.permitted == TWO && now.inheritable == 0);
  CHECK_FAILS("root without the capability can't change its user", setuid(5), EPERM);
  CHECK_IS("one not effective", set((struct sets){BIT(CAP_KILL), TWO, 0}), 0);
  CHECK_IS("effective again", set((struct sets){TWO, TWO, TWO}), 0);
  CHECK_FAILS("more than permitted", set((struct sets){TWO, TWO | BIT(CAP_SETUID), 0}), EPERM);
  CHECK_FAILS("effective but not permitted", set((struct sets){TWO | 1ull << 3, TWO, 0}), EPERM);
  CHECK_FAILS("inheritable but not permitted",
              set((struct sets){TWO, TWO, TWO | BIT(CAP_FOWNER)}), EPERM);
  pid_t child = fork();
  if (child == 0) _exit(get(&now) == 0 && now.permitted == TWO ? 0 : 1);
  CHECK_IS("a child has the same", wait_code(child), 0);
  return check_status();
}

static int change_user(void) {
  struct sets now, start;
  get(&start);
  syscall(SYS_setresuid, -1, 1001, -1);
  get(&now);
  CHECK("another effective user: nothing effective", now.effective == 0);
  CHECK("all still permitted", now.permitted == start.permitted);
  syscall(SYS_setresuid, -1, 0, -1);
  get(&now);
  CHECK("root again: effective again", now.effective == start.permitted);
  syscall(SYS_setresuid, 1001, 1001, 1001);
  get(&now);
  CHECK("no root at all: nothing is left", now.effective == 0 && now.permitted == 0);
  return check_status();
}

static int keep(void) {
  struct sets now, start;
  get(&start);
  prctl(PR_SET_KEEPCAPS, 1);
  syscall(SYS_setresuid, 1001, 1001, 1001);
  get(&now);
  CHECK("kept: permitted, not effective", now.permitted == start.permitted && now.effective == 0);
  CHECK_IS("made effective", set((struct sets){TWO, TWO, TWO}), 0);
  CHECK_IS("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), 0);
  CHECK_IS("it is set", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 1);
  CHECK_FAILS("not one without permission",
              prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_FOWNER, 0, 0), EPERM);
  set((struct sets){TWO, TWO, BIT(CAP_CHOWN)});
  CHECK_IS("no longer inheritable: no longer ambient",
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
  CHECK_IS("cleared", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 0);
  return check_status();
}

/* PR_SET_KEEPCAPS is one of the secure bits, and does not save the ambient set. */
static int secure(void) {
  struct sets now, start;
  CHECK_IS("keep", prctl(PR_SET_KEEPCAPS, 1), 0);
  CHECK_IS("it is a secure bit", prctl(PR_GET_SECUREBITS), SECBIT_KEEP_CAPS);
  CHECK_IS("set as one", prctl(PR_SET_SECUREBITS, 0), 0);
  CHECK_IS("kept no longer", prctl(PR_GET_KEEPCAPS), 0);
  CHECK_IS("and again", prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS), 0);
  CHECK_IS("kept", prctl(PR_GET_KEEPCAPS), 1);
  get(&start);
  set((struct sets){start.effective, start.permitted, BIT(CAP_KILL)});
  CHECK_IS("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), 0);
  syscall(SYS_setresuid, 1001, 1001, 1001);
  get(&now);
  CHECK("permitted is kept", now.permitted == start.permitted);
  CHECK_IS("ambient is not", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
  return check_status();
}

static int unfixed(void) {
  struct sets now, start;
  get(&start);
  CHECK_IS("no fix-up", prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), 0);
  syscall(SYS_setfsuid, 1001);
  syscall(SYS_setresuid, 1001, 1001, 1001);
  get(&now);
  CHECK("a change of user leaves the sets alone",
        now.permitted == start.permitted && now.effective == start.effective);
  CHECK_IS("lock it", prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS_LOCKED), 0);
  CHECK_FAILS("locked", prctl(PR_SET_KEEPCAPS, 1), EPERM);
  return check_status();
}

static int bound(void) {
  CHECK_IS("drop from the bounding set", prctl(PR_CAPBSET_DROP, CAP_FOWNER), 0);
  CHECK_IS("dropped", prctl(PR_CAPBSET_READ, CAP_FOWNER), 0);
  CHECK_FAILS("drop nonsense", prctl(PR_CAPBSET_DROP, 99), EINVAL);
  set((struct sets){TWO, TWO, 0});
  CHECK_FAILS("drop without privilege", prctl(PR_CAPBSET_DROP, CAP_CHOWN), EPERM);
  return check_status();
}

int main(void) {
  struct sets now;
  struct __user_cap_header_struct header = {0x12345678, 0};
  CHECK_IS("capget", get(&now), 0);
  CHECK("root can do the usual", (now.effective & TWO) == TWO && now.permitted == now.effective);
  CHECK_FAILS("unknown version", syscall(SYS_capget, &header, &now), EINVAL);
  CHECK("the version is told", header.version == _LINUX_CAPABILITY_VERSION_3);
  header.pid = 0x3fffffff;
  struct __user_cap_data_struct data[2];
  CHECK_FAILS("no such process", syscall(SYS_capget, &header, data), ESRCH);
  header.pid = getppid();
  CHECK_FAILS("set another's", syscall(SYS_capset, &header, data), EPERM);
  CHECK_IS("drop", in_child(drop), 0);
  CHECK_IS("change of user", in_child(change_user), 0);
  CHECK_IS("keep", in_child(keep), 0);
  CHECK_IS("secure bits", in_child(secure), 0);
  CHECK_IS("without fix-up", in_child(unfixed), 0);
  CHECK_IS("bound", in_child(bound), 0);
  return check_status();
}
