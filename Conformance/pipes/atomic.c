#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>

// Writes of up to PIPE_BUF bytes are never mixed, and wait for room rather than be cut.

enum { writers = 4, records = 150, size = 3000 };

int main(void) {
  int ends[2];
  NEED(pipe(ends));
  pid_t children[writers];
  for (int writer = 0; writer < writers; writer++) {
    if ((children[writer] = NEED(fork())) == 0) {
      static char record[size];
      memset(record, 'a' + writer, size);
      for (int i = 0; i < records; i++)
        if (write(ends[1], record, size) != size) _exit(1);
      _exit(0);
    }
  }
  close(ends[1]);
  static char content[writers * records * size + 1];
  long total = 0, count;
  while ((count = read(ends[0], content + total, 10000)) > 0) total += count;
  CHECK_IS("all arrives", total, writers * records * size);
  int torn = 0, seen[writers] = {0};
  for (long at = 0; at < total; at += size) {
    for (int i = 1; i < size; i++) torn += content[at + i] != content[at];
    seen[content[at] - 'a']++;
  }
  CHECK_IS("torn records", torn, 0);
  for (int i = 0; i < writers; i++) CHECK_IS("records of one writer", seen[i], records);
  for (int i = 0; i < writers; i++) CHECK_IS("writer", wait_code(children[i]), 0);

  NEED(pipe2(ends, O_NONBLOCK));
  NEED(fcntl(ends[1], F_SETPIPE_SZ, 8192));
  CHECK_IS("fill", write(ends[1], content, 6000), 6000);
  CHECK_FAILS("no room for 4096 at once", write(ends[1], content, PIPE_BUF), EAGAIN);
  while (read(ends[0], content, sizeof content) > 0) {}
  CHECK_IS("a page", write(ends[1], content, 4096), 4096);
  CHECK_IS("a larger one is cut at the rest", write(ends[1], content, 8000), 4096);
  return check_status();
}
