// static
/* Every call says EFAULT for pointers to nothing, into the kernel, or across the end of memory. */
#include "../check.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

static char *page;
static int pair[2], sockets[2], file, epoll, directory;

static void each(const char *kind, uintptr_t bad) {
  char name[80];
#define BAD(call, ...) \
  snprintf(name, sizeof name, "%s: %s", kind, #call); \
  CHECK_FAILS(name, syscall(SYS_##call, __VA_ARGS__), EFAULT)
  BAD(write, pair[1], bad, 16);
  BAD(pread64, file, bad, 16, 0);
  BAD(open, bad, O_RDONLY);
  BAD(openat, AT_FDCWD, bad, O_RDONLY, 0);
  BAD(stat, bad, page);
  BAD(stat, "/", bad);
  BAD(fstat, file, bad);
  BAD(newfstatat, AT_FDCWD, "/", bad, 0);
  BAD(access, bad, 0);
  BAD(readlink, "/proc/self/exe", bad, 100);
  BAD(getcwd, bad, 4096);
  BAD(chdir, bad);
  BAD(pipe2, bad, 0);
  BAD(socketpair, AF_UNIX, SOCK_STREAM, 0, bad);
  BAD(writev, pair[1], bad, 2);
  BAD(getdents64, directory, bad, 1000);
  BAD(poll, bad, 1, 0);
  BAD(epoll_ctl, epoll, EPOLL_CTL_ADD, pair[0], bad);
  BAD(nanosleep, bad, NULL);
  BAD(gettimeofday, bad, NULL);
  BAD(clock_gettime, CLOCK_THREAD_CPUTIME_ID, bad);
  BAD(uname, bad);
  BAD(getrlimit, RLIMIT_CORE, bad);
  BAD(rt_sigaction, 10, bad, NULL, 8);
  BAD(rt_sigprocmask, 0, bad, NULL, 8);
  BAD(sigaltstack, bad, NULL);
  BAD(futex, bad & ~3ul, 1, 1, NULL, NULL, 0);
  BAD(getsockname, sockets[0], bad, page);
  BAD(sendto, sockets[0], bad, 10, 0, NULL, 0);
  BAD(recvmsg, sockets[0], bad, 0);
  BAD(sendmsg, sockets[0], bad, 0);
  BAD(execve, bad, NULL, NULL);
  BAD(sched_getaffinity, 0, 128, bad);
  BAD(getrandom, bad, 10, 0);
  BAD(times, bad);
  BAD(timer_create, CLOCK_MONOTONIC, NULL, bad);
  BAD(mincore, page, 4096, bad);
}

int main(void) {
  page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page + 4096, 4096);
  memset(page, 'x', 4096);
  NEED(pipe(pair));
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  file = NEED(open("/etc/passwd", O_RDONLY));
  epoll = NEED(epoll_create1(0));
  directory = NEED(open("/", O_RDONLY | O_DIRECTORY));
  *(socklen_t *)page = 100;
  each("null page", 16);
  each("unmapped", (uintptr_t)page + 4096);
  each("kernel", 0xffffffff81000000);
  each("not canonical", 0x800000000000);
  each("the last byte", ~0ul);
  char *locked = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  each("no access", (uintptr_t)locked);

  /* Across the end of memory: a name that has no end, a buffer that is there in part. */
  CHECK_FAILS("a path without an end", open(page + 4090, O_RDONLY), EFAULT);
  CHECK_FAILS("a structure across the end", fstat(file, (struct stat *)(page + 4096 - 50)), EFAULT);
  strcpy(page + 4091, "/etc");
  CHECK_OK("a path at the very end", open(page + 4091, O_RDONLY));
  NEED(write(pair[1], "0123456789", 10));
  struct iovec parts[2] = {{page, 4}, {(void *)16, 4}};
  CHECK_FAILS("readv with a bad part", preadv(file, parts + 1, 1, 0), EFAULT);
  return check_status();
}
