// static
/* The stack grows on touch up to its limit; below lies nothing. */
#include "../check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>

__attribute__((noinline)) static long recurse(int depth) {
  volatile char room[4096];
  room[0] = depth & 0x7f;
  room[4095] = 1;
  if (depth == 0) return 0;
  return recurse(depth - 1) + room[4095];
}

__attribute__((noinline)) static int one_large_frame(void) {
  volatile char room[3 << 20];
  /* Downwards from above, and far below at once. */
  room[0] = 1;
  room[sizeof room - 1] = 2;
  return room[0] + room[sizeof room - 1];
}

static int kernel_writes_below(void) {
  /* A system call is the first to touch the new part of the stack. */
  volatile char room[1 << 20];
  int pair[2];
  if (pipe(pair) != 0 || write(pair[1], "w", 1) != 1) return 1;
  if (read(pair[0], (char *)room, 1) != 1) return 2;
  return room[0] == 'w' ? 0 : 3;
}

static int limited(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  limit.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_STACK, &limit);
  return recurse(500) == 500 ? 0 : 1;
}

static void *in_thread(void *unused) {
  (void)unused;
  return (void *)recurse(1500);
}

static sigjmp_buf back;
static void jump(int number) { siglongjmp(back, number); }

static int guard(void) {
  static char memory[65536];
  stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
  struct sigaction action = {.sa_handler = jump, .sa_flags = SA_ONSTACK};
  sigaltstack(&stack, NULL);
  sigaction(SIGSEGV, &action, NULL);
  int number = sigsetjmp(back, 1);
  if (number == 0) recurse(1 << 20);
  return number;
}

int main(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  limit.rlim_cur = 8 << 20;
  NEED(setrlimit(RLIMIT_STACK, &limit));
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  CHECK_IS("over a lower limit", in_child(limited), 128 + SIGSEGV);
  CHECK_IS("six megabytes deep", recurse(1500), 1500);
  CHECK_IS("again", recurse(1500), 1500);
  CHECK_IS("one large frame", in_child(one_large_frame), 3);
  CHECK_IS("grown by the kernel", in_child(kernel_writes_below), 0);
  CHECK_IS("over the limit", in_child(guard), SIGSEGV);
  pthread_t id;
  void *result;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 8 << 20);
  pthread_create(&id, &attributes, in_thread, NULL);
  pthread_join(id, &result);
  CHECK_IS("in a thread's stack", result, 1500);
  return check_status();
}
