/* The layouts that guest kernel and host share: the wire of the PV calls.
 *
 * Everything here is read by both sides of the boundary. Whoever reads a field that the other side
 * writes checks it first. Sizes and offsets are asserted in CPVCalls.c.
 */
#ifndef CPVCALLS_H
#define CPVCALLS_H
#include <stddef.h>
#include <stdint.h>

#define PV_PROTOCOL_VERSION 1u
#define PV_BOOT_MAGIC 0x31564e4156415250ull /* "PRAVANV1" */

/* ---- the address space that the kernel image occupies in every guest process ---- */
#define PV_IMAGE_BASE 0x200000000000ull   /* text, read-only data */
#define PV_IMAGE_LIMIT 0x200080000000ull  /* nothing of the kernel lies at or above this */
#define PV_THREAD_AREA_SIZE 0x10000u      /* one guest thread's block, PV request, stacks */
#define PV_THREAD_LIMIT 4096u             /* threads of one sandbox */

/* Offsets inside a thread area. */
#define PV_AREA_CALLS 0x780u              /* uint64_t by PV_CALLS_*: calls served in this area since boot */
#define PV_AREA_REQUEST 0x800u
#define PV_AREA_SIGNAL_STACK 0x4000u      /* host signal stack: 0x4000 ..< 0x8000 */
#define PV_AREA_SIGNAL_STACK_SIZE 0x4000u
#define PV_AREA_KERNEL_STACK_TOP 0x10000u /* kernel stack: 0x8000 ..< 0x10000 */

/* The host signal with which the kernel interrupts one of its own threads: SIGURG. A standard
 * signal is marked and not queued, so it arrives even when its user may queue no more. */
#define PV_KICK_SIGNAL 23

/* The system call number of the doorbell of brokered calls. No Linux has it, so only the seccomp
 * listener ever answers it. First argument: address of a struct pv_request. */
#define PV_DOORBELL 0x7a7au

/* What programs ask the kernel for. The kernel counts, and the backend shows the numbers. */
enum {
  PV_CALLS_OTHER = 0,
  PV_CALLS_DATA,      /* bytes of files, pipes and sockets by read(2) and its kin */
  PV_CALLS_FILES,     /* names, descriptors, attributes */
  PV_CALLS_MEMORY, PV_CALLS_PROCESSES, PV_CALLS_SIGNALS, PV_CALLS_FUTEX, PV_CALLS_TIME,
  PV_CALLS_WAITING,   /* poll(2), select(2), epoll(7) */
  PV_CALLS_SOCKETS, PV_CALL_KIND_COUNT,
};

/* ---- boot ---- */

enum { PV_MOUNT_HOST = 0, PV_MOUNT_PROC, PV_MOUNT_DEV, PV_MOUNT_DEVPTS, PV_MOUNT_SYS, PV_MOUNT_MQUEUE,
       PV_MOUNT_CGROUP };
/* Flags of a mount: MOUNT_ATTR_* of mount_setattr(2), as the configuration asks for them. */
#define PV_MOUNT_READ_ONLY 0x1u
#define PV_MOUNT_NO_SET_ID 0x2u
#define PV_MOUNT_NO_DEVICES 0x4u
#define PV_MOUNT_NO_EXECUTION 0x8u
#define PV_MOUNT_NO_ACCESS_TIMES 0x10u
#define PV_MOUNT_STRICT_ACCESS_TIMES 0x20u
#define PV_MOUNT_NO_DIRECTORY_ACCESS_TIMES 0x80u
#define PV_MOUNT_NO_SYMBOLIC_LINKS 0x200000u
/* Of the file system, which the host obeys. */
#define PV_MOUNT_SYNCHRONOUS 0x10000000u
#define PV_MOUNT_SYNCHRONOUS_DIRECTORIES 0x20000000u
#define PV_MOUNT_LAZY_TIMES 0x40000000u
/* The descriptor's directory holds a file of this name, which is what is mounted. */
#define PV_MOUNT_FILE 0x80000000u
#define PV_MOUNT_FILE_NAME "file"

/* One mount point of the guest. Mounts below "/" that are host directories already stand in the
 * host mount namespace; only those below a guest file system carry a descriptor of their own. */
struct pv_mount {
  uint32_t kind;
  uint32_t flags;
  int32_t descriptor;     /* PV_MOUNT_HOST: host directory descriptor, -1 when the path itself leads there */
  uint32_t path_offset;   /* NUL-terminated guest path, from the start of the blob */
  uint32_t source_offset; /* for /proc/mounts */
  uint32_t type_offset;
};
#define PV_MOUNT_COUNT 64u
#define PV_INHERITED_LIMIT 64u

/* One more name of a device that the kernel knows, or another mode and owner. */
struct pv_device {
  uint32_t path_offset; /* from /dev on, without a slash before it */
  uint32_t number;      /* major << 8 | minor */
  uint32_t mode, user, group;
};
#define PV_DEVICE_LIMIT 32u

struct pv_rlimit { uint64_t soft, hard; };

#define PV_BOOT_DEBUG 1u
#define PV_BOOT_TERMINAL 2u          /* descriptor 0 is a terminal in raw mode: the console */
#define PV_BOOT_NO_NEW_PRIVILEGES 4u
#define PV_BOOT_LOG_REFUSALS 16u     /* calls that the container's filter does not allow are logged */
#define PV_BOOT_INIT 8u              /* the kernel's own init is process 1, the first program its child */

struct pv_boot {
  /* Filled in by the image at link time. */
  uint64_t magic;
  uint32_t version;
  uint32_t size;                /* sizeof(struct pv_boot) */
  uint64_t entry;               /* void entry(void): never returns */
  uint64_t signal_entry;        /* host signal handler */
  uint64_t signal_restorer;
  uint64_t gadget_start, gadget_end; /* the only code that issues host calls */
  uint64_t text_start, text_end;
  uint64_t blob_start, blob_size;    /* room for strings, inside the writable segment */
  uint64_t writable_start, writable_end;

  /* Filled in by the host before entry. */
  uint32_t flags;               /* PV_BOOT_* */
  uint32_t cpu_count;
  int32_t root_descriptor;      /* host directory: the guest's "/" */
  int32_t event_descriptor;     /* pipe: struct pv_event from the backend */
  int32_t trace_descriptor;     /* where --strace goes, or -1 */
  int32_t log_descriptor;       /* the kernel's own log, or -1 */
  int32_t standard_descriptors[3];
  uint32_t mount_count;
  struct pv_mount mounts[PV_MOUNT_COUNT];
  uint64_t hidden_device;       /* st_dev of the empty file system that hides the guest's own mounts */
  uint64_t vdso_address;        /* of the booting process, 0 without */
  uint64_t vdso_start, vdso_end; /* with the data pages ([vvar]) before it: kept by every execve */
  uint64_t hardware_capabilities, hardware_capabilities2, minimum_signal_stack;
  uint64_t clock_ticks;
  uint64_t memory_bytes;        /* what the guest may believe it has */
  uint64_t xsave_size;          /* bytes of the standard-format XSAVE area for the enabled features */
  uint64_t xsave_features;      /* XCR0 */
  uint8_t random_seed[32];
  int64_t boot_time_seconds;

  /* The first program. Strings are offsets into the blob; lists are runs of NUL-terminated strings. */
  uint32_t hostname_offset, domainname_offset;
  uint32_t release_offset, version_offset; /* what uname(2) says */
  uint32_t working_directory_offset;
  uint32_t arguments_offset, arguments_count;
  uint32_t environment_offset, environment_count;
  uint32_t user, group;
  uint32_t group_count;
  uint32_t groups[64];
  uint32_t umask;
  uint64_t capabilities_effective, capabilities_permitted, capabilities_inheritable,
      capabilities_bounding, capabilities_ambient;
  struct pv_rlimit rlimits[16]; /* indexed by RLIMIT_* */
  uint32_t window_rows, window_columns;
  /* More open files of the first program, from its descriptor 3 on. */
  uint32_t inherited_count;
  int32_t inherited_descriptors[PV_INHERITED_LIMIT];
  /* The container's filter of system calls: struct sock_filter, in the blob. */
  uint32_t filter_offset, filter_count;
  /* Settings below /proc/sys: strings "kernel/shmmax=1". */
  uint32_t control_offset, control_count;
  uint32_t personality;
  int32_t scheduling_policy;
  int32_t out_of_memory_adjustment; /* /proc/PID/oom_score_adj */
  /* A pipe for what programs send to the socket of sd_notify(3), or -1. */
  int32_t notify_descriptor;
  uint32_t device_count;
  struct pv_device devices[PV_DEVICE_LIMIT];
  /* The container's user namespace: three words of 64 bits a line of its uid_map and gid_map, in the
   * blob; none where it has the host's ids. */
  uint32_t user_map_offset, user_map_count;
  uint32_t group_map_offset, group_map_count;
  uint32_t clock_offsets_offset; /* the text of timens_offsets: time_namespaces(7) */

  /* Filled in by the kernel: where its thread areas are, and how many it has used. Their counters
   * are what programs did, in their kernel's words. */
  uint32_t area_count;
  uint64_t area_start;
};
enum {
  PV_BOOT_AREA_COUNT = offsetof(struct pv_boot, area_count),
  PV_BOOT_AREA_START = offsetof(struct pv_boot, area_start),
};

/* ---- programs that the runtime starts beside the first one ---- */

#define PV_PROGRAM_TERMINAL 1u          /* descriptor 0 is a terminal in raw mode */
#define PV_PROGRAM_NO_NEW_PRIVILEGES 2u
#define PV_PROGRAM_SCHEDULING 4u
#define PV_PROGRAM_IO_PRIORITY 8u
#define PV_PROGRAM_OUT_OF_MEMORY 16u
#define PV_PROCESSORS_SIZE 128

/* What PV_OP_PROGRAM_READ reads; behind it the NUL-terminated strings: working directory, arguments,
 * environment. */
struct pv_program {
  uint32_t flags; /* PV_PROGRAM_* */
  uint32_t user, group, umask;
  uint64_t capabilities[5]; /* effective, permitted, inheritable, bounding, ambient */
  struct pv_rlimit rlimits[16];
  uint32_t group_count;
  uint32_t groups[64];
  uint32_t window_rows, window_columns;
  uint32_t descriptor_count; /* its open files, from 0 on */
  uint32_t arguments_count, environment_count;
  /* What the backend does to its host process when it is ready, as far as flags say so. */
  int32_t scheduling_policy, scheduling_nice, scheduling_priority; /* sched_setattr(2) */
  int32_t io_priority;                                             /* ioprio_set(2) */
  int32_t out_of_memory_adjustment;                                /* /proc/PID/oom_score_adj */
  uint32_t processors_size;                                        /* bytes; 0: as they are */
  uint8_t processors[PV_PROCESSORS_SIZE];                          /* sched_setaffinity(2) */
};
enum { PV_PROGRAM_SIZE = sizeof(struct pv_program) };
#define PV_PROGRAM_LIMIT (4u << 20) /* bytes of the record with its strings */

/* Which step of a program's start failed. */
enum { PV_STEP_PROGRAM = 0, PV_STEP_WORKING_DIRECTORY, PV_STEP_RESOURCES };

/* ---- events: from the backend to the kernel's event thread, through a pipe ---- */

enum { PV_EVENT_SIGNAL = 1, /* value: signal for the program */
       PV_EVENT_WINDOW,     /* value: rows << 16 | columns of the program's terminal */
       PV_EVENT_TERMINATE,
       PV_EVENT_SIGNAL_ALL, /* value: signal for every process */
       PV_EVENT_PROGRAM };  /* start the program, which PV_OP_PROGRAM_READ describes */
/* program: 0 the first one, otherwise the number of one that the runtime started later. */
struct pv_event { uint32_t kind; uint32_t value; uint32_t program; uint32_t reserved; };

/* ---- brokered calls ---- */

enum {
  PV_OP_NONE = 0,
  /* The sandbox. */
  PV_OP_EXIT,          /* a0: wait status of the first program. The sandbox ends. */
  PV_OP_PANIC,         /* payload: message. The sandbox ends. */
  PV_OP_LOG,           /* a0: PV_LOG_*, payload: message */
  /* New descriptors: the result is one in the sandbox's table. Always close-on-exec. */
  PV_OP_OPEN,          /* a0: directory, path, a1: flags, a2: mode, a3: RESOLVE_* of openat2(2),
                          a4: umask. Empty path: the file or directory behind descriptor a0 anew */
  PV_OP_MEMFD,         /* path: name, a0: flags */
  PV_OP_EVENTFD,       /* a0: initial value, a1: flags */
  PV_OP_EPOLL,         /* - */
  PV_OP_LOST_DESCRIPTOR, /* the descriptor of this thread's last call, which came back with 0. EAGAIN:
                            none is kept yet */
  /* The file system, with the host's privileges, as user/group of the request.
   * a0: directory descriptor, path; a1: second directory, path2. */
  PV_OP_STAT = 16,     /* a2: AT_* flags, a3: RESOLVE_* of openat2(2); payload out: struct stat */
  PV_OP_READLINK,      /* payload out: target; result: its length */
  PV_OP_MKDIR,         /* a2: mode, a3: umask, which a default access control list replaces */
  PV_OP_MKNOD,         /* a2: mode, regular files, FIFOs and sockets only, a3: umask */
  PV_OP_UNLINK,        /* a2: AT_REMOVEDIR or 0 */
  PV_OP_RENAME,        /* a2: RENAME_* */
  PV_OP_LINK,          /* a2: AT_* */
  PV_OP_SYMLINK,       /* a0: directory, path: where; path2: target */
  PV_OP_CHMOD,         /* a2: mode, a3: AT_* ; empty path: the descriptor itself */
  PV_OP_CHOWN,         /* a2: uid, a3: gid, a4: AT_* */
  PV_OP_UTIMENS,       /* a2: AT_*; payload in: struct timespec[2] */
  PV_OP_TRUNCATE,      /* a0: descriptor, a2: length */
  PV_OP_FALLOCATE,     /* a0: descriptor, a2: mode, a3: offset, a4: length */
  PV_OP_STATFS,        /* a0: directory or descriptor, path; payload out: struct statfs */
  PV_OP_GETXATTR,      /* path, path2: name; a1: address of room in the kernel's memory, for a size
                          that a payload can't hold; a2: AT_SYMLINK_NOFOLLOW, a3: size; payload out */
  PV_OP_SETXATTR,      /* path, path2: name; a1: address, as above; a2: AT_*, a3: size, a4: flags;
                          payload in */
  PV_OP_LISTXATTR,     /* path; a1: address, as above; a2: AT_*, a3: size; payload out, if it fits */
  PV_OP_REMOVEXATTR,   /* path, path2: name; a2: AT_* */
  PV_OP_DESCRIPTOR_PATH, /* a0: descriptor; payload out: path in the container; result: length */
  PV_OP_COPY_RANGE,    /* a0: in, a1: out, a2: in offset or -1, a3: out offset or -1, a4: length */
  PV_OP_SENDFILE,      /* a0: in, a1: out, a2: in offset or -1, a4: length */
  PV_OP_PIPE_BYTES,    /* a0: descriptor of a pipe or FIFO; result: FIONREAD */
  PV_OP_SYNC,          /* sync(2) of the container's file systems; a0: descriptor or -1 */
  PV_OP_SYNC_RANGE,    /* a0: descriptor, a2: SYNC_FILE_RANGE_*, a3: offset, a4: length */
  PV_OP_SEALS,         /* a0: descriptor, a1: F_SEAL_* to add, or -1 to ask; result: what holds now */
  PV_OP_SPLICE,        /* a0: in, a1: out, a2: in offset or -1, a3: out offset or -1, a4: length */
  PV_OP_TEE,           /* a0: in, a1: out, a4: length; both are pipes or FIFOs */
  PV_OP_DUPLICATE,     /* a0: descriptor; the result is another for the same open file */
  PV_OP_ADVISE,        /* a0: descriptor, a2: POSIX_FADV_*, a3: offset, a4: length */
  /* Facts about the host. */
  PV_OP_HOST_TEXT = 64, /* a0: PV_TEXT_*, a1: offset; payload out; result: length, 0 at the end */
  PV_OP_TASK_STATISTICS, /* a0: host pid; a1: host tid for that thread's own, 0 for all of them;
                            payload out: struct pv_task_statistics */
  PV_OP_GET_AFFINITY,  /* a0: host tid; payload out: mask; result: bytes */
  PV_OP_SET_AFFINITY,  /* a0: host tid; a1: mask bytes; payload in */
  PV_OP_PRIORITY,      /* a0: host tid; a1: nice -20..19, or INT64_MAX to ask; result: 20 - nice */
  PV_OP_LIMIT,         /* a0: host pid; a1: RLIMIT_*; a2: soft, a3: hard */
  PV_OP_READ_MEMORY,   /* a0: host pid, a1: address, a2: bytes; payload out; result: bytes read */
  PV_OP_WRITE_MEMORY,  /* a0: host pid, a1: address; payload in; result: bytes written */
  PV_OP_RESIDENT,      /* a0: host pid, a1: address, a2: pages; payload out: a byte for each, 1 where
                          the process has the page; result: pages */
  PV_OP_MAPPED_PATH,   /* a0: host pid, a1: address; payload out: the path of the file that is mapped
                          there, as proc_pid_maps(5) shows it; result: its length */
  /* Programs that the runtime starts. a0: number, 0 for the first one. */
  PV_OP_PROGRAM_READY = 80, /* found; the answer comes when it may start */
  PV_OP_PROGRAM_FAILED, /* a1: errno; a2: PV_STEP_*. It will not start. */
  PV_OP_PROGRAM_ENDED,  /* a1: wait status */
  PV_OP_PROGRAM_READ,   /* a1: offset; payload out: of struct pv_program with its strings; result: bytes */
  PV_OP_PROGRAM_DESCRIPTOR, /* a1: index; result: a new descriptor */
  /* The network, in the container's network namespace; sockets of AF_INET and AF_INET6 only.
   * Where the policy decides (bind, listen, connect, accept, a send with a name), path and a5 say
   * which program and which process asks, in the guest's words. Nothing here waits. */
  PV_OP_SOCKET = 128,  /* a0: domain, a1: type, a2: protocol. A new descriptor, non-blocking */
  PV_OP_BIND,          /* a0: descriptor, a1: 1 when the program may bind privileged ports;
                          payload: address */
  PV_OP_LISTEN,        /* a0: descriptor, a1: backlog */
  PV_OP_CONNECT,       /* a0: descriptor, a1: PV_CONNECT_FINISH or 0; payload: address */
  PV_OP_CONNECT_RESULT, /* a0: descriptor; result: what a connect in progress came to */
  PV_OP_ACCEPT,        /* a0: descriptor. A new descriptor, non-blocking; payload out: the peer's
                          address */
  PV_OP_SHUTDOWN,      /* a0: descriptor, a1: SHUT_* */
  PV_OP_SOCKET_NAME,   /* a0: descriptor, a1: PV_NAME_*; payload out: address */
  PV_OP_GET_OPTION,    /* a0: descriptor, a1: level, a2: name, a3: room; payload out; result: bytes */
  PV_OP_SET_OPTION,    /* a0: descriptor, a1: level, a2: name; payload: value */
  PV_OP_SEND,          /* a0: descriptor, a1: address of data in the kernel's memory, a2: bytes,
                          a3: MSG_*, a4: bytes of the name; payload: name, control messages */
  PV_OP_RECEIVE,       /* a0: descriptor, a1: address of room in the kernel's memory, a2: bytes,
                          a3: MSG_*, a4: room for control messages; payload out: struct
                          pv_received, control messages; result: bytes */
  PV_OP_SOCKET_QUEUE,  /* a0: descriptor, a1: SIOCINQ, SIOCOUTQ, SIOCOUTQNSD or SIOCATMARK; result:
                          the number */
  PV_OP_INTERFACE,     /* a0: SIOCGIF*; payload: struct ifreq, in and out; for SIOCGIFCONF out: all */
  PV_OP_ROUTE_QUERY,   /* a0: 1 for NETLINK_GET_STRICT_CHK; payload: one rtnetlink(7) request that
                          reads. A new descriptor: the answer's messages, in memory */
  PV_OP_NETWORK_TEXT,  /* a0: PV_NETWORK_*. A new descriptor: the text, in memory */
  PV_OP_FORGET_LISTENER, /* a0: descriptor, which is about to be closed: nothing is kept of it */
  PV_OP_CONNECT_UNIX,  /* a0: directory, path2: a unix socket of the host in a volume, a1: SOCK_*. A new
                          descriptor, connected and non-blocking; payload out: its user and group */
  PV_OP_SOCKET_QUERY,  /* payload: one sock_diag(7) request, about TCP or UDP, without attributes. A new
                          descriptor: the answer's messages, in memory */
  PV_OP_ROUTE_LISTEN,  /* A new descriptor, from which one reads struct pv_route_news with a message
                          behind it. What was listened to before ends. Closing it ends this */
  PV_OP_ROUTE_GROUPS,  /* a0: the groups of rtnetlink(7) that are listened to from now on, group n as
                          bit n - 1. ENOTCONN when nobody listens */
};

/* A record of PV_OP_ROUTE_LISTEN. */
struct pv_route_news {
  uint32_t group;              /* 0, and no message: some were lost */
  uint32_t reserved[3];
};
/* The most bytes of a message. */
#define PV_ROUTE_NEWS_SIZE 65536u

/* PV_OP_CONNECT: when the connection is made at once, leave nothing in progress. */
#define PV_CONNECT_FINISH 1u
enum { PV_NAME_LOCAL = 0, PV_NAME_PEER };

/* The most bytes that PV_OP_SEND and PV_OP_RECEIVE move. */
#define PV_DATAGRAM_SIZE 65536u
/* The most bytes of control messages in either. */
#define PV_CONTROL_SIZE 1024u

struct pv_received {
  uint32_t flags;              /* MSG_* of the message */
  uint32_t name_size, control_size;
  uint32_t reserved;
  uint8_t name[128];
};

/* Files of /proc/net. */
enum {
  PV_NETWORK_DEV = 1, PV_NETWORK_ROUTE, PV_NETWORK_TCP, PV_NETWORK_TCP6, PV_NETWORK_UDP,
  PV_NETWORK_UDP6, PV_NETWORK_RAW, PV_NETWORK_RAW6, PV_NETWORK_ICMP, PV_NETWORK_ICMP6,
  PV_NETWORK_ARP, PV_NETWORK_IF_INET6, PV_NETWORK_IPV6_ROUTE, PV_NETWORK_SNMP, PV_NETWORK_SNMP6,
  PV_NETWORK_NETSTAT, PV_NETWORK_SOCKSTAT, PV_NETWORK_SOCKSTAT6, PV_NETWORK_IGMP, PV_NETWORK_IGMP6,
  PV_NETWORK_DEV_MCAST, PV_NETWORK_PROTOCOLS,
  PV_NETWORK_LAST = PV_NETWORK_PROTOCOLS,
};

enum { PV_TEXT_MEMINFO = 1, PV_TEXT_STAT, PV_TEXT_LOADAVG, PV_TEXT_UPTIME, PV_TEXT_CPUINFO, PV_TEXT_VMSTAT,
       PV_TEXT_GROUP }; /* of the container's control group: lines "file value", "file:name value" */

/* Errors and warnings are always shown, the others with --debug. */
enum { PV_LOG_ERROR = 0, PV_LOG_WARNING, PV_LOG_INFO, PV_LOG_DEBUG };

struct pv_task_statistics {
  uint64_t user_nanoseconds, system_nanoseconds, resident_bytes, virtual_bytes;
  uint64_t minor_faults, major_faults;
  uint64_t state; /* 'R', 'S', ... of proc_pid_stat(5) */
};

/* The umask of guest processes at the host, where it counts for direct calls that make files. The
 * guest's own differs, and goes to the backend, where that matters. */
#define PV_HOST_UMASK 022u

#define PV_PATH_SIZE 4096u
#define PV_PAYLOAD_SIZE 4096u       /* as long as a path, and what most attributes of files need */

struct pv_request {
  uint32_t operation;          /* PV_OP_* */
  uint32_t version;            /* PV_PROTOCOL_VERSION */
  int64_t result;              /* by the backend: value or -errno */
  uint64_t arguments[6];
  uint32_t user, group;        /* who owns what is created */
  uint32_t payload_size;       /* bytes used in payload, in either direction */
  uint32_t processor;          /* that the caller runs on: a hint for the answer's way back */
  char path[PV_PATH_SIZE];     /* NUL-terminated */
  char path2[PV_PATH_SIZE];
  uint8_t payload[PV_PAYLOAD_SIZE];
};
enum {
  PV_REQUEST_RESULT = offsetof(struct pv_request, result),
  PV_REQUEST_ARGUMENTS = offsetof(struct pv_request, arguments),
  PV_REQUEST_USER = offsetof(struct pv_request, user),
  PV_REQUEST_GROUP = offsetof(struct pv_request, group),
  PV_REQUEST_PAYLOAD_SIZE = offsetof(struct pv_request, payload_size),
  PV_REQUEST_PROCESSOR = offsetof(struct pv_request, processor),
  PV_REQUEST_PATH = offsetof(struct pv_request, path),
  PV_REQUEST_PATH2 = offsetof(struct pv_request, path2),
  PV_REQUEST_PAYLOAD = offsetof(struct pv_request, payload),
  PV_REQUEST_SIZE = sizeof(struct pv_request),
};
#endif
