// static
/* Two threads, then two processes, that wake each other in turn by futex, pipe and signal. */
#include "../check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { ROUNDS = 3000 };
static int *word;
static int forth[2], back[2];

static void set(int value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void await(int value) {
  for (int seen; (seen = __atomic_load_n(word, __ATOMIC_SEQ_CST)) != value;)
    syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void *answer_futex(void *unused) {
  for (int i = 0; i < ROUNDS; i++) {
    await(2 * i + 1);
    set(2 * i + 2);
  }
  return unused;
}

static void ask_futex(const char *name) {
  for (int i = 0; i < ROUNDS; i++) {
    set(2 * i + 1);
    await(2 * i + 2);
  }
  CHECK_IS(name, *word, 2 * ROUNDS);
  *word = 0;
}

static void *answer_pipe(void *unused) {
  char byte;
  for (int i = 0; i < ROUNDS; i++)
    if (read(forth[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1) break;
  return unused;
}

static void ask_pipe(const char *name) {
  int good = 0;
  for (int i = 0; i < ROUNDS; i++) {
    char byte = i, answer = ~i;
    if (write(forth[1], &byte, 1) != 1 || read(back[0], &answer, 1) != 1) break;
    good += answer == byte;
  }
  CHECK_IS(name, good, ROUNDS);
}

static int play_signals(pid_t other, int first) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 3);
  for (int i = 0; i < ROUNDS; i++) {
    union sigval value = {.sival_int = i};
    if (first && sigqueue(other, SIGRTMIN + 3, value) != 0) return 0;
    if (sigwaitinfo(&set, &info) < 0 || info.si_value.sival_int != i) return 0;
    if (!first && sigqueue(other, SIGRTMIN + 3, value) != 0) return 0;
  }
  return 1;
}

int main(void) {
  pthread_t id;
  NEED(pipe(forth));
  NEED(pipe(back));
  word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_create(&id, NULL, answer_futex, NULL);
  ask_futex("threads by futex");
  pthread_join(id, NULL);
  pthread_create(&id, NULL, answer_pipe, NULL);
  ask_pipe("threads by pipe");
  pthread_join(id, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 3);
  sigprocmask(SIG_BLOCK, &set, NULL);
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    answer_futex(NULL);
    answer_pipe(NULL);
    _exit(play_signals(parent, 0) ? 0 : 1);
  }
  ask_futex("processes by futex");
  ask_pipe("processes by pipe");
  CHECK("processes by signal", play_signals(child, 1));
  CHECK_IS("child", wait_code(child), 0);
  return check_status();
}
