// Measures one kind of work at a time and prints nanoseconds per operation.
//
//   micro --list                               the names of the rows
//   micro [OPTIONS] --row NAME                 the median of batches, in ns per operation
//   micro [OPTIONS] --command PREPARE CMD ...  the same for a run of a command; `sh -c PREPARE`
//                                              runs before each and is not counted
//   options: --directory DIR      where files are made, an absolute path
//            --child PATH         a static program that exits at once
//            --batches N          how many batches; of an even number, the lower middle counts
//            --batch-us N         a batch lasts at least this long
//
// It is run natively and in sandboxes, so it checks every result: a call that fails quickly must
// not look like a fast call.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *directory = ".";
static const char *child_program = "./child";
static int batch_count = 11;
static double batch_ns = 5e6;

static void check(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "micro: %s: %s\n", what, strerror(errno));
  exit(1);
}

#define CHECK(condition) check((condition), #condition)

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

static const char *in_directory(const char *name) {
  static char paths[8][4096];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", directory, name);
  return path;
}

// --- calls that need nothing but the kernel

static char scratch[4096];
static int descriptor, other_descriptor;

static void run_getpid(long count) { while (count--) CHECK(getpid() > 0); }
static void run_getuid(long count) { while (count--) CHECK(getuid() != (uid_t)-1); }

static void run_uname(long count) {
  struct utsname names;
  while (count--) CHECK(uname(&names) == 0);
}

static void run_sigprocmask(long count) {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  while (count--) CHECK(sigprocmask(count & 1 ? SIG_BLOCK : SIG_UNBLOCK, &set, &old) == 0);
  CHECK(sigprocmask(SIG_UNBLOCK, &set, &old) == 0);
}

static void run_clock_gettime(long count) {
  struct timespec time;
  while (count--) CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time) == 0);
}

static void set_up_zero(void) { CHECK((descriptor = open("/dev/zero", O_RDONLY)) >= 0); }
static void run_read_zero(long count) { while (count--) CHECK(read(descriptor, scratch, 1) == 1); }

static void set_up_eventfd(void) { CHECK((descriptor = eventfd(0, 0)) >= 0); }

static void run_eventfd(long count) {
  uint64_t value = 1;
  while (count--) {
    CHECK(write(descriptor, &value, 8) == 8);
    CHECK(read(descriptor, &value, 8) == 8 && value == 1);
  }
}

static void set_up_epoll(void) {
  int ends[2];
  struct epoll_event event = {.events = EPOLLIN};
  CHECK(pipe(ends) == 0);
  CHECK((descriptor = epoll_create1(0)) >= 0);
  CHECK(epoll_ctl(descriptor, EPOLL_CTL_ADD, ends[0], &event) == 0);
}

static void run_epoll_wait(long count) {
  struct epoll_event events[8];
  while (count--) CHECK(epoll_wait(descriptor, events, 8, 0) == 0);
}

static volatile sig_atomic_t signals_caught;
static void catch_signal(int number) { (void)number; signals_caught++; }

static void run_signal(long count) {
  struct sigaction action = {.sa_handler = catch_signal};
  CHECK(sigaction(SIGUSR1, &action, 0) == 0);
  pid_t self = getpid();
  while (count--) {
    int before = signals_caught;
    CHECK(kill(self, SIGUSR1) == 0 && signals_caught != before);
  }
}

// --- two sides that wait for each other

// Answers every byte that comes from `in` on `out` in a child; the parent has the other ends.
static void start_echo(int in, int out, int close_first, int close_second) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child > 0) return;
  close(close_first);
  close(close_second);
  char byte;
  while (read(in, &byte, 1) == 1 && write(out, &byte, 1) == 1) {}
  _exit(0);
}

static void set_up_pipe_echo(void) {
  int to[2], from[2];
  CHECK(pipe(to) == 0 && pipe(from) == 0);
  start_echo(to[0], from[1], to[1], from[0]);
  close(to[0]);
  close(from[1]);
  descriptor = to[1];
  other_descriptor = from[0];
}

static void set_up_socket_echo(void) {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  start_echo(pair[1], pair[1], pair[0], -1);
  close(pair[1]);
  descriptor = other_descriptor = pair[0];
}

static void run_echo(long count) {
  char byte = 'x';
  while (count--) {
    CHECK(write(descriptor, &byte, 1) == 1);
    CHECK(read(other_descriptor, &byte, 1) == 1);
  }
}

static void tear_down_echo(void) {
  close(descriptor);
  if (other_descriptor != descriptor) close(other_descriptor);
  CHECK(wait(0) > 0);
}

static _Atomic int turn;
static const int last_turn = -1;

static void wait_for_turn(int mine) {
  for (;;) {
    int current = turn;
    if (current == mine || current == last_turn) return;
    syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, current, 0, 0, 0);
  }
}

static void pass_turn(int other) {
  turn = other;
  CHECK(syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0) >= 0);
}

static void *answer_turns(void *argument) {
  for (;;) {
    wait_for_turn(1);
    if (turn == last_turn) return argument;
    pass_turn(0);
  }
}

static pthread_t partner;

static void set_up_futex(void) { CHECK(pthread_create(&partner, 0, answer_turns, 0) == 0); }

static void run_futex(long count) {
  while (count--) {
    pass_turn(1);
    wait_for_turn(0);
  }
}

static void tear_down_futex(void) {
  pass_turn(last_turn);
  CHECK(pthread_join(partner, 0) == 0);
}

// --- files

enum { file_size = 1 << 20, block_size = 4096 };

static void set_up_file(void) {
  CHECK((descriptor = open(in_directory("file"), O_RDWR | O_CREAT | O_TRUNC, 0644)) >= 0);
  for (int written = 0; written < file_size; written += block_size)
    CHECK(write(descriptor, scratch, block_size) == block_size);
}

static void run_pread(long count) {
  while (count--) {
    off_t offset = count * block_size % file_size;
    CHECK(pread(descriptor, scratch, block_size, offset) == block_size);
  }
}

static void run_write(long count) {
  while (count--) {
    if (count % (file_size / block_size) == 0) CHECK(lseek(descriptor, 0, SEEK_SET) == 0);
    CHECK(write(descriptor, scratch, block_size) == block_size);
  }
}

static void run_lseek(long count) {
  while (count--) CHECK(lseek(descriptor, count & 4095, SEEK_SET) == (count & 4095));
}

static const char *path;

static void set_up_path(void) {
  set_up_file();
  path = in_directory("file");
}

static void set_up_root_path(void) { path = "/usr/bin/env"; }

static void set_up_link(void) {
  path = in_directory("link");
  unlink(path);
  CHECK(symlink("file", path) == 0);
}

static void run_stat(long count) {
  struct stat status;
  while (count--) CHECK(stat(path, &status) == 0);
}

static void run_access(long count) { while (count--) CHECK(access(path, R_OK) == 0); }

static void run_readlink(long count) {
  while (count--) CHECK(readlink(path, scratch, sizeof scratch) == 4);
}

static void run_open(long count) {
  while (count--) {
    int opened = open(path, O_RDONLY);
    CHECK(opened >= 0 && close(opened) == 0);
  }
}

static void run_create(long count) {
  const char *created = in_directory("created");
  while (count--) {
    int opened = open(created, O_WRONLY | O_CREAT | O_EXCL, 0644);
    CHECK(opened >= 0 && close(opened) == 0 && unlink(created) == 0);
  }
}

// --- memory

static char *map(size_t size) {
  char *start = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(start != MAP_FAILED);
  return start;
}

static void touch(char *start, size_t size) {
  for (size_t offset = 0; offset < size; offset += 4096) ((volatile char *)start)[offset] = 1;
}

static void run_mmap(long count) {
  while (count--) {
    char *start = map(64 << 10);
    touch(start, 64 << 10);
    CHECK(munmap(start, 64 << 10) == 0);
  }
}

enum { fault_area = 256 << 20 };

// An operation is one fault, so a batch is a whole number of areas.
static void run_faults(long count) {
  for (long done = 0; done < count; done += fault_area / 4096) {
    char *start = map(fault_area);
    CHECK(madvise(start, fault_area, MADV_NOHUGEPAGE) == 0);
    touch(start, fault_area);
    CHECK(munmap(start, fault_area) == 0);
  }
}

static char *page;

static void set_up_page(void) { touch(page = map(4096), 4096); }

static void run_mprotect(long count) {
  while (count--) {
    CHECK(mprotect(page, 4096, PROT_READ) == 0);
    CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE) == 0);
  }
}

enum { copy_size = 32 << 20 };
static char *copy_from, *copy_to;

static void set_up_copy(void) {
  touch(copy_from = map(copy_size), copy_size);
  touch(copy_to = map(copy_size), copy_size);
}

static void run_copy(long count) {
  while (count--) {
    memcpy(copy_to, copy_from, copy_size);
    __asm__ volatile("" ::: "memory");
  }
}

static void run_integer(long count) {
  uint64_t state = 88172645463325252u;
  while (count--) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    state += state % 1000003;
  }
  CHECK(state != 0);
}

static void run_floating(long count) {
  double position = 1, speed = 0;
  while (count--) {
    speed -= position * 1e-3;
    position += speed * 1e-3;
    speed /= 1 + 1e-12 * position * position;
  }
  CHECK(position == position);
}

// --- processes and threads

static void wait_for(pid_t child) {
  int status;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void run_fork(long count) {
  while (count--) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    wait_for(child);
  }
}

static void run_fork_exec(long count) {
  while (count--) {
    pid_t child = fork();
    if (child == 0) {
      execl(child_program, child_program, (char *)0);
      _exit(127);
    }
    wait_for(child);
  }
}

static void run_vfork_exec(long count) {
  while (count--) {
    pid_t child = vfork();
    if (child == 0) {
      execl(child_program, child_program, (char *)0);
      _exit(127);
    }
    wait_for(child);
  }
}

static void *return_at_once(void *argument) { return argument; }

static void run_thread(long count) {
  while (count--) {
    pthread_t thread;
    CHECK(pthread_create(&thread, 0, return_at_once, 0) == 0);
    CHECK(pthread_join(thread, 0) == 0);
  }
}

// --- rows

struct row {
  const char *name;
  void (*run)(long count);
  void (*set_up)(void);
  void (*tear_down)(void);
  long step;  // a batch is a multiple of it
};

static const struct row rows[] = {
  {"getpid", run_getpid},
  {"getuid", run_getuid},
  {"uname", run_uname},
  {"sigprocmask", run_sigprocmask},
  {"clock_gettime", run_clock_gettime},
  {"read-zero", run_read_zero, set_up_zero},
  {"lseek", run_lseek, set_up_file},
  {"eventfd", run_eventfd, set_up_eventfd},
  {"epoll_wait", run_epoll_wait, set_up_epoll},
  {"signal", run_signal},
  {"pipe", run_echo, set_up_pipe_echo, tear_down_echo},
  {"unix-socket", run_echo, set_up_socket_echo, tear_down_echo},
  {"futex", run_futex, set_up_futex, tear_down_futex},
  {"pread", run_pread, set_up_file},
  {"write", run_write, set_up_file},
  {"stat", run_stat, set_up_path},
  {"access", run_access, set_up_path},
  {"readlink", run_readlink, set_up_link},
  {"open", run_open, set_up_path},
  {"stat-root", run_stat, set_up_root_path},
  {"open-root", run_open, set_up_root_path},
  {"create", run_create},
  {"mmap", run_mmap},
  {"faults", run_faults, .step = fault_area / 4096},
  {"mprotect", run_mprotect, set_up_page},
  {"fork", run_fork},
  {"fork-exec", run_fork_exec},
  {"vfork-exec", run_vfork_exec},
  {"thread", run_thread},
  {"integer", run_integer},
  {"floating", run_floating},
  {"copy", run_copy, set_up_copy},
};

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double median(double *values, int count) {
  qsort(values, count, sizeof *values, ascending);
  return values[(count - 1) / 2];
}

static double measure(void (*run)(long), long count) {
  double start = now_ns();
  run(count);
  return now_ns() - start;
}

static void print_row(const struct row *row) {
  if (row->set_up) row->set_up();
  long step = row->step ? row->step : 1, count = step;
  double spent;
  while ((spent = measure(row->run, count)) < batch_ns) {
    double factor = batch_ns * 1.2 / (spent + 1);
    long next = count * (factor > 10 ? 10 : factor);
    count = (next > count ? next : count + 1) / step * step + (step > 1 ? step : 0);
  }
  double results[batch_count];
  for (int i = 0; i < batch_count; i++) results[i] = measure(row->run, count) / count;
  printf("%.2f\n", median(results, batch_count));
  if (row->tear_down) row->tear_down();
}

static void print_command(char *prepare, char **words) {
  double results[batch_count];
  for (int i = 0; i < batch_count; i++) {
    char *shell[] = {"sh", "-c", prepare, 0};
    pid_t child;
    if (*prepare) {
      CHECK((errno = posix_spawn(&child, "/bin/sh", 0, 0, shell, environ)) == 0);
      wait_for(child);
    }
    double start = now_ns();
    CHECK((errno = posix_spawnp(&child, words[0], 0, 0, words, environ)) == 0);
    wait_for(child);
    results[i] = now_ns() - start;
  }
  printf("%.0f\n", median(results, batch_count));
}

static int fail_with_usage(void) {
  fprintf(stderr, "usage: micro --list | [--directory DIR] [--child PATH] [--batches N] "
          "[--batch-us N] --row NAME | --command PREPARE CMD ...\n");
  return 2;
}

int main(int count, char **words) {
  int row_count = sizeof rows / sizeof *rows;
  for (int i = 1; i < count; i++) {
    const char *option = words[i], *value = i + 1 < count ? words[i + 1] : 0;
    if (!strcmp(option, "--list")) {
      for (int row = 0; row < row_count; row++) puts(rows[row].name);
      return 0;
    }
    if (!value) return fail_with_usage();
    if (!strcmp(option, "--command")) {
      if (i + 2 >= count) return fail_with_usage();
      print_command(words[i + 1], words + i + 2);
      return 0;
    }
    if (!strcmp(option, "--row")) {
      for (int row = 0; row < row_count; row++) {
        if (strcmp(rows[row].name, value)) continue;
        print_row(&rows[row]);
        return 0;
      }
      fprintf(stderr, "micro: no row '%s'\n", value);
      return 2;
    }
    if (!strcmp(option, "--directory")) directory = value;
    else if (!strcmp(option, "--child")) child_program = value;
    else if (!strcmp(option, "--batches")) batch_count = atoi(value);
    else if (!strcmp(option, "--batch-us")) batch_ns = atof(value) * 1e3;
    else return fail_with_usage();
    i++;
  }
  return fail_with_usage();
}
