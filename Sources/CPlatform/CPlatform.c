#include "CPlatform.h"

_Static_assert(sizeof(struct pv_frame) == 168, "the frame has 21 registers");
_Static_assert(offsetof(struct pv_thread, clone_is_retained) == 136, "entry.S knows the offsets");
_Static_assert(PV_KICK_SIGNAL == 23, "entry.S knows the signal");
_Static_assert(sizeof(struct pv_thread) <= PV_AREA_CALLS, "the head fits before the counters");

#define DATA PV_CALLS_DATA
#define FILES PV_CALLS_FILES
#define MEMORY PV_CALLS_MEMORY
#define PROCESSES PV_CALLS_PROCESSES
#define SIGNALS PV_CALLS_SIGNALS
#define FUTEX PV_CALLS_FUTEX
#define TIME PV_CALLS_TIME
#define WAITING PV_CALLS_WAITING
#define SOCKETS PV_CALLS_SOCKETS

/* In the order of the x86-64 system call table. What is not named is PV_CALLS_OTHER. */
const uint8_t pv_call_kinds[PV_CALL_NUMBER_LIMIT] = {
    [0 ... 1] = DATA, [2 ... 6] = FILES, [7] = WAITING, [8] = FILES, [9 ... 12] = MEMORY,
    [13 ... 15] = SIGNALS, [16] = FILES, [17 ... 20] = DATA, [21 ... 22] = FILES, [23] = WAITING,
    [24] = PROCESSES, [25 ... 31] = MEMORY, [32 ... 33] = FILES, [34] = SIGNALS, [35 ... 38] = TIME,
    [39] = PROCESSES, [40] = DATA, [41 ... 55] = SOCKETS, [56 ... 61] = PROCESSES, [62] = SIGNALS,
    [67] = MEMORY, [72 ... 73] = FILES, [74 ... 75] = DATA, [76 ... 95] = FILES, [96] = TIME,
    [97 ... 98] = PROCESSES, [100] = TIME, [102 ... 126] = PROCESSES, [127 ... 131] = SIGNALS,
    [132 ... 133] = FILES, [135] = PROCESSES, [137 ... 138] = FILES, [140 ... 148] = PROCESSES,
    [149 ... 152] = MEMORY, [157 ... 158] = PROCESSES, [160] = PROCESSES, [161] = FILES,
    [162] = DATA, [186] = PROCESSES, [187] = DATA, [188 ... 199] = FILES, [200] = SIGNALS,
    [201] = TIME, [202] = FUTEX, [203 ... 204] = PROCESSES, [213 ... 215] = WAITING, [216] = MEMORY,
    [217] = FILES, [218] = PROCESSES, [221] = FILES, [222 ... 230] = TIME, [231] = PROCESSES,
    [232 ... 233] = WAITING, [234] = SIGNALS, [235] = FILES, [237 ... 239] = MEMORY,
    [247] = PROCESSES, [253 ... 255] = FILES, [256] = MEMORY, [257 ... 269] = FILES,
    [270 ... 271] = WAITING, [272] = PROCESSES, [273 ... 274] = FUTEX, [275 ... 278] = DATA,
    [280] = FILES, [281] = WAITING, [282] = SIGNALS, [283] = TIME, [284] = WAITING, [285] = FILES,
    [286 ... 287] = TIME, [288] = SOCKETS, [289] = SIGNALS, [290 ... 291] = WAITING,
    [292 ... 294] = FILES, [295 ... 296] = DATA, [297] = SIGNALS, [299] = SOCKETS,
    [302] = PROCESSES, [305] = TIME, [306] = DATA, [307] = SOCKETS, [309] = PROCESSES,
    [310 ... 311] = MEMORY, [314 ... 315] = PROCESSES, [316] = FILES, [317] = PROCESSES,
    [319] = FILES, [322] = PROCESSES, [325] = MEMORY, [326 ... 328] = DATA, [329 ... 331] = MEMORY,
    [332] = FILES, [334] = PROCESSES, [424] = SIGNALS, [434 ... 435] = PROCESSES,
    [436 ... 437] = FILES, [438] = PROCESSES, [439] = FILES, [440] = MEMORY, [441] = WAITING,
    [449] = FUTEX, [452] = FILES,
};
