#include "check.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

// O_PATH: a descriptor that names a file without opening it.
int main(void) {
  struct stat st;
  char text[64];
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0));
  NEED(write(fd, "text", 4));
  close(fd);
  NEED(symlink("f", "link"));

  int path;
  CHECK_OK("O_PATH needs no permission to the file", path = open("f", O_PATH));
  CHECK_FAILS("read", read(path, text, 1), EBADF);
  CHECK_FAILS("write", write(path, text, 1), EBADF);
  CHECK_FAILS("lseek", lseek(path, 0, SEEK_SET), EBADF);
  CHECK_FAILS("ftruncate", ftruncate(path, 0), EBADF);
  CHECK_FAILS("fchmod", fchmod(path, 0600), EBADF);
  CHECK_FAILS("fchown", fchown(path, -1, -1), EBADF);
  CHECK_FAILS("ioctl", ioctl(path, FIONREAD, &fd), EBADF);
  CHECK("mmap", mmap(0, 4096, PROT_READ, MAP_PRIVATE, path, 0) == MAP_FAILED && errno == EBADF);
  CHECK_FAILS("fsync", fsync(path), EBADF);
  CHECK_OK("fstat", fstat(path, &st));
  CHECK("is the file", S_ISREG(st.st_mode) && st.st_size == 4);
  CHECK_OK("fstatat AT_EMPTY_PATH", fstatat(path, "", &st, AT_EMPTY_PATH));
  CHECK_IS("F_GETFL", fcntl(path, F_GETFL) & (O_PATH | O_ACCMODE), O_PATH);
  CHECK_IS("F_GETFD", fcntl(path, F_GETFD), 0);
  int copy;
  CHECK_OK("dup", copy = dup(path));
  CHECK_FAILS("the copy is O_PATH too", read(copy, text, 1), EBADF);

  NEED(chmod("f", 0644));
  snprintf(text, sizeof text, "/proc/self/fd/%d", path);
  CHECK_OK("reopen it by way of /proc", fd = open(text, O_RDONLY));
  CHECK_IS("read", read(fd, text, 4), 4);
  close(fd);

  CHECK_OK("O_CREAT is ignored", fd = open("f", O_PATH | O_CREAT | O_TRUNC | O_WRONLY));
  NEED(fstat(fd, &st));
  CHECK_IS("and so is O_TRUNC", st.st_size, 4);
  CHECK_FAILS("O_CREAT does not create", open("new", O_PATH | O_CREAT, 0600), ENOENT);

  CHECK_OK("O_PATH of a link", fd = open("link", O_PATH));
  NEED(fstat(fd, &st));
  CHECK("follows it", S_ISREG(st.st_mode));
  CHECK_OK("O_PATH|O_NOFOLLOW of a link", fd = open("link", O_PATH | O_NOFOLLOW));
  NEED(fstat(fd, &st));
  CHECK("names the link", S_ISLNK(st.st_mode));
  CHECK_IS("readlinkat of it", readlinkat(fd, "", text, sizeof text), 1);
  CHECK_FAILS("O_PATH|O_DIRECTORY of a file", open("f", O_PATH | O_DIRECTORY), ENOTDIR);

  NEED(mkdir("d", 0700));
  CHECK_OK("O_PATH of a directory", fd = open("d", O_PATH));
  CHECK_OK("fchdir to it", fchdir(fd));
  CHECK_OK("and back", chdir(".."));
  CHECK_OK("linkat of /proc/self/fd",
    (snprintf(text, sizeof text, "/proc/self/fd/%d", path),
     linkat(AT_FDCWD, text, AT_FDCWD, "second", AT_SYMLINK_FOLLOW)));
  NEED(stat("f", &st));
  CHECK_IS("two names", st.st_nlink, 2);

  // In a directory of somebody's who lets nobody in.
  NEED(mkdir("closed", 0700));
  close(NEED(creat("closed/f", 0600)));
  NEED(mkdir("closed/d", 0700));
  NEED(chown("closed", 1000, 1000));
  NEED(chown("closed/d", 1000, 1000));
  CHECK_OK("root gets a file there", fd = open("closed/f", O_PATH));
  CHECK_FAILS("not to read", read(fd, text, 1), EBADF);
  CHECK_OK("fstat", fstat(fd, &st));
  CHECK_OK("and a directory", fd = open("closed/d", O_PATH | O_DIRECTORY));
  CHECK_FAILS("not to list", lseek(fd, 0, SEEK_SET), EBADF);
  CHECK_OK("but to go on", fchdir(fd));
  NEED(chdir("../.."));
  IN_CHILD({
    NEED(setresgid(1000, 1000, 1000));
    NEED(setresuid(1000, 1000, 1000));
    CHECK_OK("so does its owner", fd = open("closed/f", O_PATH));
    CHECK_FAILS("not to read", pread(fd, text, 1, 0), EBADF);
    CHECK_OK("fstatat", fstatat(fd, "", &st, AT_EMPTY_PATH));
    CHECK_OK("a directory", fd = open("closed/d", O_PATH | O_DIRECTORY));
    CHECK_OK("on from there", fstatat(fd, ".", &st, 0));
  });
  IN_CHILD({
    NEED(setresuid(1001, 1001, 1001));
    CHECK_FAILS("nobody else does", open("closed/f", O_PATH), EACCES);
  });
  return check_status();
}
