#include "check.h"
#include "proc/text.h"
#include <limits.h>
#include <sys/stat.h>

// /proc/self, and its exe, cwd and root.
int main(int count, char **words) {
  char here[PATH_MAX], path[PATH_MAX + 32], magic[4];
  struct stat st, other;
  (void)count;
  snprintf(path, sizeof path, "%d", getpid());
  CHECK_TEXT("/proc/self is the pid", link_of("/proc/self"), path);
  CHECK_TEXT("/proc/self/exe", link_of("/proc/self/exe"), realpath(words[0], here));
  NEED(stat("/proc/self/exe", &st));
  NEED(stat(words[0], &other));
  CHECK("is the program's file", st.st_ino == other.st_ino && st.st_dev == other.st_dev);
  int fd;
  CHECK_OK("open it", fd = open("/proc/self/exe", O_RDONLY));
  CHECK("an ELF file", read(fd, magic, 4) == 4 && memcmp(magic, "\177ELF", 4) == 0);
  NEED(lstat("/proc/self/exe", &st));
  CHECK("a link", S_ISLNK(st.st_mode));
  IN_CHILD(snprintf(path, sizeof path, "/proc/%d/exe", getppid());
    CHECK_TEXT("a child sees the same", link_of(path), here));

  NEED(getcwd(here, sizeof here) ? 0 : -1);
  CHECK_TEXT("/proc/self/cwd", link_of("/proc/self/cwd"), here);
  NEED(mkdir("d", 0755));
  NEED(chdir("d"));
  snprintf(path, sizeof path, "%s/d", here);
  CHECK_TEXT("follows chdir", link_of("/proc/self/cwd"), path);
  NEED(rename("../d", "../e"));
  snprintf(path, sizeof path, "%s/e", here);
  CHECK_TEXT("follows rename", link_of("/proc/self/cwd"), path);
  NEED(rmdir("../e"));
  strcat(path, " (deleted)");
  CHECK_TEXT("knows a removed one", link_of("/proc/self/cwd"), path);
  CHECK_OK("which it still reaches", stat("/proc/self/cwd", &st));
  NEED(chdir(".."));

  CHECK_TEXT("/proc/self/root", link_of("/proc/self/root"), "/");
  CHECK_OK("a path through it", stat("/proc/self/root/proc/self/root/dev/null", &st));
  NEED(mkdir("jail", 0755));
  close(NEED(creat("jail/mark", 0600)));
  int gate[2];
  NEED(pipe(gate));
  pid_t child = NEED(fork());
  if (child == 0) {
    char byte;
    NEED(chroot("jail"));
    NEED(chdir("/"));
    close(gate[1]);
    NEED(read(gate[0], &byte, 1));
    _exit(0);
  }
  snprintf(path, sizeof path, "/proc/%d/root/mark", child);
  while (stat(path, &st) < 0) usleep(1000);
  say("another's root leads to its files");
  close(gate[1]);
  CHECK_IS("child", wait_code(child), 0);

  CHECK_FAILS("a missing file", open("/proc/self/nothing", O_RDONLY), ENOENT);
  CHECK_FAILS("a missing process", stat("/proc/4194305", &st), ENOENT);
  CHECK_FAILS("not a process", stat("/proc/1x", &st), ENOENT);
  CHECK_FAILS("a file can't be made", open("/proc/new", O_WRONLY | O_CREAT, 0600), ENOENT);
  CHECK_FAILS("nor a directory", mkdir("/proc/self/new", 0700), ENOENT);
  snprintf(path, sizeof path, "/proc/%d", getpid());
  CHECK_FAILS("nor a process removed", rmdir(path), EPERM);
  return check_status();
}
