#include "CPVCalls.h"

_Static_assert(sizeof(struct pv_request) <= PV_AREA_SIGNAL_STACK - PV_AREA_REQUEST,
               "a PV request fits between thread block and signal stack");
_Static_assert(sizeof(struct pv_boot) <= 4096 * 2, "the boot record fits in two pages");
_Static_assert(__builtin_offsetof(struct pv_request, path) == 80, "PVFrontend knows the offset");
_Static_assert(PV_AREA_CALLS + PV_CALL_KIND_COUNT * sizeof(uint64_t) <= PV_AREA_REQUEST,
               "the counters fit before the request");
_Static_assert(sizeof(struct pv_event) == 16, "events are 16 bytes");
_Static_assert(sizeof(struct pv_received) == 144, "the backend writes it field by field");
_Static_assert(sizeof(struct pv_received) + PV_CONTROL_SIZE <= PV_PAYLOAD_SIZE,
               "what is received beside the data fits into a payload");
_Static_assert(sizeof(struct pv_program) == 744, "no padding in the program record");
