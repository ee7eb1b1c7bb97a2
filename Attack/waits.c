/* Waits in every way there is while somebody outside stops and freezes the sandbox.
 *
 *     waits SECONDS
 *
 * A wait must end as it would have without that: not before its time, with the right result.
 */
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "attack.h"

#define WAIT_MILLISECONDS 150

static volatile int is_over;
static long counts[16];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static struct timespec after(long milliseconds, int is_absolute) {
  struct timespec time = {0, 0};
  if (is_absolute) clock_gettime(CLOCK_MONOTONIC, &time);
  time.tv_nsec += milliseconds * 1000000;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

static long futex(int operation, struct timespec *time) {
  static int word;
  return syscall(SYS_futex, &word, operation, 0, time, NULL, FUTEX_BITSET_MATCH_ANY);
}

static int quiet[2]; /* a pipe that nobody writes into */

/* One wait; 0, or the errno of its failure. */
static int wait_once(int kind) {
  struct timespec relative = after(WAIT_MILLISECONDS, 0), absolute = after(WAIT_MILLISECONDS, 1);
  struct pollfd entry = {.fd = quiet[0], .events = POLLIN};
  struct timeval value = {0, WAIT_MILLISECONDS * 1000};
  struct epoll_event event = {.events = EPOLLIN};
  sigset_t set;
  fd_set reading;
  long result = -1;
  switch (kind) {
    case 0: result = futex(FUTEX_WAIT, &relative); break;
    case 1: result = futex(FUTEX_WAIT_BITSET, &absolute); break;
    case 2: result = nanosleep(&relative, NULL); break;
    case 3: result = -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &absolute, NULL); break;
    case 4: result = poll(NULL, 0, WAIT_MILLISECONDS); break;
    case 5: result = ppoll(&entry, 1, &relative, NULL); break;
    case 6:
      FD_ZERO(&reading);
      FD_SET(quiet[0], &reading);
      result = select(quiet[0] + 1, &reading, NULL, NULL, &value);
      break;
    case 7: {
      int epoll = epoll_create1(0);
      epoll_ctl(epoll, EPOLL_CTL_ADD, quiet[0], &event);
      result = epoll_wait(epoll, &event, 1, WAIT_MILLISECONDS);
      int error = errno;
      close(epoll);
      errno = error;
      break;
    }
    case 8:
      sigemptyset(&set);
      sigaddset(&set, SIGUSR2);
      result = sigtimedwait(&set, NULL, &relative);
      break;
    default: return -1;
  }
  return result == 0 ? 0 : errno;
}

/* What says that the time is over; Linux ends some waits early after a stop, see signal(7). */
static int expected(int kind, int error) {
  switch (kind) {
    case 0: case 1: return error == ETIMEDOUT;
    case 7: return error == 0 || error == EINTR;
    case 8: return error == EAGAIN || error == EINTR;
    default: return error == 0;
  }
}

static void *wait_often(void *argument) {
  int kind = (int)(long)argument;
  while (!is_over) {
    double start = now();
    int error = wait_once(kind);
    double took = now() - start;
    if (!expected(kind, error)) say("breach: wait %d ended with errno %d", kind, error);
    if (error != EINTR && took < WAIT_MILLISECONDS - 1)
      say("breach: wait %d ended after %.1f ms", kind, took);
    counts[kind]++;
  }
  return NULL;
}

/* Processes, pipes and files all the while: nothing may fail. */
static void *work_often(void *argument) {
  (void)argument;
  while (!is_over) {
    int ends[2], status;
    char byte = 0;
    if (pipe(ends)) say("breach: pipe: errno %d", errno);
    pid_t child = fork();
    if (child == 0) _exit(write(ends[1], "x", 1) == 1 ? 7 : 8);
    if (child < 0) say("breach: fork: errno %d", errno);
    if (read(ends[0], &byte, 1) != 1 || byte != 'x') say("breach: read: errno %d", errno);
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
      say("breach: waitpid: errno %d", errno);
    close(ends[0]);
    close(ends[1]);
    if (mkdir("/tmp/waits", 0700)) say("breach: mkdir: errno %d", errno);
    if (rmdir("/tmp/waits")) say("breach: rmdir: errno %d", errno);
    counts[15]++;
  }
  return NULL;
}

int main(int count, char **values) {
  double end = now() + 1000 * atof(count > 1 ? values[1] : "3");
  enum { KINDS = 9 };
  pthread_t threads[KINDS + 1];
  if (pipe(quiet)) return 3;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (long kind = 0; kind < KINDS; kind++)
    pthread_create(&threads[kind], NULL, wait_often, (void *)kind);
  pthread_create(&threads[KINDS], NULL, work_often, NULL);
  close(open("/work/waiting", O_CREAT | O_WRONLY, 0644));
  while (now() < end) wait_once(2);
  is_over = 1;
  for (int i = 0; i <= KINDS; i++) pthread_join(threads[i], NULL);
  say("note: %ld sleeps, %ld rounds of work", counts[2], counts[15]);
  if (counts[15] == 0) say("breach: no work was done");
  say("done");
  return 0;
}
