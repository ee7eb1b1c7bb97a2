#include "check.h"
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

// shm_open(3), sem_open(3) and memfd_create(2): memory with a name or without.

static char name[64];

static void check_semaphore(char *shared) {
  sem_t *lock = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
  CHECK("sem_open", lock != SEM_FAILED);
  pid_t child = NEED(fork());
  if (child == 0) {
    sem_t *own = sem_open(name, 0);
    shared[0] = 'd';
    sem_post(own);
    _exit(own == SEM_FAILED);
  }
  CHECK_OK("sem_wait", sem_wait(lock));
  CHECK("the child came first", shared[0] == 'd');
  CHECK_IS("child", wait_code(child), 0);
  CHECK_FAILS("sem_trywait", sem_trywait(lock), EAGAIN);
  CHECK_OK("sem_unlink", sem_unlink(name));
}

static void check_memfd(void) {
  int fd;
  struct stat st;
  CHECK_OK("memfd_create", fd = memfd_create("anonymous", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  CHECK_IS("FD_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
  CHECK_OK("ftruncate", ftruncate(fd, 8192));
  NEED(fstat(fd, &st));
  CHECK("a file without a name", S_ISREG(st.st_mode) && st.st_nlink == 0 && st.st_size == 8192);
  char text[64], path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  long length = NEED(readlink(path, text, sizeof text - 1));
  text[length] = 0;
  CHECK_TEXT("in /proc", text, "/memfd:anonymous (deleted)");
  char *map = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  map[100] = 'm';
  CHECK_IS("map and read", (pread(fd, text, 1, 100), text[0]), 'm');
  CHECK_FAILS("F_SEAL_WRITE of a mapped one", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
  NEED(munmap(map, 8192));
  CHECK_OK("F_ADD_SEALS", fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  CHECK_IS("F_GET_SEALS", fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  CHECK_FAILS("shrink", ftruncate(fd, 100), EPERM);
  CHECK_FAILS("grow", ftruncate(fd, 10000), EPERM);
  CHECK_FAILS("write", pwrite(fd, "x", 1, 0), EPERM);
  CHECK("map to write", mmap(0, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED
    && errno == EPERM);
  CHECK_OK("F_SEAL_SEAL", fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
  CHECK_FAILS("no more seals", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
  int plain = NEED(memfd_create("plain", 0));
  CHECK_IS("sealed against seals", fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
  CHECK_FAILS("unknown flags", memfd_create("x", 0x8000), EINVAL);
  memset(path, 'n', sizeof path);
  char long_name[300];
  memset(long_name, 'n', 299);
  long_name[299] = 0;
  CHECK_FAILS("too long a name", memfd_create(long_name, 0), EINVAL);
}

int main(void) {
  struct stat st;
  snprintf(name, sizeof name, "/paravane-conformance-%d", getpid());
  int fd;
  CHECK_OK("shm_open", fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
  CHECK_FAILS("O_EXCL", shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
  CHECK_OK("ftruncate", ftruncate(fd, 1 << 20));
  char *shared = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK("map", shared != MAP_FAILED);
  IN_CHILD({
    int own = NEED(shm_open(name, O_RDWR, 0));
    char *map = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
    strcpy(map + 70000, "from the child");
  });
  CHECK_TEXT("shared by name", shared + 70000, "from the child");
  char path[128];
  snprintf(path, sizeof path, "/dev/shm%s", name);
  CHECK_OK("a file of /dev/shm", stat(path, &st));
  CHECK_IS("its size", st.st_size, 1 << 20);
  NEED(fstat(fd, &st));
  CHECK("takes only the pages used", st.st_blocks > 0 && st.st_blocks <= 64);
  CHECK_OK("shm_unlink", shm_unlink(name));
  CHECK_FAILS("gone", shm_open(name, O_RDWR, 0), ENOENT);
  CHECK_TEXT("the memory stays", shared + 70000, "from the child");
  check_semaphore(shared);
  check_memfd();
  return check_status();
}
