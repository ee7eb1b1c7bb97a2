// static
#include "check.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

// dup(2), dup2(2), dup3(2), F_DUPFD and close_range(2).
int main(void) {
  close(3), close(4), close(5), close(6);
  int fd = NEED(open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  CHECK_IS("the lowest number", fd, 3);
  CHECK_IS("dup takes the next", dup(fd), 4);
  CHECK_IS("dup clears FD_CLOEXEC", fcntl(4, F_GETFD), 0);
  CHECK_IS("the first keeps it", fcntl(3, F_GETFD), FD_CLOEXEC);
  CHECK_IS("dup2", dup2(fd, 10), 10);
  CHECK_IS("dup2 onto itself", dup2(fd, fd), fd);
  CHECK_IS("keeps FD_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
  CHECK_IS("dup2 over an open one", dup2(4, 10), 10);
  CHECK_FAILS("dup2 of a closed one", dup2(50, 10), EBADF);
  CHECK_IS("leaves the target open", fcntl(10, F_GETFD), 0);
  CHECK_FAILS("dup2 of a closed one onto itself", dup2(50, 50), EBADF);
  CHECK_FAILS("dup2 to a negative number", dup2(fd, -1), EBADF);
  CHECK_FAILS("dup of a closed one", dup(50), EBADF);
  CHECK_IS("dup3 with O_CLOEXEC", dup3(fd, 11, O_CLOEXEC), 11);
  CHECK_IS("has FD_CLOEXEC", fcntl(11, F_GETFD), FD_CLOEXEC);
  CHECK_FAILS("dup3 onto itself", dup3(fd, fd, 0), EINVAL);
  CHECK_FAILS("dup3 with other flags", dup3(fd, 12, O_APPEND), EINVAL);
  CHECK_IS("F_DUPFD", fcntl(fd, F_DUPFD, 20), 20);
  CHECK_IS("F_DUPFD again", fcntl(fd, F_DUPFD, 20), 21);
  CHECK_IS("F_DUPFD_CLOEXEC", fcntl(fd, F_DUPFD_CLOEXEC, 20), 22);
  CHECK_IS("has FD_CLOEXEC", fcntl(22, F_GETFD), FD_CLOEXEC);
  CHECK_FAILS("F_DUPFD from a negative number", fcntl(fd, F_DUPFD, -1), EINVAL);
  CHECK_IS("F_SETFD", fcntl(10, F_SETFD, FD_CLOEXEC), 0);
  CHECK_IS("F_GETFD", fcntl(10, F_GETFD), FD_CLOEXEC);
  CHECK_FAILS("unknown command", fcntl(fd, 9999, 0), EINVAL);

  close(3);
  CHECK_IS("the freed number is next", dup(4), 3);
  NEED(write(4, "abc", 3));
  CHECK_IS("copies share the offset", lseek(20, 0, SEEK_CUR), 3);
  NEED(fcntl(4, F_SETFL, O_APPEND));
  CHECK_IS("and the status flags", fcntl(20, F_GETFL) & O_APPEND, O_APPEND);
  close(4);
  CHECK_IS("a copy outlives the rest", write(20, "d", 1), 1);
  CHECK_FAILS("close twice", close(4), EBADF);
  CHECK_FAILS("close of a negative number", close(-1), EBADF);

  CHECK_OK("close_range", syscall(SYS_close_range, 20, 30, 0));
  CHECK_FAILS("closed them", fcntl(21, F_GETFD), EBADF);
  CHECK_OK("CLOSE_RANGE_CLOEXEC", syscall(SYS_close_range, 3, ~0U, 4));
  CHECK_IS("marked them", fcntl(3, F_GETFD), FD_CLOEXEC);
  CHECK_FAILS("a reversed range", syscall(SYS_close_range, 9, 3, 0), EINVAL);

  struct rlimit limit = {16, 64};
  NEED(setrlimit(RLIMIT_NOFILE, &limit));
  int last = -1, next;
  while ((next = dup(3)) >= 0) last = next;
  CHECK_FAILS("EMFILE at the limit", dup(3), EMFILE);
  CHECK_IS("the highest number", last, 15);
  CHECK_FAILS("open at the limit", open("f", O_RDONLY), EMFILE);
  int ends[2];
  CHECK_FAILS("pipe at the limit", pipe(ends), EMFILE);
  CHECK_FAILS("dup2 beyond the limit", dup2(3, 16), EBADF);
  CHECK_FAILS("F_DUPFD beyond the limit", fcntl(3, F_DUPFD, 16), EINVAL);
  close(7);
  CHECK_IS("a freed number can be used", open("f", O_RDONLY), 7);
  return check_status();
}
