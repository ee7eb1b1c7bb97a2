#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

// umask(2): what it takes from new files, and who shares it.

static int mode_of(const char *path) {
  struct stat st;
  NEED(lstat(path, &st));
  return st.st_mode & 07777;
}

static void *set_it(void *unused) {
  umask(0111);
  return unused;
}

int main(void) {
  umask(0777);
  CHECK_IS("returns the old one", umask(0123), 0777);
  CHECK_IS("bits beyond are dropped", (umask(07777), umask(0)), 0777);
  umask(026);
  close(NEED(creat("f", 0666)));
  CHECK_IS("a file", mode_of("f"), 0640);
  NEED(mkdir("d", 0777));
  CHECK_IS("a directory", mode_of("d"), 0751);
  NEED(mkfifo("p", 0666));
  CHECK_IS("a fifo", mode_of("p"), 0640);
  NEED(symlink("f", "l"));
  CHECK_IS("not a link", mode_of("l"), 0777);
  struct sockaddr_un name = {AF_UNIX, "s"};
  int fd = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
  NEED(bind(fd, (struct sockaddr *)&name, sizeof name));
  CHECK_IS("a bound socket", mode_of("s"), 0751);
  NEED(chmod("f", 0666));
  CHECK_IS("not chmod", mode_of("f"), 0666);
  close(NEED(creat("f", 0600)));
  CHECK_IS("not an existing file", mode_of("f"), 0666);
  IN_CHILD(CHECK_IS("a child inherits it", umask(077), 026));
  CHECK_IS("and keeps its own", umask(026), 026);
  pthread_t thread;
  pthread_create(&thread, NULL, set_it, NULL);
  pthread_join(thread, NULL);
  CHECK_IS("threads share it", umask(0), 0111);
  return check_status();
}
