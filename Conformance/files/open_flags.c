// static
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// open(2): creation, exclusion, truncation, appending and the access modes.
int main(void) {
  umask(022);
  CHECK_FAILS("open missing", open("a", O_RDONLY), ENOENT);
  CHECK_FAILS("open missing for writing", open("a", O_WRONLY), ENOENT);
  int fd;
  CHECK_OK("create", fd = open("a", O_WRONLY | O_CREAT, 0666));
  struct stat st;
  NEED(fstat(fd, &st));
  CHECK_IS("mode honours umask", st.st_mode, S_IFREG | 0644);
  CHECK_IS("write", write(fd, "hello world", 11), 11);
  char buffer[32];
  CHECK_FAILS("read from O_WRONLY", read(fd, buffer, 1), EBADF);
  close(fd);

  CHECK_FAILS("O_CREAT|O_EXCL existing", open("a", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
  CHECK_OK("O_CREAT existing", fd = open("a", O_RDWR | O_CREAT, 0600));
  NEED(fstat(fd, &st));
  CHECK_IS("mode is kept", st.st_mode & 07777, 0644);
  CHECK_IS("content is kept", st.st_size, 11);
  CHECK_IS("offset starts at 0", lseek(fd, 0, SEEK_CUR), 0);
  close(fd);

  CHECK_OK("O_RDONLY", fd = open("a", O_RDONLY));
  CHECK_FAILS("write to O_RDONLY", write(fd, "x", 1), EBADF);
  CHECK_IS("F_GETFL access mode", fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
  close(fd);

  CHECK_OK("O_APPEND", fd = open("a", O_WRONLY | O_APPEND));
  CHECK_IS("append offset starts at 0", lseek(fd, 0, SEEK_CUR), 0);
  CHECK_IS("append", write(fd, "!", 1), 1);
  CHECK_IS("append moves offset to the end", lseek(fd, 0, SEEK_CUR), 12);
  lseek(fd, 0, SEEK_SET);
  CHECK_IS("append again", write(fd, "?", 1), 1);
  CHECK_IS("always at the end", lseek(fd, 0, SEEK_CUR), 13);
  CHECK_IS("F_GETFL has O_APPEND", fcntl(fd, F_GETFL) & O_APPEND, O_APPEND);
  NEED(fcntl(fd, F_SETFL, 0));
  CHECK_IS("O_APPEND can be cleared", fcntl(fd, F_GETFL) & O_APPEND, 0);
  CHECK_IS("pwrite in place", pwrite(fd, "H", 1, 0), 1);
  close(fd);

  CHECK_OK("O_TRUNC", fd = open("a", O_RDWR | O_TRUNC));
  NEED(fstat(fd, &st));
  CHECK_IS("truncated", st.st_size, 0);
  close(fd);

  CHECK_OK("create with mode 0", fd = open("b", O_RDWR | O_CREAT, 0));
  CHECK_IS("first descriptor may write", write(fd, "x", 1), 1);
  NEED(fstat(fd, &st));
  CHECK_IS("mode 0", st.st_mode & 07777, 0);
  close(fd);

  NEED(mkdir("d", 0755));
  CHECK_FAILS("directory for writing", open("d", O_WRONLY), EISDIR);
  CHECK_FAILS("O_CREAT on a directory", open("d", O_RDONLY | O_CREAT, 0600), EISDIR);
  CHECK_FAILS("O_DIRECTORY on a file", open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
  CHECK_OK("O_DIRECTORY", fd = open("d", O_RDONLY | O_DIRECTORY));
  CHECK_FAILS("read a directory", read(fd, buffer, 1), EISDIR);
  close(fd);
  CHECK_FAILS("create in a missing directory", open("x/a", O_WRONLY | O_CREAT, 0600), ENOENT);
  CHECK_FAILS("trailing slash on a new file", open("n/", O_WRONLY | O_CREAT, 0600), EISDIR);
  CHECK_FAILS("trailing slash on a file", open("a/", O_RDONLY), ENOTDIR);
  CHECK_FAILS("empty path", open("", O_RDONLY), ENOENT);
  CHECK_OK("creat", fd = creat("c", 0600));
  CHECK_IS("creat is write-only", fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
  close(fd);
  return check_status();
}
