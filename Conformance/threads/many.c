/* Two hundred threads alive at once, seen in /proc, passing a token from one to the next. */
#include "../check.h"
#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { COUNT = 200, ROUNDS = 20 };
static sem_t turn[COUNT];
static pid_t tids[COUNT];
static long passed;

static void *thread(void *argument) {
  long me = (long)argument;
  char name[16];
  snprintf(name, sizeof name, "thread %ld", me);
  prctl(PR_SET_NAME, name);
  tids[me] = syscall(SYS_gettid);
  for (int i = 0; i < ROUNDS; i++) {
    sem_wait(&turn[me]);
    passed++;
    sem_post(&turn[(me + 1) % COUNT]);
  }
  return NULL;
}

static int tasks(void) {
  int count = 0;
  DIR *directory = opendir("/proc/self/task");
  for (struct dirent *entry; directory && (entry = readdir(directory));)
    count += entry->d_name[0] != '.';
  if (directory) closedir(directory);
  return count;
}

/* The number behind `Threads:` in /proc/self/status. */
static int threads_in_status(void) {
  char line[200];
  int count = -1;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status)) sscanf(line, "Threads: %d", &count);
  if (status) fclose(status);
  return count;
}

int main(void) {
  static pthread_t ids[COUNT];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  for (long i = 0; i < COUNT; i++) sem_init(&turn[i], 0, 0);
  int made = 0;
  for (long i = 0; i < COUNT; i++)
    made += pthread_create(&ids[i], &attributes, thread, (void *)i) == 0;
  CHECK_IS("threads", made, COUNT);
  CHECK_IS("in /proc/self/task", tasks(), COUNT + 1);
  CHECK_IS("in /proc/self/status", threads_in_status(), COUNT + 1);
  sem_post(&turn[0]);
  for (int i = 0; i < COUNT; i++) pthread_join(ids[i], NULL);
  CHECK_IS("the token went round", passed, COUNT * ROUNDS);
  int distinct = 1;
  for (int i = 0; i < COUNT; i++)
    for (int j = 0; j < i; j++) distinct &= tids[i] != tids[j] && tids[i] != getpid();
  CHECK("each has its tid", distinct);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d", tids[7]);
  int tries = 0;
  while (access(path, F_OK) == 0 && tries++ < 1000) usleep(1000);
  CHECK("an ended thread leaves /proc", access(path, F_OK) == -1 && errno == ENOENT);
  return check_status();
}
