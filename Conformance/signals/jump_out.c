/* siglongjmp out of handlers: masks, many times, and out of a handler on the alternate stack. */
#include "../check.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static sigjmp_buf back;
static void jump(int number) { siglongjmp(back, number); }

static int blocked(int number) {
  sigset_t set;
  sigprocmask(SIG_SETMASK, NULL, &set);
  return sigismember(&set, number);
}

static int times(int count, int save) {
  volatile int done = 0;
  for (volatile int i = 0; i < count; i++)
    if (sigsetjmp(back, save) == 0) {
      raise(SIGUSR1);
    } else {
      done++;
      if (!save) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
      }
    }
  return done;
}

int main(void) {
  static char memory[65536];
  stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory}, now;
  signal(SIGUSR1, jump);
  signal(SIGALRM, jump);
  if (sigsetjmp(back, 1) == 0) raise(SIGUSR1);
  CHECK("with the mask saved the signal is free again", !blocked(SIGUSR1));
  if (sigsetjmp(back, 0) == 0) raise(SIGUSR1);
  CHECK("without it stays blocked", blocked(SIGUSR1));
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  CHECK_IS("a thousand jumps", times(1000, 1), 1000);
  CHECK_IS("a thousand without the mask", times(1000, 0), 1000);

  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_handler = jump, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  CHECK_IS("a thousand from the alternate stack", times(1000, 1), 1000);
  sigaltstack(NULL, &now);
  CHECK_IS("the alternate stack is free", now.ss_flags, 0);

  /* Out of a call that waits. */
  int pair[2];
  char byte;
  NEED(pipe(pair));
  volatile int jumped = 0;
  for (volatile int i = 0; i < 10; i++) {
    struct itimerval soon = {{0, 0}, {0, 2000}};
    if (sigsetjmp(back, 1) == 0) {
      setitimer(ITIMER_REAL, &soon, NULL);
      if (read(pair[0], &byte, 1) >= 0) break;
    } else {
      jumped++;
    }
  }
  CHECK_IS("ten times out of read", jumped, 10);
  NEED(write(pair[1], "z", 1));
  CHECK_IS("the pipe still works", read(pair[0], &byte, 1), 1);
  return check_status();
}
