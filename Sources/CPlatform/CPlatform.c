#include "CPlatform.h"

_Static_assert(sizeof(struct pv_frame) == 168, "the frame has 21 registers");
_Static_assert(offsetof(struct pv_thread, clone_is_retained) == 136, "entry.S knows the offsets");
_Static_assert(PV_KICK_SIGNAL == 23, "entry.S knows the signal");
_Static_assert(sizeof(struct pv_thread) <= PV_AREA_REQUEST, "the head fits before the request");
