/* A program whose system calls are the same on Linux and in a sandbox: none of the C library's own
 * that depend on the machine come after the first write of "begin". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <linux/futex.h>
#include <poll.h>
#include <unistd.h>

static void handler(int signal) { (void)signal; }

int main(void) {
  char bytes[64];
  struct stat status;
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  write(1, "begin\n", 6);
  syscall(SYS_openat, AT_FDCWD, "/missing\033[31m\n\r\x07\x9b", O_RDONLY | O_CLOEXEC);
  int file = syscall(SYS_openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0640);
  write(file, "a \"quoted\" text\t\1\0012 that is longer than is shown", 46);
  syscall(SYS_lseek, file, 0, SEEK_SET);
  read(file, bytes, 10);
  struct iovec vector[2] = {{"abc", 3}, {"def", 3}};
  writev(file, vector, 2);
  syscall(SYS_newfstatat, 99, "", &status, AT_EMPTY_PATH);
  syscall(SYS_newfstatat, file, "", &status, AT_EMPTY_PATH);
  fcntl(file, F_SETFD, FD_CLOEXEC);
  fcntl(file, F_GETFD);
  syscall(SYS_unlink, "file");
  void *memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(memory, 4096, PROT_READ);
  madvise(memory, 4096, MADV_DONTNEED);
  munmap(memory, 4096);
  int pair[2];
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
  syscall(SYS_sendto, pair[0], "hey", 3, MSG_NOSIGNAL, NULL, 0);
  struct pollfd entry = {pair[1], POLLIN, 0};
  syscall(SYS_poll, &entry, 1, 0);
  syscall(SYS_recvfrom, pair[1], bytes, 10, 0, NULL, NULL);
  struct sockaddr_un name = {AF_UNIX, "missing"};
  syscall(SYS_connect, pair[0], &name, 10);
  sigaction(SIGUSR1, &action, NULL);
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
  uint32_t word = 0;
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
  syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL);
  syscall(0x1fff, 1, 2, 3, 4, 5, 6);
  int child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) syscall(SYS_exit_group, 3);
  int wait_status;
  syscall(SYS_wait4, child, &wait_status, 0, NULL);
  *(volatile int *)8 = 1;
}
