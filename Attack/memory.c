/* The guest kernel's memory, from the program that it lies in.
 *
 *     memory read            every page of it
 *     memory write           text and read-only data: a plain store, and after mprotect(2)
 *     memory corrupt REGION PAGE SEED   one page of data, threads or heap becomes garbage
 *     memory execute FROM SEED   jumps into the kernel's text with registers of our choice
 *     memory unmap FROM -        the kernel, then everything
 *     memory replace FROM -      own code where the gadget was: int $0x80, and 32-bit code
 *     memory names           what the host is told of the program: layouts, names
 *     memory registers FROM -    %gs, %fs, %rsp and flags that the entry does not expect
 *     memory cut             code in a file that others cut, while the kernel looks at it
 *
 * Those with FROM go on after the step that ended the sandbox before.
 */
#include "attack.h"

static long first_step, step_count;

/* Whether this step is still to be made; leaves its number for the driver. */
static int begin_step(void) {
  if (step_count++ < first_step) return 0;
  record_progress(step_count - 1);
  return 1;
}

static int read_all(void) {
  uint64_t pages = 0, sum = 0;
  uint64_t end = boot->writable_start + (64ull << 20);
  for (uint64_t page = PV_IMAGE_BASE; page < end; page += 4096) {
    if (!is_readable((void *)page)) continue;
    pages++;
    for (int i = 0; i < 512; i++) sum += ((uint64_t *)page)[i];
  }
  say("note: %lu pages of the kernel can be read, sum %lx", pages, sum);
  return 0;
}

static void store_byte(void *address) { *(volatile char *)address = 0x90; }

static void overwrite_text(void *address) {
  uint64_t page = (uint64_t)address & ~4095ull;
  long result = HOST(SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
  if (result != 0) _exit(20);
  memset(address, 0xcc, 64);
  _exit(21);
}

static int write_text(void) {
  uint64_t middle = boot->text_start + (boot->text_end - boot->text_start) / 2;
  int status = in_child(store_byte, (void *)middle, 1000);
  if (status == 0) say("breach: the kernel's text takes a plain store");
  status = in_child(overwrite_text, (void *)middle, 1000);
  if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 21) {
    /* Private to that process, or seen by this one, and so by other sandboxes of the image? */
    if (*(volatile unsigned char *)middle == 0xcc)
      say("breach: a store to the kernel's text is seen by another process");
    say("note: a process may overwrite its own copy of the kernel's text");
  }
  return 0;
}

static uint64_t random_state;

static void jump_anywhere(void *address) {
  uint64_t a = next_random(&random_state), b = next_random(&random_state);
  __asm__ volatile(
      "mov %0, %%rdi; mov %1, %%rsi; mov %0, %%rdx; mov %1, %%rcx\n"
      "mov %1, %%r8; mov %0, %%r9; mov %1, %%rbx; jmp *%2"
      : : "r"(a), "r"(b), "r"(address)
      : "rdi", "rsi", "rdx", "rcx", "r8", "r9", "rbx", "memory");
}

static int execute(uint64_t seed) {
  random_state = seed;
  for (int i = 0; i < 25; i++) {
    uint64_t size = boot->text_end - boot->text_start;
    uint64_t target = boot->text_start + next_random(&random_state) % size;
    if (begin_step()) in_child(jump_anywhere, (void *)target, 300);
  }
  return 0;
}

/* Enough different work to meet what was corrupted. */
static void use_kernel(void) {
  char text[256];
  for (int i = 0; i < 20; i++) {
    int ends[2];
    if (pipe(ends) == 0) {
      if (write(ends[1], text, 16) > 0 && read(ends[0], text, 16) < 0) break;
      close(ends[0]);
      close(ends[1]);
    }
    int descriptor = open("/proc/self/status", O_RDONLY);
    if (descriptor >= 0) {
      if (read(descriptor, text, sizeof text) < 0) break;
      close(descriptor);
    }
    struct stat facts;
    stat("/work", &facts);
    void *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) munmap(memory, 65536);
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child > 0) waitpid(child, NULL, 0);
    kill(getpid(), 0);
  }
}

static int corrupt(const char *region, long page, uint64_t seed) {
  uint64_t threads = thread_areas();
  uint64_t base = boot->writable_start;
  if (!strcmp(region, "threads")) base = threads;
  if (!strcmp(region, "heap")) base = threads + (uint64_t)PV_THREAD_LIMIT * PV_THREAD_AREA_SIZE;
  uint64_t *words = (uint64_t *)(base + (uint64_t)page * 4096);
  if (!is_readable(words)) {
    say("note: page %ld of %s is not mapped", page, region);
    return 0;
  }
  for (int i = 0; i < 512; i++) {
    uint64_t random = next_random(&seed);
    if (random & 1) words[i] = random;
    else words[i] = words[i] ^ (1ull << (random >> 8 & 63));
  }
  use_kernel();
  return 0;
}

static void unmap_kernel(void *argument) {
  (void)argument;
  HOST(SYS_munmap, PV_IMAGE_BASE, PV_IMAGE_LIMIT - PV_IMAGE_BASE);
}
static void hide_kernel(void *argument) {
  (void)argument;
  HOST(SYS_mprotect, boot->writable_start, boot->writable_end - boot->writable_start, PROT_NONE);
  GUEST(SYS_getpid);
}
static void unmap_all(void *argument) {
  (void)argument;
  HOST(SYS_munmap, 0, 0x7ffffffff000);
}
static int unmap(void) {
  static void (*const bodies[])(void *) = {hide_kernel, unmap_kernel, unmap_all};
  for (size_t i = 0; i < LENGTH(bodies); i++)
    if (begin_step()) in_child(bodies[i], NULL, 1000);
  if (begin_step()) unmap_kernel(NULL);
  return 0;
}

/* The host must not take i386 calls, from wherever: there number 20 is getpid, 39 mkdir. */
static void interrupt_80(void *argument) {
  long *result = argument;
  unsigned char code[] = {0xcd, 0x80, 0xc3};
  uint64_t page = boot->gadget_start & ~4095ull;
  HOST(SYS_mprotect, page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
  HOST(SYS_prctl, 59, 0, 0, 0, 0);
  memcpy((void *)boot->gadget_start, code, sizeof code);
  long value = 20;
  __asm__ volatile("call *%1" : "+a"(value) : "r"(boot->gadget_start) : "memory", "r8", "r9", "r10",
                   "r11");
  *result = value;
}
static void own_interrupt_80(void *argument) {
  long *result = argument;
  HOST(SYS_prctl, 59, 0, 0, 0, 0);
  long value = 20;
  __asm__ volatile("int $0x80" : "+a"(value) : : "memory", "r8", "r9", "r10", "r11");
  *result = value;
}
/* A far return into the 32-bit code segment, then `int $0x80` there. */
static void compatibility_mode(void *argument) {
  long *result = argument;
  unsigned char *code = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (code == MAP_FAILED) return;
  /* mov $20,%eax; int $0x80; push $0x33; push $target; lret */
  static const unsigned char template[] = {0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x6a, 0x33,
                                           0x68, 0x40, 0, 0, 0x10, 0xcb};
  memcpy(code, template, sizeof template);
  /* mov %r12,%rsp; jmp *%r13 */
  static const unsigned char back[] = {0x4c, 0x89, 0xe4, 0x41, 0xff, 0xe5};
  memcpy(code + 0x40, back, sizeof back);
  HOST(SYS_prctl, 59, 0, 0, 0, 0);
  long value;
  __asm__ volatile(
      "mov %%rsp, %%r12; lea 1f(%%rip), %%r13\n"
      "mov $0x10000f00, %%esp\n"
      "push $0x23; push $0x10000000; lretq\n"
      "1:"
      : "=a"(value) : : "r12", "r13", "memory", "rcx", "rdx", "r8", "r9", "r10", "r11");
  *result = value;
}
static int replace(void) {
  static void (*const bodies[])(void *) = {interrupt_80, own_interrupt_80, compatibility_mode};
  static const char *const names[] = {"the gadget", "own text", "32-bit code"};
  long *result =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (size_t i = 0; i < LENGTH(bodies); i++) {
    if (!begin_step()) continue;
    *result = -ENOSYS;
    in_child(bodies[i], result, 1000);
    int value = (int)*result;
    if (value > 0) say("breach: int $0x80 from %s returned %d", names[i], value);
  }
  return 0;
}

static void bad_gs(void *argument) {
  __asm__ volatile("wrgsbase %0" : : "r"(argument));
  GUEST(SYS_getppid);
  getpid();
}
static void bad_fs(void *argument) {
  __asm__ volatile("wrfsbase %0" : : "r"(argument));
  GUEST(SYS_exit_group, 0);
}
static void bad_stack(void *argument) {
  __asm__ volatile("mov %0, %%rsp; mov $110, %%eax; syscall; mov $39, %%eax; syscall; ud2"
                   : : "r"(argument) : "memory");
}
static void bad_flags(void *argument) {
  __asm__ volatile("pushq %0; popfq; mov $110, %%eax; syscall; mov $110, %%eax; syscall"
                   : : "r"(argument) : "rax", "rcx", "r11", "memory", "cc");
  _exit(0);
}
/* A signal frame of garbage for rt_sigreturn, past the kernel and through it. */
static void bad_return(void *argument) {
  uint64_t state = (uint64_t)argument | 1, *stack = __builtin_alloca(4096);
  for (int i = 0; i < 512; i++) stack[i] = next_random(&state);
  void *target = (void *)boot->signal_restorer;
  if ((uint64_t)argument & 2)
    __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; ud2" : : "r"(stack) : "memory");
  else
    __asm__ volatile("mov %0, %%rsp; jmp *%1" : : "r"(stack), "r"(target) : "memory");
}
static int registers(void) {
  static const uint64_t values[] = {0, 8, 0xdeadbeef000, PV_IMAGE_BASE, 0x7fffffffffff,
                                    0x41, ~0ull, PV_IMAGE_LIMIT - 8};
  static const uint64_t flags[] = {0x346, 0x400, 0x40000, 0x200000, 0x3000, 0x140};
  static void (*const bodies[])(void *) = {bad_gs, bad_fs, bad_stack};
  for (size_t i = 0; i < LENGTH(values); i++)
    for (size_t k = 0; k < LENGTH(bodies); k++)
      if (begin_step()) in_child(bodies[k], (void *)values[i], 300);
  for (size_t i = 0; i < LENGTH(flags); i++)
    if (begin_step()) in_child(bad_flags, (void *)(flags[i] | 2), 300);
  for (uint64_t seed = 1; seed < 24; seed++) {
    uint64_t value = seed * 0x9e3779b97f4a7c15ull | (seed & 3);
    if (begin_step()) in_child(bad_return, (void *)value, 300);
  }
  return 0;
}

enum { SET_NAME = 15, SET_MM = 35, MM_MAP = 14, MM_MAP_SIZE = 15, MM_MAP_WORDS = 13 };

/* Only the map may be taken, which is the process's own, and no other executable with it. */
static void tell_nonsense(void *argument) {
  static const uint64_t values[] = {0, 1, 4096, 0x10000, 0x7fffffffefff, 1ull << 47, -1ull};
  uint64_t state = (uint64_t)argument;
  for (long option = 0; option < MM_MAP; option++)
    for (size_t i = 0; i < LENGTH(values); i++)
      if (HOST(SYS_prctl, SET_MM, option, values[i]) == 0) say("breach: PR_SET_MM %ld", option);
  uint64_t map[MM_MAP_WORDS];
  for (int round = 0; round < 2000; round++) {
    for (size_t i = 0; i < LENGTH(map); i++) {
      uint64_t word = next_random(&state);
      map[i] = word & 1 ? values[word / 2 % LENGTH(values)] : word >> 17;
    }
    int descriptor = (int)(round % 40) - 1;
    map[12] = (uint64_t)(uint32_t)descriptor << 32 | (round % 3 ? 0 : round);
    long result = HOST(SYS_prctl, SET_MM, MM_MAP, map, sizeof map);
    if (result == 0 && descriptor != -1) say("breach: another executable");
  }
  HOST(SYS_prctl, SET_MM, MM_MAP, boot->writable_start, sizeof map);
  HOST(SYS_prctl, SET_MM, MM_MAP_SIZE, boot->text_start);
}

/* The name stands in lines that the backend reads; who asks there must not read this as fields. */
static int tell_names(void) {
  for (uint64_t seed = 1; seed < 5; seed++) in_child(tell_nonsense, (void *)seed, 10000);
  static const char *const names[] = {") R 1 1 1 1 1", "\n1 (x) R 1 1\n", "\xff\xfe%s%n", "("};
  for (size_t i = 0; i < LENGTH(names); i++) {
    HOST(SYS_prctl, SET_NAME, names[i]);
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", getpid());
    FILE *file = fopen(path, "r");
    int parent = 0;
    int count = file && fgets(line, sizeof line, file)
                    ? sscanf(line, "%*d (memory) %*c %d", &parent) : 0;
    if (count != 1 || parent != getppid())
      say("breach: with the name '%s' it is told '%s'", names[i], line);
    if (file) fclose(file);
  }
  HOST(SYS_prctl, SET_NAME, boot->writable_start);
  HOST(SYS_prctl, SET_NAME, -1);
  return 0;
}

enum { CODE_PAGES = 12, CODE_SIZE = CODE_PAGES * 4096 };
static sigjmp_buf cut_back;

static void leave_code(int number) {
  (void)number;
  siglongjmp(cut_back, 1);
}

/* Cuts the file to any size, and fills it with code anew. */
static void cut_for_ever(void *unused) {
  (void)unused;
  static unsigned char code[CODE_SIZE];
  static const unsigned char site[] = {0x89, 0xf8, 0x0f, 0x05, 0xc3};
  uint64_t state = 5;
  int file = open("/work/code", O_RDWR);
  for (;;) {
    memset(code, 0x90, sizeof code);
    for (size_t at = 0; at < sizeof code - 100; at += sizeof site + next_random(&state) % 90)
      memcpy(code + at, site, sizeof site);
    if (pwrite(file, code, sizeof code, 0) != sizeof code) _exit(1);
    for (int i = 0; i < 8; i++)
      if (ftruncate(file, (off_t)(next_random(&state) % CODE_SIZE)) != 0) _exit(1);
  }
}

/* Whatever these processes die of is theirs; the kernel must go on. */
static void run_code(void *seed) {
  uint64_t state = (uint64_t)seed;
  int file = open("/work/code", O_RDWR);
  struct sigaction action = {.sa_handler = leave_code};
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGILL, &action, NULL);
  /* What is left of the code may run in a circle. */
  alarm(4);
  for (int i = 0; i < 600; i++) {
    char *start = mmap(NULL, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    if (start == MAP_FAILED) continue;
    for (int calls = 0; calls < 4; calls++) {
      volatile size_t at = next_random(&state) % (CODE_SIZE - 16);
      if (sigsetjmp(cut_back, 1) != 0) continue;
      while (memcmp(start + at, "\x89\xf8\x0f\x05", 4) != 0) at++;
      for (int again = 0; again < 3; again++) ((long (*)(long))(start + at))(SYS_getpid);
    }
    munmap(start, CODE_SIZE);
  }
  _exit(0);
}

static int cut(void) {
  close(open("/work/code", O_RDWR | O_CREAT | O_TRUNC, 0700));
  pid_t cutter = fork();
  if (cutter == 0) cut_for_ever(NULL);
  pid_t runners[3];
  for (size_t i = 0; i < LENGTH(runners); i++)
    if ((runners[i] = fork()) == 0) run_code((void *)(i + 1));
  int deaths = 0, status;
  for (size_t i = 0; i < LENGTH(runners); i++)
    if (waitpid(runners[i], &status, 0) == runners[i]) deaths += !WIFEXITED(status);
  kill(cutter, SIGKILL);
  waitpid(cutter, NULL, 0);
  say("note: %d of %zu processes died of their own code", deaths, LENGTH(runners));
  return 0;
}

int main(int count, char **values) {
  find_kernel();
  int result = 2;
  const char *mode = count > 1 ? values[1] : "";
  if (count == 4) first_step = atol(values[2]);
  if (!strcmp(mode, "read")) result = read_all();
  else if (!strcmp(mode, "write")) result = write_text();
  else if (!strcmp(mode, "execute") && count == 4) result = execute(strtoull(values[3], NULL, 0));
  else if (!strcmp(mode, "corrupt") && count == 5)
    result = corrupt(values[2], atol(values[3]), strtoull(values[4], NULL, 0));
  else if (!strcmp(mode, "unmap")) result = unmap();
  else if (!strcmp(mode, "replace")) result = replace();
  else if (!strcmp(mode, "registers")) result = registers();
  else if (!strcmp(mode, "names")) result = tell_names();
  else if (!strcmp(mode, "cut")) result = cut();
  if (result == 0) say("done");
  return result;
}
