/* Signals end only calls that have to wait (signal(7)): a call that can be done at once is done,
 * however many signals come meanwhile, and although their handlers ask for no restart. */
#include "../check.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { ROUNDS = 4000 };
static volatile int running = 1;
static volatile long handled;
static pid_t target;

static void count(int signal) { handled++; }

/* Signals the first thread again and again, and leaves it time for a few calls in between. */
static void *storm(void *unused) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  while (running) {
    syscall(SYS_tgkill, target, target, SIGUSR1);
    for (int i = 0; i < 300; i++) __asm__ volatile("pause");
  }
  return NULL;
}

/* Moves eight bytes from one end to the other and back out, which never has to wait. */
static int move(int out, int in) {
  char bytes[8] = "1234567", got[8] = "";
  for (int i = 0; i < ROUNDS; i++) {
    if (i % 2) {
      if (write(out, bytes, 8) != 8 || read(in, got, 8) != 8) return 0;
    } else {
      struct iovec halves[2] = {{bytes, 4}, {bytes + 4, 4}}, room[2] = {{got, 4}, {got + 4, 4}};
      if (writev(out, halves, 2) != 8 || readv(in, room, 2) != 8) return 0;
    }
    if (memcmp(bytes, got, 8)) return 0;
  }
  return 1;
}

static int tcp(int *ends) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  ends[1] = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (struct sockaddr *)&name, size);
  listen(listener, 1);
  getsockname(listener, (struct sockaddr *)&name, &size);
  if (connect(ends[1], (struct sockaddr *)&name, size)) return -1;
  return ends[0] = accept(listener, NULL, NULL);
}

static int packets(int one, int other) {
  char byte = 'x';
  for (int i = 0; i < ROUNDS; i++)
    if (send(one, &byte, 1, 0) != 1 || recv(other, &byte, 1, 0) != 1) return 0;
  return 1;
}

static int file_calls(const char *name) {
  char byte = 'x';
  for (int i = 0; i < ROUNDS; i++) {
    int file = open(name, O_CREAT | O_RDWR, 0600);
    if (file < 0 || write(file, &byte, 1) != 1 || lseek(file, 0, SEEK_SET) != 0 ||
        read(file, &byte, 1) != 1 || flock(file, LOCK_EX) || close(file))
      return 0;
  }
  return 1;
}

static int readiness(int ready) {
  struct pollfd entry = {.fd = ready, .events = POLLOUT};
  for (int i = 0; i < ROUNDS; i++)
    if (poll(&entry, 1, 1000) != 1) return 0;
  return 1;
}

static int counters(void) {
  int counter = eventfd(0, 0);
  uint64_t value = 1;
  for (int i = 0; i < ROUNDS; i++)
    if (write(counter, &value, 8) != 8 || read(counter, &value, 8) != 8) return 0;
  return 1;
}

int main(void) {
  int channel[2], pair[2], connection[2], fifo;
  pipe(channel);
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  CHECK("a connection", tcp(connection) >= 0);
  mkfifo("fifo", 0600);
  fifo = open("fifo", O_RDWR);
  target = getpid();
  struct sigaction action = {.sa_handler = count};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t other;
  pthread_create(&other, NULL, storm, NULL);
  CHECK("a pipe", move(channel[1], channel[0]));
  CHECK("a fifo", move(fifo, fifo));
  CHECK("unix sockets", move(pair[0], pair[1]));
  CHECK("a connection's data", packets(connection[0], connection[1]));
  CHECK("regular files", file_calls("file"));
  CHECK("poll of what is ready", readiness(channel[1]));
  CHECK("counters", counters());
  running = 0;
  pthread_join(other, NULL);
  CHECK("signals came", handled > 10);
  return check_status();
}
