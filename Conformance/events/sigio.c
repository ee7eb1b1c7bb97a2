#include "check.h"
#include "events/sigio.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>

// O_ASYNC of fcntl(2): who is told of a file that has news, by which signal, and with what.

static void owners(void) {
  int fds[2];
  struct f_owner_ex owner = {9, 9};
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
  CHECK_IS("nobody at first", fcntl(fds[0], F_GETOWN), 0);
  CHECK_OK("F_GETOWN_EX", fcntl(fds[0], F_GETOWN_EX, &owner));
  CHECK("is no thread", owner.type == F_OWNER_TID && owner.pid == 0);
  CHECK_OK("F_SETOWN", fcntl(fds[0], F_SETOWN, getpid()));
  CHECK_IS("is this process", fcntl(fds[0], F_GETOWN), getpid());
  NEED(fcntl(fds[0], F_GETOWN_EX, &owner));
  CHECK("is a process", owner.type == F_OWNER_PID && owner.pid == getpid());
  CHECK_OK("a group", fcntl(fds[0], F_SETOWN, -getpgrp()));
  CHECK_IS("is this group", fcntl(fds[0], F_GETOWN), -getpgrp());
  NEED(fcntl(fds[0], F_GETOWN_EX, &owner));
  CHECK("is a group", owner.type == F_OWNER_PGRP && owner.pid == getpgrp());
  owner = (struct f_owner_ex){F_OWNER_TID, gettid()};
  CHECK_OK("F_SETOWN_EX", fcntl(fds[0], F_SETOWN_EX, &owner));
  owner = (struct f_owner_ex){9, 9};
  NEED(fcntl(fds[0], F_GETOWN_EX, &owner));
  CHECK("is a thread", owner.type == F_OWNER_TID && owner.pid == gettid());
  owner.type = 3;
  CHECK_FAILS("no such kind", fcntl(fds[0], F_SETOWN_EX, &owner), EINVAL);
  CHECK_FAILS("nowhere", fcntl(fds[0], F_SETOWN_EX, (void *)8), EFAULT);
  CHECK_FAILS("nowhere to", fcntl(fds[0], F_GETOWN_EX, (void *)8), EFAULT);
  CHECK_FAILS("INT_MIN", fcntl(fds[0], F_SETOWN, INT_MIN), EINVAL);
  int value = getpid();
  CHECK_OK("FIOSETOWN", ioctl(fds[0], 0x8901, &value));
  CHECK_IS("by ioctl", fcntl(fds[0], F_GETOWN), getpid());
  value = -getpgrp();
  CHECK_OK("SIOCSPGRP", ioctl(fds[0], 0x8902, &value));
  value = 0;
  CHECK_OK("FIOGETOWN", ioctl(fds[0], 0x8903, &value));
  CHECK_IS("the group", value, -getpgrp());
  CHECK_OK("SIOCGPGRP", ioctl(fds[0], 0x8904, &value));

  int pipe_ends[2];
  NEED(pipe(pipe_ends));
  pid_t child = NEED(fork());
  if (child == 0) {
    char byte;
    close(pipe_ends[1]);
    _exit(read(pipe_ends[0], &byte, 1) != 0);
  }
  CHECK_OK("a child", fcntl(fds[1], F_SETOWN, child));
  CHECK_IS("is it", fcntl(fds[1], F_GETOWN), child);
  close(pipe_ends[1]);
  CHECK_IS("child", wait_code(child), 0);
  CHECK_IS("is gone", fcntl(fds[1], F_GETOWN), 0);
  CHECK_FAILS("a number of nobody's", fcntl(fds[1], F_SETOWN, child), ESRCH);
  CHECK_FAILS("a group of nobody's", fcntl(fds[1], F_SETOWN, -child), ESRCH);
  CHECK_OK("nobody", fcntl(fds[1], F_SETOWN, 0));
  CHECK_FAILS("signal 65", fcntl(fds[1], F_SETSIG, 65), EINVAL);
  CHECK_FAILS("signal -1", fcntl(fds[1], F_SETSIG, -1), EINVAL);
  CHECK_OK("F_SETSIG", fcntl(fds[1], F_SETSIG, NEWS));
  CHECK_IS("F_GETSIG", fcntl(fds[1], F_GETSIG), NEWS);
  CHECK_OK("the plain one", fcntl(fds[1], F_SETSIG, 0));
  close(fds[0]);
  close(fds[1]);
  close(pipe_ends[0]);
}

static void others(void) {
  int on = 1;
  int file = NEED(open("file", O_RDWR | O_CREAT, 0600));
  CHECK_FAILS("a file has no news", ioctl(file, FIOASYNC, &on), ENOTTY);
  CHECK_OK("nor minds the flag", fcntl(file, F_SETFL, O_ASYNC));
  CHECK_IS("nor keeps it", fcntl(file, F_GETFL) & O_ASYNC, 0);
  CHECK_OK("but an owner", fcntl(file, F_SETOWN, getpid()));
  CHECK_IS("it has", fcntl(file, F_GETOWN), getpid());
  umask(0077);
  int opened = open("opened", O_RDWR | O_CREAT | O_ASYNC, 0666);
  CHECK("open keeps it", opened >= 0 && fcntl(opened, F_GETFL) & O_ASYNC);
  close(opened);
  int handle = NEED(open("file", O_PATH));
  CHECK_FAILS("a handle", fcntl(handle, F_SETOWN, getpid()), EBADF);
  int null = NEED(open("/dev/null", O_RDWR));
  CHECK_FAILS("/dev/null", ioctl(null, FIOASYNC, &on), ENOTTY);
  close(file);
  close(handle);
  close(null);
}

static void unix_stream(void) {
  int fds[2];
  siginfo_t info;
  char text[16];
  NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
  NEED(fcntl(fds[0], F_SETOWN, getpid()));
  NEED(write(fds[1], "a", 1));
  CHECK_IS("not asked for", none(), 0);
  int on = 1;
  CHECK_OK("FIOASYNC", ioctl(fds[0], FIOASYNC, &on));
  CHECK("shows", fcntl(fds[0], F_GETFL) & O_ASYNC);
  CHECK_IS("what waits is no news", none(), 0);
  NEED(write(fds[1], "b", 1));
  CHECK_IS("SIGIO", next(&info), SIGIO);
  CHECK_IS("by the kernel", info.si_code, SI_KERNEL);
  CHECK_IS("once", none(), 0);
  NEED(write(fds[1], "c", 1));
  NEED(write(fds[1], "d", 1));
  CHECK_IS("two are", next(&info), SIGIO);
  CHECK_IS("one", none(), 0);
  CHECK_IS("read", read(fds[0], text, sizeof text), 4);
  CHECK_IS("is no news", none(), 0);
  on = 0;
  CHECK_OK("off", ioctl(fds[0], FIOASYNC, &on));
  NEED(write(fds[1], "e", 1));
  CHECK_IS("nothing", none(), 0);

  async(fds[0], NEWS);
  int copy = NEED(dup(fds[0]));
  NEED(write(fds[1], "f", 1));
  told("input", fds[0], POLL_IN, IN);
  NEED(write(fds[1], "g", 1));
  NEED(write(fds[1], "h", 1));
  told("a real-time one", fds[0], POLL_IN, IN);
  told("for each", fds[0], POLL_IN, IN);
  NEED(fcntl(fds[0], F_SETSIG, SIGCHLD));
  NEED(write(fds[1], "i", 1));
  CHECK_IS("SIGCHLD", next(&info), SIGCHLD);
  CHECK_IS("is not of a child", info.si_code, SI_SIGIO);
  NEED(fcntl(fds[0], F_SETSIG, SIGIO));
  NEED(write(fds[1], "j", 1));
  CHECK_IS("SIGIO by name", next(&info), SIGIO);
  CHECK("tells more", info.si_code == POLL_IN && info.si_fd == fds[0]);
  NEED(fcntl(fds[0], F_SETSIG, NEWS));

  static char large[1 << 16];
  while (write(fds[0], large, sizeof large) > 0);
  CHECK_IS("full", none(), 0);
  while (read(fds[1], large, sizeof large) > 0);
  told("room", fds[0], POLL_OUT, OUT);
  CHECK_IS("room is told once", none(), 0);
  NEED(write(fds[0], "k", 1));
  NEED(read(fds[1], text, 1));
  CHECK_IS("there was room", none(), 0);

  NEED(shutdown(fds[1], SHUT_WR));
  told("half closed", fds[0], POLL_IN, IN);
  NEED(shutdown(fds[0], SHUT_WR));
  CHECK_IS("its own doing", none(), 0);
  close(fds[1]);
  told("closed", fds[0], POLL_HUP, POLLHUP | POLLERR);
  close(fds[0]);
  CHECK_OK("turned off by the copy", fcntl(copy, F_SETFL, 0));
  close(copy);
}

static void unix_listener(void) {
  struct sockaddr_un name = {AF_UNIX, "listener"};
  int server = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
  NEED(bind(server, (void *)&name, sizeof name));
  NEED(listen(server, 4));
  async(server, NEWS);
  int client = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
  NEED(connect(client, (void *)&name, sizeof name));
  told("a connection", server, POLL_IN, IN);
  int peer = NEED(accept(server, NULL, NULL));
  CHECK_IS("is not asked for", fcntl(peer, F_GETFL) & O_ASYNC, 0);
  CHECK_IS("nor anybody's", fcntl(peer, F_GETOWN), 0);
  close(peer);
  close(client);
  close(server);
  unlink("listener");
  int fds[2];
  NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
  async(fds[1], NEWS);
  NEED(write(fds[0], "x", 1));
  told("a datagram", fds[1], POLL_IN, IN);
  close(fds[0]);
  close(fds[1]);
}

static void pipes(void) {
  int fds[2];
  char byte;
  NEED(pipe(fds));
  async(fds[0], NEWS);
  CHECK_IS("an empty pipe", none(), 0);
  NEED(write(fds[1], "a", 1));
  told("a pipe has input", fds[0], POLL_IN, IN);
  NEED(write(fds[1], "b", 1));
  told("more of it", fds[0], POLL_IN, IN);
  NEED(read(fds[0], &byte, 1));
  NEED(read(fds[0], &byte, 1));
  async(fds[1], NEWS);
  CHECK_IS("a pipe with room", none(), 0);
  NEED(fcntl(fds[0], F_SETFL, 0));
  NEED(fcntl(fds[1], F_SETFL, O_NONBLOCK | O_ASYNC));
  static char large[1 << 16];
  while (write(fds[1], large, sizeof large) > 0);
  CHECK_IS("a full one", none(), 0);
  CHECK_IS("is read", read(fds[0], large, sizeof large), sizeof large);
  told("a pipe was read", fds[1], POLL_OUT, OUT);
  close(fds[0]);
  told("nobody reads", fds[1], POLL_OUT, OUT);
  close(fds[1]);
  NEED(mkfifo("fifo", 0600));
  int reader = NEED(open("fifo", O_RDONLY | O_NONBLOCK));
  int writer = NEED(open("fifo", O_WRONLY));
  async(reader, NEWS);
  NEED(write(writer, "c", 1));
  told("a FIFO has input", reader, POLL_IN, IN);
  NEED(read(reader, &byte, 1));
  close(writer);
  told("nobody writes", reader, POLL_IN, IN);
  close(reader);
  unlink("fifo");
}

static void terminals(void) {
  int master = NEED(posix_openpt(O_RDWR | O_NOCTTY));
  NEED(grantpt(master));
  NEED(unlockpt(master));
  int slave = NEED(open(ptsname(master), O_RDWR | O_NOCTTY));
  NEED(fcntl(slave, F_SETSIG, NEWS));
  CHECK_OK("a terminal", fcntl(slave, F_SETFL, O_RDWR | O_ASYNC));
  CHECK_IS("finds an owner", fcntl(slave, F_GETOWN), getpid());
  NEED(write(master, "line", 4));
  CHECK_IS("half a line", none(), 0);
  NEED(write(master, "\n", 1));
  told("a line", slave, POLL_IN, IN);
  struct termios modes;
  NEED(tcgetattr(slave, &modes));
  cfmakeraw(&modes);
  NEED(tcsetattr(slave, TCSAFLUSH, &modes));
  while (none());
  NEED(write(master, "k", 1));
  told("a key", slave, POLL_IN, IN);
  char text[64];
  NEED(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK));
  while (read(master, text, sizeof text) > 0);
  while (none());
  NEED(fcntl(master, F_SETSIG, NEWS));
  CHECK_OK("a master", fcntl(master, F_SETFL, O_RDWR | O_ASYNC));
  CHECK_IS("finds one too", fcntl(master, F_GETOWN), getpid());
  NEED(write(slave, "out", 3));
  told("output", master, POLL_IN, IN);
  close(slave);
  close(master);
}

static void watches(void) {
  int fd = NEED(inotify_init());
  NEED(inotify_add_watch(fd, ".", IN_CREATE));
  async(fd, NEWS);
  close(NEED(open("new", O_RDWR | O_CREAT, 0600)));
  told("inotify", fd, POLL_IN, IN);
  close(fd);
}

/* Whom a signal reaches. */

static int thread_fd, go[2];

static void *thread(void *unused) {
  (void)unused;
  struct f_owner_ex owner = {F_OWNER_TID, gettid()};
  siginfo_t info;
  NEED(fcntl(thread_fd, F_SETOWN_EX, &owner));
  NEED(write(go[1], "x", 1));
  CHECK_IS("the thread", next(&info), NEWS);
  return NULL;
}

static int waits_for_one(void) {
  siginfo_t info;
  NEED(write(go[1], "x", 1));
  return next(&info);
}

static void targets(void) {
  int fds[2];
  char byte;
  pthread_t other;
  NEED(pipe(go));
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
  async(fds[0], NEWS);
  thread_fd = fds[0];
  pthread_create(&other, NULL, thread, NULL);
  NEED(read(go[0], &byte, 1));
  NEED(write(fds[1], "a", 1));
  pthread_join(other, NULL);
  CHECK_IS("the process has none", none(), 0);
  NEED(write(fds[1], "b", 1));
  CHECK_IS("the thread is gone", none(), 0);

  pid_t child = NEED(fork());
  if (child == 0) {
    setpgid(0, 0);
    _exit(waits_for_one());
  }
  NEED(read(go[0], &byte, 1));
  NEED(fcntl(fds[0], F_SETOWN, -child));
  NEED(write(fds[1], "c", 1));
  CHECK_IS("a group", wait_code(child), NEWS);
  siginfo_t info;
  CHECK_IS("not the one of the owner's", next(&info), SIGCHLD);
  CHECK_IS("no more", none(), 0);

  // Somebody who must not signal us can't make us an owner with effect.
  child = NEED(fork());
  if (child == 0) {
    NEED(setresuid(1234, 1234, 1234));
    _exit(fcntl(fds[0], F_SETOWN, getppid()) != 0);
  }
  CHECK_IS("another user may ask", wait_code(child), 0);
  CHECK_IS("and ended", next(&info), SIGCHLD);
  CHECK_IS("is the owner", fcntl(fds[0], F_GETOWN), getpid());
  NEED(write(fds[1], "d", 1));
  CHECK_IS("but not told", none(), 0);
  NEED(fcntl(fds[0], F_SETOWN, getpid()));
  NEED(write(fds[1], "e", 1));
  told("whom root names is", fds[0], POLL_IN, IN);

  // SIGIO without a handler ends the process.
  child = NEED(fork());
  if (child == 0) {
    NEED(fcntl(fds[0], F_SETOWN, getpid()));
    NEED(fcntl(fds[0], F_SETSIG, 0));
    sigprocmask(SIG_UNBLOCK, &waited, NULL);
    write(fds[1], "f", 1);
    pause();
  }
  CHECK_IS("it ends who minds not", wait_code(child), 128 + SIGIO);
}

/* Several threads change it at once. */

static int contested;

static void *toggle(void *unused) {
  (void)unused;
  for (int turn = 0; turn < 500; turn++) {
    int on = turn & 1;
    ioctl(contested, FIOASYNC, &on);
    fcntl(contested, F_SETOWN, turn & 2 ? getpid() : 0);
  }
  return NULL;
}

static void changes(int fd, int other) {
  pthread_t threads[4];
  contested = fd;
  for (int index = 0; index < 4; index++) pthread_create(&threads[index], NULL, toggle, NULL);
  for (int index = 0; index < 4; index++) pthread_join(threads[index], NULL);
  int off = 0;
  NEED(ioctl(fd, FIOASYNC, &off));
  NEED(write(other, "a", 1));
  CHECK_IS("off after all", none(), 0);
  async(fd, NEWS);
  NEED(write(other, "b", 1));
  told("on again", fd, POLL_IN, IN);
  CHECK_IS("told once", none(), 0);
  close(fd);
  close(other);
}

int main(void) {
  sigemptyset(&waited);
  sigaddset(&waited, SIGIO);
  sigaddset(&waited, SIGURG);
  sigaddset(&waited, SIGCHLD);
  sigaddset(&waited, NEWS);
  NEED(sigprocmask(SIG_BLOCK, &waited, NULL));
  owners();
  siginfo_t info;
  CHECK_IS("the child's end", next(&info), SIGCHLD);
  others();
  unix_stream();
  unix_listener();
  pipes();
  terminals();
  watches();
  targets();
  while (none());
  int fds[2];
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
  changes(fds[0], fds[1]);
  NEED(pipe(fds));
  changes(fds[0], fds[1]);
  return check_status();
}
