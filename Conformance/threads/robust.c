/* Robust mutexes: an owner that dies passes the lock on with EOWNERDEAD. */
#include "../check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static pthread_mutex_t *mutex;

static void make(int robust) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutexattr_setrobust(&attributes, robust);
  memset(mutex, 0, sizeof *mutex);
  pthread_mutex_init(mutex, &attributes);
}

static int lock_and_exit(void) { return pthread_mutex_lock(mutex); }

static int lock_and_die(void) {
  pthread_mutex_lock(mutex);
  kill(getpid(), SIGKILL);
  return 1;
}

static int lock_and_exec(void) {
  pthread_mutex_lock(mutex);
  char *arguments[] = {"true", NULL};
  execve("/bin/true", arguments, environ);
  return 1;
}

static void *thread_locks(void *unused) {
  pthread_mutex_lock(mutex);
  return unused;
}

static int lock_in_thread(void) {
  pthread_t id;
  pthread_create(&id, NULL, thread_locks, NULL);
  pthread_join(id, NULL);
  int result = pthread_mutex_lock(mutex);
  pthread_mutex_consistent(mutex);
  pthread_mutex_unlock(mutex);
  return result;
}

static void after(const char *name, int (*body)(void)) {
  char text[80];
  make(PTHREAD_MUTEX_ROBUST);
  int code = in_child(body);
  snprintf(text, sizeof text, "%s: the owner's end", name);
  CHECK_IS(text, code, body == lock_and_die ? 128 + SIGKILL : 0);
  snprintf(text, sizeof text, "%s: the next owner", name);
  CHECK_IS(text, pthread_mutex_lock(mutex), EOWNERDEAD);
  CHECK_IS("made consistent", pthread_mutex_consistent(mutex), 0);
  CHECK_IS("unlocked", pthread_mutex_unlock(mutex), 0);
  CHECK_IS("an ordinary lock again", pthread_mutex_lock(mutex), 0);
  pthread_mutex_unlock(mutex);
}

int main(void) {
  mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  after("exit", lock_and_exit);
  after("kill", lock_and_die);
  after("exec", lock_and_exec);
  make(PTHREAD_MUTEX_ROBUST);
  CHECK_IS("a thread that ends", in_child(lock_in_thread), EOWNERDEAD);

  in_child(lock_and_exit);
  CHECK_IS("taken over", pthread_mutex_lock(mutex), EOWNERDEAD);
  CHECK_IS("given back as it was", pthread_mutex_unlock(mutex), 0);
  CHECK_IS("nobody can have it any more", pthread_mutex_lock(mutex), ENOTRECOVERABLE);

  /* A process that already waits is woken by the owner's death. */
  make(PTHREAD_MUTEX_ROBUST);
  int gate[2];
  NEED(pipe(gate));
  pid_t owner = fork();
  if (owner == 0) {
    pthread_mutex_lock(mutex);
    if (write(gate[1], "l", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte;
  NEED(read(gate[0], &byte, 1));
  pid_t waiter = fork();
  if (waiter == 0) {
    if (write(gate[1], "w", 1) != 1) _exit(1);
    _exit(pthread_mutex_lock(mutex));
  }
  NEED(read(gate[0], &byte, 1));
  kill(owner, SIGKILL);
  wait_code(owner);
  CHECK_IS("a waiter is woken", wait_code(waiter), EOWNERDEAD);

  void *head;
  size_t size;
  CHECK_IS("get_robust_list", syscall(SYS_get_robust_list, 0, &head, &size), 0);
  CHECK("libc has set it", head != NULL && size == 24);
  CHECK_FAILS("wrong size", syscall(SYS_set_robust_list, head, 23), EINVAL);
  CHECK_IS("set_robust_list", syscall(SYS_set_robust_list, head, 24), 0);
  CHECK_FAILS("no such thread", syscall(SYS_get_robust_list, 0x3fffffff, &head, &size), ESRCH);
  return check_status();
}
