/* What every conformance program shares: checks that print one line each.
 *
 * A line is `name: ok`, or `name: got X (errno NAME)` when the kernel did something else, so a run
 * on Linux and a run in a guest can be compared as text. Nothing printed depends on process ids,
 * times or addresses. Lines go straight to write(2): no buffer is doubled by fork, lost by _exit or
 * touched in a signal handler. Include this file first.
 */
#ifndef CHECK_H
#define CHECK_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int check_failures __attribute__((unused));

/* The name of an errno value, "0" for none. */
static inline const char *check_errno_name(int error) {
  const char *name = strerrorname_np(error);
  return name ? name : "unknown";
}

/* Prints one line with a single write, so that lines of several processes never mix. */
__attribute__((format(printf, 1, 2), unused)) static void say(const char *format, ...) {
  char line[512];
  int saved = errno;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length > (int)sizeof line - 2) length = sizeof line - 2;
  line[length++] = '\n';
  if (write(STDOUT_FILENO, line, length) != length) _exit(99);
  errno = saved;
}

__attribute__((unused)) static int check_report(const char *name, int good, long got, int error) {
  if (good) {
    say("%s: ok", name);
  } else {
    __atomic_add_fetch(&check_failures, 1, __ATOMIC_RELAXED);
    say("%s: got %ld (errno %s)", name, got, check_errno_name(error));
  }
  return good;
}

/* The condition holds. */
#define CHECK(name, condition) \
  __extension__({ errno = 0; int check_c = !!(condition); check_report(name, check_c, check_c, errno); })

/* The expression has this value. */
#define CHECK_IS(name, expression, expected) \
  __extension__({ errno = 0; long check_v = (long)(expression); \
    check_report(name, check_v == (long)(expected), check_v, errno); })

/* The call succeeds: its result is not negative. */
#define CHECK_OK(name, expression) \
  __extension__({ errno = 0; long check_v = (long)(expression); check_report(name, check_v >= 0, check_v, errno); })

/* The call returns -1 with this errno. */
#define CHECK_FAILS(name, expression, expected_errno) \
  __extension__({ errno = 0; long check_v = (long)(expression); int check_e = errno; \
    check_report(name, check_v == -1 && check_e == (expected_errno), check_v, check_e); })

/* The two strings are equal. */
#define CHECK_TEXT(name, text, expected) \
  __extension__({ const char *check_t = (text); int check_g = !strcmp(check_t, expected); \
    if (check_g) say("%s: ok", name); \
    else { check_failures++; say("%s: got \"%s\" (errno 0)", name, check_t); } check_g; })

/* The value of a call without which what follows would make no sense: -1 stops the program. */
#define NEED(expression) \
  __extension__({ errno = 0; long check_v = (long)(expression); \
    if (check_v < 0) { say("need %s: got -1 (errno %s)", #expression, check_errno_name(errno)); exit(2); } \
    check_v; })

/* Waits for a child; the wait status, or -1. */
__attribute__((unused)) static int wait_status(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) != child)
    if (errno != EINTR) return -1;
  return status;
}

/* Waits for a child; its exit code, 128 + n for a signal, or -1. */
__attribute__((unused)) static int wait_code(pid_t child) {
  int status = wait_status(child);
  if (status == -1) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs a function in a child process. Returns the child's exit code as wait_code does. */
__attribute__((unused)) static int in_child(int (*body)(void)) {
  pid_t child = fork();
  if (child == 0) _exit(body());
  return child < 0 ? -1 : wait_code(child);
}

/* Runs statements in a child process and waits; the checks that fail there count here. */
#define IN_CHILD(...) \
  do { \
    pid_t check_child = NEED(fork()); \
    if (check_child == 0) { check_failures = 0; __VA_ARGS__; _exit(check_failures != 0); } \
    int check_code = wait_code(check_child); \
    if (check_code > 1) say("child: got exit code %d", check_code); \
    check_failures += check_code != 0; \
  } while (0)

/* What main returns: 0 when every check of this process passed. */
__attribute__((unused)) static int check_status(void) { return check_failures != 0; }
#endif
