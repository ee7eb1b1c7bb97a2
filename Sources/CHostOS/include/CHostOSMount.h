/* The mount API of Linux 5.12 and path look-up below a directory (openat2(2)). */
#ifndef CHOSTOS_MOUNT_H
#define CHOSTOS_MOUNT_H
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOST_O_PATH 010000000
#define HOST_O_TMPFILE 020200000

#define HOST_OPEN_TREE_CLONE 1u
#define HOST_AT_EMPTY_PATH 0x1000u
#define HOST_AT_RECURSIVE 0x8000u
#define HOST_AT_NO_AUTOMOUNT 0x800u

#define HOST_MOUNT_ATTR_RDONLY 0x1ull
#define HOST_MOUNT_ATTR_NOSUID 0x2ull
#define HOST_MOUNT_ATTR_NODEV 0x4ull
#define HOST_MOUNT_ATTR_NOEXEC 0x8ull
#define HOST_MOUNT_ATTR_ATIME 0x70ull
#define HOST_MOUNT_ATTR_NOATIME 0x10ull
#define HOST_MOUNT_ATTR_STRICTATIME 0x20ull
#define HOST_MOUNT_ATTR_NODIRATIME 0x80ull
#define HOST_MOUNT_ATTR_NOSYMFOLLOW 0x200000ull

#define HOST_RESOLVE_NO_MAGICLINKS 0x2ull
#define HOST_RESOLVE_NO_SYMLINKS 0x4ull
#define HOST_RESOLVE_BENEATH 0x8ull
#define HOST_RESOLVE_IN_ROOT 0x10ull

static inline int host_open_tree(int directory, const char *path, unsigned flags) {
  return (int)syscall(SYS_open_tree, directory, path, flags | O_CLOEXEC);
}

/* Attaches the detached mount `mount` on top of what `target` refers to. */
static inline int host_attach_mount(int mount, int target) {
  return (int)syscall(SYS_move_mount, mount, "", target, "", 0x4u | 0x40u);
}

static inline int host_fsopen(const char *type) {
  return (int)syscall(SYS_fsopen, type, 1u);
}

static inline int host_fsconfig_string(int context, const char *key, const char *value) {
  return (int)syscall(SYS_fsconfig, context, 1u, key, value, 0);
}

static inline int host_fsconfig_flag(int context, const char *key) {
  return (int)syscall(SYS_fsconfig, context, 0u, key, (const char *)0, 0);
}

static inline int host_fsconfig_create(int context) {
  return (int)syscall(SYS_fsconfig, context, 6u, (const char *)0, (const char *)0, 0);
}

static inline int host_fsmount(int context, uint64_t attributes) {
  return (int)syscall(SYS_fsmount, context, 1u, (unsigned)attributes);
}

struct host_mount_attr { uint64_t set, clear, propagation, user_namespace; };

static inline int host_mount_setattr(int directory, unsigned flags, uint64_t set, uint64_t clear) {
  struct host_mount_attr attributes = {set, clear, 0, 0};
  return (int)syscall(SYS_mount_setattr, directory, "", flags | HOST_AT_EMPTY_PATH, &attributes,
                      sizeof attributes);
}

/* Shows the mount's ids as a user namespace maps them: MOUNT_ATTR_IDMAP. */
static inline int host_mount_map_ids(int directory, unsigned flags, int user_namespace) {
  struct host_mount_attr attributes = {0x00100000, 0, 0, (uint64_t)user_namespace};
  return (int)syscall(SYS_mount_setattr, directory, "", flags | HOST_AT_EMPTY_PATH, &attributes,
                      sizeof attributes);
}

struct host_open_how { uint64_t flags, mode, resolve; };

static inline int host_openat2(int directory, const char *path, uint64_t flags, uint64_t mode,
                               uint64_t resolve) {
  struct host_open_how how = {flags | O_CLOEXEC, mode, resolve};
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

static inline int host_unshare(int namespaces) { return (int)syscall(SYS_unshare, namespaces); }

static inline int host_pivot_root(const char *new_root, const char *put_old) {
  return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int host_ioctl(int descriptor, unsigned long request, void *argument) {
  return ioctl(descriptor, request, argument);
}
#endif
