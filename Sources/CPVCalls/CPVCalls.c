#include "CPVCalls.h"

_Static_assert(sizeof(struct pv_request) <= PV_AREA_SIGNAL_STACK - PV_AREA_REQUEST,
               "a PV request fits between thread block and signal stack");
_Static_assert(sizeof(struct pv_boot) <= 4096 * 2, "the boot record fits in two pages");
_Static_assert(__builtin_offsetof(struct pv_request, path) == 80, "PVFrontend knows the offset");
_Static_assert(sizeof(struct pv_event) == 16, "events are 16 bytes");
