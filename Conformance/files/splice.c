#include "check.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

// splice(2), tee(2) and vmsplice(2).
int main(void) {
  char text[64] = "";
  int in[2], out[2], sockets[2];
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  NEED(write(fd, "0123456789", 10));
  NEED(pipe(in));
  NEED(pipe(out));
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));

  off_t offset = 2;
  CHECK_IS("file to pipe", splice(fd, &offset, in[1], NULL, 5, 0), 5);
  CHECK_IS("moves the offset", offset, 7);
  CHECK_IS("read it", read(in[0], text, sizeof text), 5);
  CHECK("bytes", memcmp(text, "23456", 5) == 0);
  NEED(lseek(fd, 8, SEEK_SET));
  CHECK_IS("by the file's offset", splice(fd, NULL, in[1], NULL, 100, 0), 2);
  CHECK_IS("at the end of the file", splice(fd, NULL, in[1], NULL, 100, 0), 0);
  CHECK_IS("pipe to pipe", splice(in[0], NULL, out[1], NULL, 1, 0), 1);
  CHECK_IS("pipe to socket", splice(in[0], NULL, sockets[0], NULL, 10, 0), 1);
  CHECK_IS("received", recv(sockets[1], text, sizeof text, 0), 1);
  CHECK("byte", text[0] == '9');
  offset = 20;
  CHECK_IS("pipe to file", splice(out[0], NULL, fd, &offset, 10, 0), 1);
  CHECK_IS("at its offset", pread(fd, text, 1, 20), 1);
  CHECK("byte", text[0] == '8');
  NEED(send(sockets[1], "socket", 6, 0));
  CHECK_IS("socket to pipe", splice(sockets[0], NULL, in[1], NULL, 100, 0), 6);
  CHECK_IS("tee", tee(in[0], out[1], 4, 0), 4);
  CHECK_IS("the source keeps it", read(in[0], text, sizeof text), 6);
  CHECK_IS("the copy", read(out[0], text, sizeof text), 4);
  CHECK("bytes", memcmp(text, "sock", 4) == 0);

  CHECK_FAILS("an empty pipe", splice(in[0], NULL, fd, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
  CHECK_FAILS("an empty tee", tee(in[0], out[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
  CHECK_FAILS("no pipe", splice(fd, NULL, sockets[0], NULL, 1, 0), EINVAL);
  CHECK_FAILS("an offset for a pipe", splice(in[0], &offset, fd, NULL, 1, 0), ESPIPE);
  CHECK_FAILS("the wrong end", splice(in[1], NULL, fd, NULL, 1, 0), EBADF);
  CHECK_FAILS("a closed descriptor", splice(99, NULL, in[1], NULL, 1, 0), EBADF);
  CHECK_FAILS("unknown flags", splice(in[0], NULL, fd, NULL, 1, 0x100), EINVAL);
  CHECK_FAILS("a pipe to itself", splice(in[0], NULL, in[1], NULL, 1, 0), EINVAL);
  CHECK_FAILS("tee of a file", tee(fd, in[1], 1, 0), EINVAL);
  int append = NEED(open("f", O_WRONLY | O_APPEND));
  NEED(write(in[1], "x", 1));
  CHECK_FAILS("to a file that appends", splice(in[0], NULL, append, NULL, 1, 0), EINVAL);
  NEED(read(in[0], text, 1));

  struct iovec parts[] = {{"vm", 2}, {"splice", 6}};
  CHECK_IS("vmsplice", vmsplice(in[1], parts, 2, 0), 8);
  CHECK_IS("read it", read(in[0], text, sizeof text), 8);
  CHECK("bytes", memcmp(text, "vmsplice", 8) == 0);
  NEED(write(in[1], "up", 2));
  struct iovec buffer = {text, 64};
  CHECK_IS("vmsplice from a pipe", vmsplice(in[0], &buffer, 1, 0), 2);
  CHECK_FAILS("vmsplice of a file", vmsplice(fd, parts, 1, 0), EBADF);

  close(in[1]);
  CHECK_IS("a pipe without writers", splice(in[0], NULL, out[1], NULL, 1, 0), 0);
  return check_status();
}
