#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// O_APPEND and a shared offset: no record of four writers is lost or torn.

enum { writers = 4, records = 200, size = 40 };

static void write_records(int fd, int writer) {
  char record[size];
  memset(record, 'a' + writer, size - 1);
  record[size - 1] = '\n';
  for (int i = 0; i < records; i++) NEED(write(fd, record, size));
}

static void check_file(const char *path) {
  static char content[writers * records * size + 1];
  int count[writers] = {0}, torn = 0;
  int fd = NEED(open(path, O_RDONLY));
  CHECK_IS("size", read(fd, content, sizeof content), writers * records * size);
  for (int at = 0; at < writers * records * size; at += size) {
    for (int i = 1; i < size - 1; i++) torn += content[at + i] != content[at];
    torn += content[at + size - 1] != '\n';
    if (content[at] >= 'a' && content[at] < 'a' + writers) count[content[at] - 'a']++;
  }
  CHECK_IS("torn records", torn, 0);
  for (int i = 0; i < writers; i++) CHECK_IS("records of one writer", count[i], records);
  close(fd);
}

int main(void) {
  int shared = NEED(open("shared", O_WRONLY | O_CREAT, 0600));
  close(NEED(creat("appended", 0600)));
  pid_t children[writers];
  for (int i = 0; i < writers; i++) {
    if ((children[i] = NEED(fork())) == 0) {
      int own = NEED(open("appended", O_WRONLY | O_APPEND));
      write_records(own, i);
      write_records(shared, i);
      _exit(0);
    }
  }
  for (int i = 0; i < writers; i++) CHECK_IS("writer", wait_code(children[i]), 0);
  say("each with its own O_APPEND");
  check_file("appended");
  say("all with one offset");
  check_file("shared");
  return check_status();
}
