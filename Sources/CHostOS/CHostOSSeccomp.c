#define _GNU_SOURCE
#include "CHostOSSeccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/rseq.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* A kernel may know longer records than our headers; it never writes more than this. */
union notification {
  struct seccomp_notif record;
  char space[512];
};

int host_seccomp_receive(int listener, struct host_notification *out) {
  union notification notification;
  memset(&notification, 0, sizeof notification); /* the kernel insists on zeroes */
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0) return -1;
  out->id = notification.record.id;
  out->thread = (int32_t)notification.record.pid;
  out->number = notification.record.data.nr;
  out->argument = notification.record.data.args[0];
  return 0;
}

int host_seccomp_reply(int listener, uint64_t id, int64_t value) {
  union {
    struct seccomp_notif_resp record;
    char space[512];
  } reply;
  memset(&reply, 0, sizeof reply);
  reply.record.id = id;
  reply.record.val = value;
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

int host_seccomp_is_valid(int listener, uint64_t id) {
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

int host_seccomp_give(int listener, uint64_t id, int descriptor) {
  struct seccomp_notif_addfd give = {.id = id, .flags = SECCOMP_ADDFD_FLAG_SEND,
                                     .srcfd = (uint32_t)descriptor, .newfd_flags = O_CLOEXEC};
  int number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &give);
  if (number >= 0 || errno != EINVAL) return number;
  give.flags = 0; /* before Linux 5.14: two steps */
  number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &give);
  return number < 0 ? number : host_seccomp_reply(listener, id, number) == 0 ? number : -1;
}

int host_seccomp_install(int listener, uint64_t id, int descriptor) {
  struct seccomp_notif_addfd give = {.id = id, .srcfd = (uint32_t)descriptor,
                                     .newfd_flags = O_CLOEXEC};
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &give);
}

int host_seccomp_set_waking(int listener, int synchronously) {
  unsigned long flags = synchronously ? SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP : 0;
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags);
}

static int install(const struct sock_fprog *program) {
  unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
  if (listener >= 0 || errno != EINVAL) return listener;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                      program);
}

int host_seccomp_probe(void) {
  /* A null program: EFAULT says that the flags were understood. */
  unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL);
  if (errno == EFAULT) return 1;
  syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, NULL);
  return errno == EFAULT ? 0 : -1;
}

/* The C library registered memory that the kernel is about to unmap, and the host writes to it. */
static void unregister_restartable_sequences(void) {
  if (__rseq_size == 0) return;
  char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
  syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

int host_enter_guest(const struct sock_filter *filter, uint16_t count, int status_socket,
                     uint32_t record_kind, uint64_t entry) {
  struct sock_fprog program = {count, (struct sock_filter *)filter};
  unregister_restartable_sequences();
  int listener = install(&program);
  if (listener < 0) return -1;
  /* From here on nothing but direct calls. */
  struct host_listener_record record = {record_kind, listener};
  char answer;
  if (write(status_socket, &record, sizeof record) != sizeof record) syscall(SYS_exit, 1);
  if (read(status_socket, &answer, 1) != 1) syscall(SYS_exit, 1);
  close(listener);
  close(status_socket);
  __asm__ volatile("xor %%ebp, %%ebp\n\tjmp *%0" : : "r"(entry));
  __builtin_unreachable();
}
