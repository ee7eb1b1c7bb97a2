#include "check.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// openat2(2) while somebody else puts a link out of the directory in a directory's place, and back.

enum { TRIES = 4000 };
static int over;

static void *swap(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
    NEED(renameat2(AT_FDCWD, "d/s", AT_FDCWD, "d/link", RENAME_EXCHANGE));
  return NULL;
}

static void make(const char *path, char byte) {
  int fd = NEED(open(path, O_WRONLY | O_CREAT, 0644));
  NEED(write(fd, &byte, 1));
  close(fd);
}

// How often `path` below the directory led to another file than that in it, or failed strangely.
static int mistakes(int d, const char *path, uint64_t resolve, uint64_t flags) {
  struct stat st, inside;
  NEED(stat("d/kept", &inside));
  int bad = 0;
  for (int i = 0; i < TRIES; i++) {
    struct open_how how = {.flags = flags, .resolve = resolve};
    int fd = syscall(SYS_openat2, d, path, &how, sizeof how);
    if (fd < 0) {
      bad += errno != EXDEV && errno != ELOOP && errno != ENOENT && errno != EAGAIN;
      continue;
    }
    NEED(fstat(fd, &st));
    bad += st.st_ino != inside.st_ino;
    close(fd);
  }
  return bad;
}

int main(void) {
  NEED(mkdir("d", 0755));
  NEED(mkdir("d/s", 0755));
  NEED(mkdir("outside", 0755));
  make("d/s/f", 'i');
  make("outside/f", 'o');
  NEED(link("d/s/f", "d/kept"));
  NEED(symlink("../outside", "d/link"));
  int d = NEED(open("d", O_PATH | O_DIRECTORY));
  pthread_t other;
  NEED(-pthread_create(&other, NULL, swap, NULL));
  CHECK_IS("beneath: never outside", mistakes(d, "s/f", RESOLVE_BENEATH, O_RDONLY), 0);
  CHECK_IS("in a root: never outside", mistakes(d, "/s/f", RESOLVE_IN_ROOT, O_RDONLY), 0);
  CHECK_IS("without links: never outside", mistakes(d, "s/f", RESOLVE_NO_SYMLINKS, O_RDONLY), 0);
  CHECK_IS("a handle: never outside", mistakes(d, "s/f", RESOLVE_BENEATH, O_PATH), 0);
  over = 1;
  pthread_join(other, NULL);
  return check_status();
}
