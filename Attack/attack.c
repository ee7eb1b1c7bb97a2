#include "attack.h"

const struct pv_boot *boot;
static const unsigned char *gadget;

/* The image with its data lies within this many bytes of its base. */
#define SEARCH_SIZE (256ull << 20)

static __thread sigjmp_buf recovery;
static __thread volatile int is_recovering;

static void on_fault(int number) {
  if (is_recovering) siglongjmp(recovery, 1);
  signal(number, SIG_DFL);
}

int is_readable(const volatile void *address) {
  if (sigsetjmp(recovery, 1)) {
    is_recovering = 0;
    return 0;
  }
  is_recovering = 1;
  (void)*(const volatile char *)address;
  is_recovering = 0;
  return 1;
}

static void refuse(const char *reason) {
  fprintf(stderr, "attack: %s: this program only runs inside a sandbox\n", reason);
  exit(3);
}

static const struct pv_boot *find_boot(void) {
  for (uint64_t page = PV_IMAGE_BASE; page < PV_IMAGE_BASE + SEARCH_SIZE; page += 4096) {
    if (!is_readable((void *)page)) continue;
    for (uint64_t at = page; at < page + 4096; at += 8) {
      const struct pv_boot *found = (void *)at;
      if (found->magic != PV_BOOT_MAGIC) continue;
      if (at + sizeof *found > page + 4096 && !is_readable((char *)(page + 4096))) continue;
      if (found->version == PV_PROTOCOL_VERSION && found->gadget_start >= PV_IMAGE_BASE
          && found->gadget_end <= PV_IMAGE_LIMIT)
        return found;
    }
  }
  return NULL;
}

/* A plain `syscall; ret` if there is one; else the first `syscall`. */
static const unsigned char *find_gadget(uint64_t from, uint64_t to) {
  const unsigned char *first = NULL;
  for (const unsigned char *at = (void *)from; at + 2 < (unsigned char *)to; at++) {
    if (at[0] != 0x0f || at[1] != 0x05) continue;
    if (at[2] == 0xc3) return at;
    if (!first) first = at;
  }
  return first;
}

void find_kernel(void) {
  struct sigaction action = {.sa_handler = on_fault};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (!is_readable((void *)PV_IMAGE_BASE)) refuse("no guest kernel in this address space");
  boot = find_boot();
  if (!boot) refuse("no boot block in the guest kernel");
  gadget = find_gadget(boot->gadget_start, boot->gadget_end);
  if (!gadget) gadget = find_gadget(boot->text_start, boot->text_end);
  if (!gadget) refuse("no system call instruction in the guest kernel");
}

long guest_call(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static __thread uint64_t saved_stack __attribute__((used));

/* Whatever follows the gadget's instruction pops, returns or jumps: every word above the stack
 * pointer and every register without an argument leads back here. */
__asm__(
    ".text\n"
    "jump_to_gadget:\n" /* rdi: gadget, rsi: number and six arguments */
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  mov %rsp, %fs:saved_stack@tpoff\n"
    "  sub $256, %rsp\n"
    "  lea 1f(%rip), %rbx\n"
    "  mov $32, %ecx\n"
    "2: mov %rbx, -8(%rsp,%rcx,8)\n"
    "  dec %ecx\n"
    "  jnz 2b\n"
    "  mov %rdi, %r11\n"
    "  mov %rsi, %rcx\n"
    "  mov 0(%rcx), %rax\n"
    "  mov 8(%rcx), %rdi\n"
    "  mov 16(%rcx), %rsi\n"
    "  mov 24(%rcx), %rdx\n"
    "  mov 32(%rcx), %r10\n"
    "  mov 40(%rcx), %r8\n"
    "  mov 48(%rcx), %r9\n"
    "  mov %rsp, %rbp\n"
    "  mov %rbx, %r12; mov %rbx, %r13; mov %rbx, %r14; mov %rbx, %r15\n"
    "  jmp *%r11\n"
    "1: mov %fs:saved_stack@tpoff, %rsp\n"
    "  cld\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  ret\n");
extern long jump_to_gadget(const void *gadget, const long registers[7]);

long host_call(long number, long a, long b, long c, long d, long e, long f) {
  long registers[7] = {number, a, b, c, d, e, f};
  return jump_to_gadget(gadget, registers);
}

int in_child(void (*body)(void *), void *argument, int milliseconds) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    body(argument);
    _exit(0);
  }
  struct timespec start, now, pause = {0, 200000};
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (;;) {
    int status = 0;
    pid_t found = waitpid(child, &status, WNOHANG);
    if (found == child) return status;
    if (found < 0) return -1;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long elapsed = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
    if (elapsed > milliseconds) break;
    nanosleep(&pause, NULL);
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return -1;
}

struct probe_page {
  long number;
  long arguments[6];
  long result;
  int has_returned;
};

static void probe_body(void *argument) {
  struct probe_page *page = argument;
  const long *a = page->arguments;
  long result = host_call(page->number, a[0], a[1], a[2], a[3], a[4], a[5]);
  page->result = result;
  page->has_returned = 1;
}

struct outcome probe(long number, const long arguments[6]) {
  static struct probe_page *page;
  if (!page) {
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) refuse("no shared page");
  }
  memset(page, 0, sizeof *page);
  page->number = number;
  memcpy(page->arguments, arguments, sizeof page->arguments);
  int status = in_child(probe_body, page, 400);
  if (page->has_returned) {
    int is_restart = number == SYS_restart_syscall && page->result == -EINTR;
    if (page->result == -ENOSYS || page->result == -EPERM || is_restart)
      return (struct outcome){REFUSED, page->result};
    return (struct outcome){ANSWERED, page->result};
  }
  if (status == -1) return (struct outcome){STUCK, 0};
  if (WIFSIGNALED(status)) {
    int is_refusal = WTERMSIG(status) == SIGSYS;
    return (struct outcome){is_refusal ? REFUSED : KILLED, WTERMSIG(status)};
  }
  return (struct outcome){KILLED, 0};
}

uint64_t thread_areas(void) {
  uint64_t blob_end = boot->blob_start + boot->blob_size;
  return (blob_end + PV_THREAD_AREA_SIZE - 1) & ~(uint64_t)(PV_THREAD_AREA_SIZE - 1);
}

struct pv_request *new_request(uint32_t operation) {
  static uint32_t used;
  uint32_t index = PV_THREAD_LIMIT - 1 - __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED) % 1024;
  uint64_t area = thread_areas() + (uint64_t)index * PV_THREAD_AREA_SIZE;
  struct pv_request *request = (void *)(area + PV_AREA_REQUEST);
  memset(request, 0, sizeof *request);
  request->operation = operation;
  request->version = PV_PROTOCOL_VERSION;
  return request;
}

long broker(struct pv_request *request) { return HOST(PV_DOORBELL, request); }

void record_progress(long step) {
  static int descriptor = -1;
  if (descriptor < 0) descriptor = open("/work/progress", O_CREAT | O_WRONLY | O_TRUNC, 0644);
  char text[24];
  int size = snprintf(text, sizeof text, "%-12ld\n", step);
  if (pwrite(descriptor, text, size, 0) != size) refuse("no volume at /work");
}

uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

void say(const char *format, ...) {
  char text[512];
  va_list list;
  va_start(list, format);
  int size = vsnprintf(text, sizeof text - 1, format, list);
  va_end(list);
  if (size > (int)sizeof text - 2) size = sizeof text - 2;
  text[size] = '\n';
  if (write(1, text, size + 1) < 0) _exit(4);
}
