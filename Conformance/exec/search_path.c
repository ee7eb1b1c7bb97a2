/* execvp(3) over PATH: what is tried next, which error wins, and the shell as a last resort. */
#include "../check.h"
#include <fcntl.h>
#include <sys/stat.h>

static void make(const char *name, const char *text, mode_t mode) {
  int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  NEED(file);
  if (write(file, text, strlen(text)) < 0) exit(2);
  fchmod(file, mode);
  close(file);
}

/* The program's exit code, or the negative errno. */
static int run(const char *path, const char *name) {
  pid_t child = fork();
  if (child == 0) {
    if (path) setenv("PATH", path, 1);
    else unsetenv("PATH");
    char *arguments[] = {(char *)name, "argument", NULL};
    execvp(name, arguments);
    _exit(100 + errno);
  }
  return wait_code(child);
}

int main(void) {
  char directory[] = "/tmp/conformance-path-XXXXXX";
  if (!mkdtemp(directory) || chdir(directory) != 0) return 2;
  mkdir("a", 0755), mkdir("b", 0755), mkdir("c", 0755);
  make("a/tool", "#!/bin/sh\nexit 11\n", 0755);
  make("b/tool", "#!/bin/sh\nexit 12\n", 0755);
  make("c/tool", "#!/bin/sh\nexit 13\n", 0644);
  make("c/only", "#!/bin/sh\nexit 14\n", 0644);
  make("a/plain", "exit 15\n", 0755);
  make("a/file", "", 0644);
  make("local", "#!/bin/sh\nexit 16\n", 0755);

  CHECK_IS("the first match", run("a:b", "tool"), 11);
  CHECK_IS("the other order", run("b:a", "tool"), 12);
  CHECK_IS("missing directories are passed over", run("none:b", "tool"), 12);
  CHECK_IS("so is a file as directory", run("local:b", "tool"), 12);
  CHECK_IS("a file without permission is passed over", run("c:b", "tool"), 12);
  CHECK_IS("unless it is the only one", run("a:c", "only"), 100 + EACCES);
  CHECK_IS("nowhere", run("a:b:c", "missing"), 100 + ENOENT);
  CHECK_IS("an empty element is the current directory", run("a::b", "local"), 16);
  CHECK_IS("so is one at the end", run("a:", "local"), 16);
  CHECK_IS("not by itself", run("a:b", "local"), 100 + ENOENT);
  CHECK_IS("a name with a slash is not searched", run("a", "./local"), 16);
  CHECK_IS("nor found elsewhere", run("a", "./tool"), 100 + ENOENT);
  CHECK_IS("without PATH the system's directories", run(NULL, "true"), 0);
  CHECK_IS("an empty name", run("a:b", ""), 100 + ENOENT);
  CHECK_IS("a file of no known kind goes to the shell", run("a", "plain"), 15);

  char command[128];
  snprintf(command, sizeof command, "rm -r %s", directory);
  CHECK_IS("clean up", system(command), 0);
  return check_status();
}
