#include "check.h"
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>

// sendfile(2) and copy_file_range(2).

static char content[100000], back[100000];

static int same(int fd, long size) {
  memset(back, 0, sizeof back);
  return pread(fd, back, sizeof back, 0) == size && memcmp(content, back, size) == 0;
}

static void check_sendfile(int source) {
  int target = NEED(open("target", O_RDWR | O_CREAT | O_TRUNC, 0600));
  off_t offset = 10;
  CHECK_IS("sendfile to a file", sendfile(target, source, NULL, 1000), 1000);
  CHECK("the bytes", same(target, 1000));
  CHECK_IS("moves both offsets", lseek(source, 0, SEEK_CUR) + lseek(target, 0, SEEK_CUR), 2000);
  CHECK_IS("with an offset", sendfile(target, source, &offset, 50), 50);
  CHECK_IS("moves that one", offset, 60);
  CHECK_IS("not the file's", lseek(source, 0, SEEK_CUR), 1000);
  offset = sizeof content - 5;
  CHECK_IS("a short one", sendfile(target, source, &offset, 100), 5);
  CHECK_IS("at the end", sendfile(target, source, &offset, 100), 0);
  int ends[2];
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  offset = 3;
  CHECK_IS("to a socket", sendfile(ends[0], source, &offset, 500), 500);
  CHECK_IS("arrives", recv(ends[1], back, sizeof back, 0), 500);
  CHECK("the bytes", memcmp(back, content + 3, 500) == 0);
  NEED(pipe(ends));
  offset = 0;
  CHECK_IS("to a pipe", sendfile(ends[1], source, &offset, 300), 300);
  CHECK_IS("arrives", read(ends[0], back, sizeof back), 300);
  CHECK_FAILS("from a closed descriptor", sendfile(target, 99, NULL, 1), EBADF);
  CHECK_FAILS("to one for reading", sendfile(ends[0], source, NULL, 1), EBADF);
  offset = -1;
  CHECK_FAILS("a negative offset", sendfile(target, source, &offset, 1), EINVAL);
  CHECK_FAILS("a bad offset", sendfile(target, source, (void *)8, 1), EFAULT);
  int append = NEED(open("target", O_WRONLY | O_APPEND));
  CHECK_FAILS("to a file that appends", sendfile(append, source, NULL, 1), EINVAL);
}

static void check_copy(int source) {
  int target = NEED(open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600));
  off_t from = 0, to = 0;
  CHECK_IS("copy_file_range", copy_file_range(source, &from, target, &to, 40000, 0), 40000);
  CHECK("moves its offsets", from == 40000 && to == 40000);
  CHECK("the bytes", same(target, 40000));
  CHECK_IS("the file's stays", lseek(target, 0, SEEK_CUR), 0);
  NEED(lseek(source, 40000, SEEK_SET));
  NEED(lseek(target, 40000, SEEK_SET));
  CHECK_IS("by the files' offsets", copy_file_range(source, NULL, target, NULL, 1 << 20, 0), 60000);
  CHECK("all of it", same(target, sizeof content));
  CHECK_IS("both moved", lseek(source, 0, SEEK_CUR) + lseek(target, 0, SEEK_CUR), 200000);
  CHECK_IS("at the end", copy_file_range(source, NULL, target, NULL, 10, 0), 0);
  from = 0, to = 50;
  CHECK_FAILS("an overlap", copy_file_range(target, &from, target, &to, 100, 0), EINVAL);
  to = 100000;
  CHECK_IS("within one file", copy_file_range(target, &from, target, &to, 100, 0), 100);
  CHECK_FAILS("flags", copy_file_range(source, NULL, target, NULL, 10, 1), EINVAL);
  int reader = NEED(open("copy", O_RDONLY)), append = NEED(open("copy", O_WRONLY | O_APPEND));
  CHECK_FAILS("to one for reading", copy_file_range(source, NULL, reader, NULL, 10, 0), EBADF);
  CHECK_FAILS("to one that appends", copy_file_range(source, NULL, append, NULL, 10, 0), EBADF);
  CHECK_FAILS("from one for writing", copy_file_range(append, NULL, target, NULL, 10, 0), EBADF);
  int ends[2];
  NEED(pipe(ends));
  CHECK_FAILS("to a pipe", copy_file_range(source, NULL, ends[1], NULL, 10, 0), EINVAL);
  int directory = NEED(open(".", O_RDONLY));
  CHECK_FAILS("a directory", copy_file_range(directory, NULL, target, NULL, 10, 0), EISDIR);
}

int main(void) {
  for (size_t i = 0; i < sizeof content; i++) content[i] = i * 7 % 253;
  int source = NEED(open("source", O_RDWR | O_CREAT, 0600));
  NEED(write(source, content, sizeof content));
  NEED(lseek(source, 0, SEEK_SET));
  check_sendfile(source);
  NEED(lseek(source, 0, SEEK_SET));
  check_copy(source);
  return check_status();
}
