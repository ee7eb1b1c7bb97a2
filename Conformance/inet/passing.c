#include "check.h"
#include "inet/inet.h"
#include <sys/stat.h>

// Sockets of the network that several processes hold: by fork, by exec, by SCM_RIGHTS, by dup.

static int pass(int to, int fd) {
  char byte = 'f', space[CMSG_SPACE(sizeof fd)];
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space,
    .msg_controllen = sizeof space};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(to, &message, 0);
}

static int take(int from) {
  char byte, space[CMSG_SPACE(sizeof(int))];
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space,
    .msg_controllen = sizeof space};
  if (recvmsg(from, &message, 0) != 1) return -1;
  int fd;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

int main(int count, char **arguments) {
  if (count == 2) {
    int fd = atoi(arguments[1]);
    return write(fd, "exec", 4) == 4 && option_of(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM ? 0 : 1;
  }
  int ends[2], local[2];
  char text[16];
  tcp_pair(ends);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, local));
  pid_t child = NEED(fork());
  if (child == 0) {
    close(ends[1]);
    int fd = take(local[1]);
    if (fd < 0 || read(fd, text, sizeof text) != 4) _exit(1);
    if (write(fd, "pong", 4) != 4) _exit(2);
    int server = take(local[1]), client = accept(server, NULL, NULL);
    _exit(client < 0 || write(client, "served", 6) != 6);
  }
  CHECK_IS("pass a connection", pass(local[0], ends[1]), 1);
  close(ends[1]);
  CHECK_IS("write", write(ends[0], "ping", 4), 4);
  CHECK_IS("the other process answers", read(ends[0], text, sizeof text), 4);
  int server = listener(AF_INET, 2), client = NEED(socket(AF_INET, SOCK_STREAM, 0));
  struct address name = name_of(server);
  CHECK_IS("pass a listener", pass(local[0], server), 1);
  close(server);
  CHECK_IS("it still listens", connect_to(client, name), 0);
  CHECK_IS("and serves", recv(client, text, 6, MSG_WAITALL), 6);
  CHECK_IS("the process ends well", wait_code(child), 0);
  CHECK_IS("its connection ends with it", read(ends[0], text, 1), 0);
  CHECK_FAILS("nobody listens any more",
    connect_to(NEED(socket(AF_INET, SOCK_STREAM, 0)), name), ECONNREFUSED);

  tcp_pair(ends);
  int copy = NEED(dup(ends[1]));
  struct stat one, two;
  NEED(fstat(ends[1], &one));
  NEED(fstat(copy, &two));
  CHECK("a socket", S_ISSOCK(one.st_mode));
  CHECK("the same one", one.st_ino == two.st_ino && one.st_dev == two.st_dev);
  char link[64], target[64] = "", expected[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", copy);
  snprintf(expected, sizeof expected, "socket:[%lu]", (unsigned long)one.st_ino);
  NEED(readlink(link, target, sizeof target - 1));
  CHECK_TEXT("its link", strcmp(target, expected) ? target : "right", "right");
  close(ends[1]);
  CHECK_IS("the copy is open", write(copy, "copy", 4), 4);
  CHECK_IS("read", read(ends[0], text, sizeof text), 4);
  NEED(fcntl(copy, F_SETFL, O_NONBLOCK));
  int copy2 = NEED(dup(copy));
  CHECK_FAILS("flags are shared", read(copy2, text, 1), EAGAIN);

  child = NEED(fork());
  if (child == 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", copy);
    execl("/proc/self/exe", "passing", number, NULL);
    _exit(9);
  }
  CHECK_IS("after exec", wait_code(child), 0);
  CHECK_IS("it can be written", read(ends[0], text, sizeof text), 4);
  return check_status();
}
