#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

// /dev takes directories, files and links of programs.

static int is_listed(const char *path, const char *name) {
  DIR *directory = opendir(path);
  int found = 0;
  for (struct dirent *entry; (entry = readdir(directory));)
    found += strcmp(entry->d_name, name) == 0;
  closedir(directory);
  return found;
}

static char base[64];

static const char *below(const char *name) {
  static char paths[4][128];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", base, name);
  return path;
}

static void check_file(void) {
  char text[32] = "";
  struct stat st;
  int fd;
  CHECK_OK("a file", fd = open(below("f"), O_RDWR | O_CREAT | O_EXCL, 0640));
  CHECK_FAILS("only once", open(below("f"), O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
  CHECK_IS("write", write(fd, "hello world", 11), 11);
  CHECK_IS("pread", pread(fd, text, 5, 6), 5);
  CHECK_TEXT("what was written", text, "world");
  CHECK_IS("lseek", lseek(fd, 0, SEEK_END), 11);
  CHECK_IS("the end", read(fd, text, 5), 0);
  CHECK_IS("pwrite beyond it", pwrite(fd, "x", 1, 5000), 1);
  CHECK_IS("a hole", (pread(fd, text, 1, 4000), text[0]), 0);
  NEED(fstat(fd, &st));
  CHECK("its status", st.st_mode == (S_IFREG | 0640) && st.st_size == 5001 && st.st_nlink == 1);
  CHECK_OK("ftruncate", ftruncate(fd, 3));
  CHECK_OK("longer again", ftruncate(fd, 6));
  memset(text, 'x', sizeof text);
  CHECK_IS("read", pread(fd, text, 10, 0), 6);
  CHECK("with zeros", memcmp(text, "hel\0\0\0", 6) == 0);
  int append = NEED(open(below("f"), O_WRONLY | O_APPEND));
  NEED(write(append, "!", 1));
  CHECK_IS("O_APPEND", lseek(fd, 0, SEEK_END), 7);
  CHECK_OK("O_TRUNC", close(open(below("f"), O_WRONLY | O_TRUNC)));
  CHECK_IS("is empty", lseek(fd, 0, SEEK_END), 0);
  CHECK_OK("chmod", chmod(below("f"), 0600));
  NEED(stat(below("f"), &st));
  CHECK_IS("its mode", st.st_mode, S_IFREG | 0600);
  CHECK_FAILS("a directory it is not", open(below("f/x"), O_RDONLY), ENOTDIR);
  CHECK_FAILS("rmdir of a file", rmdir(below("f")), ENOTDIR);
  NEED(write(fd, "kept", 4));
  CHECK_OK("unlink", unlink(below("f")));
  CHECK_FAILS("gone", stat(below("f"), &st), ENOENT);
  CHECK_IS("open it stays", pread(fd, text, 4, 0), 4);
}

int main(void) {
  struct stat st, other;
  char text[64] = "";
  snprintf(base, sizeof base, "/dev/paravane-conformance-%d", getpid());
  umask(022);
  CHECK_OK("mkdir", mkdir(base, 0777));
  NEED(stat(base, &st));
  NEED(stat("/dev", &other));
  CHECK("a directory of /dev", st.st_mode == (S_IFDIR | 0755) && st.st_dev == other.st_dev);
  CHECK("listed", is_listed("/dev", base + 5));
  CHECK_FAILS("again", mkdir(base, 0777), EEXIST);
  check_file();
  CHECK_OK("symlink", symlink("target", below("l")));
  CHECK_IS("readlink", readlink(below("l"), text, sizeof text), 6);
  CHECK_TEXT("its text", text, "target");
  CHECK_FAILS("leads nowhere", open(below("l"), O_RDONLY), ENOENT);
  CHECK_OK("to the null device", symlink("../null", below("n")));
  CHECK_OK("open it", close(open(below("n"), O_RDWR)));
  CHECK_FAILS("a full directory", rmdir(base), ENOTEMPTY);
  NEED(chdir(base));
  CHECK_OK("a relative name", mkdir("sub", 0700));
  CHECK("listed", is_listed(".", "sub"));
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("others make nothing", mkdir(below("theirs"), 0700), EACCES);
    CHECK_FAILS("and remove nothing", unlink(below("l")), EACCES);
    CHECK_FAILS("nor look into it", open(below("sub/x"), O_RDONLY), EACCES));
  CHECK_OK("rmdir", rmdir("sub"));
  CHECK_FAILS("unlink of a directory", unlink(base), EISDIR);
  NEED(unlink("l"));
  NEED(unlink("n"));
  NEED(chdir("/"));
  CHECK_OK("the last", rmdir(base));
  CHECK("no longer listed", !is_listed("/dev", base + 5));
  return check_status();
}
