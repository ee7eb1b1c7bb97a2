#define _GNU_SOURCE
#include "CHostOSProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <link.h>
#include <spawn.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif
#define NS_GET_KIND _IO(0xb7, 0x3)
#define NSFS_FILE_SYSTEM 0x6e736673
#define NS_GET_PID_FROM_PIDNS _IOR(0xb7, 0x6, int)

pid_t host_fork(void) { return fork(); }

pid_t host_fork_into(int namespaces, int control_group) {
  struct clone_args arguments = {.flags = (uint64_t)(uint32_t)namespaces, .exit_signal = SIGCHLD};
  if (control_group >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)control_group;
  }
  return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

pid_t host_fork_sibling_into(int namespaces, int control_group) {
  /* The signal that tells of its end is ours: clone(2), CLONE_PARENT. */
  struct clone_args arguments = {.flags = (uint64_t)(uint32_t)namespaces | CLONE_PARENT};
  if (control_group >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)control_group;
  }
  return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

int host_enter_namespace(int descriptor, int kind) {
  return (int)syscall(SYS_setns, descriptor, kind);
}

int host_namespace_kind(int descriptor) {
  /* The numbers of other file systems' ioctl(2)s are their own. */
  struct statfs facts;
  if (fstatfs(descriptor, &facts) != 0 || facts.f_type != NSFS_FILE_SYSTEM) return -1;
  return ioctl(descriptor, NS_GET_KIND);
}

/* The child of a vfork(2), all signals blocked. It dies with its parent. Returns on failure. */
static void become(const char *path, char *const arguments[], char *const environment[], int input,
                   int output, pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) return;
  if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) return;
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(path, arguments, environment);
}

pid_t host_spawn_at(const char *path, char *const arguments[], char *const environment[], int input,
                    int output) {
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  pid_t parent = getpid();
  volatile int error = 0;
  pid_t child = vfork();
  if (child == 0) {
    become(path, arguments, environment, input, output, parent);
    error = errno;
    _exit(127);
  }
  if (child < 0) error = errno;
  sigprocmask(SIG_SETMASK, &old, NULL);
  if (error == 0) return child;
  if (child > 0) waitpid(child, NULL, 0);
  errno = error;
  return -1;
}

pid_t host_spawn(char *const arguments[], int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = -1;
  errno = posix_spawnp(&child, arguments[0], &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return errno == 0 ? child : -1;
}

int host_die_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int host_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int host_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int host_set_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int host_set_dumpable(void) { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }

int host_become_root(void) {
  if (syscall(SYS_setresgid, 0, 0, 0) != 0) return -1;
  return (int)syscall(SYS_setresuid, 0, 0, 0);
}

int host_drop_capabilities(void) {
  for (int capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      if (errno == EINVAL) break; /* past the last one that this kernel knows */
      return -1;
    }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -1;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
  return (int)syscall(SYS_capset, &header, none);
}

int host_has_group_rights(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets) != 0) return 0;
  return (sets[0].effective >> CAP_SETGID & 1) != 0;
}

void host_set_title(const char *title) {
  char text[8192];
  int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t size = read(file, text, sizeof text);
  close(file);
  char *arguments = program_invocation_name;
  /* Only if it is the first of the arguments that lie there. */
  if (size < 2 || (size_t)size == sizeof text || memcmp(arguments, text, (size_t)size) != 0) return;
  memset(arguments, 0, (size_t)size);
  strncpy(arguments, title, (size_t)size - 2);
  /* proc_pid_cmdline(5): a last byte that is not NUL says that there is one text, up to a NUL. */
  arguments[size - 1] = 1;
}

int host_processor(void) { return sched_getcpu(); }

int host_raise_capabilities(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets) != 0) return -1;
  for (int i = 0; i < 2; i++) sets[i].effective = sets[i].permitted;
  return (int)syscall(SYS_capset, &header, sets);
}

int host_drop_groups_of_thread(void) { return (int)syscall(SYS_setgroups, 0, NULL); }

void host_set_file_system_ids(uint32_t user, uint32_t group) {
  syscall(SYS_setfsgid, group);
  syscall(SYS_setfsuid, user);
}

int host_set_signal_action(int signal, uint64_t handler, uint64_t flags, uint64_t restorer) {
  struct { uint64_t handler, flags, restorer, mask; } action = {handler, flags, restorer, 0};
  return (int)syscall(SYS_rt_sigaction, signal, &action, NULL, 8);
}

int host_signal_is_ignored(int signal) {
  struct { uint64_t handler, flags, restorer, mask; } action = {0};
  syscall(SYS_rt_sigaction, signal, NULL, &action, 8);
  return action.handler == HOST_SIGNAL_IGNORE;
}

int host_unblock_all_signals(void) {
  uint64_t none = 0;
  return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
}

void host_block_all_signals_of_thread(pthread_attr_t *attributes) {
  sigset_t all;
  sigfillset(&all);
  pthread_attr_setsigmask_np(attributes, &all);
}

int host_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int host_pidfd_open_thread(pid_t thread) {
  return (int)syscall(SYS_pidfd_open, thread, PIDFD_THREAD);
}

int host_pidfd_get(int pidfd, int number) {
  return (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
}

int host_pidfd_signal(int pidfd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

pid_t host_translate_thread(int pid_namespace, pid_t thread) {
  return ioctl(pid_namespace, NS_GET_PID_FROM_PIDNS, (long)thread);
}

int host_get_priority(pid_t thread) {
  return (int)syscall(SYS_getpriority, PRIO_PROCESS, thread);
}

int host_set_priority(pid_t thread, int nice) {
  return (int)syscall(SYS_setpriority, PRIO_PROCESS, thread, nice);
}

int host_get_affinity(pid_t thread, void *mask, size_t size) {
  return (int)syscall(SYS_sched_getaffinity, thread, size, mask);
}

int host_set_affinity(pid_t thread, const void *mask, size_t size) {
  return (int)syscall(SYS_sched_setaffinity, thread, size, mask);
}

int host_get_limit(pid_t process, int resource, uint64_t *soft, uint64_t *hard) {
  uint64_t limit[2];
  if (syscall(SYS_prlimit64, process, resource, NULL, limit) != 0) return -1;
  *soft = limit[0];
  *hard = limit[1];
  return 0;
}

int host_set_limit(pid_t process, int resource, uint64_t soft, uint64_t hard) {
  uint64_t limit[2] = {soft, hard};
  return (int)syscall(SYS_prlimit64, process, resource, limit, NULL);
}

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]) {
  __asm__ volatile("cpuid"
                   : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                   : "a"(leaf), "c"(subleaf));
}

/* glibc answers something of its own for AT_HWCAP, which Linux fills with a word of cpuid. */
uint64_t host_auxiliary_value(unsigned long key) {
  if (key != AT_HWCAP) return getauxval(key);
  uint32_t words[4];
  cpuid(1, 0, words);
  return words[3];
}

void host_get_vector_state(uint64_t *features, uint64_t *size) {
  *features = 3; /* x87 and SSE: the legacy area, and the header behind it */
  *size = 512 + 64;
  uint32_t out[4];
  cpuid(1, 0, out);
  if (!(out[2] & 1u << 27)) return; /* no OSXSAVE */
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  /* Tile data (bits 17 and 18) is given only to programs that ask with arch_prctl(2). */
  *features = ((uint64_t)high << 32 | low) & ~(3ull << 17);
  for (uint32_t bit = 2; bit < 63; bit++) {
    if (!(*features >> bit & 1)) continue;
    cpuid(0xd, bit, out);
    if (*size < (uint64_t)out[1] + out[0]) *size = (uint64_t)out[1] + out[0];
  }
}

/* Clean pages of files: what is wanted again comes back from the page cache. */
static int forget_segments(struct dl_phdr_info *object, size_t size, void *argument) {
  (void)size;
  (void)argument;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
    uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(uintptr_t)4095;
    uintptr_t end = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;
    madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}

void host_forget_code(void) { dl_iterate_phdr(forget_segments, NULL); }

int host_enable_credentials(int socket) {
  int on = 1;
  return setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
}

ssize_t host_receive_record(int socket, void *record, size_t size, pid_t *sender) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(struct ucred))];
  } control;
  struct iovec vector = {record, size};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1,
                           .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  *sender = 0;
  struct cmsghdr *header = count < 0 ? NULL : CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS) {
    struct ucred credentials;
    memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
    *sender = credentials.pid;
  }
  return count;
}

static int address_of(int directory, const char *name, struct sockaddr_un *address) {
  address->sun_family = AF_UNIX;
  int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", directory,
                        name);
  if (length >= (int)sizeof address->sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return 0;
}

int host_unix_listen(int directory, const char *name) {
  struct sockaddr_un address = {0};
  if (address_of(directory, name, &address) != 0) return -1;
  int socket_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return -1;
  if (bind(socket_, (struct sockaddr *)&address, sizeof address) == 0 && listen(socket_, 64) == 0)
    return socket_;
  int error = errno;
  close(socket_);
  errno = error;
  return -1;
}

int host_unix_connect(int directory, const char *name, int type) {
  struct sockaddr_un address = {0};
  if (address_of(directory, name, &address) != 0) return -1;
  int socket_ = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return -1;
  struct timeval patience = {.tv_sec = type == SOCK_STREAM ? HOST_STREAM_PATIENCE_SECONDS : 0};
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(socket_, (struct sockaddr *)&address, sizeof address) == 0) return socket_;
  int error = errno == EAGAIN ? ETIMEDOUT : errno;
  close(socket_);
  errno = error;
  return -1;
}

int host_unix_connect_notify(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t size = strlen(name);
  if (size == 0 || size >= sizeof address.sun_path) {
    errno = EINVAL;
    return -1;
  }
  memcpy(address.sun_path, name, size);
  if (name[0] == '@') address.sun_path[0] = 0;
  int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return -1;
  struct timeval patience = {.tv_sec = HOST_NOTIFY_PATIENCE_SECONDS};
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
  if (connect(socket_, (struct sockaddr *)&address, length) == 0) return socket_;
  int error = errno;
  close(socket_);
  errno = error;
  return -1;
}

int host_unix_accept(int listener, uid_t *user) {
  int socket_ = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (socket_ < 0) return -1;
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  if (getsockopt(socket_, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    close(socket_);
    return -1;
  }
  *user = credentials.uid;
  return socket_;
}

ssize_t host_send_descriptors(int socket, const void *bytes, size_t size, const int *descriptors,
                              size_t count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * HOST_DESCRIPTOR_LIMIT)];
  } control;
  if (count > HOST_DESCRIPTOR_LIMIT) {
    errno = EINVAL;
    return -1;
  }
  struct iovec vector = {(void *)bytes, size};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  if (count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t host_receive_descriptors(int socket, void *bytes, size_t size, int *descriptors,
                                 size_t *count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * HOST_DESCRIPTOR_LIMIT)];
  } control;
  struct iovec vector = {bytes, size};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1,
                           .msg_control = &control, .msg_controllen = sizeof control};
  *count = 0;
  ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (received < 0) return -1;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t sent = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < sent; i++) {
      int descriptor;
      memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
      if (*count < HOST_DESCRIPTOR_LIMIT) descriptors[(*count)++] = descriptor;
      else close(descriptor);
    }
  }
  return received;
}

int host_open_terminal(int ends[2], char *name, size_t size) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) return -1;
  if (grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, name, size) == 0) {
    /* By the master, so that no other /dev/pts can be meant. */
    int other = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (other >= 0) {
      ends[0] = master;
      ends[1] = other;
      return 0;
    }
  }
  int error = errno;
  close(master);
  errno = error;
  return -1;
}

int host_take_terminal(int descriptor) { return ioctl(descriptor, TIOCSCTTY, 0); }

int host_set_window(int descriptor, uint16_t rows, uint16_t columns) {
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  return ioctl(descriptor, TIOCSWINSZ, &size);
}

int host_set_scheduling(pid_t thread, int policy, int nice, int priority) {
  /* struct sched_attr, of which the deadline's part stays zero. */
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {
      .size = sizeof attributes, .policy = policy, .nice = nice, .priority = priority};
  return syscall(SYS_sched_setattr, thread, &attributes, 0);
}

int host_set_io_priority(pid_t thread, int priority) {
  return syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, thread, priority);
}
