/* What every attack shares: calls of the guest kernel, calls past it, and how findings are told.
 *
 * An attack prints `breach: ...` for each thing that it should not have been able to do,
 * `note: ...` for what is worth reading, and `done` when it came to its end. attack.py judges.
 *
 * Every attack starts with find_kernel(), which ends the program unless the guest kernel's image
 * lies in this address space: so none of this can run outside a sandbox by mistake.
 */
#ifndef ATTACK_H
#define ATTACK_H
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "CPVCalls.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The boot block of this sandbox's kernel, filled in by find_kernel(). */
extern const struct pv_boot *boot;

/* Finds the boot block and the gadget, or ends the program. */
void find_kernel(void);

/* Issues a call from the program's own text, so that the guest kernel answers it. */
long guest_call(long number, long a, long b, long c, long d, long e, long f);
#define GUEST(number, ...) GUEST_(number, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define GUEST_(number, a, b, c, d, e, f, ...) \
  guest_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Jumps to the kernel's gadget: the host's filter sees a call of the kernel. */
long host_call(long number, long a, long b, long c, long d, long e, long f);
#define HOST(number, ...) HOST_(number, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define HOST_(number, a, b, c, d, e, f, ...) \
  host_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* How a call past the kernel ended that was made in a child of its own. */
enum verdict { REFUSED, ANSWERED, KILLED, STUCK };
struct outcome {
  enum verdict verdict;
  long result; /* of ANSWERED: what the call returned; of KILLED: the signal */
};

/* Makes one host call in a forked child that may die or hang of it. */
struct outcome probe(long number, const long arguments[6]);

/* Runs `body` in a forked child; returns its wait status, or -1 if it was still running at the
 * end of the time limit and had to be killed. */
int in_child(void (*body)(void *), void *argument, int milliseconds);

/* Whether this address can be read without a fault. */
int is_readable(const volatile void *address);

/* Rings the doorbell with this request; returns the answer: a value, a descriptor or -errno. */
long broker(struct pv_request *request);
/* An empty request of this operation, where the backend expects one: in a thread area. Those at the
 * end are used, which belong to no thread of ours. */
struct pv_request *new_request(uint32_t operation);
/* Where the areas of the kernel's threads start. */
uint64_t thread_areas(void);

/* Leaves the step number in the volume, so that a run can go on after a step that ended the
 * sandbox. */
void record_progress(long step);

/* A small generator with a fixed seed: the same attack every time. */
uint64_t next_random(uint64_t *state);

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
#endif
