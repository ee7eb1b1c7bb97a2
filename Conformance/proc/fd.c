#include "check.h"
#include "proc/text.h"
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

// /proc/self/fd and /proc/self/fdinfo.

static const char *target(int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return link_of(path);
}

static int reopen(int fd, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open(path, flags);
}

// Whether a name reads "KIND:[DIGITS]" and has the descriptor's inode.
static int names_inode(int fd, const char *kind) {
  char expected[64];
  struct stat st;
  NEED(fstat(fd, &st));
  snprintf(expected, sizeof expected, "%s:[%lu]", kind, (long)st.st_ino);
  return strcmp(target(fd), expected) == 0;
}

int main(void) {
  char here[4096], path[5000], text[16];
  int ends[2], pair[2];
  NEED(getcwd(here, sizeof here) ? 0 : -1);
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  NEED(write(fd, "0123456789", 10));
  snprintf(path, sizeof path, "%s/f", here);
  CHECK_TEXT("a file", target(fd), path);
  NEED(rename("f", "g"));
  path[strlen(path) - 1] = 'g';
  CHECK_TEXT("renamed", target(fd), path);
  NEED(pipe(ends));
  CHECK("a pipe", names_inode(ends[0], "pipe") && names_inode(ends[1], "pipe"));
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  CHECK("a socket", names_inode(pair[0], "socket"));
  CHECK_TEXT("an epoll set", target(NEED(epoll_create1(0))), "anon_inode:[eventpoll]");
  CHECK_TEXT("an eventfd", target(NEED(eventfd(0, 0))), "anon_inode:[eventfd]");
  CHECK_TEXT("/dev/null", target(NEED(open("/dev/null", O_RDWR))), "/dev/null");
  CHECK_TEXT("a closed descriptor", target(99), "ENOENT");

  int again;
  CHECK_OK("open it again", again = reopen(fd, O_RDONLY));
  CHECK_IS("an offset of its own", lseek(again, 0, SEEK_CUR), 0);
  CHECK_IS("read", read(again, text, 3), 3);
  close(again);
  NEED(unlink("g"));
  strcat(path, " (deleted)");
  CHECK_TEXT("deleted", target(fd), path);
  CHECK_OK("open a deleted one", again = reopen(fd, O_RDWR | O_TRUNC));
  CHECK_IS("O_TRUNC", lseek(fd, 0, SEEK_END), 0);
  CHECK_OK("the other end of a pipe", again = reopen(ends[0], O_WRONLY));
  NEED(write(again, "pipe", 4));
  CHECK_IS("is a way in", read(ends[0], text, 16), 4);
  CHECK_FAILS("a socket can't be opened", reopen(pair[0], O_RDWR), ENXIO);

  struct stat st;
  snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
  NEED(lstat(path, &st));
  CHECK_IS("mode for reading", st.st_mode, S_IFLNK | 0500);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  NEED(lstat(path, &st));
  CHECK_IS("for both", st.st_mode, S_IFLNK | 0700);

  // The directory lists exactly the open descriptors.
  int open_count = 0, listed = 0, wrong = 0;
  DIR *directory = opendir("/proc/self/fd");
  for (int i = 0; i < 256; i++) open_count += fcntl(i, F_GETFD) >= 0;
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (entry->d_name[0] == '.') continue;
    listed++;
    wrong += fcntl(atoi(entry->d_name), F_GETFD) < 0 || entry->d_type != DT_LNK;
  }
  closedir(directory);
  CHECK_IS("all are listed", listed, open_count);
  CHECK_IS("and no others", wrong, 0);

  int append = NEED(open("h", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  NEED(write(append, "abc", 3));
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", append);
  CHECK_TEXT("fdinfo pos", field_of(path, "pos"), "3");
  const char *flags = field_of(path, "flags");
  long value = flags ? strtol(flags, NULL, 8) : 0;
  CHECK_IS("fdinfo flags", value & (O_APPEND | O_CLOEXEC | O_ACCMODE),
    O_APPEND | O_CLOEXEC | O_WRONLY);
  return check_status();
}
