/* seccomp(2) with a listener, and the last steps of a process before it is the guest's. */
#ifndef CHOSTOS_SECCOMP_H
#define CHOSTOS_SECCOMP_H
#include <linux/filter.h>
#include <stdint.h>

/* What the listener says about one call. */
struct host_notification {
  uint64_t id;
  int32_t thread; /* the host's number of the calling thread */
  int32_t number;
  uint64_t argument;
};

int host_seccomp_receive(int listener, struct host_notification *notification);
int host_seccomp_reply(int listener, uint64_t id, int64_t value);
int host_seccomp_is_valid(int listener, uint64_t id);
/* Gives `descriptor` to the caller and returns its new number as the call's value. */
int host_seccomp_give(int listener, uint64_t id, int descriptor);
/* The same, and the call does not return yet. */
int host_seccomp_install(int listener, uint64_t id, int descriptor);
/* Does the waker hand its CPU over? (Linux 6.6) */
int host_seccomp_set_waking(int listener, int synchronously);
/* Can this kernel make a listener whose calls wait killable only? -1 when it can make none. */
int host_seccomp_probe(void);

/* The record by which the guest process tells the listener's number, and gets one byte back. */
struct host_listener_record {
  uint32_t kind;
  int32_t listener;
};

/* Installs the filter, hands the listener over and jumps to `entry`. Returns -1 only when the
 * filter can't be installed. */
int host_enter_guest(const struct sock_filter *filter, uint16_t count, int status_socket,
                     uint32_t record_kind, uint64_t entry);
#endif
