/* Real-time signals queue, keep their order and come lowest first; standard ones merge. */
#include "../check.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

static int order[64], length;
static void handler(int number, siginfo_t *info, void *context) {
  (void)context;
  if (length < 64) order[length++] = number * 100 + info->si_value.sival_int;
}

static void queue(int number, int value) {
  union sigval data = {.sival_int = value};
  if (sigqueue(getpid(), number, data) != 0) say("sigqueue: %s", strerrorname_np(errno));
}

static void send_all(void) {
  queue(SIGRTMIN + 5, 1);
  queue(SIGRTMIN + 3, 1);
  queue(SIGUSR2, 1);
  queue(SIGRTMIN + 3, 2);
  queue(SIGUSR1, 1);
  queue(SIGRTMIN + 5, 2);
  queue(SIGUSR2, 2);
  queue(SIGRTMIN + 3, 3);
}

static int full_queue(void) {
  if (setresuid(54321, 54321, 54321) != 0) return 9;
  struct rlimit limit = {4, 4};
  union sigval value = {.sival_int = 0};
  setrlimit(RLIMIT_SIGPENDING, &limit);
  for (int i = 0; i < 4; i++) queue(SIGRTMIN + 1, i);
  CHECK_FAILS("a full queue", sigqueue(getpid(), SIGRTMIN + 1, value), EAGAIN);
  CHECK_IS("kill gets through all the same", kill(getpid(), SIGUSR1), 0);
  sigset_t set;
  sigpending(&set);
  CHECK("it is pending", sigismember(&set, SIGUSR1));
  return check_status();
}

int main(void) {
  const int numbers[] = {SIGUSR1, SIGUSR2, SIGRTMIN + 1, SIGRTMIN + 3, SIGRTMIN + 5};
  sigset_t set;
  siginfo_t info;
  struct timespec zero = {0, 0};
  sigemptyset(&set);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  for (int i = 0; i < 5; i++) {
    sigaddset(&set, numbers[i]);
    sigaction(numbers[i], &action, NULL);
  }
  sigprocmask(SIG_BLOCK, &set, NULL);

  send_all();
  int got[16], count = 0;
  while (count < 16 && sigtimedwait(&set, &info, &zero) > 0)
    got[count++] = info.si_signo * 100 + info.si_value.sival_int;
  CHECK_IS("taken by waiting", count, 7);
  const int expected[] = {SIGUSR1 * 100 + 1,        SIGUSR2 * 100 + 1,
                          (SIGRTMIN + 3) * 100 + 1, (SIGRTMIN + 3) * 100 + 2,
                          (SIGRTMIN + 3) * 100 + 3, (SIGRTMIN + 5) * 100 + 1,
                          (SIGRTMIN + 5) * 100 + 2};
  CHECK("in order", !memcmp(got, expected, sizeof expected));

  /* Handlers nest: each starts before the one taken earlier has run, so the last runs first. */
  send_all();
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  CHECK_IS("taken by handlers", length, 7);
  int sum = 0;
  for (int i = 0; i < length; i++) sum += order[i];
  int expected_sum = 0;
  for (int i = 0; i < 7; i++) expected_sum += expected[i];
  CHECK_IS("each once", sum, expected_sum);
  int at_three[3], threes = 0;
  for (int i = 0; i < length && threes < 3; i++)
    if (order[i] / 100 == SIGRTMIN + 3) at_three[threes++] = order[i] % 100;
  CHECK("one signal's instances keep their order",
        at_three[0] == 1 && at_three[1] == 2 && at_three[2] == 3);
  for (int i = 0; i < length; i++)
    say("handler %d: signal %s%d value %d", i, order[i] / 100 >= SIGRTMIN ? "SIGRTMIN+" : "",
        order[i] / 100 >= SIGRTMIN ? order[i] / 100 - SIGRTMIN : order[i] / 100, order[i] % 100);

  sigprocmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < 50; i++) queue(SIGRTMIN + 1, i);
  int ordered = 1;
  for (int i = 0; i < 50; i++)
    ordered &= sigwaitinfo(&set, &info) == SIGRTMIN + 1 && info.si_value.sival_int == i;
  CHECK("fifty in order", ordered);
  CHECK_IS("lowest for programs", SIGRTMIN, 34);
  CHECK_IS("highest", SIGRTMAX, 64);
  CHECK_IS("full queue", in_child(full_queue), 0);
  return check_status();
}
