/* execveat(2) and fexecve(3): by directory, by descriptor, and what the flags refuse. */
#include "../check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char *arguments[] = {"new", "program", NULL};

static int attempt(int directory, const char *path, int flags) {
  pid_t child = fork();
  if (child == 0) {
    syscall(SYS_execveat, directory, path, arguments, environ, flags);
    _exit(errno);
  }
  return wait_code(child);
}

enum { STARTED = 200 };

int main(int argc, char **argv) {
  if (argc > 1) return STARTED;
  char directory[] = "/tmp/conformance-execveat-XXXXXX", self[4096];
  if (!mkdtemp(directory)) return 2;
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  self[length > 0 ? length : 0] = 0;
  int place = open(directory, O_RDONLY | O_DIRECTORY);
  NEED(symlinkat(self, place, "link"));
  int script = openat(place, "script", O_WRONLY | O_CREAT, 0755);
  NEED(script);
  if (write(script, "#!/bin/sh\nexit 33\n", 18) != 18) return 2;
  close(script);

  CHECK_IS("absolute path", attempt(-1, self, 0), STARTED);
  CHECK_IS("AT_FDCWD", attempt(AT_FDCWD, self, 0), STARTED);
  CHECK_IS("below a directory", attempt(place, "link", 0), STARTED);
  CHECK_IS("AT_SYMLINK_NOFOLLOW", attempt(place, "link", AT_SYMLINK_NOFOLLOW), ELOOP);
  CHECK_IS("a script below a directory", attempt(place, "script", 0), 33);
  CHECK_IS("missing below a directory", attempt(place, "missing", 0), ENOENT);
  CHECK_IS("not a descriptor", attempt(-1, "link", 0), EBADF);
  CHECK_IS("unknown flag", attempt(place, "link", 0x10), EINVAL);

  int file = open(self, O_RDONLY);
  CHECK_IS("AT_EMPTY_PATH", attempt(file, "", AT_EMPTY_PATH), STARTED);
  CHECK_IS("an empty path without it", attempt(file, "", 0), ENOENT);
  CHECK_IS("not a directory", attempt(file, "link", 0), ENOTDIR);
  CHECK_IS("a directory itself", attempt(place, "", AT_EMPTY_PATH), EACCES);
  close(file);
  file = open(self, O_PATH | O_CLOEXEC);
  CHECK_IS("an O_PATH descriptor that closes", attempt(file, "", AT_EMPTY_PATH), STARTED);
  close(file);

  script = openat(place, "script", O_RDONLY);
  CHECK_IS("a script by descriptor", attempt(script, "", AT_EMPTY_PATH), 33);
  fcntl(script, F_SETFD, FD_CLOEXEC);
  CHECK_IS("its interpreter could not open it", attempt(script, "", AT_EMPTY_PATH), ENOENT);

  pid_t child = fork();
  if (child == 0) {
    file = open(self, O_RDONLY | O_CLOEXEC);
    fexecve(file, arguments, environ);
    _exit(errno);
  }
  CHECK_IS("fexecve", wait_code(child), STARTED);
  CHECK_FAILS("fexecve of nothing", fexecve(-1, arguments, environ), EINVAL);

  unlinkat(place, "link", 0);
  unlinkat(place, "script", 0);
  CHECK_IS("clean up", rmdir(directory), 0);
  return check_status();
}
