#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// getdents64(2) and readdir(3): every name once, with its type.

struct entry {
  uint64_t inode;
  int64_t next;
  unsigned short size;
  unsigned char type;
  char name[];
};

static int seen[500];

static const char *type_name(int type) {
  switch (type) {
  case DT_REG: return "file";
  case DT_DIR: return "directory";
  case DT_LNK: return "link";
  case DT_FIFO: return "fifo";
  case DT_SOCK: return "socket";
  default: return "unknown";
  }
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

// Notes the numbered names of one read; how many bytes it gave.
static long read_some(int fd, size_t size) {
  static char buffer[65536] __attribute__((aligned(8)));
  long length = syscall(SYS_getdents64, fd, buffer, size);
  for (long at = 0; at < length;) {
    struct entry *entry = (struct entry *)(buffer + at);
    if (entry->name[0] != '.') seen[atoi(entry->name)]++;
    at += entry->size;
  }
  return length;
}

int main(void) {
  NEED(mkdir("types", 0755));
  NEED(mkdir("types/d", 0755));
  close(NEED(creat("types/f", 0644)));
  NEED(symlink("f", "types/l"));
  NEED(mkfifo("types/p", 0644));
  NEED(mknod("types/s", S_IFSOCK | 0644, 0));
  struct dirent **list;
  int count = scandir("types", &list, NULL, by_name);
  for (int i = 0; i < count; i++) say("%s: %s", list[i]->d_name, type_name(list[i]->d_type));
  struct stat st;
  NEED(lstat("types/l", &st));
  CHECK("the inode is stat's", list[4]->d_ino == st.st_ino);

  NEED(mkdir("many", 0755));
  char name[32];
  for (int i = 0; i < 500; i++) {
    snprintf(name, sizeof name, "many/%d", i);
    close(NEED(creat(name, 0644)));
  }
  int fd = NEED(open("many", O_RDONLY | O_DIRECTORY));
  int calls = 0;
  while (read_some(fd, 1024) > 0) calls++;
  int once = 0;
  for (int i = 0; i < 500; i++) once += seen[i] == 1;
  CHECK_IS("500 names once each", once, 500);
  CHECK("in many calls", calls > 10);
  CHECK_IS("the end stays the end", read_some(fd, 1024), 0);
  NEED(lseek(fd, 0, SEEK_SET));
  CHECK("lseek starts again", read_some(fd, 32768) > 0);
  NEED(lseek(fd, 0, SEEK_SET));
  CHECK_FAILS("no room for one entry", syscall(SYS_getdents64, fd, name, 8), EINVAL);
  CHECK_FAILS("a bad buffer", syscall(SYS_getdents64, fd, 8, 4096), EFAULT);
  int file = NEED(open("many/1", O_RDONLY));
  CHECK_FAILS("a file", syscall(SYS_getdents64, file, name, 32), ENOTDIR);
  CHECK_FAILS("a closed descriptor", syscall(SYS_getdents64, 99, name, 32), EBADF);

  DIR *directory = opendir("many");
  for (int i = 0; i < 100; i++) readdir(directory);
  long place = telldir(directory);
  char expected[256];
  strcpy(expected, readdir(directory)->d_name);
  for (int i = 0; i < 50; i++) readdir(directory);
  seekdir(directory, place);
  CHECK_TEXT("seekdir returns to telldir's place", readdir(directory)->d_name, expected);
  rewinddir(directory);
  int total = 0;
  while (readdir(directory)) total++;
  CHECK_IS("rewinddir", total, 502);

  rewinddir(directory);
  struct dirent *entry;
  while ((entry = readdir(directory)))
    if (entry->d_name[0] != '.') unlinkat(dirfd(directory), entry->d_name, 0);
  closedir(directory);
  CHECK_OK("removing while reading removes all", rmdir("many"));
  CHECK_FAILS("a removed directory", read_some(fd, 4096), ENOENT);
  return check_status();
}
