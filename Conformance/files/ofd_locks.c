#include "check.h"
#include <fcntl.h>

// F_OFD_SETLK: record locks that belong to an open file description.

static int lock(int fd, int command, int type, long start, long length) {
  struct flock record = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  return fcntl(fd, command, &record);
}

int main(void) {
  int one = NEED(open("f", O_RDWR | O_CREAT, 0600)), two = NEED(open("f", O_RDWR));
  CHECK_OK("lock", lock(one, F_OFD_SETLK, F_WRLCK, 0, 10));
  CHECK_FAILS("another open of the same process", lock(two, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN);
  CHECK_FAILS("a record lock conflicts too", lock(two, F_SETLK, F_RDLCK, 5, 1), EAGAIN);
  CHECK_OK("other bytes are free", lock(two, F_OFD_SETLK, F_WRLCK, 10, 5));
  struct flock record = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 3};
  CHECK_OK("F_OFD_GETLK", fcntl(two, F_OFD_GETLK, &record));
  CHECK("the whole lock", record.l_type == F_WRLCK && record.l_start == 0 && record.l_len == 10);
  CHECK_IS("nobody's", record.l_pid, -1);
  close(NEED(open("f", O_RDONLY)));
  CHECK_FAILS("closing another drops nothing", lock(two, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
  int copy = NEED(dup(one));
  close(one);
  CHECK_FAILS("nor closing a copy", lock(two, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
  IN_CHILD(CHECK_OK("a child shares it", lock(copy, F_OFD_SETLK, F_RDLCK, 0, 10)));
  CHECK_OK("so it is a read lock now", lock(two, F_OFD_SETLK, F_RDLCK, 0, 1));
  close(copy);
  CHECK_OK("the last close drops it", lock(two, F_OFD_SETLKW, F_WRLCK, 0, 10));
  record = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_pid = 1};
  CHECK_FAILS("l_pid must be 0", fcntl(two, F_OFD_SETLK, &record), EINVAL);
  return check_status();
}
