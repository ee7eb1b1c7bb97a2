/* Every system call number, past the guest kernel.
 *
 *     sweep preflight 0 ALLOWED      a few harmless calls: is there a filter at all?
 *     sweep numbers FROM ALLOWED     0...600, four patterns of arguments each
 *     sweep x32 FROM ALLOWED         some of the numbers with the x32 bit
 *     sweep checks FROM ALLOWED      allowed numbers with arguments outside their checks
 *     sweep allowed FROM ALLOWED     allowed numbers with random arguments
 *     sweep undispatched FROM ALLOWED  as numbers, but with the program's own instruction
 *
 * ALLOWED is the list of the direct calls' numbers. Steps are numbered, so that a run can go on
 * after a call that ended the sandbox.
 */
#include "attack.h"

#define LAST_NUMBER 600
#define X32_BIT 0x40000000l

static unsigned char is_allowed[LAST_NUMBER + 1];
static long first_step;
static long step_count, refused_count, killed_count;
static char buffer[65536];

static void parse_allowed(const char *list) {
  for (char *end; *list; list = *end ? end + 1 : end) {
    long number = strtol(list, &end, 10);
    if (end == list) break;
    if (number >= 0 && number <= LAST_NUMBER) is_allowed[number] = 1;
  }
}

/* Whether this step is still to be made; leaves its number for the driver. */
static int begin_step(void) {
  if (step_count++ < first_step) return 0;
  record_progress(step_count - 1);
  return 1;
}

/* Linux lets uretprobe and uprobe pass every filter, since it makes programs call them; from
 * anywhere but its own trampolines they fail. */
static int passes_every_filter(long number, struct outcome outcome) {
  if (number != 335 && number != 336) return 0;
  return outcome.verdict == ANSWERED ? outcome.result == -ENXIO : outcome.verdict == KILLED;
}

/* A call that the filter must refuse: anything but a refusal is a breach. */
static void expect_refusal(long number, const long a[6], const char *what) {
  if (!begin_step()) return;
  struct outcome outcome = probe(number, a);
  if (passes_every_filter(number, outcome)) return;
  switch (outcome.verdict) {
    case REFUSED: refused_count++; break;
    case KILLED: killed_count++; break;
    case ANSWERED:
      say("breach: %s: call %#lx (%lx, %lx, %lx, %lx) returned %ld", what, number, a[0], a[1],
          a[2], a[3], outcome.result);
      break;
    case STUCK: say("breach: %s: call %#lx did not return", what, number); break;
  }
}

/* Exit and its like end the caller whatever the filter says, so a pattern has to be told apart
 * from a refusal by what the call returns: EPERM and ENOSYS never come from all four patterns of a
 * call that the host executes. */
static void sweep_numbers(void) {
  uint64_t state = 0x5eed5eed5eed5eedull;
  for (long number = 0; number <= LAST_NUMBER; number++) {
    if (is_allowed[number]) continue;
    long at = (long)buffer;
    const long patterns[4][6] = {
        {0, 0, 0, 0, 0, 0},
        {-1, -1, -1, -1, -1, -1},
        {at, at + 8192, 4096, at + 16384, at + 32768, 0},
        {(long)(next_random(&state) & 0xff), at, (long)(next_random(&state) & 0xffff), at, 0, 0},
    };
    for (size_t i = 0; i < LENGTH(patterns); i++)
      expect_refusal(number, patterns[i], "outside the list");
  }
}

/* 512...547 are the table of its own that x32 has; and beyond all tables. */
static void sweep_x32(void) {
  static const long beyond[] = {-1, 0x7fffffff, 1l << 31, (1l << 32) | SYS_getppid};
  long arguments[6] = {(long)buffer, (long)buffer, 64, 0, 0, 0};
  for (long number = 0; number < 548; number += number < 512 ? 8 : 1)
    expect_refusal(number | X32_BIT, arguments, "x32");
  for (size_t i = 0; i < LENGTH(beyond); i++)
    if (i < 3 || !is_allowed[SYS_getppid]) expect_refusal(beyond[i], arguments, "large number");
}

/* The other attacks only run on a host whose filter has refused these. */
static void preflight(void) {
  static const long harmless[] = {SYS_getpid, SYS_getuid, SYS_getppid, SYS_uname, SYS_gettimeofday};
  for (size_t i = 0; i < LENGTH(harmless); i++) {
    long arguments[6] = {(long)buffer, 0, 0, 0, 0, 0};
    if (!is_allowed[harmless[i]]) expect_refusal(harmless[i], arguments, "no filter");
  }
}

/* CLONE_NEW* and CLONE_PTRACE, and with bits above the 32 that the host's kernel looks at. */
static void sweep_clone(void) {
  static const long forbidden[] = {0x2000,     0x20000,    0x02000000, 0x04000000,
                                   0x08000000, 0x10000000, 0x20000000, 0x40000000};
  for (size_t i = 0; i < LENGTH(forbidden); i++) {
    for (int variant = 0; variant < 3; variant++) {
      long flags = forbidden[i] | (variant == 1 ? SIGCHLD : 0) | (variant == 2 ? 1l << 32 : 0);
      long arguments[6] = {flags, 0, 0, 0, 0, 0};
      expect_refusal(SYS_clone, arguments, "clone flags");
    }
  }
}

static void sweep_prctl(void) {
  static const long large[] = {0x53564d41, 0x59616d61, 0x41555856, 0x5356, -1, 1l << 31};
  for (long option = 0; option < 100; option++) {
    if (option == 15 || option == 35 || option == 59) continue;
    for (int variant = 0; variant < 2; variant++) {
      long arguments[6] = {option | (variant ? 1l << 32 : 0), SIGKILL, 0, 0, 0, 0};
      expect_refusal(SYS_prctl, arguments, "prctl option");
    }
  }
  for (size_t i = 0; i < LENGTH(large); i++) {
    long arguments[6] = {large[i], 0, 0, 0, 0, 0};
    expect_refusal(SYS_prctl, arguments, "prctl option");
  }
}

static void sweep_fcntl(void) {
  for (long command = 0; command < 1100; command = command == 20 ? 1020 : command + 1) {
    if (command == 3 || command == 4 || command == 1031 || command == 1032) continue;
    for (int variant = 0; variant < 2; variant++) {
      long arguments[6] = {1, command | (variant ? 1l << 32 : 0), 1, 0, 0, 0};
      expect_refusal(SYS_fcntl, arguments, "fcntl command");
    }
  }
}

static void sweep_checks(void) {
  if (is_allowed[SYS_clone]) sweep_clone();
  if (is_allowed[SYS_prctl]) sweep_prctl();
  if (is_allowed[SYS_fcntl]) sweep_fcntl();
}

/* Any outcome will do inside the sandbox; the driver watches what lies outside. */
static void sweep_allowed(void) {
  uint64_t state = 0xa110edca11ull;
  for (int round = 0; round < 12; round++) {
    for (long number = 0; number <= LAST_NUMBER; number++) {
      if (!is_allowed[number]) continue;
      long arguments[6];
      for (int i = 0; i < 6; i++) {
        uint64_t random = next_random(&state);
        switch (random % 5) {
          case 0: arguments[i] = (long)(random >> 8 & 0x3f); break;
          case 1: arguments[i] = (long)buffer + (long)(random >> 8 & 0x3fff); break;
          case 2: arguments[i] = (long)next_random(&state); break;
          case 3: arguments[i] = -(long)(random >> 8 & 0x3ff); break;
          default: arguments[i] = (long)(PV_IMAGE_BASE + (random >> 8 & 0xfffffff)); break;
        }
      }
      if (number == SYS_clone) arguments[0] = 0;
      if (!begin_step()) continue;
      struct outcome outcome = probe(number, arguments);
      if (outcome.verdict == KILLED) killed_count++;
    }
  }
}

/* Without Syscall User Dispatch only the filter stands between the program and the host. */
static void undispatched_body(void *argument) {
  const long *call = argument;
  const long off[6] = {59, 0, 0, 0, 0, 0};
  host_call(SYS_prctl, off[0], off[1], off[2], off[3], off[4], off[5]);
  long result = guest_call(call[0], call[1], call[2], call[3], call[4], call[5], call[6]);
  (void)result;
}

/* What the guest kernel answers and what the host would answer look alike here, so the proof is
 * outside: the driver traces nothing and finds nothing changed. */
static void sweep_undispatched(void) {
  for (long number = 0; number <= LAST_NUMBER; number++) {
    if (is_allowed[number]) continue;
    int only_waits = number == SYS_pause || number == SYS_rt_sigsuspend
        || number == SYS_rt_sigtimedwait;
    if (only_waits) continue;
    if (!begin_step()) continue;
    long call[7] = {number, -1, -1, -1, -1, -1, -1};
    in_child(undispatched_body, call, 400);
  }
}

int main(int count, char **values) {
  find_kernel();
  if (count != 4) return 2;
  first_step = atol(values[2]);
  parse_allowed(values[3]);
  if (!strcmp(values[1], "preflight")) preflight();
  else if (!strcmp(values[1], "numbers")) sweep_numbers();
  else if (!strcmp(values[1], "x32")) sweep_x32();
  else if (!strcmp(values[1], "checks")) sweep_checks();
  else if (!strcmp(values[1], "allowed")) sweep_allowed();
  else if (!strcmp(values[1], "undispatched")) sweep_undispatched();
  else return 2;
  say("note: %ld steps, %ld refused, %ld ended their process", step_count - first_step,
      refused_count, killed_count);
  say("done");
  return 0;
}
