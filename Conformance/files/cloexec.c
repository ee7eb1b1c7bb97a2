#include "check.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

// FD_CLOEXEC: which descriptors an exec closes.

static void after_exec(void) {
  for (int fd = 10; fd < 24; fd++) {
    int flags = fcntl(fd, F_GETFD);
    say("descriptor %d: %s", fd, flags < 0 ? "closed" : flags ? "open, close-on-exec" : "open");
  }
}

// Moves a descriptor to a fixed number and gives it this flag.
static void place(int fd, int number, int close_on_exec) {
  NEED(fd);
  NEED(dup3(fd, number, close_on_exec ? O_CLOEXEC : 0));
  close(fd);
}

int main(int count, char **words) {
  if (count > 1) {
    after_exec();
    return 0;
  }
  int ends[2];
  place(open("f", O_RDWR | O_CREAT, 0600), 10, 0);
  place(open("f", O_RDWR), 11, 1);
  NEED(pipe2(ends, O_CLOEXEC));
  CHECK_IS("pipe2(O_CLOEXEC)", fcntl(ends[0], F_GETFD) & fcntl(ends[1], F_GETFD), FD_CLOEXEC);
  place(ends[0], 12, 1);
  place(ends[1], 13, 0);
  NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
  CHECK_IS("SOCK_CLOEXEC", fcntl(ends[0], F_GETFD) & fcntl(ends[1], F_GETFD), FD_CLOEXEC);
  place(ends[0], 14, 1);
  place(ends[1], 15, 0);
  int fd = NEED(eventfd(0, EFD_CLOEXEC));
  CHECK_IS("EFD_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
  place(fd, 16, 1);
  place(eventfd(0, 0), 17, 0);
  fd = NEED(epoll_create1(EPOLL_CLOEXEC));
  CHECK_IS("EPOLL_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
  place(fd, 18, 1);
  place(epoll_create1(0), 19, 0);
  place(open(".", O_RDONLY | O_DIRECTORY), 20, 1);
  place(open(".", O_PATH), 21, 0);
  NEED(fcntl(10, F_DUPFD_CLOEXEC, 22));

  IN_CHILD(CHECK_FAILS("exec of nothing", execl("/nonexistent", "x", NULL), ENOENT);
    CHECK_OK("a failed exec closes nothing", fcntl(11, F_GETFD)));
  IN_CHILD(execl(words[0], words[0], "after", NULL); say("exec: got errno %d", errno); _exit(1));
  CHECK_IS("the parent keeps its own", fcntl(11, F_GETFD), FD_CLOEXEC);
  CHECK_IS("F_SETFD clears it", fcntl(11, F_SETFD, 0), 0);
  IN_CHILD(execl(words[0], words[0], "after", NULL); _exit(1));
  return check_status();
}
