/* Calls on files that Swift cannot make itself, or whose records it should not spell out.
 * They return -1 and set errno. */
#ifndef CHOSTOS_FILE_H
#define CHOSTOS_FILE_H
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOST_STAT_SIZE 144u
#define HOST_STATFS_SIZE 120u

/* openat2(2): never through a magic link of procfs. */
int host_open(int directory, const char *path, uint32_t flags, uint32_t mode, uint64_t resolve);
/* open(2) from the working directory, through a magic link too. */
int host_open_link(const char *path, uint32_t flags);
int host_memory_file(const char *name, uint32_t flags);
/* Of a size that nobody can change. */
int host_sealed_memory(const char *name, size_t size);
/* Always close-on-exec, as are all descriptors made here. */
int host_event_descriptor(uint32_t value, int flags);
int host_pipe(int ends[2], int flags);
int host_epoll(void);
int host_close_from(uint32_t first);
int host_close_range(uint32_t first, uint32_t last);

int host_stat(int directory, const char *path, int flags, void *stat);
/* The mode of an open file, type included. */
int host_mode(int descriptor, uint32_t *mode);
/* Which mount an open file was reached through. */
int host_mount_id(int descriptor, uint64_t *id);
int host_stat_file_system(int descriptor, void *statfs);
int host_sync_file_system(int descriptor);
/* What is in one directory into another, with owners, modes and times; no link is followed. */
int host_copy_tree(int source, int target);

int host_rename(int directory, const char *path, int directory2, const char *path2, uint32_t flags);
/* Times in nanoseconds' records: seconds, nanoseconds, twice; NULL for now. */
int host_set_times(int directory, const char *path, const int64_t *times, int flags);
int host_allocate(int descriptor, int mode, int64_t offset, int64_t length);

/* Offsets of -1 mean the file's own position. */
ssize_t host_copy_range(int in, int64_t in_offset, int out, int64_t out_offset, size_t count);
ssize_t host_send_file(int in, int64_t in_offset, int out, size_t count);
/* EAGAIN instead of waiting for a pipe. */
ssize_t host_splice(int in, int64_t in_offset, int out, int64_t out_offset, size_t count);
ssize_t host_tee(int in, int out, size_t count);
int host_sync_range(int descriptor, int64_t offset, int64_t length, uint32_t flags);
int host_advise(int descriptor, int64_t offset, int64_t length, int advice);
int host_seals(int descriptor);
int host_add_seals(int descriptor, uint32_t seals);

enum host_link { HOST_LINK_FOLLOW, HOST_LINK_ITSELF };
ssize_t host_get_attribute(enum host_link link, const char *path, const char *name, void *value,
                           size_t size);
int host_set_attribute(enum host_link link, const char *path, const char *name, const void *value,
                       size_t size, int flags);
ssize_t host_list_attributes(enum host_link link, const char *path, void *list, size_t size);
int host_remove_attribute(enum host_link link, const char *path, const char *name);

/* The working directory, the root and the umask of the calling thread alone; the umask is 0. */
int host_unshare_directories(void);
int host_enter_mount_namespace(int descriptor);
int host_change_root(int directory);

/* Copies out of memory that others write to: at most `size` bytes, through a NUL.
 * The length without the NUL, or -1 when there is none. */
long host_copy_string(char *to, const volatile char *from, size_t size);

int host_poll(struct pollfd *set, size_t count, int milliseconds);
/* A descriptor that reads the signals of the set (bit n-1 for signal n), which it blocks. */
int host_signal_descriptor(uint64_t set);
/* The next signal that came, 0 for none. */
int host_read_signal(int descriptor);
#endif
