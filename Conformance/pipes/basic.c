// static
#include "check.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

// pipe(2): order, end of file, the wrong end, FIONREAD.
int main(void) {
  int ends[2];
  char text[32] = "";
  CHECK_OK("pipe", pipe(ends));
  CHECK_IS("the read end is for reading", fcntl(ends[0], F_GETFL) & O_ACCMODE, O_RDONLY);
  CHECK_IS("the write end for writing", fcntl(ends[1], F_GETFL) & O_ACCMODE, O_WRONLY);
  CHECK_FAILS("write to the read end", write(ends[0], "x", 1), EBADF);
  CHECK_FAILS("read from the write end", read(ends[1], text, 1), EBADF);
  CHECK_IS("write", write(ends[1], "abc", 3), 3);
  CHECK_IS("write more", write(ends[1], "defg", 4), 4);
  int waiting = 0;
  CHECK_OK("FIONREAD", ioctl(ends[0], FIONREAD, &waiting));
  CHECK_IS("counts both", waiting, 7);
  CHECK_IS("a short read", read(ends[0], text, 2), 2);
  CHECK_TEXT("in order", text, "ab");
  CHECK_IS("the rest across two writes", read(ends[0], text, 32), 5);
  CHECK("in order", memcmp(text, "cdefg", 5) == 0);
  CHECK_IS("no bytes", write(ends[1], "", 0), 0);
  NEED(ioctl(ends[0], FIONREAD, &waiting));
  CHECK_IS("are no message", waiting, 0);
  CHECK_IS("a read of none does not wait", read(ends[0], text, 0), 0);

  CHECK_OK("O_NONBLOCK", fcntl(ends[0], F_SETFL, O_NONBLOCK));
  CHECK_FAILS("an empty pipe", read(ends[0], text, 1), EAGAIN);
  CHECK_IS("the other end is not affected", fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
  NEED(write(ends[1], "last", 4));
  close(ends[1]);
  CHECK_IS("what was written is still there", read(ends[0], text, 32), 4);
  CHECK_IS("then the end", read(ends[0], text, 32), 0);
  CHECK_IS("again and again", read(ends[0], text, 32), 0);
  close(ends[0]);

  // A copy of the write end in a child keeps the pipe open.
  int gate[2];
  NEED(pipe(ends));
  NEED(pipe(gate));
  pid_t child = NEED(fork());
  if (child == 0) {
    close(ends[0]);
    close(gate[1]);
    NEED(read(gate[0], text, 1));
    NEED(write(ends[1], "late", 4));
    _exit(0);
  }
  close(ends[1]);
  NEED(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  CHECK_FAILS("no end while a child may write", read(ends[0], text, 1), EAGAIN);
  NEED(fcntl(ends[0], F_SETFL, 0));
  NEED(write(gate[1], "g", 1));
  CHECK_IS("a read waits for the child", read(ends[0], text, 32), 4);
  CHECK_IS("whose end is the end", read(ends[0], text, 32), 0);
  CHECK_IS("child", wait_code(child), 0);

  CHECK_OK("pipe2", pipe2(ends, O_NONBLOCK | O_CLOEXEC));
  CHECK_IS("O_NONBLOCK", fcntl(ends[0], F_GETFL) & fcntl(ends[1], F_GETFL) & O_NONBLOCK,
    O_NONBLOCK);
  CHECK_FAILS("pipe2 with other flags", pipe2(ends, O_APPEND), EINVAL);
  struct stat st;
  NEED(fstat(ends[0], &st));
  CHECK("a fifo", S_ISFIFO(st.st_mode));
  return check_status();
}
