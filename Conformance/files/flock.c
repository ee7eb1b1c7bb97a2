#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

// flock(2): locks that belong to an open file description.
int main(void) {
  int one = NEED(open("f", O_RDWR | O_CREAT, 0600));
  int two = NEED(open("f", O_RDONLY));
  CHECK_OK("exclusive", flock(one, LOCK_EX));
  CHECK_FAILS("another open is refused", flock(two, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  CHECK_FAILS("shared too", flock(two, LOCK_SH | LOCK_NB), EWOULDBLOCK);
  CHECK_OK("again by the owner", flock(one, LOCK_EX | LOCK_NB));
  CHECK_OK("down to shared", flock(one, LOCK_SH));
  CHECK_OK("two share", flock(two, LOCK_SH | LOCK_NB));
  CHECK_FAILS("no way up", flock(one, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  CHECK_OK("unlock", flock(two, LOCK_UN));
  NEED(flock(one, LOCK_UN));
  NEED(flock(one, LOCK_EX));

  int copy = NEED(dup(one));
  CHECK_OK("a copy is the same owner", flock(copy, LOCK_EX | LOCK_NB));
  close(one);
  CHECK_FAILS("the copy keeps the lock", flock(two, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  close(copy);
  CHECK_OK("the last close drops it", flock(two, LOCK_EX | LOCK_NB));

  IN_CHILD(CHECK_OK("a child is the same owner", flock(two, LOCK_EX | LOCK_NB));
    int mine = NEED(open("f", O_RDONLY));
    CHECK_FAILS("its own open is not", flock(mine, LOCK_SH | LOCK_NB), EWOULDBLOCK));
  int three = NEED(open("f", O_RDONLY));
  CHECK_FAILS("the child's end drops nothing", flock(three, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  IN_CHILD(flock(two, LOCK_UN));
  CHECK_OK("the child's unlock does", flock(three, LOCK_EX | LOCK_NB));

  // A waiter gets the lock when it is given up.
  int ready[2];
  NEED(pipe(ready));
  pid_t child = NEED(fork());
  if (child == 0) {
    int own = NEED(open("f", O_RDONLY));
    NEED(write(ready[1], "r", 1));
    CHECK_OK("the waiter has it", flock(own, LOCK_EX));
    _exit(check_failures);
  }
  char byte;
  NEED(read(ready[0], &byte, 1));
  say("giving it up");
  flock(three, LOCK_UN);
  CHECK_IS("the waiter ends", wait_code(child), 0);
  CHECK_OK("its end drops the lock", flock(three, LOCK_EX | LOCK_NB));

  child = NEED(fork());
  if (child == 0) {
    int own = NEED(open("f", O_RDONLY));
    NEED(write(ready[1], "r", 1));
    flock(own, LOCK_EX);
    _exit(1);
  }
  NEED(read(ready[0], &byte, 1));
  kill(child, SIGKILL);
  CHECK_IS("a waiter can be killed", wait_code(child), 128 + SIGKILL);

  CHECK_FAILS("no operation", flock(two, 0), EINVAL);
  CHECK_FAILS("a closed descriptor", flock(99, LOCK_SH), EBADF);
  int path = NEED(open("f", O_PATH));
  CHECK_FAILS("O_PATH", flock(path, LOCK_SH), EBADF);
  int directory = NEED(open(".", O_RDONLY));
  CHECK_OK("a directory", flock(directory, LOCK_EX | LOCK_NB));
  struct flock record = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int writer = NEED(open("f", O_RDWR));
  CHECK_OK("record locks are another matter", fcntl(writer, F_SETLK, &record));
  return check_status();
}
