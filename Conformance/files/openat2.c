#include "check.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// openat2(2): what struct open_how may say, and where a path may lead.

static int attempt(int directory, const char *path, struct open_how *how, size_t size) {
  return syscall(SYS_openat2, directory, path, how, size);
}

// Opens and closes; 0, or the error.
static int way(int directory, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags, .resolve = resolve};
  int fd = attempt(directory, path, &how, sizeof how);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

// The first byte of what is found, or the error.
static int first(int directory, const char *path, uint64_t resolve) {
  struct open_how how = {.flags = O_RDONLY, .resolve = resolve};
  char byte = 0;
  int fd = attempt(directory, path, &how, sizeof how);
  if (fd < 0) return errno;
  NEED(read(fd, &byte, 1));
  close(fd);
  return byte;
}

static void make(const char *path, const char *text) {
  int fd = NEED(open(path, O_WRONLY | O_CREAT, 0644));
  NEED(write(fd, text, strlen(text)));
  close(fd);
}

static int mode(uint64_t flags, uint64_t mode) {
  struct open_how how = {.flags = flags, .mode = mode};
  int fd = attempt(AT_FDCWD, "new", &how, sizeof how);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static void check_record(void) {
  struct { struct open_how how; uint64_t more[2]; } large = {{.flags = O_RDONLY}, {0, 0}};
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct open_how plain = {.flags = O_RDONLY};
  CHECK_OK("a plain one", close(attempt(AT_FDCWD, "f", &plain, sizeof plain)));
  CHECK_FAILS("too small", attempt(AT_FDCWD, "f", &plain, 23), EINVAL);
  CHECK_FAILS("nothing", attempt(AT_FDCWD, "f", &plain, 0), EINVAL);
  CHECK_OK("larger, of zeros", close(attempt(AT_FDCWD, "f", &large.how, sizeof large)));
  large.more[1] = 1;
  CHECK_FAILS("larger, and not", attempt(AT_FDCWD, "f", &large.how, sizeof large), E2BIG);
  CHECK_OK("a page", close(attempt(AT_FDCWD, "f", (struct open_how *)pages, 4096)));
  CHECK_FAILS("more", attempt(AT_FDCWD, "f", (struct open_how *)pages, 4097), E2BIG);
  CHECK_FAILS("nowhere", attempt(AT_FDCWD, "f", (void *)8, sizeof plain), EFAULT);
  NEED(munmap(pages + 4096, 4096));
  CHECK_FAILS("half of it nowhere", attempt(AT_FDCWD, "f", (void *)(pages + 4080), 24), EFAULT);

  CHECK_IS("flags of no meaning", way(AT_FDCWD, "f", 1UL << 40, 0), EINVAL);
  CHECK_IS("and below", way(AT_FDCWD, "f", 0x40000000, 0), EINVAL);
  CHECK_IS("resolve of no meaning", way(AT_FDCWD, "f", 0, 0x40), EINVAL);
  CHECK_IS("and above", way(AT_FDCWD, "f", 0, 1UL << 33), EINVAL);
  CHECK_IS("O_PATH and more", way(AT_FDCWD, "f", O_PATH | O_RDWR, 0), EINVAL);
  CHECK_IS("O_PATH and enough", way(AT_FDCWD, "f", O_PATH | O_NOFOLLOW | O_CLOEXEC, 0), 0);
  CHECK_IS("O_CREAT of a directory", way(AT_FDCWD, "f", O_CREAT | O_DIRECTORY, 0), EINVAL);
  CHECK_IS("O_TMPFILE for reading", way(AT_FDCWD, ".", O_TMPFILE, 0), EINVAL);
  CHECK_IS("half of O_TMPFILE", way(AT_FDCWD, ".", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0), EINVAL);
  CHECK_IS("both scopes", way(AT_FDCWD, "f", 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
  CHECK_IS("a mode without a use", mode(O_RDWR, 0600), EINVAL);
  CHECK_IS("a mode of too many bits", mode(O_RDWR | O_CREAT, 0100600), EINVAL);
  CHECK_IS("a mode above", mode(O_RDWR | O_CREAT, 1UL << 40), EINVAL);
  umask(027);
  CHECK_IS("a mode", mode(O_RDWR | O_CREAT | O_EXCL, 0666), 0);
  struct stat st;
  NEED(stat("new", &st));
  CHECK_IS("and the umask", st.st_mode & 07777, 0640);
  struct open_how how = {.flags = O_RDWR | O_CLOEXEC};
  int fd = NEED(attempt(AT_FDCWD, "f", &how, sizeof how));
  CHECK_IS("close on exec", fcntl(fd, F_GETFD), FD_CLOEXEC);
  CHECK_IS("its flags", fcntl(fd, F_GETFL) & ~O_LARGEFILE & ~0100000, O_RDWR);
  close(fd);
}

static void check_beneath(int d) {
  enum { flag = RESOLVE_BENEATH };
  CHECK_IS("below", first(d, "in", flag), 'i');
  CHECK_IS("further", first(d, "s/deep", flag), 'd');
  CHECK_IS("and back", first(d, "s/../in", flag), 'i');
  CHECK_IS("by a link", first(d, "s/link", flag), 'i');
  CHECK_IS("itself", way(d, ".", O_RDONLY, flag), 0);
  CHECK_IS("up", way(d, "..", O_RDONLY, flag), EXDEV);
  CHECK_IS("up and down", first(d, "../d/in", flag), EXDEV);
  CHECK_IS("up from further", first(d, "s/../../f", flag), EXDEV);
  CHECK_IS("from the root", first(d, "/etc/passwd", flag), EXDEV);
  CHECK_IS("by a link to the root", first(d, "absolute", flag), EXDEV);
  CHECK_IS("by a link out", first(d, "out", flag), EXDEV);
  CHECK_IS("by a link out and in", first(d, "around", flag), EXDEV);
  CHECK_IS("nothing there", first(d, "m", flag), ENOENT);
  CHECK_IS("a link to nothing", first(d, "dangling", flag), ENOENT);
  CHECK_IS("a link not followed", way(d, "out", O_PATH | O_NOFOLLOW, flag), 0);
  CHECK_IS("O_NOFOLLOW", way(d, "s/link", O_NOFOLLOW, flag), ELOOP);
  CHECK_IS("no directory", first(d, "in/x", flag), ENOTDIR);
  CHECK_IS("a slash behind a file", first(d, "in/", flag), ENOTDIR);
  CHECK_IS("no path", first(d, "", flag), ENOENT);
  CHECK_IS("no descriptor", first(99, "in", flag), EBADF);
  int file = NEED(open("f", O_RDONLY));
  CHECK_IS("no directory", first(file, "in", flag), ENOTDIR);
  close(file);
  CHECK_IS("from the working directory", first(AT_FDCWD, "d/in", flag), 'i');
  CHECK_IS("up from it", first(AT_FDCWD, "../x", flag), EXDEV);
  struct open_how how = {O_WRONLY | O_CREAT | O_EXCL, 0600, flag};
  CHECK_OK("make one", close(attempt(d, "s/made", &how, sizeof how)));
  CHECK_FAILS("again", attempt(d, "s/made", &how, sizeof how), EEXIST);
  CHECK_FAILS("none outside", attempt(d, "../made", &how, sizeof how), EXDEV);
  how.flags = O_WRONLY | O_CREAT;
  CHECK_FAILS("nor by a link", attempt(d, "newout", &how, sizeof how), EXDEV);
  struct stat st;
  CHECK_FAILS("it is not there", stat("newhere", &st), ENOENT);
  how.flags = O_RDWR | O_TMPFILE;
  CHECK_OK("one without a name", close(attempt(d, "s", &how, sizeof how)));
  CHECK_FAILS("not outside", attempt(d, "..", &how, sizeof how), EXDEV);
}

static void check_root(int d) {
  enum { flag = RESOLVE_IN_ROOT };
  CHECK_IS("from the root", first(d, "/in", flag), 'i');
  CHECK_IS("as without", first(d, "in", flag), 'i');
  CHECK_IS("up is nowhere", first(d, "../../../in", flag), 'i');
  CHECK_IS("nor further", first(d, "s/../../in", flag), 'i');
  CHECK_IS("a link to the root", first(d, "absolute", flag), ENOENT);
  CHECK_IS("one that is there", first(d, "rooted", flag), 'i');
  CHECK_IS("a link out", first(d, "out", flag), ENOENT);
  CHECK_IS("the root itself", way(d, "/", O_RDONLY | O_DIRECTORY, flag), 0);
  struct open_how how = {O_WRONLY | O_CREAT, 0600, flag};
  CHECK_OK("make one through a link", close(attempt(d, "newrooted", &how, sizeof how)));
  struct stat st;
  CHECK_OK("it is inside", stat("d/newhere", &st));
}

static void check_links(int d) {
  CHECK_IS("no links: none", first(d, "s/deep", RESOLVE_NO_SYMLINKS), 'd');
  CHECK_IS("no links: last", first(d, "s/link", RESOLVE_NO_SYMLINKS), ELOOP);
  CHECK_IS("no links: on the way", first(d, "way/deep", RESOLVE_NO_SYMLINKS), ELOOP);
  CHECK_IS("no links: to look at", way(d, "s/link", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS), 0);
  CHECK_IS("no links: from the root", way(d, "/dev/null", O_RDONLY, RESOLVE_NO_SYMLINKS), 0);
  CHECK_IS("a circle", first(d, "circle", RESOLVE_BENEATH), ELOOP);

  char path[64];
  int fd = NEED(open("f", O_RDONLY));
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  CHECK_IS("a magic link", first(d, path, RESOLVE_NO_XDEV), EXDEV);
  CHECK_IS("none", first(d, path, RESOLVE_NO_MAGICLINKS), ELOOP);
  CHECK_IS("nor with both", first(d, path, RESOLVE_NO_SYMLINKS), ELOOP);
  CHECK_IS("nor on the way", way(d, "/proc/self/cwd/f", O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
  CHECK_IS("nor to run", way(d, "/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
  CHECK_IS("others are", first(d, "s/link", RESOLVE_NO_MAGICLINKS), 'i');
  CHECK("others of proc are", first(d, "/proc/self/stat", RESOLVE_NO_MAGICLINKS) > '0');
  int proc = NEED(open("/proc/self", O_PATH));
  CHECK("below proc", first(proc, "stat", RESOLVE_BENEATH) > '0');
  CHECK_IS("a magic link below", way(proc, "cwd", O_RDONLY, RESOLVE_BENEATH), EXDEV);
  CHECK_IS("or in a root", way(proc, "exe", O_RDONLY, RESOLVE_IN_ROOT), EXDEV);
  CHECK_IS("to look at", way(proc, "cwd", O_PATH | O_NOFOLLOW, RESOLVE_BENEATH), 0);
  CHECK_IS("out of it", way(proc, "../..", O_RDONLY, RESOLVE_BENEATH), EXDEV);
  CHECK("in that root", first(proc, "/stat", RESOLVE_IN_ROOT) > '0');
  CHECK_IS("no mount is crossed", way(proc, "..", O_RDONLY, RESOLVE_NO_XDEV), 0);
  CHECK_IS("one is", way(proc, "../..", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
}

static void check_mounts(int d) {
  int root = NEED(open("/", O_PATH));
  CHECK_IS("within", first(d, "s/link", RESOLVE_NO_XDEV), 'i');
  CHECK_IS("into proc", way(root, "proc/version", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
  CHECK_IS("into proc, to look", way(root, "proc", O_PATH, RESOLVE_NO_XDEV), EXDEV);
  CHECK_IS("from the root", way(d, "/proc/version", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
  CHECK_IS("allowed", way(root, "proc/version", O_RDONLY, RESOLVE_BENEATH), 0);
  CHECK_IS("in a root", way(root, "/../proc/version", O_RDONLY, RESOLVE_IN_ROOT), 0);
  CHECK_IS("to a device", way(root, "dev/null", O_RDWR, RESOLVE_BENEATH), 0);
}

static void check_cached(int d) {
  CHECK_IS("cached", first(d, "in", RESOLVE_CACHED), 'i');
  CHECK_IS("to be made", way(d, "in", O_CREAT, RESOLVE_CACHED), EAGAIN);
  CHECK_IS("to be cut", way(d, "in", O_WRONLY | O_TRUNC, RESOLVE_CACHED), EAGAIN);
}

int main(void) {
  make("f", "file");
  NEED(mkdir("d", 0755));
  NEED(mkdir("d/s", 0755));
  make("d/in", "in");
  make("d/s/deep", "deep");
  NEED(symlink("../in", "d/s/link"));
  NEED(symlink("/etc/passwd", "d/absolute"));
  NEED(symlink("/in", "d/rooted"));
  NEED(symlink("/newhere", "d/newrooted"));
  NEED(symlink("../newhere", "d/newout"));
  NEED(symlink("../f", "d/out"));
  NEED(symlink("../d/in", "d/around"));
  NEED(symlink("m", "d/dangling"));
  NEED(symlink("s", "d/way"));
  NEED(symlink("circle", "d/circle"));
  int d = NEED(open("d", O_PATH | O_DIRECTORY));
  check_record();
  check_beneath(d);
  check_root(d);
  check_links(d);
  check_mounts(d);
  check_cached(d);
  // Somebody else's rights count on the way.
  NEED(chmod("d/s", 0700));
  NEED(chmod("d/in", 0600));
  IN_CHILD({
    NEED(setresgid(65534, 65534, 65534));
    NEED(setresuid(65534, 65534, 65534));
    CHECK_IS("a closed directory", first(d, "s/deep", RESOLVE_BENEATH), EACCES);
    CHECK_IS("a closed file", first(d, "in", RESOLVE_IN_ROOT), EACCES);
    CHECK_IS("to look at it", way(d, "in", O_PATH, RESOLVE_IN_ROOT), 0);
  });
  IN_CHILD({
    NEED(chroot("d"));
    CHECK_IS("another root", first(AT_FDCWD, "/in", RESOLVE_NO_SYMLINKS), 'i');
    CHECK_IS("a link in it", first(AT_FDCWD, "/rooted", RESOLVE_NO_MAGICLINKS), 'i');
    CHECK_IS("a link out of it", first(AT_FDCWD, "/out", RESOLVE_NO_XDEV), ENOENT);
    CHECK_IS("below a descriptor", first(d, "s/link", RESOLVE_BENEATH), 'i');
    CHECK_IS("up from it", first(d, "../f", RESOLVE_BENEATH), EXDEV);
  });
  return check_status();
}
