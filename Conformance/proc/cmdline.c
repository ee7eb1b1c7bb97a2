#include "check.h"
#include "proc/text.h"
#include <sys/auxv.h>

// /proc/self/cmdline, environ and auxv, and reading in pieces.

// The strings of the file, one a line, without the first.
static void print_strings(const char *path) {
  char text[4096];
  int fd = NEED(open(path, O_RDONLY));
  long length = NEED(read(fd, text, sizeof text));
  close(fd);
  int index = 0;
  for (long at = 0; at < length; at += strlen(text + at) + 1) {
    if (index++ > 0 || strchr(text + at, '=')) say("  %s", text + at);
  }
  say("  %d strings, %s", index, length && text[length - 1] == 0 ? "terminated" : "cut");
}

static void check_pieces(void) {
  char whole[4096], pieces[4096];
  int fd = NEED(open("/proc/self/cmdline", O_RDONLY));
  long length = NEED(read(fd, whole, sizeof whole)), at = 0;
  CHECK_IS("the end", read(fd, pieces, 1), 0);
  NEED(lseek(fd, 0, SEEK_SET));
  while (read(fd, pieces + at, 1) == 1) at++;
  CHECK("byte by byte", at == length && memcmp(whole, pieces, at) == 0);
  CHECK_IS("pread", pread(fd, pieces, 3, length - 3), 3);
  CHECK("its end", memcmp(whole + length - 3, pieces, 3) == 0);
}

int main(int count, char **words, char **environment) {
  if (count == 1) {
    char *arguments[] = {words[0], "one", "", "three words here", NULL};
    char *variables[] = {"A=1", "EMPTY=", "B=two words", NULL};
    execve(words[0], arguments, variables);
    return 1;
  }
  say("cmdline");
  print_strings("/proc/self/cmdline");
  say("environ");
  print_strings("/proc/self/environ");
  check_pieces();
  setenv("LATER", "x", 1);
  strcpy(words[1], "ONE");
  say("cmdline shows the memory, environ not what setenv adds");
  print_strings("/proc/self/cmdline");
  print_strings("/proc/self/environ");
  environment[0][2] = '9';
  IN_CHILD(say("a child has them too"); print_strings("/proc/self/environ"));

  unsigned long vector[100] = {0};
  int fd = NEED(open("/proc/self/auxv", O_RDONLY));
  long length = NEED(read(fd, vector, sizeof vector));
  CHECK("auxv", length > 0 && length % 16 == 0);
  int page = 0, entry = 0, last = 0;
  for (int i = 0; i < length / 8; i += 2) {
    if (vector[i] == AT_PAGESZ) page = vector[i + 1] == 4096;
    if (vector[i] == AT_ENTRY) entry = vector[i + 1] == getauxval(AT_ENTRY);
    if (vector[i] == AT_NULL) last = 1;
  }
  CHECK("has the page size, the entry and an end", page && entry && last);
  return check_status();
}
