// static
#include "check.h"

// open(2): creation, exclusion, truncation, appending and the access modes.
int main(void) {
  umask(022);
  FAILS("open missing", open("a", O_RDONLY), ENOENT);
  FAILS("open missing for writing", open("a", O_WRONLY), ENOENT);
  int fd = OK("create", open("a", O_WRONLY | O_CREAT, 0666));
  struct stat st;
  MUST(fstat(fd, &st));
  EQ("mode honours umask", st.st_mode, S_IFREG | 0644);
  EQ("write", write(fd, "hello world", 11), 11);
  char buffer[32];
  FAILS("read from O_WRONLY", read(fd, buffer, 1), EBADF);
  close(fd);

  FAILS("O_CREAT|O_EXCL existing", open("a", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
  fd = OK("O_CREAT existing", open("a", O_RDWR | O_CREAT, 0600));
  MUST(fstat(fd, &st));
  EQ("mode is kept", st.st_mode & 07777, 0644);
  EQ("content is kept", st.st_size, 11);
  EQ("offset starts at 0", lseek(fd, 0, SEEK_CUR), 0);
  close(fd);

  fd = OK("O_RDONLY", open("a", O_RDONLY));
  FAILS("write to O_RDONLY", write(fd, "x", 1), EBADF);
  EQ("F_GETFL access mode", fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
  close(fd);

  fd = OK("O_APPEND", open("a", O_WRONLY | O_APPEND));
  EQ("append offset starts at 0", lseek(fd, 0, SEEK_CUR), 0);
  EQ("append", write(fd, "!", 1), 1);
  EQ("append moves offset to the end", lseek(fd, 0, SEEK_CUR), 12);
  lseek(fd, 0, SEEK_SET);
  EQ("append again", write(fd, "?", 1), 1);
  EQ("always at the end", lseek(fd, 0, SEEK_CUR), 13);
  EQ("F_GETFL has O_APPEND", fcntl(fd, F_GETFL) & O_APPEND, O_APPEND);
  MUST(fcntl(fd, F_SETFL, 0));
  EQ("O_APPEND can be cleared", fcntl(fd, F_GETFL) & O_APPEND, 0);
  EQ("pwrite in place", pwrite(fd, "H", 1, 0), 1);
  close(fd);

  fd = OK("O_TRUNC", open("a", O_RDWR | O_TRUNC));
  MUST(fstat(fd, &st));
  EQ("truncated", st.st_size, 0);
  close(fd);

  fd = OK("create with mode 0", open("b", O_RDWR | O_CREAT, 0));
  EQ("first descriptor may write", write(fd, "x", 1), 1);
  MUST(fstat(fd, &st));
  EQ("mode 0", st.st_mode & 07777, 0);
  close(fd);

  MUST(mkdir("d", 0755));
  FAILS("directory for writing", open("d", O_WRONLY), EISDIR);
  FAILS("O_CREAT on a directory", open("d", O_RDONLY | O_CREAT, 0600), EISDIR);
  FAILS("O_DIRECTORY on a file", open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
  fd = OK("O_DIRECTORY", open("d", O_RDONLY | O_DIRECTORY));
  FAILS("read a directory", read(fd, buffer, 1), EISDIR);
  close(fd);
  FAILS("create in a missing directory", open("x/a", O_WRONLY | O_CREAT, 0600), ENOENT);
  FAILS("trailing slash on a new file", open("n/", O_WRONLY | O_CREAT, 0600), EISDIR);
  FAILS("trailing slash on a file", open("a/", O_RDONLY), ENOTDIR);
  FAILS("empty path", open("", O_RDONLY), ENOENT);
  OK("creat", fd = creat("c", 0600));
  EQ("creat is write-only", fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
  close(fd);
  unlink("a"), unlink("b"), unlink("c"), rmdir("d");
  return done();
}
