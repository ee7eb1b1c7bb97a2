// static
/* execve(2) hands over arguments and environment unchanged, whatever bytes they hold. */
#include "../check.h"
#include <sys/mman.h>

/* A sum over everything that was passed, so that the parent can compare. */
static unsigned long digest(char *const *list) {
  unsigned long sum = 5381;
  for (; *list; list++)
    for (const char *byte = *list;; byte++) {
      sum = sum * 33 + (unsigned char)*byte;
      if (!*byte) break;
    }
  return sum;
}

struct report {
  int count, environment_count;
  unsigned long arguments, environment;
};

static int count(char *const *list) {
  int result = 0;
  while (list[result]) result++;
  return result;
}

/* The new program writes its report to descriptor 1, which is the parent's pipe. */
static int run_as_new_program(int argc, char **argv, char **envp) {
  struct report report = {argc, count(envp), digest(argv), digest(envp)};
  if (argv[argc] != NULL) return 3;
  if (envp != argv + argc + 1 || environ != envp) return 4;
  return write(1, &report, sizeof report) == sizeof report ? 0 : 5;
}

static void pass(const char *name, char **arguments, char **environment) {
  int channel[2];
  struct report report = {0};
  NEED(pipe(channel));
  pid_t child = fork();
  if (child == 0) {
    dup2(channel[1], 1);
    execve("/proc/self/exe", arguments, environment);
    _exit(127);
  }
  close(channel[1]);
  ssize_t got = read(channel[0], &report, sizeof report);
  close(channel[0]);
  int code = wait_code(child);
  int good = code == 0 && got == sizeof report && report.count == count(arguments) &&
             report.environment_count == count(environment) &&
             report.arguments == digest(arguments) && report.environment == digest(environment);
  check_report(name, good, code, 0);
}

int main(int argc, char **argv, char **envp) {
  if (argc > 0 && !strcmp(argv[0], "new")) return run_as_new_program(argc, argv, envp);
  char *plain[] = {"new", "one", "two words", NULL};
  char *variables[] = {"A=1", "PATH=/bin", NULL};
  char *odd[] = {"new", "", "\xff\xfe\x01\n\t", "=", "", NULL};
  char *odd_variables[] = {"", "no equals sign", "=x", "A=1", "A=2", NULL};
  char *none[] = {NULL};
  pass("plain", plain, variables);
  pass("no environment", plain, none);
  pass("odd bytes", odd, odd_variables);

  enum { LONG = 100000, MANY = 5000 };
  char *text = malloc(LONG + 1);
  memset(text, 'x', LONG);
  text[LONG] = 0;
  char *large[] = {"new", text, text, NULL};
  pass("long arguments", large, variables);
  char **many = calloc(MANY + 1, sizeof *many);
  for (int i = 0; i < MANY; i++) many[i] = "argument";
  many[0] = "new";
  pass("many arguments", many, variables);
  pass("many variables", plain, many);

  /* A list that spans pages of which the last is followed by nothing. */
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(pages + 4096, 4096);
  char **edge = (char **)(pages + 4096) - 3;
  edge[0] = "new", edge[1] = pages + 10, edge[2] = NULL;
  strcpy(edge[1], "edge of a page");
  pass("a list at the end of a page", edge, variables);
  return check_status();
}
