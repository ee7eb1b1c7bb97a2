#include "check.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

// What epoll_ctl(2) and epoll_wait(2) refuse.
int main(void) {
  int ends[2], set = NEED(epoll_create1(0));
  struct epoll_event event = {EPOLLIN, {0}};
  NEED(pipe(ends));
  CHECK_FAILS("epoll_create with no size", epoll_create(0), EINVAL);
  CHECK_OK("epoll_create", close(epoll_create(1)));
  CHECK_FAILS("unknown flags", epoll_create1(1), EINVAL);
  CHECK_OK("add", epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event));
  CHECK_FAILS("add twice", epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event), EEXIST);
  CHECK_OK("add a copy", epoll_ctl(set, EPOLL_CTL_ADD, dup(ends[0]), &event));
  CHECK_FAILS("change what is not in", epoll_ctl(set, EPOLL_CTL_MOD, ends[1], &event), ENOENT);
  CHECK_FAILS("remove what is not in", epoll_ctl(set, EPOLL_CTL_DEL, ends[1], &event), ENOENT);
  CHECK_FAILS("an unknown operation", epoll_ctl(set, 77, ends[1], &event), EINVAL);
  CHECK_FAILS("a closed descriptor", epoll_ctl(set, EPOLL_CTL_ADD, 99, &event), EBADF);
  CHECK_FAILS("a closed set", epoll_ctl(99, EPOLL_CTL_ADD, ends[1], &event), EBADF);
  CHECK_FAILS("not a set", epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &event), EINVAL);
  CHECK_FAILS("itself", epoll_ctl(set, EPOLL_CTL_ADD, set, &event), EINVAL);
  int file = NEED(open("f", O_RDWR | O_CREAT, 0600)), directory = NEED(open(".", O_RDONLY));
  CHECK_FAILS("a file", epoll_ctl(set, EPOLL_CTL_ADD, file, &event), EPERM);
  CHECK_FAILS("a directory", epoll_ctl(set, EPOLL_CTL_ADD, directory, &event), EPERM);
  CHECK_FAILS("no event", epoll_ctl(set, EPOLL_CTL_ADD, ends[1], NULL), EFAULT);
  CHECK_OK("remove needs none", epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL));
  CHECK_FAILS("no room", epoll_wait(set, &event, 0, 0), EINVAL);
  CHECK_FAILS("negative room", epoll_wait(set, &event, -1, 0), EINVAL);
  CHECK_FAILS("wait for a pipe", epoll_wait(ends[0], &event, 1, 0), EINVAL);
  CHECK_FAILS("wait for a closed set", epoll_wait(99, &event, 1, 0), EBADF);
  CHECK_FAILS("read a set", read(set, &event, 8), EINVAL);
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  CHECK_OK("EPOLLEXCLUSIVE", epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event));
  CHECK_FAILS("can't be changed", epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &event), EINVAL);
  event.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
  CHECK_FAILS("nor be one-shot", epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event), EINVAL);
  return check_status();
}
