#include "check.h"
#include <fcntl.h>

// A pipeline of twenty processes, and many pipes at once.
int main(void) {
  enum { stages = 20 };
  int in[2];
  NEED(pipe(in));
  int first = in[1], last = in[0];
  pid_t children[stages];
  for (int i = 0; i < stages; i++) {
    int next[2];
    NEED(pipe(next));
    if ((children[i] = NEED(fork())) == 0) {
      unsigned char byte;
      close(first);
      close(next[0]);
      while (read(last, &byte, 1) == 1) {
        byte++;
        if (write(next[1], &byte, 1) != 1) _exit(1);
      }
      _exit(0);
    }
    close(last);
    close(next[1]);
    last = next[0];
  }
  unsigned char text[100];
  for (int i = 0; i < 100; i++) text[i] = i;
  CHECK_IS("in", write(first, text, 100), 100);
  close(first);
  int good = 1, total = 0;
  unsigned char byte;
  while (read(last, &byte, 1) == 1) good &= byte == total++ + stages;
  CHECK_IS("out", total, 100);
  CHECK("each stage added one", good);
  for (int i = 0; i < stages; i++) good &= wait_code(children[i]) == 0;
  CHECK("all stages ended", good);
  close(last);

  int ends[200][2];
  for (int i = 0; i < 200; i++) {
    NEED(pipe(ends[i]));
    NEED(write(ends[i][1], &i, sizeof i));
  }
  for (int i = 0; i < 200; i++) {
    int number = -1;
    NEED(read(ends[i][0], &number, sizeof number));
    good &= number == i;
  }
  CHECK("200 pipes keep their own", good);
  return check_status();
}
