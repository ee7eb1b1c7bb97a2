/* What /proc/self says of a program after exec: exe, comm, cmdline, environ. */
#include "../check.h"
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static char directory[] = "/tmp/conformance-self-XXXXXX";

/* The contents of a file with NUL shown as |. */
static const char *contents(const char *path) {
  static char text[512];
  int file = open(path, O_RDONLY);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  text[length > 0 ? length : 0] = 0;
  for (ssize_t i = 0; i < length; i++)
    if (!text[i]) text[i] = '|';
  return text;
}

static const char *name_of_self(void) {
  static char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  path[length > 0 ? length : 0] = 0;
  char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static int new_program(char **argv) {
  CHECK_TEXT("/proc/self/exe", name_of_self(), "program-with-a-long-name");
  CHECK_TEXT("/proc/self/comm", contents("/proc/self/comm"), argv[2]);
  char expected[256];
  snprintf(expected, sizeof expected, "%s|%s|%s|", argv[0], argv[1], argv[2]);
  CHECK_TEXT("/proc/self/cmdline", contents("/proc/self/cmdline"), expected);
  CHECK_TEXT("/proc/self/environ", contents("/proc/self/environ"), "ONE=1|TWO=|");
  if (!strcmp(argv[1], "removed")) {
    unlink("program-with-a-long-name");
    CHECK_TEXT("exe of a removed file", name_of_self(), "program-with-a-long-name (deleted)");
    struct stat status;
    CHECK_IS("its link still leads to it", stat("/proc/self/exe", &status), 0);
    CHECK_IS("which has no name", status.st_nlink, 0);
  }
  return check_status();
}

static int start(const char *path, const char *mode, const char *comm) {
  pid_t child = fork();
  if (child == 0) {
    char *arguments[] = {"any name", (char *)mode, (char *)comm, NULL};
    char *environment[] = {"ONE=1", "TWO=", NULL};
    prctl(PR_SET_NAME, "before exec");
    execve(path, arguments, environment);
    _exit(127);
  }
  return wait_code(child);
}

int main(int argc, char **argv) {
  if (argc > 1) return new_program(argv);
  if (!mkdtemp(directory)) return 2;
  char command[256];
  snprintf(command, sizeof command, "cp /proc/%d/exe %s/program-with-a-long-name", getpid(),
           directory);
  if (system(command) != 0 || chdir(directory) != 0) return 2;
  if (symlink("program-with-a-long-name", "link") != 0) return 2;
  CHECK_IS("by name", start("./program-with-a-long-name", "kept", "program-with-a-\n"), 0);
  CHECK_IS("by link", start("link", "kept", "link\n"), 0);
  CHECK_IS("removed", start("./program-with-a-long-name", "removed", "program-with-a-\n"), 0);
  unlink("link");
  CHECK_IS("clean up", rmdir(directory), 0);
  return check_status();
}
