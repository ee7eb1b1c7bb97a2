// static
/* prctl(2): names, dumpability and the small settings that libraries ask for. */
#include "../check.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const char *name_now(void) {
  static char name[17];
  memset(name, 0x55, sizeof name);
  name[16] = 0;
  prctl(PR_GET_NAME, name);
  return name;
}

static const char *comm(const char *path) {
  static char text[64];
  int file = open(path, O_RDONLY);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  text[length > 0 ? length - 1 : 0] = 0;
  return text;
}

static void *thread(void *unused) {
  CHECK_TEXT("a thread starts with its creator's name", name_now(), "conformance");
  prctl(PR_SET_NAME, "worker");
  CHECK_TEXT("a thread's own name", name_now(), "worker");
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%ld/comm", syscall(SYS_gettid));
  CHECK_TEXT("and in /proc", comm(path), "worker");
  return unused;
}

int main(void) {
  CHECK_IS("set a name", prctl(PR_SET_NAME, "conformance"), 0);
  CHECK_TEXT("get the name", name_now(), "conformance");
  CHECK_TEXT("name in /proc", comm("/proc/self/comm"), "conformance");
  CHECK_IS("a name is cut at 15 bytes", prctl(PR_SET_NAME, "0123456789abcdefXYZ"), 0);
  CHECK_TEXT("cut name", name_now(), "0123456789abcde");
  int file = open("/proc/self/comm", O_WRONLY);
  CHECK_IS("write a name to /proc", write(file, "conformance", 11), 11);
  close(file);
  CHECK_TEXT("name written to /proc", name_now(), "conformance");
  pthread_t id;
  pthread_create(&id, NULL, thread, NULL);
  pthread_join(id, NULL);
  CHECK_TEXT("the main thread keeps its name", name_now(), "conformance");
  CHECK_FAILS("name from unmapped memory", prctl(PR_SET_NAME, 8), EFAULT);

  CHECK_IS("dumpable at the start", prctl(PR_GET_DUMPABLE), 1);
  CHECK_IS("not dumpable", prctl(PR_SET_DUMPABLE, 0), 0);
  CHECK_IS("dumpable now", prctl(PR_GET_DUMPABLE), 0);
  CHECK_FAILS("2 is the kernel's alone", prctl(PR_SET_DUMPABLE, 2), EINVAL);
  CHECK_IS("dumpable again", prctl(PR_SET_DUMPABLE, 1), 0);

  CHECK_IS("keep capabilities at the start", prctl(PR_GET_KEEPCAPS), 0);
  CHECK_IS("keep capabilities", prctl(PR_SET_KEEPCAPS, 1), 0);
  CHECK_IS("keep capabilities now", prctl(PR_GET_KEEPCAPS), 1);
  CHECK_FAILS("not a switch", prctl(PR_SET_KEEPCAPS, 2), EINVAL);
  CHECK_IS("timer slack at the start", prctl(PR_GET_TIMERSLACK), 50000);
  CHECK_IS("set timer slack", prctl(PR_SET_TIMERSLACK, 1000), 0);
  CHECK_IS("timer slack now", prctl(PR_GET_TIMERSLACK), 1000);
  CHECK_IS("0 is the default slack", prctl(PR_SET_TIMERSLACK, 0), 0);
  CHECK_IS("default slack", prctl(PR_GET_TIMERSLACK), 50000);
  CHECK_IS("a capability of the bounding set", prctl(PR_CAPBSET_READ, 0), 1);
  CHECK_FAILS("no such capability", prctl(PR_CAPBSET_READ, 1000), EINVAL);
  CHECK_IS("no seccomp", prctl(PR_GET_SECCOMP), 0);
  CHECK_FAILS("unknown option", prctl(0x7eadbeef), EINVAL);
  return check_status();
}
