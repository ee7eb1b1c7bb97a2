#include "check.h"
#include "proc/text.h"
#include <pthread.h>
#include <sched.h>

// Cpus_allowed and Cpus_allowed_list of /proc/PID/status follow sched_setaffinity(2).

/* The set that the field of a file shows as a mask. */
static void mask_of(const char *path, cpu_set_t *set) {
  CPU_ZERO(set);
  const char *text = field_of(path, "Cpus_allowed");
  if (!text) return;
  int number = 0;
  for (const char *at = text + strlen(text) - 1; at >= text; at--) {
    if (*at == ',') continue;
    int digit = *at <= '9' ? *at - '0' : *at - 'a' + 10;
    for (int bit = 0; bit < 4; bit++, number++)
      if (digit >> bit & 1) CPU_SET(number, set);
  }
}

/* The set that it shows as a list. */
static void list_of(const char *path, cpu_set_t *set) {
  CPU_ZERO(set);
  const char *text = field_of(path, "Cpus_allowed_list");
  while (text && *text) {
    char *end;
    long first = strtol(text, &end, 10), last = first;
    if (*end == '-') last = strtol(end + 1, &end, 10);
    for (long number = first; number <= last; number++) CPU_SET(number, set);
    text = *end == ',' ? end + 1 : "";
  }
}

static int shows(const char *path, const cpu_set_t *expected) {
  cpu_set_t mask, list;
  mask_of(path, &mask);
  list_of(path, &list);
  return CPU_EQUAL(&mask, expected) && CPU_EQUAL(&list, expected);
}

static cpu_set_t all, one;

static int child_shows_one(void) { return shows("/proc/self/status", &one) ? 7 : 1; }

static void *thread(void *unused) {
  (void)unused;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/status", gettid());
  CHECK_OK("a thread of its own", sched_setaffinity(0, sizeof one, &one));
  CHECK("shows it", shows(path, &one));
  CHECK("the process does not", shows("/proc/self/status", &all));
  return NULL;
}

int main(void) {
  NEED(sched_getaffinity(0, sizeof all, &all));
  CHECK("all at first", shows("/proc/self/status", &all));
  for (int number = CPU_SETSIZE - 1; number >= 0; number--)
    if (CPU_ISSET(number, &all)) {
      CPU_SET(number, &one);
      break;
    }
  pthread_t other;
  pthread_create(&other, NULL, thread, NULL);
  pthread_join(other, NULL);
  NEED(sched_setaffinity(0, sizeof one, &one));
  CHECK("pinned to one", shows("/proc/self/status", &one));
  CHECK("its task too", shows("/proc/thread-self/status", &one));
  CHECK_IS("a child", in_child(child_shows_one), 7);
  int ends[2];
  char byte, path[64];
  NEED(pipe(ends));
  pid_t child = NEED(fork());
  if (child == 0) {
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) != 0);
  }
  close(ends[0]);
  NEED(sched_setaffinity(0, sizeof all, &all));
  snprintf(path, sizeof path, "/proc/%d/status", child);
  CHECK("another's", shows(path, &one));
  NEED(sched_setaffinity(child, sizeof all, &all));
  CHECK("changed from outside", shows(path, &all));
  CHECK("our own", shows("/proc/self/status", &all));
  close(ends[1]);
  CHECK_IS("child", wait_code(child), 0);
  return check_status();
}
