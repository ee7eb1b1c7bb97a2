#include "check.h"
#include <fcntl.h>

// fcntl(2) record locks: they belong to a process, and any close drops them.

static int fd;

static int lock(int command, int type, long start, long length) {
  struct flock record = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  return fcntl(fd, command, &record);
}

// What F_GETLK says in a child about a write lock of these bytes.
static void probe(const char *name, long start, long length) {
  IN_CHILD({
    struct flock record = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start,
      .l_len = length};
    NEED(fcntl(fd, F_GETLK, &record));
    if (record.l_type == F_UNLCK) {
      say("%s: free", name);
    } else {
      say("%s: %s from %ld, %ld bytes", name, record.l_type == F_RDLCK ? "read" : "write",
        (long)record.l_start, (long)record.l_len);
      CHECK_IS("held by the parent", record.l_pid, getppid());
    }
  });
}

int main(void) {
  fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  NEED(ftruncate(fd, 100));
  CHECK_OK("write lock", lock(F_SETLK, F_WRLCK, 10, 20));
  probe("inside", 15, 1);
  probe("across the start", 0, 11);
  probe("before", 0, 10);
  probe("after", 30, 0);
  probe("everything", 0, 0);
  IN_CHILD(CHECK_FAILS("a child is refused", lock(F_SETLK, F_RDLCK, 15, 1), EAGAIN);
    CHECK_OK("elsewhere it is not", lock(F_SETLK, F_WRLCK, 30, 10)));
  probe("the child's end drops its lock", 30, 10);

  CHECK_OK("a piece becomes a read lock", lock(F_SETLK, F_RDLCK, 15, 5));
  probe("first piece", 10, 5);
  probe("middle piece", 15, 5);
  probe("last piece", 20, 10);
  IN_CHILD(CHECK_OK("a child may read there", lock(F_SETLK, F_RDLCK, 15, 5));
    CHECK_FAILS("not more", lock(F_SETLK, F_RDLCK, 14, 6), EAGAIN));
  CHECK_OK("unlock the middle", lock(F_SETLK, F_UNLCK, 12, 14));
  probe("what is left", 0, 20);
  probe("and at the end", 20, 80);
  CHECK_OK("merge", lock(F_SETLK, F_WRLCK, 12, 14));
  probe("one lock again", 10, 20);
  CHECK_OK("to the end of all files", lock(F_SETLK, F_WRLCK, 50, 0));
  probe("far away", 1L << 40, 1);
  CHECK_OK("unlock all", lock(F_SETLK, F_UNLCK, 0, 0));
  probe("nothing left", 0, 0);

  struct flock record = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = 5};
  CHECK_OK("SEEK_END", fcntl(fd, F_SETLK, &record));
  probe("from the end", 0, 0);
  NEED(lseek(fd, 50, SEEK_SET));
  record = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 5, .l_len = -10};
  CHECK_OK("a negative length", fcntl(fd, F_SETLK, &record));
  probe("runs backwards", 0, 0);
  lock(F_SETLK, F_UNLCK, 0, 0);

  lock(F_SETLK, F_WRLCK, 0, 0);
  close(NEED(open("f", O_RDONLY)));
  probe("closing another descriptor drops it", 0, 0);
  lock(F_SETLK, F_WRLCK, 0, 0);
  close(NEED(dup(fd)));
  probe("closing a copy drops it", 0, 0);

  lock(F_SETLK, F_WRLCK, 0, 10);
  CHECK_OK("one's own locks never conflict", lock(F_SETLK, F_RDLCK, 5, 10));
  record = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
  NEED(fcntl(fd, F_GETLK, &record));
  CHECK_IS("nor are they reported", record.l_type, F_UNLCK);
  CHECK_OK("lockf", (lseek(fd, 60, SEEK_SET), lockf(fd, F_LOCK, 5)));
  probe("is a write lock", 60, 5);

  CHECK_FAILS("before the start", lock(F_SETLK, F_WRLCK, -5, 2), EINVAL);
  CHECK_FAILS("an unknown type", lock(F_SETLK, 77, 0, 0), EINVAL);
  CHECK_FAILS("a bad pointer", fcntl(fd, F_SETLK, (void *)8), EFAULT);
  CHECK_FAILS("a closed descriptor", fcntl(99, F_SETLK, &record), EBADF);
  int reader = NEED(open("f", O_RDONLY)), writer = NEED(open("f", O_WRONLY));
  record = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
  CHECK_FAILS("a write lock needs to write", fcntl(reader, F_SETLK, &record), EBADF);
  record.l_type = F_RDLCK;
  CHECK_FAILS("a read lock needs to read", fcntl(writer, F_SETLK, &record), EBADF);
  return check_status();
}
