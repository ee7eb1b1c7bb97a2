/* Which descriptors a new program finds open. */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* The new program: one letter per descriptor, open or closed. */
static int list(void) {
  char line[32] = "";
  for (int i = 3; i < 20; i++) line[i - 3] = fcntl(i, F_GETFD) == -1 ? '-' : 'o';
  say("3...: %s", line);
  for (int i = 3; i < 20; i++)
    if (fcntl(i, F_GETFD) == FD_CLOEXEC) return 1;
  lseek(3, 0, SEEK_CUR);
  char byte = 0;
  if (read(3, &byte, 1) != 1) return 2;
  CHECK_IS("the offset is kept", byte, 'c');
  return check_status();
}

int main(int argc, char **argv) {
  if (argc > 1) return list();
  closefrom(3);
  char path[] = "/tmp/conformance-cloexec-XXXXXX";
  int pair[2], file = mkstemp(path);
  NEED(file);
  unlink(path);
  if (write(file, "abcdef", 6) != 6) return 2;
  lseek(file, 2, SEEK_SET);
  NEED(dup(file));                          /* 4: open */
  dup3(file, 5, O_CLOEXEC);              /* 5: closed */
  fcntl(file, F_DUPFD_CLOEXEC, 6);       /* 6: closed */
  dup2(5, 7);                            /* 7: open, dup2 clears the flag */
  NEED(pipe2(pair, O_CLOEXEC));          /* 8, 9: closed */
  NEED(pipe(pair));                      /* 10, 11: open */
  open("/dev/null", O_RDONLY | O_CLOEXEC); /* 12: closed */
  open("/", O_RDONLY | O_DIRECTORY);     /* 13: open */
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair); /* 14, 15: closed */
  eventfd(0, 0);                         /* 16: open */
  epoll_create1(EPOLL_CLOEXEC);          /* 17: closed */
  int last = dup(0);                     /* 18: closed and opened again by the flag */
  fcntl(last, F_SETFD, FD_CLOEXEC);
  fcntl(last, F_SETFD, 0);

  pid_t child = fork();
  if (child == 0) {
    char *arguments[] = {"new", "list", NULL};
    execve("/proc/self/exe", arguments, environ);
    _exit(127);
  }
  CHECK_IS("new program", wait_code(child), 0);
  CHECK_IS("the parent's flag stays", fcntl(12, F_GETFD), FD_CLOEXEC);

  /* A failed exec closes nothing. */
  child = fork();
  if (child == 0) {
    char *arguments[] = {"x", NULL};
    execve("/nonexistent", arguments, environ);
    _exit(fcntl(12, F_GETFD) == FD_CLOEXEC ? 0 : 1);
  }
  CHECK_IS("failed exec", wait_code(child), 0);
  return check_status();
}
