#include "check.h"
#include "inet/inet.h"
#include <pthread.h>
#include <sys/sendfile.h>

// sendfile(2) and splice(2) with TCP at one end: positions, partial transfers, errors.

static unsigned char large[2 << 20], room[2 << 20];
static int ends[2];

static void *receive(void *size) {
  long want = (long)size, total = 0, got;
  while (total < want && (got = read(ends[1], room + total, want - total)) > 0) total += got;
  return (void *)total;
}

static int received(long size) {
  pthread_t thread;
  void *total;
  pthread_create(&thread, NULL, receive, (void *)size);
  pthread_join(thread, &total);
  return (long)total == size;
}

int main(void) {
  for (size_t i = 0; i < sizeof large; i++) large[i] = (unsigned char)(i * 7 >> 2);
  int file = NEED(open("file", O_RDWR | O_CREAT, 0600));
  NEED(write(file, large, sizeof large));
  tcp_pair(ends);
  off_t offset = 100;
  CHECK_IS("with an offset", sendfile(ends[0], file, &offset, 5000), 5000);
  CHECK_IS("which moves", offset, 5100);
  CHECK_IS("the file's own does not", lseek(file, 0, SEEK_CUR), sizeof large);
  CHECK("it comes", received(5000) && !memcmp(room, large + 100, 5000));
  NEED(lseek(file, 10, SEEK_SET));
  CHECK_IS("without one", sendfile(ends[0], file, NULL, 300), 300);
  CHECK_IS("the file's own moves", lseek(file, 0, SEEK_CUR), 310);
  CHECK("it comes", received(300) && !memcmp(room, large + 10, 300));
  offset = sizeof large - 10;
  CHECK_IS("to the end", sendfile(ends[0], file, &offset, 100), 10);
  CHECK_IS("behind it", sendfile(ends[0], file, &offset, 100), 0);
  CHECK("it comes", received(10));
  CHECK_IS("nothing", sendfile(ends[0], file, NULL, 0), 0);

  pthread_t thread;
  pthread_create(&thread, NULL, receive, (void *)sizeof large);
  offset = 0;
  CHECK_IS("a large file is sent whole", sendfile(ends[0], file, &offset, sizeof large),
    sizeof large);
  void *total;
  pthread_join(thread, &total);
  CHECK_IS("and comes whole", (long)total, sizeof large);
  CHECK("as it is", !memcmp(room, large, sizeof large));
  NEED(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  long sent = 0, step;
  for (;;) {
    offset = 0;
    step = sendfile(ends[0], file, &offset, sizeof large);
    if (step < 0) break;
    sent += step;
    if (offset != step) say("the offset is not what was sent");
  }
  int error = errno;
  CHECK_IS("non-blocking stops", error, EAGAIN);
  CHECK_IS("and moves no offset", offset, 0);
  long rest = sent;
  while (rest > 0 && (step = read(ends[1], room, sizeof room)) > 0) rest -= step;
  CHECK_IS("what was sent comes", rest, 0);
  NEED(fcntl(ends[0], F_SETFL, 0));

  int gate[2];
  NEED(pipe(gate));
  CHECK_FAILS("from a socket", sendfile(1, ends[1], NULL, 10), EINVAL);
  CHECK_FAILS("from a file for writing", sendfile(ends[0], NEED(open("file", O_WRONLY)), NULL, 1),
    EBADF);
  CHECK_FAILS("bad offset", sendfile(ends[0], file, (off_t *)8, 10), EFAULT);
  offset = -1;
  CHECK_FAILS("negative offset", sendfile(ends[0], file, &offset, 10), EINVAL);
  handle(SIGPIPE, 0);
  NEED(shutdown(ends[0], SHUT_WR));
  offset = 0;
  CHECK_FAILS("after the end", sendfile(ends[0], file, &offset, 10), EPIPE);
  CHECK_IS("with SIGPIPE", signals_seen, 1);
  int lonely = NEED(socket(AF_INET, SOCK_STREAM, 0));
  CHECK_FAILS("not connected", sendfile(lonely, file, &offset, 10), EPIPE);
  return check_status();
}
