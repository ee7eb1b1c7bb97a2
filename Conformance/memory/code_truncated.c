#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

// Code in a file that is cut: what is left runs, and only the program can fall into the hole.

static const unsigned char with_number[] = {0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3};
static const unsigned char by_argument[] = {0x89, 0xf8, 0x0f, 0x05, 0xc3};
static const unsigned char falling[] = {0x90, 0x89, 0xf8, 0x0f, 0x05};

enum { PAGE = 4096, ROUNDS = 40 };
static unsigned char pages[16 * PAGE];
static sigjmp_buf back;
static int fd, over;

static void on_fault(int number) {
  (void)number;
  siglongjmp(back, 1);
}

// Maps the file, and cuts it before or after the first of some calls of getpid(2). How many said
// so, or -1 for a fault.
static int try_code(const unsigned char *code, size_t size, size_t at, off_t left, int cut_first) {
  memset(pages, 0x90, sizeof pages);
  memcpy(pages + at, code, size);
  NEED(pwrite(fd, pages, sizeof pages, 0));
  char *start = mmap(NULL, sizeof pages, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  long (*call)(long) = (long (*)(long))(start + at);
  volatile int good = 0;
  if (sigsetjmp(back, 1) == 0) {
    if (cut_first) NEED(ftruncate(fd, left));
    for (int i = 0; i < ROUNDS; i++) {
      good += call(SYS_getpid) == getpid();
      NEED(ftruncate(fd, left));
    }
  } else {
    good = -1;
  }
  NEED(munmap(start, sizeof pages));
  return good;
}

static void *cut(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
    NEED(ftruncate(fd, 5 * PAGE));
    NEED(pwrite(fd, pages, sizeof pages, 0));
    NEED(ftruncate(fd, 0));
  }
  return NULL;
}

// Calls code that another thread takes away again and again. Any call may find it gone.
static void race(void) {
  pthread_t other;
  memset(pages, 0x90, sizeof pages);
  memcpy(pages + 5 * PAGE - sizeof by_argument, by_argument, sizeof by_argument);
  NEED(pwrite(fd, pages, sizeof pages, 0));
  NEED(-pthread_create(&other, NULL, cut, NULL));
  int wrong = 0;
  for (int i = 0; i < 1000; i++) {
    char *start = mmap(NULL, sizeof pages, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    long (*call)(long) = (long (*)(long))(start + 5 * PAGE - sizeof by_argument);
    if (sigsetjmp(back, 1) == 0)
      for (int j = 0; j < 10; j++) wrong += call(SYS_getpid) != getpid();
    NEED(munmap(start, sizeof pages));
  }
  over = 1;
  pthread_join(other, NULL);
  CHECK_IS("each call was right or did not come to pass", wrong, 0);
}

int main(void) {
  struct sigaction action = {.sa_handler = on_fault};
  NEED(sigaction(SIGBUS, &action, NULL));
  // The zeros of a file that has just been cut.
  NEED(sigaction(SIGSEGV, &action, NULL));
  fd = NEED(open("code", O_RDWR | O_CREAT, 0700));
  for (int first = 0; first < 2; first++) {
    CHECK_IS("the number before the call",
      try_code(with_number, sizeof with_number, 100, PAGE, first), ROUNDS);
    CHECK_IS("the number anywhere", try_code(by_argument, sizeof by_argument, 100, PAGE, first),
      ROUNDS);
    CHECK_IS("at the end of what is left",
      try_code(by_argument, sizeof by_argument, PAGE - sizeof by_argument, PAGE, first), ROUNDS);
    CHECK_IS("at the end of more", try_code(with_number, sizeof with_number,
      9 * PAGE - sizeof with_number, 9 * PAGE, first), ROUNDS);
    CHECK_IS("into the hole",
      try_code(falling, sizeof falling, PAGE - sizeof falling, PAGE, first), -1);
  }
  CHECK_IS("all of it", try_code(with_number, sizeof with_number, 100, 0, 0), -1);
  race();
  CHECK("and still here", getpid() > 0);
  return check_status();
}
