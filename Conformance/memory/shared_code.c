/* Code in shared memory: whoever maps it runs the bytes that were written, and they stay as they
 * are. Just-in-time compilers keep a writable mapping beside the one that runs. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <string.h>

#include "check.h"

/* mov $getpid, %eax; syscall; ret, and the nops behind it that a compiler would leave. */
static const unsigned char code[16] = {0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05, 0xc3,
                                       0x66, 0x90, 0x66, 0x90, 0x66, 0x90, 0x66, 0x90};

static long run(void *at, int times) {
  long (*function)(void) = (long (*)(void))at;
  long result = 0;
  for (int i = 0; i < times; i++) result = function();
  return result;
}

int main(void) {
  int file = memfd_create("code", MFD_CLOEXEC);
  ftruncate(file, 4096);
  char *written = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  memcpy(written + 64, code, sizeof code);
  char *shared = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
  CHECK("mapped", written != MAP_FAILED && shared != MAP_FAILED);
  CHECK("shared code runs", run(shared + 64, 100) == getpid());
  CHECK("its bytes stay", memcmp(written + 64, code, sizeof code) == 0);

  pid_t child = fork();
  if (child == 0) {
    char *again = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    _exit(run(again + 64, 100) == getpid() ? 0 : 1);
  }
  int status;
  waitpid(child, &status, 0);
  CHECK("a child runs it", WIFEXITED(status) && WEXITSTATUS(status) == 0);

  char *private = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  CHECK("private code runs", run(private + 64, 100) == getpid());
  CHECK("the file has none of it", memcmp(written + 64, code, sizeof code) == 0);

  written[64 + 1] = SYS_getppid;
  CHECK("a change counts at once", run(shared + 64, 100) == getppid());
  return check_status();
}
