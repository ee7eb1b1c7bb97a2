/* Where execve(2) says E2BIG and EFAULT, and what an empty argument list becomes. */
#include "../check.h"
#include <sys/resource.h>
#include <sys/syscall.h>

static char *empty[] = {NULL};

static int attempt(char **arguments, char **environment) {
  pid_t child = fork();
  if (child == 0) {
    syscall(SYS_execve, "/proc/self/exe", arguments, environment);
    _exit(errno);
  }
  return wait_code(child);
}

enum { STARTED = 200, NO_ARGUMENTS = 201 };

int main(int argc, char **argv) {
  if (argc > 0 && !strcmp(argv[0], "new")) return STARTED;
  if (argc == 1 && !argv[0][0]) return NO_ARGUMENTS;

  enum { LONGEST = 32 * 4096 };
  char *text = malloc(LONGEST + 1);
  memset(text, 'a', LONGEST);
  text[LONGEST - 1] = 0;
  char *arguments[] = {"new", text, NULL};
  char *plain[] = {"new", NULL};
  CHECK_IS("the longest string", attempt(arguments, empty), STARTED);
  CHECK_IS("the longest variable", attempt(plain, arguments), STARTED);
  text[LONGEST - 1] = 'a';
  text[LONGEST] = 0;
  CHECK_IS("one byte longer", attempt(arguments, empty), E2BIG);
  CHECK_IS("a variable one byte longer", attempt(plain, arguments), E2BIG);

  /* All strings and pointers together may take a quarter of the stack limit. */
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  limit.rlim_cur = 2 << 20;
  NEED(setrlimit(RLIMIT_STACK, &limit));
  text[100000] = 0;
  char *many[16];
  for (int i = 0; i < 16; i++) many[i] = i < 4 ? text : NULL;
  many[0] = "new";
  CHECK_IS("300 KB under a stack limit of 2 MB", attempt(many, empty), STARTED);
  for (int i = 1; i < 8; i++) many[i] = text;
  CHECK_IS("700 KB under a stack limit of 2 MB", attempt(many, empty), E2BIG);
  limit.rlim_cur = 8 << 20;
  setrlimit(RLIMIT_STACK, &limit);
  CHECK_IS("700 KB under a stack limit of 8 MB", attempt(many, empty), STARTED);

  char *bad[] = {"new", (char *)8, NULL};
  CHECK_IS("an unmapped string", attempt(bad, empty), EFAULT);
  CHECK_IS("an unmapped variable", attempt(plain, bad), EFAULT);
  CHECK_IS("an unmapped list", attempt((char **)8, empty), EFAULT);
  CHECK_IS("an unmapped environment", attempt(plain, (char **)8), EFAULT);
  CHECK_IS("no environment list", attempt(plain, NULL), STARTED);
  CHECK_IS("an empty list becomes one empty string", attempt(empty, empty), NO_ARGUMENTS);
  CHECK_IS("so does no list", attempt(NULL, empty), NO_ARGUMENTS);
  CHECK_FAILS("unmapped path", syscall(SYS_execve, 8, plain, empty), EFAULT);
  CHECK_FAILS("empty path", syscall(SYS_execve, "", plain, empty), ENOENT);
  return check_status();
}
