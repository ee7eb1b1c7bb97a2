/* SIGBUS: touching a file mapping beyond the file's end, and unaligned access when checked. */
#include "../check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

static sigjmp_buf back;
static volatile sig_atomic_t code;
static void *volatile address;

static void jump(int number, siginfo_t *info, void *context) {
  (void)context;
  code = info->si_code;
  address = info->si_addr;
  siglongjmp(back, number);
}

static int touch(volatile char *place) {
  int number = sigsetjmp(back, 1);
  if (number == 0) *place += 1;
  return number;
}

static char *map;
static int dies(void) {
  signal(SIGBUS, SIG_DFL);
  return ((volatile char *)map)[5000];
}

int main(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  char path[] = "/tmp/conformance-bus-XXXXXX";
  int file = mkstemp(path);
  NEED(file);
  unlink(path);
  NEED(write(file, "hello", 5));
  struct sigaction action = {.sa_sigaction = jump, .sa_flags = SA_SIGINFO};
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);

  map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  CHECK_IS("inside", touch(map), 0);
  CHECK_IS("the rest of the last page", touch(map + 4095), 0);
  CHECK_IS("beyond the end", touch(map + 4096), SIGBUS);
  CHECK_IS("code", code, BUS_ADRERR);
  CHECK("address", address == map + 4096);
  CHECK_IS("further beyond", touch(map + 2 * 4096 + 7), SIGBUS);
  CHECK("its address", address == map + 2 * 4096 + 7);
  NEED(ftruncate(file, 2 * 4096));
  CHECK_IS("after growing", touch(map + 4096), 0);
  NEED(ftruncate(file, 0));
  CHECK_IS("after shrinking", touch(map), SIGBUS);
  CHECK_IS("dies", in_child(dies), 128 + SIGBUS);

  char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  CHECK_IS("private mapping of an empty file", touch(private), SIGBUS);
  int pair[2];
  NEED(pipe(pair));
  CHECK_FAILS("the kernel says EFAULT", write(pair[1], private, 10), EFAULT);
  CHECK_IS("the program still SIGBUS", touch(private), SIGBUS);
  munmap(map, 3 * 4096);
  CHECK_IS("unmapped is SIGSEGV", touch(map), SIGSEGV);

  /* With alignment checking on, an unaligned access. */
  static int64_t aligned[2];
  int number = sigsetjmp(back, 1);
  if (number == 0) {
    __asm__ volatile("pushfq\n orq $0x40000, (%%rsp)\n popfq\n"
                     "mov 1(%0), %%rax\n"
                     "pushfq\n andq $~0x40000, (%%rsp)\n popfq\n"
                     : : "r"(aligned) : "rax", "cc", "memory");
  }
  __asm__ volatile("pushfq\n andq $~0x40000, (%%rsp)\n popfq\n" : : : "cc", "memory");
  CHECK_IS("unaligned access", number, SIGBUS);
  CHECK_IS("code of it", code, BUS_ADRALN);
  return check_status();
}
