// timeout: 120
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// A directory of 100,000 names, read by getdents64(2) and by the old getdents(2).

enum { COUNT = 100000 };
static unsigned char seen[COUNT];

struct old_entry {
  unsigned long inode, offset;
  unsigned short length;
  char name[];
};

static void note(const char *name, int *others) {
  int number;
  char rest;
  if (sscanf(name, "n%d%c", &number, &rest) == 1 && number >= 0 && number < COUNT) {
    seen[number]++;
  } else {
    ++*others;
  }
}

static void check_seen(const char *what, int others) {
  int once = 0;
  for (int i = 0; i < COUNT; i++) once += seen[i] == 1;
  CHECK_IS(what, once, COUNT);
  CHECK_IS("and . and ..", others, 2);
  memset(seen, 0, sizeof seen);
}

int main(void) {
  char name[16];
  NEED(mkdir("d", 0700));
  int directory = NEED(open("d", O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < COUNT; i++) {
    snprintf(name, sizeof name, "n%d", i);
    close(NEED(openat(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0600)));
  }
  int others = 0;
  DIR *stream = fdopendir(dup(directory));
  struct dirent *entry;
  while ((entry = readdir(stream))) note(entry->d_name, &others);
  check_seen("all names once", others);
  rewinddir(stream);
  long position = 0;
  for (int i = 0; i < 500; i++) {
    entry = readdir(stream);
    if (i == 250) position = telldir(stream);
    if (i == 251) strcpy(name, entry->d_name);
  }
  seekdir(stream, position);
  CHECK_TEXT("seekdir comes back", readdir(stream)->d_name, name);
  closedir(stream);

  static char block[4096] __attribute__((aligned(8)));
  NEED(lseek(directory, 0, SEEK_SET));
  int length, types = 0;
  others = 0;
  while ((length = syscall(SYS_getdents, directory, block, sizeof block)) > 0) {
    for (int at = 0; at < length;) {
      struct old_entry *old = (struct old_entry *)(block + at);
      note(old->name, &others);
      char type = block[at + old->length - 1];
      types += type == DT_REG || type == DT_DIR;
      at += old->length;
    }
  }
  CHECK_IS("the end", length, 0);
  check_seen("the old call too", others);
  CHECK_IS("their types", types, COUNT + 2);
  NEED(lseek(directory, 0, SEEK_SET));
  CHECK_FAILS("no room", syscall(SYS_getdents, directory, block, 10), EINVAL);
  CHECK_FAILS("a file", syscall(SYS_getdents, NEED(openat(directory, "n1", O_RDONLY)), block, 100),
    ENOTDIR);
  CHECK_OK("/proc the old way", length = syscall(SYS_getdents, NEED(open("/proc/self", O_RDONLY)),
    block, sizeof block));
  int found = 0;
  for (int at = 0; at < length; at += ((struct old_entry *)(block + at))->length)
    found += !strcmp(((struct old_entry *)(block + at))->name, "status");
  CHECK_IS("status is there", found, 1);

  CHECK_FAILS("not empty", rmdir("d"), ENOTEMPTY);
  // Each name goes as soon as it is read, and none is missed.
  NEED(lseek(directory, 0, SEEK_SET));
  stream = fdopendir(directory);
  others = 0;
  while ((entry = readdir(stream))) {
    note(entry->d_name, &others);
    if (entry->d_type == DT_REG) NEED(unlinkat(directory, entry->d_name, 0));
  }
  check_seen("all once while they go", others);
  CHECK_OK("empty again", rmdir("d"));
  return check_status();
}
