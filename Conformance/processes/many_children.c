/* Many children at once: each is reaped exactly once, with its own code. */
#include "../check.h"
#include <signal.h>

enum { COUNT = 100 };

static pid_t pids[COUNT];
static int seen[COUNT];

static int index_of(pid_t pid) {
  for (int i = 0; i < COUNT; i++)
    if (pids[i] == pid) return i;
  return -1;
}

static int depth_first(int depth) {
  if (depth == 0) return 0;
  pid_t child = fork();
  if (child == 0) _exit(depth_first(depth - 1));
  int code = wait_code(child);
  return code < 0 ? 200 : code + 1;
}

int main(void) {
  int gate[2];
  NEED(pipe(gate));
  for (int i = 0; i < COUNT; i++) {
    pids[i] = fork();
    if (pids[i] == 0) {
      char byte;
      close(gate[1]);
      if (read(gate[0], &byte, 1) != 0) _exit(255);
      _exit(i);
    }
    NEED(pids[i]);
  }
  int distinct = 1;
  for (int i = 0; i < COUNT; i++) distinct &= index_of(pids[i]) == i && pids[i] != getpid();
  CHECK("pids are distinct", distinct);
  CHECK_IS("all run", waitpid(-1, NULL, WNOHANG), 0);
  close(gate[1]);
  int codes = 1, status;
  for (int i = 0; i < COUNT; i++) {
    pid_t pid = wait(&status);
    int index = index_of(pid);
    if (index < 0) break;
    seen[index]++;
    codes &= WIFEXITED(status) && WEXITSTATUS(status) == index;
  }
  int once = 1;
  for (int i = 0; i < COUNT; i++) once &= seen[i] == 1;
  CHECK("each is reaped once", once);
  CHECK("each has its own code", codes);
  CHECK_FAILS("nobody is left", wait(NULL), ECHILD);

  CHECK_IS("a line of twenty generations", depth_first(20), 20);

  int churned = 0;
  for (int i = 0; i < 200; i++) {
    pid_t child = fork();
    if (child == 0) _exit(i & 0x7f);
    churned += wait_code(child) == (i & 0x7f);
  }
  CHECK_IS("two hundred one after the other", churned, 200);
  return check_status();
}
