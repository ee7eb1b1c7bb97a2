/* Questions to the host kernel whose answer is only that it knows a call. They change nothing. */
#ifndef CHOSTOS_PROBE_H
#define CHOSTOS_PROBE_H

/* 1 when unshare(2) with these flags works, in a child that ends at once; otherwise -errno. */
int host_probe_namespace(int flags);
/* 1 when a seccomp listener can hand its CPU over to who waits for it. */
int host_probe_synchronous_wake_up(void);
/* 1 when a program can have its own calls delivered as signals (prctl(2)). */
int host_probe_user_dispatch(void);
/* 1 when mounts can be made without paths and their attributes changed recursively. */
int host_probe_mount_api(void);
/* 1 when the kernel has the file system, or a module of it that it loads. */
int host_probe_file_system(const char *type);
#endif
