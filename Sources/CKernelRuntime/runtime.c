/* What the compiler expects of a C library, without one: memory functions and the heap. */
#include "CKernelRuntime.h"
#include "CPlatform.h"

extern unsigned char __heap_start[], __heap_end[];

/* Gives the assembly a size that only the compiler knows. */
__attribute__((used)) static void export_sizes(void) {
  __asm__ volatile(".globl pv_boot_size\n.set pv_boot_size, %c0" : : "i"(sizeof(struct pv_boot)));
}

/* ---- locks ---- */

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, SYS_FUTEX = 202 };

void pv_lock_slow(uint32_t *word) {
  for (int spin = 0; spin < 100; spin++) {
    uint32_t expected = 0;
    if (__atomic_compare_exchange_n(word, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
    __asm__ volatile("pause");
  }
  while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
    pv_direct(SYS_FUTEX, (long)word, FUTEX_WAIT, 2, 0, 0, 0);
}

void pv_unlock_slow(uint32_t *word) { pv_direct(SYS_FUTEX, (long)word, FUTEX_WAKE, 1, 0, 0, 0); }

/* ---- heap: size classes of powers of two and their three quarters, each a free list ---- */

struct block { uint64_t class_index, offset; }; /* the 16 bytes before what is handed out */
enum { CLASS_COUNT = 64 };
static uint32_t heap_lock;
static uint64_t heap_break;
static struct block *free_lists[CLASS_COUNT];
uint64_t pv_heap_used;

static uint64_t class_size(unsigned index) {
  uint64_t base = 32ull << (index / 2);
  return index % 2 ? base + base / 2 : base;
}

static unsigned class_of(uint64_t size) {
  if (size <= 32) return 0;
  unsigned log = 63 - (unsigned)__builtin_clzl(size - 1); /* 2^log < size <= 2^(log+1) */
  unsigned index = (log - 5) * 2;
  while (class_size(index) < size) index++;
  return index;
}

static void *allocate(uint64_t count) {
  if (count > (uint64_t)(__heap_end - __heap_start)) pv_trap();
  unsigned index = class_of(count + sizeof(struct block));
  uint64_t size = class_size(index);
  pv_lock(&heap_lock);
  struct block *block = free_lists[index];
  if (block) {
    free_lists[index] = *(struct block **)(block + 1);
  } else {
    block = (struct block *)(__heap_start + heap_break);
    if ((unsigned char *)block + size > __heap_end) pv_trap();
    heap_break += size;
  }
  pv_heap_used += size;
  pv_unlock(&heap_lock);
  block->class_index = index;
  block->offset = 0;
  return block + 1;
}

void free(void *pointer) {
  if (!pointer) return;
  struct block *inner = (struct block *)pointer - 1;
  struct block *block = (struct block *)((char *)inner - inner->offset);
  unsigned index = (unsigned)block->class_index;
  if (index >= CLASS_COUNT) pv_trap();
  pv_lock(&heap_lock);
  *(struct block **)(block + 1) = free_lists[index];
  free_lists[index] = block;
  pv_heap_used -= class_size(index);
  pv_unlock(&heap_lock);
}

int posix_memalign(void **out, size_t alignment, size_t count) {
  if (alignment <= 16) {
    *out = allocate(count);
    return 0;
  }
  char *start = allocate(count + alignment + sizeof(struct block));
  uintptr_t aligned = ((uintptr_t)start + sizeof(struct block) + alignment - 1) & ~(alignment - 1);
  struct block *outer = (struct block *)start - 1, *inner = (struct block *)aligned - 1;
  uint64_t index = outer->class_index;
  inner->class_index = index;
  inner->offset = (uint64_t)((char *)inner - (char *)outer);
  *out = (void *)aligned;
  return 0;
}

/* ---- memory: `rep` is fast with ERMS and needs no vector registers ---- */

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  return result;
}

void *memset(void *at, int value, size_t count) {
  void *result = at;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(count) : "a"(value) : "memory");
  return result;
}

void *memmove(void *to, const void *from, size_t count) {
  unsigned char *target = to;
  const unsigned char *source = from;
  if (target <= source || target >= source + count) return memcpy(to, from, count);
  if (count % 8 == 0)
    for (size_t index = count / 8; index-- > 0;)
      ((uint64_t *)target)[index] = ((const uint64_t *)source)[index];
  else
    while (count-- > 0) target[count] = source[count];
  return to;
}

int memcmp(const void *left, const void *right, size_t count) {
  const unsigned char *a = left, *b = right;
  for (; count > 0; count--, a++, b++)
    if (*a != *b) return *a - *b;
  return 0;
}

/* ---- random numbers for the hashes of Swift's collections: xorshift seeded at boot ---- */

static uint64_t random_state = 0x9e3779b97f4a7c15ull;
void pv_seed_random(uint64_t seed) { random_state ^= seed | 1; }
void arc4random_buf(void *buffer, size_t count) {
  unsigned char *bytes = buffer;
  for (size_t index = 0; index < count; index++) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    bytes[index] = (unsigned char)(random_state >> 32);
  }
}

int putchar(int character) { return character; }
