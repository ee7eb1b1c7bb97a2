/* As much as there is of everything. The driver sets limits around the sandbox; each bomb also
 * ends by itself.
 *
 *     bombs fork        processes        bombs clone    processes, past the kernel
 *     bombs threads     threads          bombs memory   anonymous memory, touched
 *     bombs descriptors open files       bombs pipes    pipes, each filled
 *     bombs file        one large file in the throw-away root
 *     bombs files       many files       bombs mappings mappings
 *     bombs sockets     unix sockets     bombs objects  what the guest kernel keeps on its heap
 *
 * Of memory that the backend is asked for:
 *
 *     bombs fallocate   a file in memory bombs copies   the same, filled by copying
 *     bombs splices     the same, out of a pipe         bombs answers  what the network looks like
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "attack.h"

static void report(const char *what, long count) {
  say("note: %ld %s, then %s", count, what, strerror(errno));
}

static int fork_bomb(int is_host) {
  long count = 0;
  for (; count < 5000; count++) {
    long child = is_host ? HOST(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
    if (child == 0)
      for (;;) {
        if (is_host) HOST(SYS_ppoll, 0, 0, 0, 0, 8);
        else if (fork() < 0) pause();
      }
    if (child < 0) break;
  }
  report("processes", count);
  return 0;
}

static void *sleeper(void *argument) {
  (void)argument;
  pause();
  return NULL;
}

static int thread_bomb(void) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 16384);
  long count = 0;
  for (; count < 20000; count++) {
    pthread_t thread;
    errno = pthread_create(&thread, &attributes, sleeper, NULL);
    if (errno) break;
  }
  report("threads", count);
  return 0;
}

static int memory_bomb(void) {
  long count = 0;
  for (; count < 4096; count++) {
    char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) break;
    memset(memory, 1, 1 << 20);
  }
  report("MiB", count);
  if (count == 4096) say("breach: 4 GiB under a limit of less");
  return 0;
}

static int descriptor_bomb(int is_pipe) {
  static char bytes[65536];
  long count = 0;
  for (; count < 200000; count++) {
    int ends[2];
    if (!is_pipe && open("/etc/passwd", O_RDONLY) < 0) break;
    if (!is_pipe) continue;
    if (pipe2(ends, O_NONBLOCK) < 0) break;
    if (write(ends[1], bytes, sizeof bytes) < 0) break;
  }
  report(is_pipe ? "full pipes" : "open files", count);
  if (count == 200000) say("breach: no limit of descriptors");
  return 0;
}

static int file_bomb(void) {
  static char bytes[1 << 20];
  memset(bytes, 7, sizeof bytes);
  int descriptor = open("/bomb", O_CREAT | O_WRONLY, 0644);
  long count = 0;
  signal(SIGXFSZ, SIG_IGN);
  for (; count < 1024; count++)
    if (write(descriptor, bytes, sizeof bytes) != sizeof bytes) break;
  report("MiB in one file", count);
  return 0;
}

static int files_bomb(void) {
  char path[64];
  long count = 0;
  mkdir("/tmp/many", 0755);
  for (; count < 50000; count++) {
    snprintf(path, sizeof path, "/tmp/many/%ld", count);
    int descriptor = open(path, O_CREAT | O_WRONLY, 0644);
    if (descriptor < 0) break;
    close(descriptor);
  }
  report("files", count);
  char deep[8] = "d";
  for (count = 0; count < 20000; count++)
    if (mkdir(deep, 0755) || chdir(deep)) break;
  report("nested directories", count);
  return 0;
}

static int mappings_bomb(void) {
  long count = 0;
  for (; count < 300000; count++) {
    int protection = count & 1 ? PROT_READ : PROT_READ | PROT_WRITE;
    void *memory = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) break;
  }
  report("mappings", count);
  return 0;
}

static int sockets_bomb(void) {
  static char bytes[4096];
  long count = 0;
  for (; count < 100000; count++) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends)) break;
    for (int i = 0; i < 256 && write(ends[0], bytes, sizeof bytes) > 0; i++) {}
    /* A socket that holds itself: only a cycle collector would find it. */
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {bytes, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                               .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
    sendmsg(ends[1], &message, MSG_DONTWAIT);
    close(ends[0]);
    if (count & 1) close(ends[1]);
  }
  report("unix sockets", count);
  return 0;
}

static int objects_bomb(void) {
  long count = 0;
  int epoll = epoll_create1(0), file = open("/tmp/locks", O_CREAT | O_RDWR, 0600);
  for (; count < 100000; count++) {
    int descriptor = eventfd(0, 0);
    if (descriptor < 0) break;
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)) break;
  }
  report("watched eventfds", count);
  for (count = 0; count < 100000; count++) {
    union sigval value = {.sival_int = (int)count};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (sigqueue(getpid(), SIGRTMIN, value)) break;
  }
  report("queued signals", count);
  for (count = 0; count < 10000; count++) {
    struct flock lock = {.l_type = F_WRLCK, .l_start = count * 2, .l_len = 1};
    if (fcntl(file, F_SETLK, &lock)) break;
  }
  report("record locks", count);
  if (count == 0) return 1;
  for (count = 0; count < 20000; count++) {
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, NULL, &timer)) break;
  }
  report("timers", count);
  return 0;
}

/* More than any limit that the driver sets around these. */
#define MUCH (512L << 20)

static int much(const char *what, long size) {
  report(what, size >> 20);
  if (size >= MUCH) say("breach: 512 MiB of memory under a limit of less");
  return 0;
}

static int fallocate_bomb(void) {
  int file = memfd_create("bomb", 0);
  long size = 8 << 20;
  /* The largest first: it comes to nothing, or to the limit. */
  if (fallocate(file, 0, 0, 1L << 40) == 0) say("breach: 1 TiB of memory");
  for (; size <= MUCH; size *= 2)
    if (fallocate(file, FALLOC_FL_KEEP_SIZE, 0, size)) break;
  return much("MiB allocated", size / 2);
}

static int copies_bomb(void) {
  int from = memfd_create("empty", 0), file = memfd_create("bomb", 0);
  long size = 0, piece = 8 << 20;
  if (ftruncate(from, piece)) return 1;
  for (; size < MUCH; size += piece) {
    off64_t start = 0, end = size;
    long half = copy_file_range(from, &start, file, &end, (size_t)piece / 2, 0);
    if (half != piece / 2) break;
    start = 0;
    if (lseek(file, end, SEEK_SET) < 0) break;
    if (sendfile(file, from, &start, (size_t)piece / 2) != piece / 2) break;
  }
  return much("MiB copied", size);
}

static int splices_bomb(void) {
  static char bytes[65536];
  int file = memfd_create("bomb", 0), ends[2];
  long size = 0;
  if (pipe(ends)) return 1;
  for (; size < MUCH; size += (long)sizeof bytes) {
    if (write(ends[1], bytes, sizeof bytes) != sizeof bytes) break;
    for (long left = sizeof bytes; left > 0;) {
      long moved = splice(ends[0], NULL, file, NULL, (size_t)left, 0);
      if (moved <= 0) return much("MiB spliced", size);
      left -= moved;
    }
  }
  return much("MiB spliced", size);
}

static int answers_bomb(void) {
  struct pv_request *request = new_request(PV_OP_NETWORK_TEXT);
  request->arguments[0] = PV_NETWORK_NETSTAT;
  long count = 0, result = 0;
  while (count < 1000000 && (result = broker(request)) >= 0) count++;
  say("note: %ld answers, then %s", count, strerror((int)-result));
  return 0;
}

int main(int count, char **values) {
  find_kernel();
  int result = 2;
  const char *mode = count > 1 ? values[1] : "";
  if (!strcmp(mode, "fork")) result = fork_bomb(0);
  else if (!strcmp(mode, "clone")) result = fork_bomb(1);
  else if (!strcmp(mode, "threads")) result = thread_bomb();
  else if (!strcmp(mode, "memory")) result = memory_bomb();
  else if (!strcmp(mode, "descriptors")) result = descriptor_bomb(0);
  else if (!strcmp(mode, "pipes")) result = descriptor_bomb(1);
  else if (!strcmp(mode, "file")) result = file_bomb();
  else if (!strcmp(mode, "files")) result = files_bomb();
  else if (!strcmp(mode, "mappings")) result = mappings_bomb();
  else if (!strcmp(mode, "sockets")) result = sockets_bomb();
  else if (!strcmp(mode, "objects")) result = objects_bomb();
  else if (!strcmp(mode, "fallocate")) result = fallocate_bomb();
  else if (!strcmp(mode, "copies")) result = copies_bomb();
  else if (!strcmp(mode, "splices")) result = splices_bomb();
  else if (!strcmp(mode, "answers")) result = answers_bomb();
  if (result == 0) say("done");
  return result;
}
