/* Threads and children: who may wait for whom, and two threads waiting for the same child. */
#include "../check.h"
#include <pthread.h>
#include <sched.h>

static int gate[2];
static pid_t common;
static int waiting;

static void *wait_for_common(void *unused) {
  (void)unused;
  __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
  int status, result = waitpid(common, &status, 0);
  return (void *)(long)(result == common ? 1 : errno == ECHILD ? 0 : -1000);
}

static void *fork_and_wait(void *argument) {
  long me = (long)argument, good = 0;
  for (int i = 0; i < 25; i++) {
    int code = (int)(me * 25 + i);
    pid_t child = fork();
    if (child == 0) _exit(code);
    good += wait_code(child) == code;
  }
  return (void *)good;
}

static void *fork_only(void *unused) {
  pid_t child = fork();
  (void)unused;
  if (child == 0) {
    char byte;
    close(gate[1]);
    _exit(read(gate[0], &byte, 1) == 0 ? 12 : 13);
  }
  return (void *)(long)child;
}

static void *wait_without_others(void *unused) {
  int status;
  (void)unused;
  return (void *)(long)(waitpid(-1, &status, __WNOTHREAD | WNOHANG) == -1 ? errno : 0);
}

int main(void) {
  pthread_t ids[4];
  void *result;
  NEED(pipe(gate));
  common = (pid_t)(long)fork_only(NULL);
  for (int i = 0; i < 4; i++) pthread_create(&ids[i], NULL, wait_for_common, NULL);
  while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < 4) sched_yield();
  close(gate[1]);
  long winners = 0;
  for (int i = 0; i < 4; i++) {
    pthread_join(ids[i], &result);
    winners += (long)result;
  }
  CHECK_IS("of four waiting threads one gets it", winners, 1);

  long good = 0;
  for (long i = 0; i < 4; i++) pthread_create(&ids[i], NULL, fork_and_wait, (void *)i);
  for (int i = 0; i < 4; i++) {
    pthread_join(ids[i], &result);
    good += (long)result;
  }
  CHECK_IS("a hundred children of four threads", good, 100);

  close(gate[0]);
  NEED(pipe(gate));
  pthread_create(&ids[0], NULL, fork_only, NULL);
  pthread_join(ids[0], &result);
  CHECK_IS("the child outlives its thread", waitpid((pid_t)(long)result, NULL, WNOHANG), 0);
  pthread_create(&ids[1], NULL, wait_without_others, NULL);
  void *error;
  pthread_join(ids[1], &error);
  CHECK_IS("__WNOTHREAD sees no other thread's", error, ECHILD);
  close(gate[1]);
  CHECK_IS("its code", wait_code((pid_t)(long)result), 12);
  return check_status();
}
