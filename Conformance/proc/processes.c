#include "check.h"
#include "proc/text.h"
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// /proc of other processes and threads: their state, their end, who may look.

static const char *path_of(pid_t process, const char *name) {
  static char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", process, name);
  return path;
}

// Waits until the process is in this state.
static void await_state(pid_t process, char state) {
  const char *value;
  do value = field_of(path_of(process, "status"), "State");
  while (value && value[0] != state);
  say("state: %s", value ? value : "(gone)");
}

static int is_listed(const char *path, pid_t process) {
  DIR *directory = opendir(path);
  int found = 0;
  for (struct dirent *entry; (entry = readdir(directory));)
    found += atoi(entry->d_name) == process;
  closedir(directory);
  return found;
}

static pid_t thread_id;
static int gate[2], ready[2];

static void *thread_body(void *unused) {
  char byte, path[64];
  thread_id = syscall(SYS_gettid);
  pthread_setname_np(pthread_self(), "worker");
  snprintf(path, sizeof path, "%d/task/%d", getpid(), thread_id);
  CHECK_TEXT("/proc/thread-self", link_of("/proc/thread-self"), path);
  NEED(write(ready[1], "r", 1));
  NEED(read(gate[0], &byte, 1));
  return unused;
}

static void check_threads(void) {
  char byte, path[64];
  pthread_t thread;
  NEED(pipe(gate));
  NEED(pipe(ready));
  pthread_create(&thread, NULL, thread_body, NULL);
  NEED(read(ready[0], &byte, 1));
  CHECK_IS("its thread is listed", is_listed("/proc/self/task", thread_id), 1);
  CHECK_IS("so is the first", is_listed("/proc/self/task", getpid()), 1);
  CHECK_IS("not among the processes", is_listed("/proc", thread_id), 0);
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", thread_id);
  CHECK_TEXT("its name", text_of(path), "worker\n");
  snprintf(path, sizeof path, "/proc/self/task/%d/status", thread_id);
  CHECK_IS("its Tgid", atoi(field_of(path, "Tgid")), getpid());
  CHECK_IS("its Pid", atoi(field_of(path, "Pid")), thread_id);
  CHECK("it can be looked up as a process", *text_of(path_of(thread_id, "status")));
  close(gate[1]);
  pthread_join(thread, NULL);
}

int main(void) {
  char byte, text[64];
  struct stat st;
  NEED(pipe(gate));
  pid_t child = NEED(fork());
  if (child == 0) {
    close(gate[1]);
    NEED(read(gate[0], &byte, 1));
    _exit(0);
  }
  CHECK_IS("a child is listed", is_listed("/proc", child), 1);
  CHECK_IS("so is this process", is_listed("/proc", getpid()), 1);
  await_state(child, 'S');
  CHECK_IS("its parent", atoi(field_of(path_of(child, "status"), "PPid")), getpid());
  NEED(kill(child, SIGSTOP));
  await_state(child, 'T');
  NEED(kill(child, SIGCONT));
  await_state(child, 'S');
  CHECK_OK("its directory", stat(path_of(child, ""), &st));
  CHECK("belongs to its user", S_ISDIR(st.st_mode) && st.st_uid == 0);
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("its environ is private", open(path_of(child, "environ"), O_RDONLY), EACCES);
    CHECK_TEXT("so is its exe", link_of(path_of(child, "exe")), "EACCES");
    CHECK_FAILS("and its descriptors", open(path_of(child, "fd"), O_RDONLY), EACCES);
    CHECK("its status is not", *text_of(path_of(child, "status")));
    CHECK("nor its cmdline", *text_of(path_of(child, "cmdline"))));

  int status = NEED(open(path_of(child, "status"), O_RDONLY));
  int directory = NEED(open(path_of(child, ""), O_RDONLY));
  close(gate[1]);
  await_state(child, 'Z');
  CHECK_TEXT("a zombie has no command line", text_of(path_of(child, "cmdline")), "");
  CHECK_TEXT("nor an exe", link_of(path_of(child, "exe")), "ENOENT");
  CHECK_IS("but a name", strcmp(text_of(path_of(child, "comm")), "prog\n"), 0);
  CHECK_IS("it exits well", wait_code(child), 0);
  CHECK_FAILS("then it is gone", stat(path_of(child, ""), &st), ENOENT);
  CHECK_FAILS("an open file of it", read(status, text, sizeof text), ESRCH);
  CHECK_FAILS("a file in its open directory", openat(directory, "status", O_RDONLY), ESRCH);
  CHECK_IS("it is not listed", is_listed("/proc", child), 0);
  check_threads();
  return check_status();
}
