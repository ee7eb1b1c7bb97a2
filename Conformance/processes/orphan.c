/* Orphans get a new parent: the nearest subreaper, otherwise init. */
#include "../check.h"
#include <signal.h>
#include <sys/prctl.h>

static int channel[2];

static int is_subreaper(void) {
  int value = -1;
  return prctl(PR_GET_CHILD_SUBREAPER, &value) == 0 ? value : -1;
}

/* A process whose parent dies first; it tells its new parent's pid. */
static pid_t make_orphan(void) {
  int gate[2];
  pid_t middle, orphan = 0;
  NEED(pipe(gate));
  NEED(pipe(channel));
  middle = fork();
  if (middle == 0) {
    pid_t child = fork();
    if (child == 0) {
      char byte;
      close(gate[1]);
      if (read(gate[0], &byte, 1) != 0) _exit(1);
      pid_t facts[2] = {getpid(), getppid()};
      if (write(channel[1], facts, sizeof facts) != sizeof facts) _exit(1);
      _exit(33);
    }
    _exit(0);
  }
  close(gate[0]);
  CHECK_IS("the middle process ends", wait_code(middle), 0);
  close(gate[1]);
  pid_t facts[2] = {0, 0};
  CHECK_IS("the orphan reports", read(channel[0], facts, sizeof facts), sizeof facts);
  orphan = facts[0];
  CHECK("its parent is not the dead one", facts[1] != middle);
  CHECK_IS("its parent is this process", facts[1] == getpid(), is_subreaper());
  return orphan;
}

static int inherits_nothing(void) {
  return is_subreaper();
}

int main(void) {
  CHECK_IS("nobody starts as a subreaper", is_subreaper(), 0);
  pid_t orphan = make_orphan();
  CHECK_FAILS("not our child", waitpid(orphan, NULL, 0), ECHILD);

  CHECK_IS("become a subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  CHECK_IS("subreaper", is_subreaper(), 1);
  CHECK_IS("children are not subreapers", in_child(inherits_nothing), 0);
  orphan = make_orphan();
  CHECK_IS("the subreaper reaps the orphan", wait_code(orphan), 33);
  CHECK_IS("step back", prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
  CHECK_IS("no subreaper any more", is_subreaper(), 0);
  CHECK_FAILS("no children left", wait(NULL), ECHILD);
  return check_status();
}
