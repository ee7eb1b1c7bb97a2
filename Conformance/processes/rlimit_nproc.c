/* RLIMIT_NPROC: how many processes and threads a plain user may have. */
#include "../check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

static int gate[2];

static pid_t sleeper(void) {
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(gate[1]);
    _exit((int)read(gate[0], &byte, 1));
  }
  return child;
}

static void *nothing(void *value) { return value; }

/* The user 54399 has no other process. */
static int limited(void) {
  struct rlimit limit = {5, 5};
  NEED(pipe(gate));
  if (setresuid(54399, 54399, 54399) != 0) return 9;
  NEED(setrlimit(RLIMIT_NPROC, &limit));
  pid_t children[4];
  for (int i = 0; i < 4; i++) children[i] = sleeper();
  CHECK("four children", children[0] > 0 && children[3] > 0);
  CHECK_FAILS("no fifth", sleeper(), EAGAIN);
  pthread_t id;
  CHECK_IS("nor a thread", pthread_create(&id, NULL, nothing, NULL), EAGAIN);
  kill(children[0], SIGKILL);
  siginfo_t info;
  waitid(P_PID, children[0], &info, WEXITED | WNOWAIT);
  CHECK_FAILS("a zombie still counts", sleeper(), EAGAIN);
  wait_code(children[0]);
  children[0] = sleeper();
  CHECK("a reaped one does not", children[0] > 0);
  kill(children[1], SIGKILL);
  wait_code(children[1]);
  CHECK_IS("a thread in its place", pthread_create(&id, NULL, nothing, NULL), 0);
  pthread_join(id, NULL);
  close(gate[1]);
  CHECK_IS("the others end", wait_code(children[0]) + wait_code(children[2]) +
                                 wait_code(children[3]), 0);
  return check_status();
}

static int root(void) {
  struct rlimit limit = {1, 1};
  NEED(setrlimit(RLIMIT_NPROC, &limit));
  pid_t child = fork();
  if (child == 0) _exit(6);
  return wait_code(child);
}

int main(void) {
  CHECK_IS("limited", in_child(limited), 0);
  CHECK_IS("root is not limited", in_child(root), 6);
  return check_status();
}
