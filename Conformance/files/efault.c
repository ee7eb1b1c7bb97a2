// static
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

// EFAULT: every family of calls survives a pointer to nowhere.

static char *const bad = (char *)8;

int main(void) {
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600)), ends[2], sockets[2];
  NEED(write(fd, "0123456789", 10));
  NEED(pipe(ends));
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  // A page with nothing after it, to fail in the middle of a buffer.
  char *page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  NEED(munmap(page + 4096, 4096));
  char *edge = page + 4096;
  char *kernel = (char *)0xffff800000000000;

  CHECK_FAILS("write to a file", write(fd, bad, 4), EFAULT);
  CHECK_FAILS("read from a file", pread(fd, bad, 4, 0), EFAULT);
  CHECK_FAILS("write to a pipe", write(ends[1], bad, 4), EFAULT);
  CHECK_FAILS("a kernel address", write(ends[1], kernel, 4), EFAULT);
  CHECK_FAILS("read into a kernel address", pread(fd, kernel, 4, 0), EFAULT);
  CHECK_FAILS("an address that wraps", pread(fd, (char *)-4096, 8192, 0), EFAULT);
  NEED(write(ends[1], "data", 4));
  CHECK_FAILS("read from a pipe", read(ends[0], bad, 4), EFAULT);
  CHECK_FAILS("send", send(sockets[0], bad, 4, 0), EFAULT);
  NEED(send(sockets[0], "data", 4, 0));
  CHECK_FAILS("recv", recv(sockets[1], bad, 4, 0), EFAULT);
  CHECK_FAILS("sendmsg", sendmsg(sockets[0], (void *)bad, 0), EFAULT);
  CHECK_FAILS("recvmsg", recvmsg(sockets[1], (void *)bad, 0), EFAULT);
  CHECK_FAILS("bind", bind(sockets[0], (void *)bad, 16), EFAULT);
  CHECK_FAILS("getsockname", getsockname(sockets[0], (void *)bad, (void *)bad), EFAULT);
  CHECK_FAILS("getsockopt", getsockopt(sockets[0], SOL_SOCKET, SO_TYPE, page, (void *)bad), EFAULT);
  CHECK_FAILS("setsockopt", setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, bad, 4), EFAULT);
  CHECK_FAILS("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)bad), EFAULT);
  CHECK_FAILS("pipe", syscall(SYS_pipe, bad), EFAULT);
  CHECK_IS("no descriptor is lost to them", dup(0), sockets[1] + 1);

  memcpy(edge - 4, "/dev", 4);
  CHECK_FAILS("a path that runs off a page", open(edge - 4, O_RDONLY), EFAULT);
  memcpy(edge - 2, "f", 2);
  CHECK_OK("one that ends there", close(open(edge - 2, O_RDONLY)));
  CHECK_FAILS("open", open(bad, O_RDONLY), EFAULT);
  CHECK_FAILS("stat", syscall(SYS_newfstatat, AT_FDCWD, "f", edge - 16, 0), EFAULT);
  CHECK_FAILS("fstat", syscall(SYS_fstat, fd, edge - 16), EFAULT);
  CHECK_FAILS("readlink", readlink("/proc/self/exe", bad, 64), EFAULT);
  CHECK_FAILS("rename", rename("f", bad), EFAULT);
  CHECK_FAILS("symlink", symlink(bad, "x"), EFAULT);
  CHECK_FAILS("mkdir", mkdir(bad, 0700), EFAULT);
  CHECK_FAILS("chdir", chdir(bad), EFAULT);
  CHECK_FAILS("truncate", truncate(bad, 0), EFAULT);
  struct iovec split[] = {{page, 4}, {bad, 4}};
  CHECK_FAILS("a vector that is nowhere", writev(fd, (void *)bad, 1), EFAULT);
  CHECK_IS("a vector's good part is written", pwritev(fd, split, 2, 100), 4);
  split[0].iov_base = bad;
  CHECK_FAILS("unless it comes first", pwritev(fd, split, 2, 100), EFAULT);

  CHECK_FAILS("poll", poll((void *)bad, 1, 0), EFAULT);
  CHECK_FAILS("select", select(1, (void *)bad, NULL, NULL, NULL), EFAULT);
  int set = NEED(epoll_create1(0));
  struct epoll_event event = {.events = EPOLLOUT};
  CHECK_FAILS("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, ends[1], (void *)bad), EFAULT);
  NEED(epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event));
  CHECK_FAILS("epoll_wait", epoll_wait(set, (void *)bad, 1, 0), EFAULT);
  CHECK_FAILS("clock_gettime", syscall(SYS_clock_gettime, CLOCK_REALTIME, bad), EFAULT);
  CHECK_FAILS("nanosleep", syscall(SYS_nanosleep, bad, NULL), EFAULT);
  CHECK_FAILS("uname", syscall(SYS_uname, bad), EFAULT);
  CHECK_FAILS("getrlimit", syscall(SYS_prlimit64, 0, 7, NULL, bad), EFAULT);
  CHECK_FAILS("sigaction", syscall(SYS_rt_sigaction, 10, bad, NULL, 8), EFAULT);
  CHECK_FAILS("sigprocmask", syscall(SYS_rt_sigprocmask, 0, bad, NULL, 8), EFAULT);
  CHECK_FAILS("execve", syscall(SYS_execve, bad, NULL, NULL), EFAULT);
  CHECK_FAILS("getresuid", syscall(SYS_getresuid, bad, bad, bad), EFAULT);
  char *guarded = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_FAILS("a page without access", pread(fd, guarded, 4, 0), EFAULT);
  NEED(mprotect(page, 4096, PROT_READ));
  CHECK_FAILS("a page for reading", pread(fd, page, 4, 0), EFAULT);
  CHECK_OK("is good for writing from", pwrite(fd, page, 4, 0));
  return check_status();
}
