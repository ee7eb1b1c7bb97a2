/* Which programs a filter may be, and what their instructions do. */
#include "../check.h"
#include "filter.h"

#define REFUSED(name, ...) do { \
    struct sock_filter filter[] = {__VA_ARGS__}; \
    CHECK_FAILS(name, install(0, filter, COUNT(filter)), EINVAL); \
  } while (0)

static void check_programs(void) {
  struct sock_filter allow[] = {RETURN(SECCOMP_RET_ALLOW)};
  static struct sock_filter many[4097];
  CHECK_FAILS("no instruction", install(0, allow, 0), EINVAL);
  for (int index = 0; index < 4097; index++) many[index] = allow[0];
  CHECK_FAILS("too many", install(0, many, 4097), EINVAL);
  CHECK_FAILS("no memory of the program", install(0, (void *)8, 1), EFAULT);
  CHECK_FAILS("an unknown flag", install(1 << 20, allow, 1), EINVAL);
  CHECK_FAILS("an unknown operation", syscall(SYS_seccomp, 99, 0, 0), EINVAL);
  REFUSED("no end", LOAD(nr));
  REFUSED("a jump behind the end", BPF_STMT(BPF_JMP | BPF_JA, 1), RETURN(0));
  REFUSED("a jump far behind the end", BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), RETURN(0));
  REFUSED("a condition behind the end", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), RETURN(0));
  REFUSED("data behind the end", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RETURN(0));
  REFUSED("data that is not aligned", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RETURN(0));
  REFUSED("bytes", BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RETURN(0));
  REFUSED("a division by zero", BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN(0));
  REFUSED("a modulus", BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RETURN(0));
  REFUSED("a long shift", BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RETURN(0));
  REFUSED("memory behind the end", BPF_STMT(BPF_ST, 16), RETURN(0));
  REFUSED("memory that was not written", BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN(0));
  REFUSED("memory written on one way only", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1),
          BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN(0));
  struct sock_filter written[] = {
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 2), BPF_STMT(BPF_ST, 3),
    BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN(SECCOMP_RET_ALLOW),
  };
  CHECK_IS("memory written on both ways", install(0, written, COUNT(written)), 0);
}

/* getpgid(first) fails with what the instructions leave in A, of arguments 1 to 3. */
static long calculate(struct sock_filter *body, size_t count, long b, long c) {
  int result[2];
  NEED(pipe(result));
  if (!NEED(fork())) {
    struct sock_filter filter[64] = {
      LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 1, 0), RETURN(SECCOMP_RET_ALLOW),
      LOAD(args[2]), BPF_STMT(BPF_MISC | BPF_TAX, 0), LOAD(args[1]),
    };
    memcpy(filter + 6, body, count * sizeof *body);
    struct sock_filter end[] = {
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
      BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
      BPF_STMT(BPF_RET | BPF_A, 0),
    };
    memcpy(filter + 6 + count, end, sizeof end);
    NEED(install(0, filter, 6 + count + 3));
    long value = syscall(SYS_getpgid, 0, b, c) == -1 ? errno : 0;
    _exit(write(result[1], &value, sizeof value) != sizeof value);
  }
  close(result[1]);
  long value = -1;
  if (read(result[0], &value, sizeof value) != sizeof value) value = -2;
  close(result[0]);
  int status;
  NEED(wait(&status));
  return value;
}

#define GIVES(name, expected, b, c, ...) do { \
    struct sock_filter body[] = {__VA_ARGS__}; \
    CHECK_IS(name, calculate(body, COUNT(body), b, c), expected); \
  } while (0)
#define ALU(operation) BPF_STMT(BPF_ALU | operation | BPF_X, 0)
#define ALU_K(operation, k) BPF_STMT(BPF_ALU | operation | BPF_K, k)
#define TEST(operation) BPF_JUMP(BPF_JMP | operation | BPF_X, 0, 0, 2), \
    BPF_STMT(BPF_LD | BPF_IMM, 1), BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_LD | BPF_IMM, 2)

static void arithmetic(void) {
  GIVES("add", 12, 5, 7, ALU(BPF_ADD));
  GIVES("subtract", 0xffe, 5, 7, ALU(BPF_SUB));
  GIVES("multiply", 35, 5, 7, ALU(BPF_MUL));
  GIVES("divide", 3, 23, 7, ALU(BPF_DIV));
  GIVES("divide by zero: killed", -2, 23, 0, ALU(BPF_DIV));
  GIVES("or", 7, 5, 3, ALU(BPF_OR));
  GIVES("and", 1, 5, 3, ALU(BPF_AND));
  GIVES("exclusive or", 6, 5, 3, ALU(BPF_XOR));
  GIVES("shift left", 40, 5, 3, ALU(BPF_LSH));
  GIVES("shift right", 5, 40, 3, ALU(BPF_RSH));
  GIVES("negate", 0xffb, 5, 0, BPF_STMT(BPF_ALU | BPF_NEG, 0));
  GIVES("add a constant", 14, 5, 0, ALU_K(BPF_ADD, 9));
  GIVES("subtract a constant", 4, 13, 0, ALU_K(BPF_SUB, 9));
  GIVES("multiply by a constant", 45, 5, 0, ALU_K(BPF_MUL, 9));
  GIVES("divide by a constant", 2, 20, 0, ALU_K(BPF_DIV, 9));
  GIVES("exclusive or with a constant", 6, 5, 0, ALU_K(BPF_XOR, 3));
  GIVES("shift right by a constant", 5, 40, 0, ALU_K(BPF_RSH, 3));
  GIVES("shift left by a constant", 40, 5, 0, ALU_K(BPF_LSH, 3));
  GIVES("from X", 7, 5, 7, BPF_STMT(BPF_MISC | BPF_TXA, 0));
  GIVES("length", 64, 5, 7, BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0));
  GIVES("length to X", 69, 5, 7, BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), ALU(BPF_ADD));
  GIVES("a constant to X", 105, 5, 7, BPF_STMT(BPF_LDX | BPF_IMM, 100), ALU(BPF_ADD));
  GIVES("memory", 12, 5, 7, BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_STX, 15),
        BPF_STMT(BPF_LD | BPF_IMM, 0), BPF_STMT(BPF_LD | BPF_MEM, 15), BPF_STMT(BPF_LDX | BPF_MEM, 0), ALU(BPF_ADD));
  GIVES("equal", 1, 5, 5, TEST(BPF_JEQ));
  GIVES("not equal", 2, 5, 6, TEST(BPF_JEQ));
  GIVES("greater", 1, 6, 5, TEST(BPF_JGT));
  GIVES("greater: without sign", 1, -1, 5, TEST(BPF_JGT));
  GIVES("not greater", 2, 5, 5, TEST(BPF_JGT));
  GIVES("not less", 1, 5, 5, TEST(BPF_JGE));
  GIVES("less", 2, 4, 5, TEST(BPF_JGE));
  GIVES("a common bit", 1, 6, 2, TEST(BPF_JSET));
  GIVES("no common bit", 2, 6, 1, TEST(BPF_JSET));
  GIVES("upper half of an argument", 0x123, 0x12300000000, 0,
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4));
  GIVES("architecture", AUDIT_ARCH_X86_64 & 0xfff, 0, 0, LOAD(arch));
}

int main(void) {
  NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  CHECK_IS("programs", child(check_programs), 0);
  CHECK_IS("arithmetic", child(arithmetic), 0);
  return check_failures != 0;
}
