// static
/* gettid, getpid, getppid, set_tid_address and who is seen under /proc/self. */
#include "../check.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/syscall.h>

static pid_t main_tid;
static pid_t thread_tid;

static void *thread(void *unused) {
  thread_tid = syscall(SYS_gettid);
  CHECK("a thread has its own tid", thread_tid != main_tid);
  CHECK_IS("and the process's pid", syscall(SYS_getpid), main_tid);
  return unused;
}

static int entries(const char *path) {
  int count = 0;
  DIR *directory = opendir(path);
  if (!directory) return -1;
  for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
  closedir(directory);
  return count;
}

static int link_is(const char *path, const char *expected) {
  char target[64];
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length < 0) return 0;
  target[length] = 0;
  return !strcmp(target, expected);
}

int main(void) {
  main_tid = syscall(SYS_gettid);
  CHECK_IS("the main thread's tid is the pid", main_tid, getpid());
  CHECK("pids are positive", getpid() > 0);
  CHECK("a parent exists", getppid() >= 0);
  CHECK_IS("one thread in /proc/self/task", entries("/proc/self/task"), 1);
  int unused;
  CHECK_IS("set_tid_address answers the tid", syscall(SYS_set_tid_address, &unused), main_tid);

  char text[64];
  snprintf(text, sizeof text, "%d", getpid());
  CHECK("/proc/self", link_is("/proc/self", text));
  snprintf(text, sizeof text, "%d/task/%d", getpid(), main_tid);
  CHECK("/proc/thread-self", link_is("/proc/thread-self", text));

  pthread_t id;
  pthread_create(&id, NULL, thread, NULL);
  pthread_join(id, NULL);

  pid_t child = fork();
  if (child == 0) _exit(syscall(SYS_gettid) == getpid() && getpid() != main_tid ? 0 : 1);
  CHECK_IS("a forked child's tid is its pid", wait_code(child), 0);
  return check_status();
}
