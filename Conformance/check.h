// What a conformance program prints: one line a check, the same on every machine.
//
//   CHECK("open", open(path, O_RDONLY) >= 0);   open: ok          or  open: got 0 (ENOENT)
//   EQ("size", st.st_size, 3);                  size: ok          or  size: got 4, want 3
//   OK("close", close(fd));                     close: ok         or  close: got -1 (EBADF)
//   FAILS("again", close(fd), EBADF);           again: EBADF      or  again: got 0, want EBADF
//   STR("text", buffer, "abc");                 text: ok          or  text: got "abd", want "abc"
//   SHOW("result", value);                      result: 42
//
// A name is printed as given; `done()` ends main. Never print pids, times, addresses, inodes.
// The runner takes a line with ": got " for a failure, on Linux too.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int check_failures;

// Prints a whole line with one write, so that lines of children and threads do not mix.
__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...) {
  char line[1024];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(line, sizeof line - 1, format, list);
  va_end(list);
  if (length > (int)sizeof line - 2) length = sizeof line - 2;
  line[length] = '\n';
  int saved = errno;
  if (write(1, line, length + 1) < 0) _exit(99);
  errno = saved;
}

static inline const char *errno_name(int error) {
  const char *name = strerrorname_np(error);
  return name ? name : "unknown errno";
}

static inline int check_true(const char *name, int holds, long got) {
  if (holds) {
    say("%s: ok", name);
  } else {
    say("%s: got %ld (%s)", name, got, errno ? errno_name(errno) : "no errno");
    check_failures++;
  }
  return holds;
}

static inline int check_equal(const char *name, long got, long want) {
  if (got == want) {
    say("%s: ok", name);
  } else if (got == -1) {
    say("%s: got -1 (%s), want %ld", name, errno_name(errno), want);
  } else {
    say("%s: got %ld, want %ld", name, got, want);
  }
  check_failures += got != want;
  return got == want;
}

static inline int check_fails(const char *name, long got, int want) {
  int error = errno;
  if (got == -1 && error == want) {
    say("%s: %s", name, errno_name(want));
    return 1;
  }
  if (got == -1) say("%s: got %s, want %s", name, errno_name(error), errno_name(want));
  else say("%s: got %ld, want %s", name, got, errno_name(want));
  check_failures++;
  return 0;
}

static inline int check_string(const char *name, const char *got, const char *want) {
  int same = got && strcmp(got, want) == 0;
  if (same) say("%s: ok", name);
  else say("%s: got \"%s\", want \"%s\"", name, got ? got : "(null)", want);
  check_failures += !same;
  return same;
}

#define CHECK(name, condition) (errno = 0, check_true(name, !!(condition), 0))
#define OK(name, call)                                                                             \
  ({                                                                                               \
    errno = 0;                                                                                     \
    long check_got = (long)(call);                                                                 \
    check_true(name, check_got != -1, check_got);                                                  \
    check_got;                                                                                     \
  })
#define EQ(name, call, want) (errno = 0, check_equal(name, (long)(call), (long)(want)))
#define FAILS(name, call, error) (errno = 0, check_fails(name, (long)(call), error))
#define STR(name, got, want) check_string(name, got, want)
#define SHOW(name, value) say("%s: %ld", name, (long)(value))

// Ends a test that can't go on: what follows would only repeat the failure.
#define MUST(call)                                                                                 \
  ({                                                                                               \
    errno = 0;                                                                                     \
    long must_got = (long)(call);                                                                  \
    if (must_got == -1) {                                                                          \
      say("%s: got -1 (%s)", #call, errno_name(errno));                                            \
      exit(1);                                                                                     \
    }                                                                                              \
    must_got;                                                                                      \
  })

// Waits for a child and says how it ended.
static inline int wait_status(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return status;
}

// Runs BODY in a child; its checks count for the parent by way of the exit status.
#define IN_CHILD(body)                                                                             \
  do {                                                                                             \
    pid_t in_child = MUST(fork());                                                                 \
    if (in_child == 0) {                                                                           \
      check_failures = 0;                                                                          \
      body;                                                                                        \
      _exit(check_failures != 0);                                                                  \
    }                                                                                              \
    int in_child_status = wait_status(in_child);                                                   \
    if (WIFSIGNALED(in_child_status)) {                                                            \
      say("child: got signal %d", WTERMSIG(in_child_status));                                      \
      check_failures++;                                                                            \
    } else {                                                                                       \
      check_failures += WEXITSTATUS(in_child_status);                                              \
    }                                                                                              \
  } while (0)

static inline long monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Makes a file with this content; for the setting of a test, not its subject.
static inline void put_file(const char *path, const char *text) {
  int fd = MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  MUST(write(fd, text, strlen(text)));
  close(fd);
}

static inline int done(void) { return check_failures != 0; }
