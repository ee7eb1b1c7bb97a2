/* The image's own runtime: entry, heap, memory functions. */
#ifndef CKERNELRUNTIME_H
#define CKERNELRUNTIME_H
#include <stddef.h>
#include <stdint.h>
#include "CPVCalls.h"
extern uint64_t pv_heap_used; /* bytes of the kernel heap in use */
extern struct pv_boot pv_boot_record;
static inline struct pv_boot *pv_boot_address(void) { return &pv_boot_record; }
void pv_seed_random(uint64_t seed);
#endif
