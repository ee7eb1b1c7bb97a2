#include "check.h"
#include "unix/address.h"
#include <fcntl.h>
#include <sys/stat.h>

// SCM_RIGHTS: descriptors in messages.

static char text[64];
static int flags;

static int send_fds(int socket, const char *data, int count, const int *fds) {
  union { struct cmsghdr header; char space[CMSG_SPACE(256 * sizeof(int))]; } control = {{0}};
  struct iovec part = {(char *)data, strlen(data)};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
    .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

// Receives into `fds`; how many came, or -1.
static int recv_fds(int socket, int room, int *fds, int with) {
  union { struct cmsghdr header; char space[CMSG_SPACE(256 * sizeof(int))]; } control;
  struct iovec part = {text, sizeof text};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
    .msg_controllen = room ? CMSG_LEN(room * sizeof(int)) : 0};
  memset(text, 0, sizeof text);
  if (recvmsg(socket, &message, with) < 0) return -1;
  flags = message.msg_flags;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS) return 0;
  int count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  memcpy(fds, CMSG_DATA(header), count * sizeof(int));
  return count;
}

int main(void) {
  int pair[2], ends[2], got[256];
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  int fd = NEED(open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  NEED(write(fd, "content", 7));
  CHECK_IS("send a descriptor", send_fds(pair[0], "data", 1, &fd), 4);
  CHECK_IS("receive one", recv_fds(pair[1], 1, got, 0), 1);
  CHECK_TEXT("with its data", text, "data");
  CHECK("a new number", got[0] != fd);
  CHECK_IS("no FD_CLOEXEC", fcntl(got[0], F_GETFD), 0);
  CHECK_IS("the same open file", lseek(got[0], 0, SEEK_CUR), 7);
  NEED(lseek(got[0], 2, SEEK_SET));
  CHECK_IS("the offset is shared", lseek(fd, 0, SEEK_CUR), 2);
  close(got[0]);
  NEED(send_fds(pair[0], "x", 1, &fd));
  CHECK_IS("MSG_CMSG_CLOEXEC", recv_fds(pair[1], 1, got, MSG_CMSG_CLOEXEC), 1);
  CHECK_IS("FD_CLOEXEC", fcntl(got[0], F_GETFD), FD_CLOEXEC);
  close(got[0]);

  NEED(pipe(ends));
  NEED(send_fds(pair[0], "p", 2, ends));
  close(ends[0]);
  close(ends[1]);
  CHECK_IS("a pipe on its way stays open", recv_fds(pair[1], 2, ends, 0), 2);
  NEED(write(ends[1], "through", 7));
  CHECK_IS("and works", read(ends[0], text, sizeof text), 7);

  NEED(send(pair[0], "plain", 5, 0));
  NEED(send_fds(pair[0], "first", 1, &fd));
  NEED(send_fds(pair[0], "second", 1, &fd));
  NEED(send(pair[0], "tail", 4, 0));
  CHECK_IS("plain data may join", recv_fds(pair[1], 1, got, 0), 1);
  CHECK_TEXT("up to the first descriptor", text, "plainfirst");
  CHECK_IS("then the second", recv_fds(pair[1], 1, got, 0), 1);
  CHECK_TEXT("its data", text, "second");
  CHECK_IS("then none", recv_fds(pair[1], 1, got, 0), 0);
  CHECK_TEXT("the rest", text, "tail");

  int lowest = NEED(dup(0));
  close(lowest);
  int three[3] = {fd, fd, fd};
  NEED(send_fds(pair[0], "three", 3, three));
  CHECK_IS("room for one", recv_fds(pair[1], 1, got, 0), 1);
  CHECK_IS("MSG_CTRUNC", flags & MSG_CTRUNC, MSG_CTRUNC);
  CHECK_IS("the others are closed", dup(0), lowest + 1);
  NEED(send_fds(pair[0], "none", 1, &fd));
  CHECK_IS("room for none", recv_fds(pair[1], 0, got, 0), 0);
  CHECK_IS("MSG_CTRUNC", flags & MSG_CTRUNC, MSG_CTRUNC);
  NEED(send_fds(pair[0], "read", 1, &fd));
  CHECK_IS("read drops them", read(pair[1], text, sizeof text), 4);
  NEED(send_fds(pair[0], "peek", 1, &fd));
  CHECK_IS("MSG_PEEK gives a copy", recv_fds(pair[1], 1, got, MSG_PEEK), 1);
  CHECK_IS("and again", recv_fds(pair[1], 1, got, 0), 1);

  int bad = 99;
  CHECK_FAILS("a closed descriptor", send_fds(pair[0], "x", 1, &bad), EBADF);
  for (int i = 0; i < 256; i++) got[i] = fd;
  CHECK_IS("253 at once", send_fds(pair[0], "many", 253, got), 4);
  CHECK_IS("arrive", recv_fds(pair[1], 253, got, 0), 253);
  for (int i = 0; i < 253; i++) close(got[i]);
  for (int i = 0; i < 256; i++) got[i] = fd;
  CHECK_FAILS("254 are too many", send_fds(pair[0], "more", 254, got), EINVAL);

  pid_t child = NEED(fork());
  if (child == 0) {
    close(pair[0]);
    NEED(recv_fds(pair[1], 1, got, 0));
    NEED(write(got[0], "child", 5));
    _exit(0);
  }
  NEED(pipe(ends));
  NEED(send_fds(pair[0], "x", 1, &ends[1]));
  CHECK_IS("to another process", read(ends[0], text, 5), 5);
  CHECK_IS("child", wait_code(child), 0);

  // A socket sent over itself, and a peer that never reads: nothing may stay open for ever.
  NEED(send_fds(pair[0], "self", 1, &pair[0]));
  NEED(send_fds(pair[0], "self", 1, &pair[1]));
  close(pair[0]);
  close(pair[1]);
  NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  NEED(pipe(ends));
  NEED(send_fds(pair[0], "x", 1, &ends[1]));
  close(ends[1]);
  close(pair[1]);
  CHECK_IS("what is never received is closed", read(ends[0], text, 1), 0);
  return check_status();
}
