/* libc's setuid changes all threads, the raw call one; a signal between users needs permission. */
#include "../check.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

static int ready, phase, done;
static uid_t seen[3];

static void wait_for(int *what, int value) {
  while (__atomic_load_n(what, __ATOMIC_SEQ_CST) < value) sched_yield();
}

static void *thread(void *argument) {
  long me = (long)argument;
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  wait_for(&phase, 1);
  seen[me] = geteuid();
  __atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
  wait_for(&phase, 2);
  seen[me] = geteuid();
  return NULL;
}

static int all_threads(void) {
  pthread_t ids[3];
  for (long i = 0; i < 3; i++) pthread_create(&ids[i], NULL, thread, (void *)i);
  wait_for(&ready, 3);
  NEED(syscall(SYS_setresuid, -1, 1001, -1));
  __atomic_store_n(&phase, 1, __ATOMIC_SEQ_CST);
  wait_for(&done, 3);
  CHECK_IS("the raw call changes this thread", geteuid(), 1001);
  CHECK("and no other", seen[0] == 0 && seen[1] == 0 && seen[2] == 0);
  NEED(syscall(SYS_setresuid, -1, 0, -1));
  CHECK_IS("libc's setresuid", setresuid(1002, 1002, 1002), 0);
  __atomic_store_n(&phase, 2, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 3; i++) pthread_join(ids[i], NULL);
  CHECK("changes all", seen[0] == 1002 && seen[1] == 1002 && seen[2] == 1002);
  return check_status();
}

/* A process of `user` that waits to be killed; it tells when it has become that user. */
static pid_t process_of(uid_t real, uid_t saved) {
  int ready_pipe[2];
  char byte = 0;
  NEED(pipe(ready_pipe));
  pid_t child = fork();
  if (child == 0) {
    if (setresuid(real, saved, saved) != 0 || write(ready_pipe[1], &byte, 1) != 1) _exit(9);
    for (;;) pause();
  }
  NEED(read(ready_pipe[0], &byte, 1));
  close(ready_pipe[0]);
  close(ready_pipe[1]);
  return child;
}

/* Whether a process of this real and effective user may signal the child. */
static int may(pid_t child, uid_t real, uid_t effective) {
  pid_t sender = fork();
  if (sender == 0) {
    if (setresuid(real, effective, effective) != 0) _exit(9);
    _exit(kill(child, 0) == 0 ? 1 : errno == EPERM ? 0 : 8);
  }
  return wait_code(sender);
}

int main(void) {
  CHECK_IS("all threads", in_child(all_threads), 0);
  pid_t child = process_of(1001, 1005);
  CHECK_IS("a stranger may not signal", may(child, 1002, 1002), 0);
  CHECK_IS("the same real user may", may(child, 1001, 1001), 1);
  CHECK_IS("the saved user may", may(child, 1005, 1005), 1);
  CHECK_IS("by the sender's real user", may(child, 1001, 1002), 1);
  CHECK_IS("by its effective user", may(child, 1002, 1001), 1);
  CHECK_IS("root may", may(child, 0, 0), 1);
  kill(child, SIGKILL);
  CHECK_IS("killed", wait_code(child), 128 + SIGKILL);
  return check_status();
}
