#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <dirent.h>

// O_TMPFILE: a file without a name, which linkat(2) may give one.

static int entries(const char *path) {
  DIR *directory = opendir(path);
  int count = 0;
  while (readdir(directory)) count++;
  closedir(directory);
  return count - 2;
}

int main(void) {
  struct stat st;
  char path[64], text[8];
  umask(022);
  NEED(mkdir("d", 0755));
  int fd;
  CHECK_OK("O_TMPFILE", fd = open("d", O_TMPFILE | O_RDWR, 0666));
  CHECK_OK("fstat", fstat(fd, &st));
  CHECK_IS("no names", st.st_nlink, 0);
  CHECK_IS("its mode", st.st_mode, S_IFREG | 0644);
  CHECK_IS("the directory is empty", entries("d"), 0);
  CHECK_IS("write", write(fd, "text", 4), 4);
  CHECK_IS("read back", pread(fd, text, 8, 0), 4);

  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  CHECK_OK("link it", linkat(AT_FDCWD, path, AT_FDCWD, "d/named", AT_SYMLINK_FOLLOW));
  CHECK_IS("one entry", entries("d"), 1);
  CHECK_OK("stat by name", stat("d/named", &st));
  CHECK("content", st.st_size == 4 && st.st_nlink == 1);
  close(fd);

  CHECK_OK("another", fd = open("d", O_TMPFILE | O_RDWR, 0600));
  CHECK_OK("link it by its descriptor", linkat(fd, "", AT_FDCWD, "d/empty", AT_EMPTY_PATH));
  NEED(fstat(fd, &st));
  CHECK_IS("one name", st.st_nlink, 1);
  CHECK_FAILS("over one", linkat(fd, "", AT_FDCWD, "d/empty", AT_EMPTY_PATH), EEXIST);
  CHECK_FAILS("without AT_EMPTY_PATH", linkat(fd, "", AT_FDCWD, "d/no", 0), ENOENT);
  CHECK_OK("a second name", linkat(fd, "", AT_FDCWD, "d/second", AT_EMPTY_PATH));
  NEED(unlink("d/second"));
  NEED(unlink("d/empty"));
  CHECK_FAILS("none once all are gone", linkat(fd, "", AT_FDCWD, "d/no", AT_EMPTY_PATH), ENOENT);
  close(fd);

  // Who is not root may do so with what it has opened itself, by Linux 6.10.
  NEED(chmod("d", 0777));
  fd = NEED(open("d", O_TMPFILE | O_RDWR, 0600));
  IN_CHILD({
    NEED(setresgid(1000, 1000, 1000));
    NEED(setresuid(1000, 1000, 1000));
    CHECK_FAILS("somebody else's", linkat(fd, "", AT_FDCWD, "d/no", AT_EMPTY_PATH), ENOENT);
    int own = NEED(open("d", O_TMPFILE | O_RDWR, 0600));
    CHECK_OK("one's own", linkat(own, "", AT_FDCWD, "d/own", AT_EMPTY_PATH));
    CHECK_OK("is there", stat("d/own", &st));
    CHECK("one's own, too", st.st_uid == 1000 && st.st_nlink == 1);
    NEED(unlink("d/own"));
  });
  close(fd);

  CHECK_OK("O_EXCL", fd = open("d", O_TMPFILE | O_RDWR | O_EXCL, 0600));
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  CHECK_FAILS("can't be linked",
    linkat(AT_FDCWD, path, AT_FDCWD, "d/never", AT_SYMLINK_FOLLOW), ENOENT);
  close(fd);
  CHECK_FAILS("needs to be writable", open("d", O_TMPFILE | O_RDONLY, 0600), EINVAL);
  CHECK_FAILS("a file", open("d/named", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
  CHECK_FAILS("nothing", open("m", O_TMPFILE | O_RDWR, 0600), ENOENT);
  CHECK_OK("write-only", close(open("d", O_TMPFILE | O_WRONLY, 0600)));
  CHECK_IS("still one entry", entries("d"), 1);
  return check_status();
}
