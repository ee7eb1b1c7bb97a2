#include "check.h"
#include <fcntl.h>

// pipe2(O_DIRECT): packet mode.
int main(void) {
  int ends[2];
  char text[16];
  static char large[5000];
  CHECK_OK("pipe2(O_DIRECT)", pipe2(ends, O_DIRECT | O_NONBLOCK));
  NEED(write(ends[1], "one", 3));
  NEED(write(ends[1], "three", 5));
  CHECK_IS("one packet a read", read(ends[0], text, 16), 3);
  CHECK_IS("a short read", read(ends[0], text, 2), 2);
  CHECK_FAILS("loses the rest", read(ends[0], text, 16), EAGAIN);
  CHECK_IS("more than a page", write(ends[1], large, 5000), 5000);
  CHECK_IS("is split", read(ends[0], large, 5000), 4096);
  CHECK_IS("at pages", read(ends[0], large, 5000), 904);
  return check_status();
}
