// static
/* Thread-local storage: __thread variables, keys with destructors, errno, and arch_prctl. */
#include "../check.h"
#include <asm/prctl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>

static __thread int zeroed;
static __thread int initialized = 42;
static __thread char large[10000] = "start";
static pthread_key_t key;
static int destroyed;

static void destroy(void *value) { __atomic_add_fetch(&destroyed, (int)(intptr_t)value, 5); }

static void *thread(void *argument) {
  intptr_t mine = (intptr_t)argument;
  int good = zeroed == 0 && initialized == 42 && !strcmp(large, "start") &&
             pthread_getspecific(key) == NULL;
  for (int i = 0; i < 1000; i++) {
    zeroed += mine;
    initialized = zeroed;
    large[9999] = (char)zeroed;
    close(-1 - (int)mine);
    good &= errno == EBADF;
    errno = (int)mine;
    if (i % 100 == 0) syscall(SYS_sched_yield);
    good &= errno == (int)mine && initialized == zeroed && large[9999] == (char)zeroed;
  }
  pthread_setspecific(key, (void *)mine);
  uintptr_t base = 0;
  good &= syscall(SYS_arch_prctl, ARCH_GET_FS, &base) == 0;
  uintptr_t self;
  __asm__("mov %%fs:0, %0" : "=r"(self));
  return (void *)(intptr_t)(good && base == self && zeroed == mine * 1000);
}

/* Another value of fs is seen at once and survives system calls. */
static int own_fs(void) {
  static uintptr_t area[2] = {0x1234, 0x5678};
  uintptr_t base, seen, later;
  syscall(SYS_arch_prctl, ARCH_GET_FS, &base);
  long result, number = SYS_arch_prctl;
  /* Without fs no libc: the calls are issued by hand. */
  __asm__ volatile(
      "syscall\n mov %%fs:8, %[seen]\n"
      "mov $24, %%eax\n syscall\n mov %%fs:0, %[later]\n"
      "mov %[base], %%rsi\n mov $0x1002, %%edi\n mov $158, %%eax\n syscall\n"
      : "=a"(result), [seen] "=&r"(seen), [later] "=&r"(later)
      : "a"(number), "D"((long)ARCH_SET_FS), "S"(area), [base] "r"(base)
      : "rcx", "r11", "memory");
  return result == 0 && seen == 0x5678 && later == 0x1234;
}

int main(void) {
  enum { COUNT = 16 };
  pthread_t ids[COUNT];
  void *result;
  int good = 1;
  zeroed = 5;
  pthread_key_create(&key, destroy);
  for (intptr_t i = 0; i < COUNT; i++) pthread_create(&ids[i], NULL, thread, (void *)(i + 1));
  for (int i = 0; i < COUNT; i++) {
    pthread_join(ids[i], &result);
    good &= (intptr_t)result;
  }
  CHECK("each thread has its own", good);
  CHECK_IS("the first thread's is untouched", zeroed * 100 + initialized, 542);
  CHECK_IS("destructors ran", destroyed, COUNT * (COUNT + 1) / 2);
  CHECK("another fs", own_fs());
  pid_t child = fork();
  if (child == 0) _exit(zeroed == 5 ? 0 : 1);
  CHECK_IS("a child keeps it", wait_code(child), 0);
  CHECK_FAILS("fs out of reach", syscall(SYS_arch_prctl, ARCH_SET_FS, -1l), EPERM);
  CHECK_FAILS("unknown code", syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);
  return check_status();
}
