/* The guest side of the machine: what the assembly and the Swift code of `Platform` share. */
#ifndef CPLATFORM_H
#define CPLATFORM_H
#include <stddef.h>
#include <stdint.h>
#include "CPVCalls.h"

/* A program's registers as it entered the kernel, in the order of Linux's pt_regs. */
struct pv_frame {
  uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
  uint64_t orig_rax; /* the call's number, or -1 for an exception */
  uint64_t rip, cs, eflags, rsp, ss;
};

/* What the assembly shall do after a call of the kernel. */
enum {
  PV_ACTION_RETURN = 0, /* back to the program */
  PV_ACTION_CLONE,      /* clone a host thread or process, no Swift frame being live */
  PV_ACTION_EXIT,       /* end this host thread */
};

/* The head of a thread area; %gs points at it. Offsets are known to entry.S. */
struct pv_thread {
  uint64_t self;             /* 0 */
  uint64_t kernel_stack_top; /* 8 */
  uint64_t user_rsp;         /* 16: scratch of the entry */
  uint64_t frame;            /* 24: struct pv_frame of the program */
  uint32_t pending;          /* 32: a kick came; look before returning or blocking */
  uint32_t in_use;           /* 36: the area belongs to a thread */
  uint64_t task;             /* 40: the kernel's Task, unretained */
  uint32_t host_process;     /* 48: ids in the sandbox's pid namespace */
  uint32_t host_thread;      /* 52 */
  uint32_t wake;             /* 56: futex word that this thread sleeps on */
  uint32_t is_kickable;      /* 60: signal stack and %gs are set up */
  uint64_t user_rip;         /* 64: where the exit jumps to */
  uint64_t clone_flags;      /* 72: for PV_ACTION_CLONE */
  uint64_t clone_area;       /* 80: the child's area */
  uint64_t clone_tls;        /* 88 */
  uint64_t signal_stack[3];  /* 96: stack_t of the area's host signal stack */
  uint64_t dispatch_start;   /* 120: arguments of PR_SET_SYSCALL_USER_DISPATCH */
  uint64_t dispatch_length;  /* 128 */
  uint64_t clone_is_retained;/* 136 */
  uint32_t in_clock;         /* 144: the host's vDSO runs on behalf of the kernel */
};

/* Host calls; the gadget is the only code of a guest process that issues them. */
long pv_direct(long number, long a, long b, long c, long d, long e, long f);
/* The same, but -EINTR at once when a kick is pending, without a window in which one gets lost. */
long pv_direct_blocking(long number, long a, long b, long c, long d, long e, long f);

/* Memory of the program. 0, or the bytes not copied because a page fault could not be resolved. */
size_t pv_copy_user(void *to, const void *from, size_t count);
/* Fills with zeros; the same results. */
size_t pv_clear_user(void *to, size_t count);
/* The length of a string of at most `limit` bytes without its NUL, -1 on a fault, -2 when longer. */
long pv_copy_user_string(uint8_t *to, const uint8_t *from, size_t limit);
/* 0 or -1 on a fault. */
long pv_user_load32(const uint32_t *from, uint32_t *value);
long pv_user_store32(uint32_t *to, uint32_t value);
long pv_user_store64(uint64_t *to, uint64_t value);
/* Compares and swaps: 0 done, 1 another value (stored in *found), -1 fault. */
long pv_user_exchange32(uint32_t *at, uint32_t expected, uint32_t desired, uint32_t *found);

/* Vector registers to and from a program's signal frame (XSAVE, standard format); 0, or -1 fault. */
long pv_save_vectors(void *area, uint64_t features);
long pv_restore_vectors(const void *area, uint64_t features);
void pv_reset_vectors(void);
uint64_t pv_get_fs_base(void);
void pv_set_fs_base(uint64_t base);

void pv_entry_site(void);
static inline uintptr_t pv_entry_site_address(void) { return (uintptr_t)&pv_entry_site; }
_Noreturn void pv_return_to_user(void);
_Noreturn void pv_end_thread(void);
_Noreturn void pv_trap(void);

static inline struct pv_thread *pv_current(void) {
  struct pv_thread *thread;
  __asm__ volatile("movq %%gs:0, %0" : "=r"(thread));
  return thread;
}
static inline void pv_set_current(struct pv_thread *thread) {
  __asm__ volatile("wrgsbase %0" : : "r"(thread) : "memory");
}
static inline void *pv_current_task(void) {
  void *task;
  __asm__ volatile("movq %%gs:40, %0" : "=r"(task));
  return task;
}
#define PV_CALL_NUMBER_LIMIT 512u
extern const uint8_t pv_call_kinds[PV_CALL_NUMBER_LIMIT];
/* One more call of a program; the thread's own counter, so nobody waits for it. */
static inline void pv_count_call(uint64_t number) {
  uint64_t kind = number < PV_CALL_NUMBER_LIMIT ? pv_call_kinds[number] : PV_CALLS_OTHER;
  __asm__ volatile("incq %%gs:%c1(,%0,8)" : : "r"(kind), "i"(PV_AREA_CALLS) : "memory", "cc");
}
/* clock_gettime(2) by the host's vDSO. Host signals that land there know that it is the kernel. */
static inline long pv_vdso_clock(uintptr_t function, int clock, int64_t *time) {
  __asm__ volatile("movl $1, %%gs:144" : : : "memory");
  long result = ((int (*)(int, int64_t *))function)(clock, time);
  __asm__ volatile("movl $0, %%gs:144" : : : "memory");
  return result;
}
static inline uint64_t pv_cycles(void) {
  uint32_t low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
}

/* The host's Linux keeps the processor's number in IA32_TSC_AUX, below the node's. */
static inline uint32_t pv_processor(void) {
  uint32_t low, high, auxiliary;
  __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(auxiliary));
  return auxiliary & 0xfff;
}

/* A mutex in shared memory: 0 free, 1 held, 2 held with waiters. */
void pv_lock_slow(uint32_t *word);
void pv_unlock_slow(uint32_t *word);
static inline void pv_lock(uint32_t *word) {
  uint32_t expected = 0;
  if (!__atomic_compare_exchange_n(word, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    pv_lock_slow(word);
}
static inline void pv_unlock(uint32_t *word) {
  if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2) pv_unlock_slow(word);
}
static inline uint32_t pv_atomic_load(const uint32_t *word) {
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}
static inline void pv_atomic_store(uint32_t *word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
static inline uint32_t pv_atomic_exchange(uint32_t *word, uint32_t value) {
  return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}
static inline uint32_t pv_atomic_add(uint32_t *word, uint32_t value) {
  return __atomic_add_fetch(word, value, __ATOMIC_SEQ_CST);
}
#endif
