// static
/* A system call changes rax, rcx and r11 and nothing else. */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

/* All registers as they are loaded before and found after a call, in the order of the names. */
struct registers {
  uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, flags, rsp;
};
static const char *const names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",   "rbp", "r8", "r9",
                                    "r10", "r11", "r12", "r13", "r14", "r15", "flags", "rsp"};

/* rdi: loaded from, rsi: stored to. */
void call(const struct registers *before, struct registers *after);
extern char after_call[];
__asm__(
    "call: push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rsi\n"
    "push 120(%rdi)\n popfq\n"
    "mov 0(%rdi), %rax\n mov 8(%rdi), %rbx\n mov 16(%rdi), %rcx\n mov 24(%rdi), %rdx\n"
    "mov 32(%rdi), %rsi\n mov 48(%rdi), %rbp\n mov 56(%rdi), %r8\n mov 64(%rdi), %r9\n"
    "mov 72(%rdi), %r10\n mov 80(%rdi), %r11\n mov 88(%rdi), %r12\n mov 96(%rdi), %r13\n"
    "mov 104(%rdi), %r14\n mov 112(%rdi), %r15\n mov %rsp, 128(%rdi)\n mov 40(%rdi), %rdi\n"
    "syscall\n"
    "after_call: pushfq\n push %rdi\n mov 16(%rsp), %rdi\n"
    "mov %rax, 0(%rdi)\n mov %rbx, 8(%rdi)\n mov %rcx, 16(%rdi)\n mov %rdx, 24(%rdi)\n"
    "mov %rsi, 32(%rdi)\n pop 40(%rdi)\n mov %rbp, 48(%rdi)\n mov %r8, 56(%rdi)\n"
    "mov %r9, 64(%rdi)\n mov %r10, 72(%rdi)\n mov %r11, 80(%rdi)\n mov %r12, 88(%rdi)\n"
    "mov %r13, 96(%rdi)\n mov %r14, 104(%rdi)\n mov %r15, 112(%rdi)\n pop 120(%rdi)\n"
    "mov %rsp, 128(%rdi)\n cld\n"
    "pop %rsi\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");

static void check_call(const char *name, long number, long a, long b, long c, long result) {
  struct registers before, after;
  uint64_t *words = (uint64_t *)&before;
  /* Odd flags: carry, parity, adjust, sign, direction, overflow. */
  const uint64_t flags[] = {0x202, 0xed7, 0x603, 0x246};
  int good = 1;
  for (int round = 0; round < 8; round++) {
    for (int i = 0; i < 17; i++) words[i] = 0x1111111111111111ull * i + round * 0x123456789;
    before.rax = number, before.rdi = a, before.rsi = b, before.rdx = c;
    before.flags = flags[round % 4];
    call(&before, &after);
    struct registers expected = before;
    if (result >= -4095) expected.rax = result;
    else expected.rax = after.rax;
    expected.rcx = (uint64_t)after_call;
    expected.r11 = before.flags;
    for (int i = 0; i < 17; i++)
      if (((uint64_t *)&after)[i] != ((uint64_t *)&expected)[i]) {
        say("%s: got another %s in round %d", name, names[i], round);
        good = 0;
      }
    if (!good) break;
  }
  check_report(name, good, 0, 0);
}

static volatile sig_atomic_t handled;
static void handler(int number) { handled += number == SIGUSR1; }

int main(void) {
  enum { ANY = -100000 };
  int pair[2];
  char byte = 'x', path[] = "/etc/passwd";
  NEED(pipe(pair));
  signal(SIGUSR1, handler);
  check_call("getpid", SYS_getpid, 1, 2, 3, getpid());
  check_call("gettid", SYS_gettid, 1, 2, 3, getpid());
  check_call("getuid", SYS_getuid, 1, 2, 3, getuid());
  check_call("sched_yield", SYS_sched_yield, 1, 2, 3, 0);
  check_call("an unknown call", 5000, 1, 2, 3, -ENOSYS);
  check_call("a negative number", -1, 1, 2, 3, -ENOSYS);
  check_call("close", SYS_close, 9999, 2, 3, -EBADF);
  check_call("write to a pipe", SYS_write, pair[1], (long)&byte, 1, 1);
  check_call("read from a pipe", SYS_read, pair[0], (long)&byte, 1, 1);
  check_call("access", SYS_access, (long)path, 0, 3, 0);
  check_call("open", SYS_open, (long)path, O_RDONLY, 0, ANY);
  check_call("kill itself", SYS_kill, getpid(), SIGUSR1, 3, 0);
  CHECK_IS("handlers ran", handled, 8);
  check_call("kill nobody", SYS_kill, 0x3fffffff, SIGUSR1, 3, -ESRCH);
  check_call("brk", SYS_brk, 0, 0, 0, ANY);
  check_call("lseek of a pipe", SYS_lseek, pair[0], 0, 0, -ESPIPE);
  check_call("a bad pointer", SYS_pipe, 8, 0, 0, -EFAULT);
  return check_status();
}
