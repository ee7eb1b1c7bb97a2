/* mprotect(2): what each protection allows, to the program and to the kernel on its behalf. */
#include "../check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static sigjmp_buf back;
static void jump(int number) { siglongjmp(back, number); }

static int can_read(volatile char *memory) {
  if (sigsetjmp(back, 1)) return 0;
  (void)*memory;
  return 1;
}
static int can_write(volatile char *memory) {
  if (sigsetjmp(back, 1)) return 0;
  *memory = *memory;
  return 1;
}
static int can_execute(char *memory) {
  if (sigsetjmp(back, 1)) return 0;
  ((void (*)(void))memory)();
  return 1;
}

/* Read and written by the kernel, through a pipe. */
static int pair[2];
static int kernel_reads(char *memory) {
  char byte;
  return write(pair[1], memory, 1) == 1 && read(pair[0], &byte, 1) == 1;
}
static int kernel_writes(char *memory) {
  char byte = (char)0xc3;
  if (write(pair[1], &byte, 1) != 1) return -1;
  if (read(pair[0], memory, 1) == 1) return 1;
  return read(pair[0], &byte, 1) == 1 ? 0 : 2;
}

int main(void) {
  const struct {
    int access;
    const char *name;
  } kinds[] = {
      {PROT_NONE, "none"}, {PROT_READ, "read"}, {PROT_READ | PROT_WRITE, "read and write"},
      {PROT_READ | PROT_EXEC, "read and execute"}, {PROT_READ | PROT_WRITE | PROT_EXEC, "all"}};
  signal(SIGSEGV, jump);
  NEED(pipe(pair));
  char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(memory, 0xc3, 4 * PAGE); /* `ret` everywhere */
  for (int i = 0; i < 5; i++) {
    int access = kinds[i].access, reads = !!(access & PROT_READ), writes = !!(access & PROT_WRITE);
    char name[80];
    snprintf(name, sizeof name, "%s: set", kinds[i].name);
    CHECK_IS(name, mprotect(memory + PAGE, PAGE, access), 0);
    snprintf(name, sizeof name, "%s: program reads", kinds[i].name);
    CHECK_IS(name, can_read(memory + PAGE), reads);
    snprintf(name, sizeof name, "%s: program writes", kinds[i].name);
    CHECK_IS(name, can_write(memory + PAGE), writes);
    snprintf(name, sizeof name, "%s: program executes", kinds[i].name);
    CHECK_IS(name, can_execute(memory + PAGE), !!(access & PROT_EXEC));
    snprintf(name, sizeof name, "%s: kernel reads", kinds[i].name);
    CHECK_IS(name, kernel_reads(memory + PAGE), reads);
    snprintf(name, sizeof name, "%s: kernel writes", kinds[i].name);
    CHECK_IS(name, kernel_writes(memory + PAGE), writes);
  }
  CHECK("its neighbours are untouched",
        can_write(memory + PAGE - 1) && can_write(memory + 2 * PAGE));
  CHECK_FAILS("within a page", mprotect(memory + 8, PAGE, PROT_READ), EINVAL);
  CHECK_IS("no pages", mprotect(memory, 0, PROT_READ), 0);
  CHECK_FAILS("unknown protection", mprotect(memory, PAGE, 0x4000), EINVAL);
  munmap(memory + 2 * PAGE, PAGE);
  CHECK_FAILS("across a hole", mprotect(memory, 4 * PAGE, PROT_READ), ENOMEM);
  CHECK("what lies before the hole was changed", !can_write(memory + PAGE));
  CHECK("what lies behind was not", can_write(memory + 3 * PAGE));

  int file = open("/etc/passwd", O_RDONLY);
  char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
  CHECK_FAILS("a shared mapping of a read-only file", mprotect(shared, PAGE, PROT_WRITE), EACCES);
  char *private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
  CHECK_IS("a private one", mprotect(private, PAGE, PROT_READ | PROT_WRITE), 0);
  CHECK("can be written", can_write(private));
  return check_status();
}
