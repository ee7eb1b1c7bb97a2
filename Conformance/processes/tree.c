/* A tree of processes that grows in all branches at once, and reports through one pipe. */
#include "../check.h"

enum { WIDTH = 3, DEPTH = 4 };
static int report[2];

/* Exit code: 0 when the whole subtree was as it should be. */
static int grow(int depth, unsigned char path) {
  if (write(report[1], &path, 1) != 1) return 1;
  if (depth == 0) return 0;
  pid_t children[WIDTH];
  int good = 1;
  for (int i = 0; i < WIDTH; i++) {
    children[i] = fork();
    if (children[i] == 0) _exit(grow(depth - 1, path * WIDTH + i + 1));
    good &= children[i] > 0;
  }
  for (int i = WIDTH - 1; i >= 0; i--) good &= wait_code(children[i]) == 0;
  return good && wait(NULL) == -1 && errno == ECHILD ? 0 : 2;
}

static int classic_daemon(void) {
  /* Forks, makes a session, forks again; tells its parent's and session's relation. */
  pid_t first = fork();
  if (first != 0) return wait_code(first);
  if (setsid() != getpid()) _exit(1);
  pid_t second = fork();
  if (second != 0) _exit(0);
  pid_t session = getsid(0);
  while (getppid() == session) usleep(200);
  unsigned char good = getsid(0) != getpid() && getsid(0) == getpgrp() && chdir("/") == 0;
  _exit(write(report[1], &good, 1) != 1);
}

int main(void) {
  unsigned char seen[256], byte;
  int count = 0, distinct = 1, expected = 0;
  memset(seen, 0, sizeof seen);
  NEED(pipe(report));
  pid_t root = fork();
  if (root == 0) {
    close(report[0]);
    _exit(grow(DEPTH, 0));
  }
  close(report[1]);
  while (read(report[0], &byte, 1) == 1) {
    count++;
    distinct &= !seen[byte]++;
  }
  for (int i = 0, level = 1; i <= DEPTH; i++, level *= WIDTH) expected += level;
  CHECK_IS("processes", count, expected);
  CHECK("each once", distinct);
  CHECK_IS("root", wait_code(root), 0);
  NEED(pipe(report));
  CHECK_IS("a daemon's parent ends", in_child(classic_daemon), 0);
  CHECK("the daemon lives on", read(report[0], &byte, 1) == 1 && byte == 1);
  return check_status();
}
