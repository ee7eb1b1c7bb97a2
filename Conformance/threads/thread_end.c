// static
/* clear_child_tid, exit of one thread, exit_group with busy threads, raw clone threads. */
#include "../check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static int tid_word, value;

static int raw_body(void *argument) {
  value = (int)(long)argument;
  return 5;
}

static void raw_thread(void) {
  char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
              CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID;
  for (int i = 0; i < 50; i++) {
    value = 0;
    tid_word = -1;
    int tid = clone(raw_body, stack + 65536, flags, (void *)77l, &tid_word, NULL, &tid_word);
    if (tid < 0) break;
    for (int seen; (seen = __atomic_load_n(&tid_word, __ATOMIC_SEQ_CST)) != 0;)
      syscall(SYS_futex, &tid_word, FUTEX_WAIT, seen, NULL, NULL, 0);
  }
  CHECK_IS("fifty raw threads clear their word", tid_word, 0);
  CHECK_IS("and ran", value, 77);
  CHECK_FAILS("a thread is no child to wait for", waitpid(-1, NULL, __WALL), ECHILD);
}

static void *busy(void *unused) {
  for (;;) __asm__ volatile("pause");
  return unused;
}
static void *calling(void *unused) {
  for (;;) syscall(SYS_getppid);
  return unused;
}
static int never[2];
static void *blocked(void *unused) {
  char byte;
  for (;;)
    if (read(never[0], &byte, 1) >= 0) return unused;
}
static void *leaves(void *code) {
  usleep(1000);
  syscall(SYS_exit_group, (int)(long)code);
  return NULL;
}
static void *kills(void *number) {
  usleep(1000);
  kill(getpid(), (int)(long)number);
  return NULL;
}

static void start_all(void) {
  pthread_t id;
  if (pipe(never) != 0) _exit(9);
  for (int i = 0; i < 2; i++) {
    pthread_create(&id, NULL, busy, NULL);
    pthread_create(&id, NULL, calling, NULL);
    pthread_create(&id, NULL, blocked, NULL);
  }
}

static int from_main(void) {
  start_all();
  syscall(SYS_exit_group, 31);
  return 1;
}
static int from_thread(void) {
  pthread_t id;
  start_all();
  pthread_create(&id, NULL, leaves, (void *)32l);
  blocked(NULL);
  return 1;
}
static int by_signal(void) {
  pthread_t id;
  start_all();
  pthread_create(&id, NULL, kills, (void *)(long)SIGTERM);
  blocked(NULL);
  return 1;
}
static int main_exits_first(void) {
  pthread_t id;
  start_all();
  pthread_create(&id, NULL, leaves, (void *)33l);
  syscall(SYS_exit, 44);
  return 1;
}
static int killed(void) {
  start_all();
  kill(getpid(), SIGKILL);
  return 1;
}

int main(void) {
  raw_thread();
  for (int i = 0; i < 5; i++) {
    CHECK_IS("exit_group from the first thread", in_child(from_main), 31);
    CHECK_IS("exit_group from another", in_child(from_thread), 32);
    CHECK_IS("a signal ends all", in_child(by_signal), 128 + SIGTERM);
    CHECK_IS("the first thread has left before", in_child(main_exits_first), 33);
    CHECK_IS("SIGKILL", in_child(killed), 128 + SIGKILL);
  }
  /* The word in memory that has gone: the end of the thread goes on regardless. */
  pid_t child = fork();
  if (child == 0) {
    syscall(SYS_set_tid_address, 0x10000);
    _exit(3);
  }
  CHECK_IS("an unmapped word", wait_code(child), 3);
  return check_status();
}
