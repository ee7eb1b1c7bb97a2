// static
/* Exec over and over in one process, and exec with large memory and many mappings. */
#include "../check.h"
#include <sys/mman.h>

static int again(int left) {
  char text[16], *arguments[] = {"new", text, NULL};
  if (left == 0) return 64;
  /* Memory and mappings to be torn down. */
  size_t size = 1 << 20;
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  for (size_t i = 0; i < size; i += 4096) {
    if (memory[i] != 0) return 2;
    memory[i] = 1;
  }
  for (int i = 0; i < 50; i++) mprotect(memory + i * 8192, 4096, PROT_READ);
  snprintf(text, sizeof text, "%d", left - 1);
  execve("/proc/self/exe", arguments, environ);
  return 3;
}

int main(int argc, char **argv) {
  static int touched = 5;
  if (argc > 1) {
    if (touched++ != 5) return 4;
    return again(atoi(argv[1]));
  }
  pid_t child = fork();
  if (child == 0) _exit(again(30));
  CHECK_IS("thirty programs one after another", wait_code(child), 64);
  int good = 0;
  for (int i = 0; i < 30; i++) {
    child = vfork();
    if (child == 0) {
      char *arguments[] = {"new", "0", NULL};
      execve("/proc/self/exe", arguments, environ);
      _exit(127);
    }
    good += wait_code(child) == 64;
  }
  CHECK_IS("thirty children", good, 30);
  return check_status();
}
