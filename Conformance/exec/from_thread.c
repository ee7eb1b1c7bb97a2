/* exec from a thread that is not the first: the process keeps its pid, the other threads end. */
#include "../check.h"
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

static char expected[32];

static void *busy(void *unused) {
  for (;;) __asm__ volatile("pause");
  return unused;
}

static void *sleeping(void *unused) {
  for (;;) pause();
  return unused;
}

static void *executing(void *unused) {
  char *arguments[] = {"new", expected, NULL};
  execve("/proc/self/exe", arguments, environ);
  _exit(127);
  return unused;
}

static int threads(void) {
  int count = 0;
  DIR *directory = opendir("/proc/self/task");
  for (struct dirent *entry; directory && (entry = readdir(directory));)
    count += entry->d_name[0] != '.';
  if (directory) closedir(directory);
  return count;
}

static int new_program(char **argv) {
  CHECK_IS("the pid is the same", getpid(), atoi(argv[1]));
  CHECK_IS("the only thread is the first", syscall(SYS_gettid), getpid());
  CHECK_IS("no other thread is left", threads(), 1);
  pthread_t id;
  CHECK_IS("threads can be made again", pthread_create(&id, NULL, sleeping, NULL), 0);
  pthread_cancel(id);
  CHECK_IS("and joined", pthread_join(id, NULL), 0);
  return check_status() ? 1 : 42;
}

/* Starts the threads and lets one of them, or the first thread, call exec. */
static void start(int from_first) {
  pthread_t id;
  snprintf(expected, sizeof expected, "%d", getpid());
  for (int i = 0; i < 3; i++) pthread_create(&id, NULL, sleeping, NULL);
  pthread_create(&id, NULL, busy, NULL);
  if (from_first) executing(NULL);
  pthread_create(&id, NULL, executing, NULL);
  for (;;) pause();
}

int main(int argc, char **argv) {
  if (argc > 1) return new_program(argv);
  for (int from_first = 0; from_first < 2; from_first++) {
    pid_t child = fork();
    if (child == 0) start(from_first);
    int status = 0;
    CHECK_IS(from_first ? "exec from the first thread" : "exec from another thread",
             waitpid(child, &status, 0), child);
    CHECK_IS("the new program's end is the process's end", WEXITSTATUS(status), 42);
  }
  return check_status();
}
