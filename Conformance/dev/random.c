#include "check.h"
#include <fcntl.h>
#include <sys/random.h>

// /dev/urandom, /dev/random and getrandom(2): bytes that differ.

static unsigned char one[4096], other[4096];

// Whether they differ and every value turns up in 4096 of them now and then.
static int look_random(void) {
  int seen[256] = {0}, kinds = 0;
  for (int i = 0; i < 4096; i++) kinds += seen[one[i]]++ == 0;
  return kinds > 200 && memcmp(one, other, sizeof one) != 0;
}

int main(void) {
  const char *paths[] = {"/dev/urandom", "/dev/random"};
  for (int i = 0; i < 2; i++) {
    int fd = NEED(open(paths[i], O_RDWR));
    CHECK_IS(paths[i], read(fd, one, 4096) + read(fd, other, 4096), 8192);
    CHECK("random", look_random());
    CHECK_IS("odd sizes", read(fd, one, 13), 13);
    CHECK_IS("write", write(fd, "seed", 4), 4);
    close(fd);
  }
  CHECK_IS("getrandom", getrandom(one, 4096, 0) + getrandom(other, 4096, 0), 8192);
  CHECK("random", look_random());
  CHECK_IS("GRND_NONBLOCK", getrandom(one, 16, GRND_NONBLOCK), 16);
  CHECK_IS("GRND_RANDOM", getrandom(one, 16, GRND_RANDOM), 16);
  CHECK_IS("none", getrandom(one, 0, 0), 0);
  CHECK_FAILS("unknown flags", getrandom(one, 16, 0x100), EINVAL);
  CHECK_FAILS("a bad buffer", getrandom((void *)8, 16, 0), EFAULT);
  CHECK_IS("getentropy", getentropy(one, 256), 0);
  CHECK_FAILS("of at most 256 bytes", getentropy(one, 257), EIO);
  IN_CHILD(getrandom(other, 4096, 0));
  getrandom(one, 4096, 0);
  CHECK("random", look_random());
  return check_status();
}
