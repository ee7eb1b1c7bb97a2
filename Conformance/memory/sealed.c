/* memfd_create(2) and its seals. */
#include "../check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { PAGE = 4096, ACCESS = PROT_READ | PROT_WRITE };

static long map(int file, int access, int flags) {
  void *memory = mmap(NULL, PAGE, access, flags, file, 0);
  return memory == MAP_FAILED ? -1 : 0;
}

int main(void) {
  struct stat status;
  int file = memfd_create("name", MFD_ALLOW_SEALING);
  CHECK("memfd_create", file >= 0);
  CHECK_IS("empty", fstat(file, &status) ? -1 : status.st_size, 0);
  CHECK("a regular file", S_ISREG(status.st_mode));
  CHECK_IS("without links", status.st_nlink, 0);
  CHECK_IS("no flags", fcntl(file, F_GETFD), 0);
  CHECK_IS("read and write", fcntl(file, F_GETFL) & O_ACCMODE, O_RDWR);
  CHECK_IS("write", write(file, "contents", 8), 8);
  CHECK_IS("grow", ftruncate(file, 2 * PAGE), 0);
  char text[16] = "";
  CHECK_IS("read", pread(file, text, 8, 0), 8);
  CHECK_TEXT("what was written", text, "contents");
  char path[64], link[64] = "";
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  NEED(readlink(path, link, sizeof link - 1));
  CHECK_TEXT("its name", link, "/memfd:name (deleted)");
  int again = open(path, O_RDWR);
  CHECK("opened again by its link", again >= 0);
  CHECK_IS("the same file", pread(again, text, 8, 0), 8);

  CHECK_IS("no seals", fcntl(file, F_GET_SEALS), 0);
  CHECK_IS("seal against shrinking", fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK), 0);
  CHECK_FAILS("shrink", ftruncate(file, PAGE), EPERM);
  CHECK_IS("grow still", ftruncate(file, 3 * PAGE), 0);
  CHECK_IS("seal against growing", fcntl(file, F_ADD_SEALS, F_SEAL_GROW), 0);
  CHECK_FAILS("grow", ftruncate(file, 4 * PAGE), EPERM);
  CHECK_FAILS("grow by writing", pwrite(file, "x", 1, 3 * PAGE), EPERM);
  CHECK_IS("write within", pwrite(file, "X", 1, 0), 1);
  char *shared = mmap(NULL, PAGE, ACCESS, MAP_SHARED, file, 0);
  CHECK("map shared", shared != MAP_FAILED);
  CHECK_FAILS("a writable mapping forbids the seal", fcntl(file, F_ADD_SEALS, F_SEAL_WRITE),
              EBUSY);
  shared[1] = 'Y';
  munmap(shared, PAGE);
  CHECK_IS("seal against writing", fcntl(file, F_ADD_SEALS, F_SEAL_WRITE), 0);
  CHECK_FAILS("write", pwrite(file, "x", 1, 0), EPERM);
  CHECK_FAILS("map for writing", map(file, ACCESS, MAP_SHARED), EPERM);
  CHECK_IS("map for reading", map(file, PROT_READ, MAP_SHARED), 0);
  CHECK_IS("map privately", map(file, ACCESS, MAP_PRIVATE), 0);
  CHECK_IS("the seals", fcntl(file, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  CHECK_IS("seal the seals", fcntl(file, F_ADD_SEALS, F_SEAL_SEAL), 0);
  CHECK_FAILS("no further seal", fcntl(file, F_ADD_SEALS, F_SEAL_GROW), EPERM);
  CHECK_IS("it holds for the other descriptor", fcntl(again, F_GET_SEALS), 15);

  int plain = memfd_create("", MFD_CLOEXEC);
  CHECK_IS("close-on-exec", fcntl(plain, F_GETFD), FD_CLOEXEC);
  CHECK_IS("without sealing it is sealed", fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
  CHECK_FAILS("no seals then", fcntl(plain, F_ADD_SEALS, F_SEAL_GROW), EPERM);
  int ordinary = open("/etc/passwd", O_RDONLY);
  CHECK_FAILS("read-only files have no seals to add", fcntl(ordinary, F_ADD_SEALS, F_SEAL_GROW),
              EPERM);
  CHECK_FAILS("unknown flag", memfd_create("x", 0x8000), EINVAL);
  char name[300];
  memset(name, 'n', 299);
  name[299] = 0;
  CHECK_FAILS("a name too long", memfd_create(name, 0), EINVAL);
  return check_status();
}
