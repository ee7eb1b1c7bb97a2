#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// Names of 255 bytes and paths of 4095: the longest that Linux takes.

static char path[8192], back[8192];

// A path of that length to the file `f`, which leads through "./" again and again.
static const char *of_length(size_t length) {
  size_t at = 0;
  if (length % 2 == 0) path[at++] = '.', path[at++] = '/', path[at++] = '/';
  while (at < length - 1) path[at++] = '.', path[at++] = '/';
  path[at++] = 'f';
  path[at] = 0;
  return strlen(path) == length ? path : "not of that length";
}

int main(void) {
  struct stat st;
  close(NEED(creat("f", 0600)));
  char name[300];
  memset(name, 'n', sizeof name);
  name[255] = 0;
  CHECK_OK("a name of 255 bytes", close(creat(name, 0600)));
  CHECK_OK("stat", stat(name, &st));
  char other[256];
  memset(other, 'm', 255);
  other[255] = 0;
  CHECK_OK("rename to another", rename(name, other));
  CHECK_OK("stat it", stat(other, &st));
  name[255] = 'n';
  name[256] = 0;
  CHECK_FAILS("create one of 256", creat(name, 0600), ENAMETOOLONG);
  CHECK_FAILS("stat", stat(name, &st), ENAMETOOLONG);
  CHECK_FAILS("mkdir", mkdir(name, 0700), ENAMETOOLONG);
  CHECK_FAILS("symlink", symlink("f", name), ENAMETOOLONG);
  CHECK_FAILS("rename to it", rename("f", name), ENAMETOOLONG);
  CHECK_FAILS("link", link("f", name), ENAMETOOLONG);
  CHECK_FAILS("unlink", unlink(name), ENAMETOOLONG);
  CHECK_FAILS("in the middle", stat(strcat(name, "/f"), &st), ENAMETOOLONG);

  CHECK_OK("stat by 4095 bytes", stat(of_length(4095), &st));
  CHECK_OK("open", close(open(of_length(4095), O_RDONLY)));
  CHECK_OK("chmod", chmod(of_length(4095), 0640));
  CHECK_OK("4094", chmod(of_length(4094), 0600));
  CHECK_FAILS("4096", stat(of_length(4096), &st), ENAMETOOLONG);
  CHECK_FAILS("open", open(of_length(4096), O_RDONLY), ENAMETOOLONG);
  CHECK_FAILS("chmod", chmod(of_length(4096), 0600), ENAMETOOLONG);
  CHECK_FAILS("5000", truncate(of_length(5000), 0), ENAMETOOLONG);
  CHECK_OK("the next call is as ever", mkdir("d", 0700));

  // Down a way of names of 200 bytes, until getcwd(2) has more to say than a page holds.
  memset(name, 'd', 200);
  name[200] = 0;
  NEED(chdir("d"));
  long start = NEED(syscall(SYS_getcwd, back, sizeof back));
  int level = 0, good = 1;
  for (; start + (level + 1) * 201 <= 4096; level++) {
    NEED(mkdir(name, 0700));
    NEED(chdir(name));
    long length = syscall(SYS_getcwd, back, sizeof back);
    good &= length == start + (level + 1) * 201 && back[length - 1] == 0;
  }
  CHECK("getcwd on the way down", good);
  NEED(mkdir(name, 0700));
  NEED(chdir(name));
  CHECK_FAILS("getcwd of more than 4096", syscall(SYS_getcwd, back, sizeof back), ENAMETOOLONG);
  CHECK_OK("a file there", close(creat("bottom", 0600)));
  CHECK_OK("stat", stat("bottom", &st));
  CHECK_OK("chmod there", chmod("bottom", 0444));
  CHECK_OK("unlink", unlink("bottom"));
  for (level++; level > 0; level--) {
    NEED(chdir(".."));
    NEED(rmdir(name));
  }
  CHECK_OK("back at the top", stat("../f", &st));
  return check_status();
}
