/* Needs the kernel's kicks: signals to a thread that computes, and wakes of one that polls.
 *
 *     kicks ROUNDS
 *
 * A kick that gets lost leaves a round waiting for ever, and the driver's time limit ends it.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "attack.h"

static volatile long handled;
static volatile int is_over;
static void count(int number) {
  (void)number;
  handled++;
}

static void *compute(void *argument) {
  (void)argument;
  for (volatile long i = 0; !is_over;) i++;
  return NULL;
}

/* An event of the guest kernel's own, beside a pipe of the host's: the wait is the host's. */
static int ends[2], event, answer;
static void *poll_often(void *argument) {
  (void)argument;
  struct pollfd entries[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = event, .events = POLLIN}};
  uint64_t value;
  while (poll(entries, 2, -1) == 1) {
    if (read(event, &value, sizeof value) != sizeof value) return NULL;
    if (is_over) return NULL;
    if (write(answer, &(uint64_t){1}, sizeof value) != sizeof value) return NULL;
  }
  return NULL;
}

int main(int argument_count, char **values) {
  long rounds = argument_count > 1 ? atol(values[1]) : 500;
  struct sigaction action = {.sa_handler = count};
  sigaction(SIGUSR1, &action, NULL);
  if (pipe(ends)) return 3;
  event = eventfd(0, 0);
  answer = eventfd(0, 0);
  pthread_t computing, polling;
  pthread_create(&computing, NULL, compute, NULL);
  pthread_create(&polling, NULL, poll_often, NULL);
  uint64_t value = 1;
  for (long round = 1; round <= rounds; round++) {
    pthread_kill(computing, SIGUSR1);
    while (handled < round) sched_yield();
    if (write(event, &value, sizeof value) != sizeof value) return 4;
    if (read(answer, &value, sizeof value) != sizeof value) return 4;
  }
  is_over = 1;
  if (write(event, &value, sizeof value) != sizeof value) return 4;
  pthread_join(computing, NULL);
  pthread_join(polling, NULL);
  say("done");
  return 0;
}
