#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// O_CREAT|O_EXCL, mkdir, link and rename decide a race for exactly one of several processes.

enum { racers = 4, rounds = 50 };

int main(void) {
  char name[32], own[32];
  int wins[2], start[2];
  pid_t children[racers];
  NEED(pipe(wins));
  NEED(pipe(start));
  for (int i = 0; i < racers; i++) {
    if ((children[i] = NEED(fork())) == 0) {
      char byte;
      close(start[1]);
      NEED(read(start[0], &byte, 1));
      snprintf(own, sizeof own, "own%d", i);
      for (int round = 0; round < rounds; round++) {
        snprintf(name, sizeof name, "f%d", round);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd >= 0) NEED(write(wins[1], "f", 1));
        close(fd);
        snprintf(name, sizeof name, "d%d", round);
        if (mkdir(name, 0700) == 0) NEED(write(wins[1], "d", 1));
        close(creat(own, 0600));
        snprintf(name, sizeof name, "l%d", round);
        if (link(own, name) == 0) NEED(write(wins[1], "l", 1));
        snprintf(name, sizeof name, "r%d", round);
        if (renameat2(AT_FDCWD, own, AT_FDCWD, name, RENAME_NOREPLACE) == 0)
          NEED(write(wins[1], "r", 1));
        unlink(own);
      }
      _exit(0);
    }
  }
  close(start[0]);
  close(start[1]);
  close(wins[1]);
  for (int i = 0; i < racers; i++) CHECK_IS("racer", wait_code(children[i]), 0);
  int counts[128] = {0};
  char byte;
  while (read(wins[0], &byte, 1) == 1) counts[(int)byte]++;
  CHECK_IS("O_EXCL", counts['f'], rounds);
  CHECK_IS("mkdir", counts['d'], rounds);
  CHECK_IS("link", counts['l'], rounds);
  CHECK_IS("RENAME_NOREPLACE", counts['r'], rounds);
  return check_status();
}
