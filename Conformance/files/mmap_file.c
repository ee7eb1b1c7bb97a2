// static
#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/stat.h>

// mmap(2) of files: shared and private, coherence, the end of the file.

static sigjmp_buf back;
static int got_signal;

static void on_fault(int number) {
  got_signal = number;
  siglongjmp(back, 1);
}

// The signal that touching this byte raises, or 0.
static int touch(volatile char *byte, int write) {
  got_signal = 0;
  if (sigsetjmp(back, 1) == 0) {
    if (write) *byte = 'w';
    else (void)*byte;
  }
  return got_signal;
}

int main(void) {
  signal(SIGBUS, on_fault);
  signal(SIGSEGV, on_fault);
  char text[16] = "";
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  NEED(ftruncate(fd, 10000));
  NEED(pwrite(fd, "hello", 5, 0));

  char *shared = mmap(0, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *private = mmap(0, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  CHECK("both map", shared != MAP_FAILED && private != MAP_FAILED);
  CHECK("content", memcmp(shared, "hello", 5) == 0 && memcmp(private, "hello", 5) == 0);
  shared[0] = 'J';
  CHECK_IS("pread", pread(fd, text, 5, 0), 5);
  CHECK_TEXT("sees a store", text, "Jello");
  CHECK("the private mapping too, until it is written", private[0] == 'J');
  private[1] = 'U';
  CHECK("a private store stays private", shared[1] == 'e');
  NEED(pwrite(fd, "!", 1, 4));
  CHECK("pwrite shows in the shared mapping", shared[4] == '!');
  NEED(pwrite(fd, "far", 3, 5000));
  CHECK("on the second page too", memcmp(shared + 5000, "far", 3) == 0);

  CHECK("zeros up to the end of the page", shared[10001] == 0 && shared[12287] == 0);
  CHECK_IS("SIGBUS on the page after the end", touch(shared + 12288, 0), SIGBUS);
  NEED(ftruncate(fd, 16384));
  CHECK_IS("growing makes it good", touch(shared + 12288, 1), 0);
  CHECK_IS("and it is in the file", (pread(fd, text, 1, 12288), text[0]), 'w');
  NEED(ftruncate(fd, 4096));
  CHECK_IS("shrinking takes it back", touch(shared + 8192, 0), SIGBUS);
  NEED(ftruncate(fd, 16384));
  CHECK("what was cut off is zero", shared[5000] == 0 && shared[12288] == 0);

  IN_CHILD(shared[100] = 'c'; private[100] = 'c');
  CHECK("a child's store in the shared mapping", shared[100] == 'c');
  CHECK("not in the private one", private[100] == 0);

  char *second = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 4096);
  NEED(pwrite(fd, "page", 4, 4096));
  CHECK("an offset", memcmp(second, "page", 4) == 0);
  CHECK_IS("a read-only mapping", touch(second, 1), SIGSEGV);
  close(fd);
  shared[200] = 'd';
  fd = NEED(open("f", O_RDONLY));
  CHECK_IS("a mapping outlives its descriptor", (pread(fd, text, 1, 200), text[0]), 'd');

  CHECK("shared writing needs a writer",
    mmap(0, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
  char *copy = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  CHECK("private writing does not", copy != MAP_FAILED && touch(copy, 1) == 0);
  char *readable = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
  CHECK_FAILS("nor can mprotect add it", mprotect(readable, 4096, PROT_READ | PROT_WRITE), EACCES);
  CHECK("a crooked offset", mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 5) == MAP_FAILED
    && errno == EINVAL);
  CHECK("no length", mmap(0, 0, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
  CHECK("neither shared nor private", mmap(0, 4096, PROT_READ, 0, fd, 0) == MAP_FAILED
    && errno == EINVAL);
  CHECK("a closed descriptor", mmap(0, 4096, PROT_READ, MAP_SHARED, 99, 0) == MAP_FAILED
    && errno == EBADF);
  int writer = NEED(open("f", O_WRONLY)), directory = NEED(open(".", O_RDONLY)), ends[2];
  CHECK("a descriptor for writing", mmap(0, 4096, PROT_READ, MAP_SHARED, writer, 0) == MAP_FAILED
    && errno == EACCES);
  CHECK("a directory", mmap(0, 4096, PROT_READ, MAP_SHARED, directory, 0) == MAP_FAILED
    && errno == ENODEV);
  NEED(pipe(ends));
  CHECK("a pipe", mmap(0, 4096, PROT_READ, MAP_SHARED, ends[0], 0) == MAP_FAILED
    && errno == ENODEV);
  return check_status();
}
