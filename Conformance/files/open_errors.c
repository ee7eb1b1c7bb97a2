#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// Path resolution: what each kind of broken path says, path_resolution(7).

static char long_name[300];
static char long_path[5000];

static void fill(char *text, size_t length) {
  memset(text, 'n', length);
  text[length] = 0;
}

// A path of LENGTH bytes that resolves to the file "f": "./././.../f".
static const char *dotted_path(size_t length) {
  size_t at = 0;
  if (length % 2 == 0) {
    memcpy(long_path, ".//", 3);
    at = 3;
  }
  while (at + 1 < length) {
    long_path[at++] = '.';
    long_path[at++] = '/';
  }
  long_path[at++] = 'f';
  long_path[at] = 0;
  return long_path;
}

int main(void) {
  struct stat st;
  close(NEED(creat("f", 0600)));
  NEED(mkdir("d", 0700));

  fill(long_name, 255);
  int fd;
  CHECK_OK("a name of 255 bytes", fd = creat(long_name, 0600));
  close(fd);
  CHECK_OK("stat of it", stat(long_name, &st));
  CHECK_OK("unlink of it", unlink(long_name));
  fill(long_name, 256);
  CHECK_FAILS("open 256", open(long_name, O_RDONLY), ENAMETOOLONG);
  CHECK_FAILS("creat 256", creat(long_name, 0600), ENAMETOOLONG);
  CHECK_FAILS("mkdir 256", mkdir(long_name, 0700), ENAMETOOLONG);
  CHECK_FAILS("stat 256", stat(long_name, &st), ENAMETOOLONG);
  CHECK_FAILS("rename to 256", rename("f", long_name), ENAMETOOLONG);
  CHECK_FAILS("symlink 256", symlink("f", long_name), ENAMETOOLONG);
  CHECK_FAILS("unlink 256", unlink(long_name), ENAMETOOLONG);
  CHECK_OK("a path of 4095 bytes", stat(dotted_path(4095), &st));
  CHECK_FAILS("a path of 4096 bytes", stat(dotted_path(4096), &st), ENAMETOOLONG);
  CHECK_FAILS("open of it", open(long_path, O_RDONLY), ENAMETOOLONG);
  CHECK_FAILS("chdir to it", chdir(long_path), ENAMETOOLONG);

  NEED(symlink("loop", "loop"));
  NEED(symlink("right", "left"));
  NEED(symlink("left", "right"));
  CHECK_FAILS("a link to itself", open("loop", O_RDONLY), ELOOP);
  CHECK_FAILS("two links in a circle", stat("left", &st), ELOOP);
  CHECK_FAILS("a loop on the way", stat("loop/x", &st), ELOOP);
  CHECK_FAILS("creating through a loop", open("loop", O_WRONLY | O_CREAT, 0600), ELOOP);
  CHECK_OK("lstat of a loop", lstat("loop", &st));

  char name[16], target[16];
  NEED(symlink("f", "l0"));
  for (int i = 1; i <= 40; i++) {
    snprintf(name, sizeof name, "l%d", i);
    snprintf(target, sizeof target, "l%d", i - 1);
    NEED(symlink(target, name));
  }
  CHECK_OK("a chain of 40 links", stat("l39", &st));
  CHECK_FAILS("a chain of 41 links", stat("l40", &st), ELOOP);

  CHECK_FAILS("a file as directory", open("f/x", O_RDONLY), ENOTDIR);
  CHECK_FAILS("a file with a slash", stat("f/", &st), ENOTDIR);
  CHECK_FAILS("a file with a dot", stat("f/.", &st), ENOTDIR);
  CHECK_FAILS("a file and its parent", stat("f/..", &st), ENOTDIR);
  CHECK_FAILS("mkdir below a file", mkdir("f/x", 0700), ENOTDIR);
  CHECK_FAILS("unlink below a file", unlink("f/x"), ENOTDIR);
  CHECK_FAILS("rename below a file", rename("f", "f/x"), ENOTDIR);
  CHECK_FAILS("chdir to a file", chdir("f"), ENOTDIR);
  CHECK_FAILS("rmdir of a file", rmdir("f"), ENOTDIR);

  CHECK_FAILS("a missing parent", open("m/x", O_WRONLY | O_CREAT, 0600), ENOENT);
  CHECK_FAILS("a missing parent and ..", stat("m/../f", &st), ENOENT);
  CHECK_FAILS("stat of an empty path", stat("", &st), ENOENT);
  CHECK_FAILS("chdir to an empty path", chdir(""), ENOENT);
  NEED(symlink("nowhere", "dangling"));
  CHECK_FAILS("a dangling link", open("dangling", O_RDONLY), ENOENT);
  CHECK_FAILS("a dangling link on the way", stat("dangling/x", &st), ENOENT);

  CHECK_FAILS("unlink of a directory", unlink("d"), EISDIR);
  CHECK_FAILS("truncate of a directory", truncate("d", 0), EISDIR);
  CHECK_FAILS("creat over a directory", creat("d", 0600), EISDIR);
  CHECK_OK("many slashes", stat(".////d//./..///f", &st));
  CHECK_OK(".. of the root is the root", stat("/../../..", &st));
  return check_status();
}
