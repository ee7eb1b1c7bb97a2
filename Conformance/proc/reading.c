#include "check.h"
#include "proc/text.h"
#include <dirent.h>
#include <sys/stat.h>
#include <sys/vfs.h>

// How files and directories of /proc are read: in pieces, again, from the middle.

static void check_again(void) {
  char text[64] = "";
  int fd = NEED(open("/proc/self/comm", O_RDWR));
  NEED(write(fd, "first", 5));
  CHECK_IS("read", pread(fd, text, 64, 0), 6);
  CHECK_TEXT("the name", text, "first\n");
  NEED(lseek(fd, 0, SEEK_SET));
  NEED(read(fd, text, 3));
  NEED(write(NEED(open("/proc/self/comm", O_WRONLY)), "second", 6));
  CHECK_IS("the rest is the old text's", read(fd, text, 64), 3);
  CHECK("of it", memcmp(text, "st\n", 3) == 0);
  CHECK_IS("the end", read(fd, text, 64), 0);
  CHECK_IS("from the start", lseek(fd, 0, SEEK_SET), 0);
  CHECK_IS("it is new", read(fd, text, 64), 7);
  CHECK("it is", memcmp(text, "second\n", 7) == 0);
  CHECK_FAILS("no seek before the start", lseek(fd, -1, SEEK_SET), EINVAL);
  CHECK_IS("a seek beyond the end", lseek(fd, 1000, SEEK_SET), 1000);
  CHECK_IS("finds nothing", read(fd, text, 64), 0);
  CHECK_FAILS("a bad buffer", pread(fd, (void *)8, 4, 0), EFAULT);
}

// Counts entries by readdir(3), then again from a remembered place.
static void check_directory(const char *path) {
  DIR *directory = opendir(path);
  int count = 0, rest = 0, doubles = 0;
  long place = 0;
  char names[256][32] = {{0}};
  for (struct dirent *entry; (entry = readdir(directory)) && count < 256; count++) {
    for (int i = 0; i < count; i++) doubles += strcmp(names[i], entry->d_name) == 0;
    snprintf(names[count], sizeof names[0], "%.31s", entry->d_name);
    if (count == 5) place = telldir(directory);
  }
  CHECK("more than a few", count > 6);
  CHECK_IS("each once", doubles, 0);
  CHECK("dots first", strcmp(names[0], ".") == 0 && strcmp(names[1], "..") == 0);
  seekdir(directory, place);
  struct dirent *next = readdir(directory);
  CHECK_TEXT("telldir", next ? next->d_name : "(end)", names[6]);
  rewinddir(directory);
  while (readdir(directory)) rest++;
  CHECK_IS("rewinddir", rest, count);
  closedir(directory);
}

int main(void) {
  char text[16];
  struct statfs fs;
  struct stat st, other;
  check_again();
  check_directory("/proc");
  check_directory("/proc/self");
  CHECK_OK("statfs", statfs("/proc/self/status", &fs));
  CHECK_IS("its type", fs.f_type, 0x9fa0);
  NEED(stat("/proc/self/status", &st));
  NEED(stat("/proc/self/stat", &other));
  CHECK("inodes differ", st.st_ino != other.st_ino && st.st_dev == other.st_dev);
  NEED(stat("/proc/self/status", &other));
  CHECK("and stay", st.st_ino == other.st_ino);
  CHECK_FAILS("read a directory", read(NEED(open("/proc/self", O_RDONLY)), text, 1), EISDIR);
  CHECK_FAILS("write to one", open("/proc/self", O_RDWR), EISDIR);
  CHECK_FAILS("a link itself", open("/proc/self/cwd", O_RDONLY | O_NOFOLLOW), ELOOP);
  NEED(chdir("/proc/self"));
  CHECK_TEXT("a relative path", text_of("comm"), "second\n");
  CHECK_OK("through dots", stat("../sys/../self/./status", &st));
  CHECK_FAILS("a file is no directory", stat("status/x", &st), ENOTDIR);
  return check_status();
}
