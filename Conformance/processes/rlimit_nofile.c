/* RLIMIT_NOFILE is one more than the highest descriptor that can be made. */
#include "../check.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

static int limit_to(int soft) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = soft;
  return setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void) {
  int pair[2], last = -1, count = 0;
  closefrom(3);
  CHECK_IS("limit to 16", limit_to(16), 0);
  for (int made; (made = dup(0)) >= 0; count++) last = made;
  CHECK_FAILS("dup when full", dup(0), EMFILE);
  CHECK_IS("descriptors made", count, 13);
  CHECK_IS("the last descriptor", last, 15);
  CHECK_FAILS("open", open("/dev/null", O_RDONLY), EMFILE);
  CHECK_FAILS("pipe", pipe(pair), EMFILE);
  CHECK_FAILS("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair), EMFILE);
  CHECK_FAILS("F_DUPFD", fcntl(0, F_DUPFD, 3), EMFILE);
  CHECK_FAILS("F_DUPFD from the limit", fcntl(0, F_DUPFD, 16), EINVAL);
  CHECK_FAILS("dup2 to the limit", dup2(0, 16), EBADF);
  CHECK_IS("dup2 over an open one", dup2(0, 15), 15);
  CHECK_IS("dup2 onto itself", dup2(15, 15), 15);

  close(9);
  CHECK_FAILS("a pipe needs two", pipe(pair), EMFILE);
  CHECK_IS("a failed pipe leaves no descriptor", fcntl(9, F_GETFD), -1);
  CHECK_IS("the free one is reused", dup(0), 9);

  CHECK_IS("lower the limit", limit_to(8), 0);
  CHECK_OK("descriptors above it stay", fcntl(15, F_GETFD));
  CHECK_OK("and work", read(15, pair, 0));
  close(5);
  CHECK_IS("holes below are filled", dup(0), 5);
  CHECK_FAILS("nothing above", dup(0), EMFILE);
  CHECK_IS("limit 0", limit_to(0), 0);
  CHECK_FAILS("nothing at all", dup(0), EMFILE);
  CHECK_IS("raise it again", limit_to(20), 0);
  CHECK_IS("the next is above the open ones", dup(0), 16);
  return check_status();
}
