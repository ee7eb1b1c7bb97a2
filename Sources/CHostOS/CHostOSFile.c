#define _GNU_SOURCE
#include "CHostOSFile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

_Static_assert(sizeof(struct stat) == HOST_STAT_SIZE, "the guest has the same struct stat");
_Static_assert(sizeof(struct statfs) == HOST_STATFS_SIZE, "the guest has the same struct statfs");

int host_open(int directory, const char *path, uint32_t flags, uint32_t mode, uint64_t resolve) {
  struct open_how how = {
      .flags = flags, .mode = mode, .resolve = resolve | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int host_open_link(const char *path, uint32_t flags) {
  return open(path, (int)(flags | O_CLOEXEC));
}

int host_memory_file(const char *name, uint32_t flags) { return memfd_create(name, flags); }

int host_sealed_memory(const char *name, size_t size) {
  int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return -1;
  if (ftruncate(file, (off_t)size) == 0 &&
      fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    return file;
  int error = errno;
  close(file);
  errno = error;
  return -1;
}

int host_event_descriptor(uint32_t value, int flags) {
  return eventfd(value, flags | EFD_CLOEXEC);
}

int host_pipe(int ends[2], int flags) { return pipe2(ends, flags | O_CLOEXEC); }

int host_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int host_close_from(uint32_t first) { return (int)syscall(SYS_close_range, first, ~0u, 0); }

int host_close_range(uint32_t first, uint32_t last) {
  return (int)syscall(SYS_close_range, first, last, 0);
}

int host_stat(int directory, const char *path, int flags, void *stat) {
  return fstatat(directory, path, stat, flags);
}

int host_mode(int descriptor, uint32_t *mode) {
  struct stat stat;
  if (fstatat(descriptor, "", &stat, AT_EMPTY_PATH) != 0) return -1;
  *mode = stat.st_mode;
  return 0;
}

int host_mount_id(int descriptor, uint64_t *id) {
  struct statx record;
  if (statx(descriptor, "", AT_EMPTY_PATH, STATX_MNT_ID, &record) != 0) return -1;
  if (!(record.stx_mask & STATX_MNT_ID)) {
    errno = ENOSYS;
    return -1;
  }
  *id = record.stx_mnt_id;
  return 0;
}

int host_stat_file_system(int descriptor, void *out) { return fstatfs(descriptor, out); }

int host_sync_file_system(int descriptor) { return syncfs(descriptor); }

int host_rename(int directory, const char *path, int directory2, const char *path2,
                uint32_t flags) {
  return renameat2(directory, path, directory2, path2, flags);
}

int host_set_times(int directory, const char *path, const int64_t *times, int flags) {
  struct timespec pair[2];
  if (times) {
    pair[0] = (struct timespec){times[0], times[1]};
    pair[1] = (struct timespec){times[2], times[3]};
  }
  const struct timespec *set = times ? pair : NULL;
  if (*path == 0 && flags == AT_EMPTY_PATH) {
    /* Cheaper, but refused for an O_PATH handle. */
    int result = futimens(directory, set);
    if (result == 0 || errno != EBADF) return result;
  }
  return utimensat(directory, path, set, flags);
}

int host_allocate(int descriptor, int mode, int64_t offset, int64_t length) {
  return fallocate(descriptor, mode, offset, length);
}

ssize_t host_copy_range(int in, int64_t in_offset, int out, int64_t out_offset, size_t count) {
  off64_t from = in_offset, to = out_offset;
  return copy_file_range(in, in_offset < 0 ? NULL : &from, out, out_offset < 0 ? NULL : &to,
                         count, 0);
}

ssize_t host_send_file(int in, int64_t in_offset, int out, size_t count) {
  off64_t from = in_offset;
  return sendfile64(out, in, in_offset < 0 ? NULL : &from, count);
}

ssize_t host_splice(int in, int64_t in_offset, int out, int64_t out_offset, size_t count) {
  off64_t from = in_offset, to = out_offset;
  return splice(in, in_offset < 0 ? NULL : &from, out, out_offset < 0 ? NULL : &to, count,
                SPLICE_F_NONBLOCK);
}

ssize_t host_tee(int in, int out, size_t count) { return tee(in, out, count, SPLICE_F_NONBLOCK); }

int host_sync_range(int descriptor, int64_t offset, int64_t length, uint32_t flags) {
  return sync_file_range(descriptor, offset, length, flags);
}

int host_advise(int descriptor, int64_t offset, int64_t length, int advice) {
  errno = posix_fadvise(descriptor, offset, length, advice);
  return errno == 0 ? 0 : -1;
}

int host_seals(int descriptor) { return fcntl(descriptor, F_GET_SEALS); }

int host_add_seals(int descriptor, uint32_t seals) {
  return fcntl(descriptor, F_ADD_SEALS, seals);
}

ssize_t host_get_attribute(enum host_link link, const char *path, const char *name, void *value,
                           size_t size) {
  return (link == HOST_LINK_FOLLOW ? getxattr : lgetxattr)(path, name, value, size);
}

int host_set_attribute(enum host_link link, const char *path, const char *name, const void *value,
                       size_t size, int flags) {
  return (link == HOST_LINK_FOLLOW ? setxattr : lsetxattr)(path, name, value, size, flags);
}

ssize_t host_list_attributes(enum host_link link, const char *path, void *list, size_t size) {
  return (link == HOST_LINK_FOLLOW ? listxattr : llistxattr)(path, list, size);
}

int host_remove_attribute(enum host_link link, const char *path, const char *name) {
  return (link == HOST_LINK_FOLLOW ? removexattr : lremovexattr)(path, name);
}

int host_unshare_directories(void) {
  if (unshare(CLONE_FS) != 0) return -1;
  umask(0);
  return 0;
}

int host_enter_mount_namespace(int descriptor) { return setns(descriptor, CLONE_NEWNS); }

int host_change_root(int directory) {
  if (fchdir(directory) != 0 || chroot(".") != 0) return -1;
  return 0;
}

long host_copy_string(char *to, const volatile char *from, size_t size) {
  for (size_t i = 0; i < size; i++)
    if ((to[i] = from[i]) == 0) return (long)i;
  return -1;
}

int host_poll(struct pollfd *set, size_t count, int milliseconds) {
  return poll(set, count, milliseconds);
}

int host_signal_descriptor(uint64_t set) {
  if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, sizeof set) != 0) return -1;
  return (int)syscall(SYS_signalfd4, -1, &set, sizeof set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int host_read_signal(int descriptor) {
  struct signalfd_siginfo record;
  return read(descriptor, &record, sizeof record) == sizeof record ? (int)record.ssi_signo : 0;
}
