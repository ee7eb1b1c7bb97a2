#include "check.h"
#include <fcntl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>

// select(2) and pselect(2): the three sets and the time left.
int main(void) {
  int ends[2], sockets[2];
  NEED(pipe(ends));
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  fd_set in, out, odd;
  struct timeval none = {0, 0};
  int top = sockets[1] + 1;

  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_ZERO(&odd);
  FD_SET(ends[0], &in);
  FD_SET(ends[1], &out);
  FD_SET(sockets[0], &in);
  FD_SET(sockets[0], &out);
  FD_SET(sockets[0], &odd);
  CHECK_IS("two are writable", select(top, &in, &out, &odd, &none), 2);
  CHECK("the sets", !FD_ISSET(ends[0], &in) && FD_ISSET(ends[1], &out)
    && FD_ISSET(sockets[0], &out) && !FD_ISSET(sockets[0], &in) && !FD_ISSET(sockets[0], &odd));

  NEED(write(ends[1], "x", 1));
  NEED(write(sockets[1], "y", 1));
  FD_SET(ends[0], &in);
  FD_SET(sockets[0], &in);
  CHECK_IS("counts bits, not descriptors", select(top, &in, &out, NULL, NULL), 4);
  FD_SET(sockets[1], &in);
  CHECK_IS("n excludes the last", select(sockets[1], &in, NULL, NULL, &none), 2);

  close(ends[1]);
  char byte;
  NEED(read(ends[0], &byte, 1));
  FD_ZERO(&in);
  FD_SET(ends[0], &in);
  CHECK_IS("end of file is readable", select(top, &in, NULL, NULL, &none), 1);
  NEED(pipe(ends));
  close(ends[0]);
  FD_ZERO(&out);
  FD_SET(ends[1], &out);
  CHECK_IS("a broken pipe is writable", select(ends[1] + 1, NULL, &out, NULL, &none), 1);

  FD_ZERO(&in);
  FD_SET(60, &in);
  CHECK_FAILS("a closed descriptor", select(61, &in, NULL, NULL, &none), EBADF);
  CHECK_FAILS("a negative count", select(-1, NULL, NULL, NULL, &none), EINVAL);
  CHECK_IS("no sets", select(0, NULL, NULL, NULL, &none), 0);
  struct timeval bad = {-1, 0};
  CHECK_FAILS("a negative time", select(0, NULL, NULL, NULL, &bad), EINVAL);

  struct timeval left = {100, 0};
  FD_ZERO(&in);
  FD_SET(sockets[0], &in);
  CHECK_IS("ready at once", syscall(SYS_select, sockets[0] + 1, &in, NULL, NULL, &left), 1);
  CHECK("the time left is written", left.tv_sec >= 90 && left.tv_sec <= 100);
  NEED(read(sockets[0], &byte, 1));
  left = (struct timeval){0, 20000};
  CHECK_IS("a timeout", syscall(SYS_select, sockets[0] + 1, &in, NULL, NULL, &left), 0);
  CHECK("leaves nothing", left.tv_sec == 0 && left.tv_usec == 0);
  CHECK("and clears the set", !FD_ISSET(sockets[0], &in));
  struct timespec constant = {0, 10000000};
  CHECK_IS("pselect", pselect(0, NULL, NULL, NULL, &constant, NULL), 0);
  CHECK_IS("leaves its time alone", constant.tv_nsec, 10000000);

  int high = NEED(fcntl(sockets[0], F_DUPFD, 900));
  FD_ZERO(&out);
  FD_SET(high, &out);
  CHECK_IS("a high descriptor", select(high + 1, NULL, &out, NULL, &none), 1);
  return check_status();
}
