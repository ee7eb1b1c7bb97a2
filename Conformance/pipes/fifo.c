#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

// fifo(7): an open waits for the other side.
int main(void) {
  char text[16] = "";
  struct stat st;
  NEED(mkfifo("p", 0644));
  CHECK_FAILS("again", mkfifo("p", 0644), EEXIST);
  NEED(stat("p", &st));
  CHECK("a fifo", S_ISFIFO(st.st_mode));

  CHECK_FAILS("non-blocking for writing, nobody reads", open("p", O_WRONLY | O_NONBLOCK), ENXIO);
  int reader, writer;
  CHECK_OK("non-blocking for reading", reader = open("p", O_RDONLY | O_NONBLOCK));
  CHECK_IS("no writer yet: the end", read(reader, text, 1), 0);
  CHECK_OK("now somebody reads", writer = open("p", O_WRONLY | O_NONBLOCK));
  CHECK_FAILS("a writer, but no data", read(reader, text, 1), EAGAIN);
  CHECK_IS("write", write(writer, "hello", 5), 5);
  CHECK_IS("read", read(reader, text, 16), 5);
  CHECK_TEXT("text", text, "hello");
  NEED(write(writer, "kept", 4));
  close(writer);
  CHECK_IS("what was written stays", read(reader, text, 16), 4);
  CHECK_IS("then the end", read(reader, text, 16), 0);
  CHECK_OK("a new writer", writer = open("p", O_WRONLY));
  CHECK_FAILS("opens it again", read(reader, text, 1), EAGAIN);
  close(reader);
  signal(SIGPIPE, SIG_IGN);
  CHECK_FAILS("no reader", write(writer, "x", 1), EPIPE);
  close(writer);

  pid_t child = NEED(fork());
  if (child == 0) {
    int fd = NEED(open("p", O_WRONLY));
    NEED(write(fd, "from the child", 14));
    _exit(0);
  }
  CHECK_OK("a reader and a writer wait for each other", reader = open("p", O_RDONLY));
  CHECK_IS("read", read(reader, text, 16), 14);
  CHECK_IS("end", read(reader, text, 16), 0);
  CHECK_IS("child", wait_code(child), 0);
  close(reader);

  child = NEED(fork());
  if (child == 0) _exit(read(NEED(open("p", O_RDONLY)), text, 16) == 3 ? 5 : 1);
  CHECK_OK("the other way round", writer = open("p", O_WRONLY));
  NEED(write(writer, "abc", 3));
  CHECK_IS("child", wait_code(child), 5);
  close(writer);

  int both;
  CHECK_OK("O_RDWR waits for nobody", both = open("p", O_RDWR));
  NEED(write(both, "self", 4));
  CHECK_IS("and talks to itself", read(both, text, 16), 4);
  CHECK_OK("a second name", link("p", "q"));
  int other = NEED(open("q", O_WRONLY | O_NONBLOCK));
  NEED(write(other, "q", 1));
  CHECK_IS("is the same fifo", read(both, text, 16), 1);
  NEED(unlink("p"));
  NEED(unlink("q"));
  NEED(write(other, "still", 5));
  CHECK_IS("it lives while it is open", read(both, text, 16), 5);
  CHECK_FAILS("lseek", lseek(both, 0, SEEK_SET), ESPIPE);

  NEED(mkfifo("secret", 0600));
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("permission", open("secret", O_RDONLY | O_NONBLOCK), EACCES));
  return check_status();
}
