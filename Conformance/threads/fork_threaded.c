/* fork in a threaded program: the child has one thread, working locks and atfork handlers. */
#include "../check.h"
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int stop, prepared, in_parent, in_child_count;
static long rounds;

static void prepare(void) {
  pthread_mutex_lock(&mutex);
  prepared++;
}
static void parent(void) {
  in_parent++;
  pthread_mutex_unlock(&mutex);
}
static void child(void) {
  in_child_count++;
  pthread_mutex_unlock(&mutex);
}

static void *busy(void *unused) {
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
    pthread_mutex_lock(&mutex);
    rounds++;
    free(malloc(100 + rounds % 1000));
    pthread_mutex_unlock(&mutex);
  }
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

static void *nothing(void *value) { return value; }

static int body(void) {
  if (threads() != 1 || syscall(SYS_gettid) != getpid()) return 1;
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  free(malloc(100000));
  pthread_t id;
  if (pthread_create(&id, NULL, nothing, NULL) != 0) return 2;
  return pthread_join(id, NULL) == 0 ? 0 : 3;
}

static void *forks(void *unused) {
  long good = 0;
  (void)unused;
  for (int i = 0; i < 8; i++) {
    pid_t made = fork();
    if (made == 0) _exit(body());
    good += wait_code(made) == 0;
  }
  return (void *)good;
}

static void *forks_and_runs(void *unused) {
  (void)unused;
  pid_t made = vfork();
  if (made == 0) {
    char *arguments[] = {"sh", "-c", "exit 21", NULL};
    execve("/bin/sh", arguments, environ);
    _exit(127);
  }
  return (void *)(long)wait_code(made);
}

int main(void) {
  pthread_t ids[3], id, other;
  void *result;
  pthread_atfork(prepare, parent, child);
  for (int i = 0; i < 3; i++) pthread_create(&ids[i], NULL, busy, NULL);
  int good = 0;
  for (int i = 0; i < 12; i++) {
    pid_t made = fork();
    if (made == 0) _exit(body());
    good += wait_code(made) == 0;
  }
  CHECK_IS("children of the first thread", good, 12);
  CHECK_IS("fork handlers ran", prepared * 100 + in_parent, 1212);
  CHECK_IS("the child's only in the child", in_child_count, 0);
  pthread_create(&id, NULL, forks, NULL);
  pthread_create(&other, NULL, forks, NULL);
  pthread_join(id, &result);
  CHECK_IS("eight of another thread", result, 8);
  pthread_join(other, &result);
  CHECK_IS("and of a third at the same time", result, 8);
  pthread_create(&id, NULL, forks_and_runs, NULL);
  pthread_join(id, &result);
  CHECK_IS("vfork in a thread", result, 21);
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 3; i++) pthread_join(ids[i], NULL);
  CHECK("the other threads worked on", rounds > 0);
  return check_status();
}
