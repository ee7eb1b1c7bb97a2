/* Signals at a high rate during work, calls and allocation: nothing is lost or corrupted. */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>

static volatile sig_atomic_t alarms, sent;
static void on_alarm(int number) {
  int saved = errno;
  alarms += number == SIGALRM;
  close(-1);
  errno = saved;
}
static void on_sent(int number) { sent += number == SIGUSR1; }

static uint64_t work(int rounds) {
  uint64_t hash = 1469598103934665603ull;
  for (int i = 0; i < rounds; i++) hash = (hash ^ (i & 0xff)) * 1099511628211ull;
  double sum = 0;
  for (int i = 1; i < rounds; i++) sum += 1.0 / i;
  return hash ^ (uint64_t)(sum * 1e6);
}

int main(void) {
  struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  char path[] = "/tmp/conformance-storm-XXXXXX", text[64], back[64];
  int file = mkstemp(path), pair[2], good = 1;
  NEED(file);
  unlink(path);
  NEED(pipe(pair));
  uint64_t expected = work(200000);
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
  for (int i = 0; i < 10; i++) good &= work(200000) == expected;
  CHECK("calculation", good);
  for (int i = 0; i < 3000 && good; i++) {
    int length = snprintf(text, sizeof text, "line %d of the storm", i);
    good &= pwrite(file, text, length, i * 64) == length;
    good &= pread(file, back, sizeof back, i * 64) == length && !memcmp(text, back, length);
  }
  CHECK("file", good);
  for (int i = 0; i < 3000 && good; i++) {
    good &= write(pair[1], &i, sizeof i) == sizeof i;
    int got = -1;
    good &= read(pair[0], &got, sizeof got) == sizeof got && got == i;
  }
  CHECK("pipe", good);
  for (int i = 0; i < 30 && good; i++) {
    pid_t child = fork();
    if (child == 0) _exit(i);
    good &= wait_code(child) == i;
  }
  CHECK("fork and wait", good);
  for (int i = 0; i < 2000 && good; i++) {
    char *memory = malloc(100000 + i);
    memset(memory, i, 100000);
    good &= memory[99999] == (char)i;
    free(memory);
    good &= close(-1) == -1 && errno == EBADF;
  }
  CHECK("memory and errno", good);
  setitimer(ITIMER_REAL, &never, NULL);
  CHECK("signals came", alarms > 10);

  /* One process signals another as fast as it can while that one waits in a pipe. */
  action.sa_handler = on_sent;
  sigaction(SIGUSR1, &action, NULL);
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    for (int i = 0; i < 2000; i++) kill(parent, SIGUSR1);
    if (write(pair[1], "end!", 4) != 4) _exit(1);
    _exit(0);
  }
  CHECK_IS("a read through it all", read(pair[0], back, 4), 4);
  CHECK_IS("sender", wait_code(child), 0);
  CHECK("some arrived, merged", sent >= 1 && sent <= 2000);
  return check_status();
}
