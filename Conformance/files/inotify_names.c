#include "check.h"
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>

// inotify(7): renames, links, flags of watches, files that are removed while open, other processes.

static int fd;

static const char *kind(uint32_t mask) {
  static char text[128];
  static const struct { uint32_t bit; const char *name; } names[] = {
    {IN_CREATE, "create"}, {IN_OPEN, "open"}, {IN_MODIFY, "modify"}, {IN_ATTRIB, "attrib"},
    {IN_CLOSE_WRITE, "close-write"}, {IN_CLOSE_NOWRITE, "close-nowrite"}, {IN_ACCESS, "access"},
    {IN_MOVED_FROM, "moved-from"}, {IN_MOVED_TO, "moved-to"}, {IN_DELETE, "delete"},
    {IN_DELETE_SELF, "delete-self"}, {IN_MOVE_SELF, "move-self"}, {IN_IGNORED, "ignored"},
    {IN_Q_OVERFLOW, "overflow"}, {IN_ISDIR, "directory"},
  };
  text[0] = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!(mask & names[i].bit)) continue;
    if (text[0]) strcat(text, " ");
    strcat(text, names[i].name);
  }
  return text;
}

// Prints what has been reported since the last time; cookies only by whether they go together.
static void report(const char *after) {
  static char buffer[16384] __attribute__((aligned(8)));
  long length = read(fd, buffer, sizeof buffer);
  unsigned cookie = 0;
  say("%s:", after);
  for (long at = 0; at < length;) {
    struct inotify_event *event = (struct inotify_event *)(buffer + at);
    const char *mark = !event->cookie ? "" : event->cookie == cookie ? " (the same)" : " (new)";
    say("  %d %s %s%s", event->wd, kind(event->mask), event->len ? event->name : "", mark);
    if (event->cookie) cookie = event->cookie;
    at += sizeof *event + event->len;
  }
}

static void touch(const char *path) { close(NEED(creat(path, 0644))); }

static void check_renames(void) {
  int a = NEED(inotify_add_watch(fd, "a", IN_ALL_EVENTS));
  int b = NEED(inotify_add_watch(fd, "b", IN_MOVE | IN_CREATE | IN_DELETE));
  CHECK("two watches", a == 1 && b == 2);
  touch("a/one");
  report("create");
  int self = NEED(inotify_add_watch(fd, "a/one", IN_MOVE_SELF | IN_DELETE_SELF));
  CHECK_IS("a third", self, 3);
  NEED(rename("a/one", "b/two"));
  report("to another directory");
  touch("b/old");
  NEED(inotify_add_watch(fd, "b/old", IN_ATTRIB | IN_DELETE_SELF));
  report("another file");
  NEED(rename("b/two", "b/old"));
  report("over another");
  NEED(mkdir("a/sub", 0755));
  NEED(rename("a/sub", "a/dir"));
  report("a directory");
  NEED(link("b/old", "a/link"));
  report("a hard link");
  NEED(symlink("nowhere", "a/soft"));
  report("a symbolic link");
  NEED(unlink("a/link"));
  NEED(unlink("a/soft"));
  report("both removed");
  NEED(rename("a/dir", "a/dir"));
  report("to itself");
  NEED(unlink("b/old"));
  report("the last name");
}

static void check_changes(void) {
  char text[8];
  int file = NEED(open("a/f", O_RDWR | O_CREAT, 0644));
  report("open");
  NEED(pwrite(file, "12345678", 8, 0));
  NEED(ftruncate(file, 4));
  report("write and truncate are one");
  NEED(pread(file, text, 4, 0));
  NEED(lseek(file, 0, SEEK_END));
  CHECK_IS("the end is no event", read(file, text, 4), 0);
  report("read");
  NEED(fchmod(file, 0600));
  NEED(fchown(file, 0, 0));
  NEED(futimens(file, NULL));
  report("attributes are one");
  close(file);
  report("close");
  NEED(truncate("a/f", 2));
  report("truncate by name");
  close(NEED(open("a/f", O_WRONLY | O_TRUNC)));
  report("O_TRUNC");
  struct timespec times[2] = {{1, 0}, {0, UTIME_OMIT}};
  NEED(utimensat(AT_FDCWD, "a/f", times, 0));
  times[0].tv_nsec = UTIME_OMIT, times[1] = (struct timespec){1, 0};
  NEED(utimensat(AT_FDCWD, "a/f", times, 0));
  report("one time at a time");
  close(NEED(open("a/f", O_PATH)));
  close(NEED(open("a/f", O_RDONLY | O_CREAT, 0600)));
  report("O_PATH is no event");
  int directory = NEED(open("a", O_RDONLY | O_DIRECTORY));
  report("the directory itself");
  close(directory);
  report("its end");
  NEED(rename("a/f", "a/g"));
  file = NEED(open("a/g", O_RDONLY));
  NEED(rename("a/g", "a/h"));
  report("rename while open");
  close(file);
  report("the new name");
}

static void check_open_files(void) {
  int file = NEED(open("a/h", O_RDWR));
  int watch = NEED(inotify_add_watch(fd, "a/h", IN_DELETE_SELF | IN_CLOSE | IN_ATTRIB));
  CHECK("a new number", watch > 4);
  report("open");
  NEED(unlink("a/h"));
  report("unlink while open");
  NEED(write(file, "x", 1));
  report("write without a name");
  close(file);
  report("and gone");
}

static void check_flags(void) {
  touch("f");
  int watch = NEED(inotify_add_watch(fd, "f", IN_ATTRIB));
  NEED(chmod("f", 0600));
  report("attributes");
  CHECK_IS("another mask", inotify_add_watch(fd, "f", IN_OPEN), watch);
  NEED(chmod("f", 0644));
  report("nothing");
  CHECK_IS("one more", inotify_add_watch(fd, "f", IN_ATTRIB | IN_MASK_ADD), watch);
  NEED(chmod("f", 0600));
  close(NEED(open("f", O_RDONLY)));
  report("both");
  CHECK_FAILS("IN_MASK_CREATE", inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE), EEXIST);
  CHECK_FAILS("both kinds", inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE),
    EINVAL);
  NEED(inotify_rm_watch(fd, watch));
  NEED(inotify_add_watch(fd, "f", IN_ATTRIB | IN_ONESHOT));
  NEED(chmod("f", 0644));
  NEED(chmod("f", 0600));
  report("once only");
  NEED(symlink("f", "l"));
  CHECK_OK("a link itself", inotify_add_watch(fd, "l", IN_DELETE_SELF | IN_DONT_FOLLOW));
  NEED(unlink("l"));
  report("its end");
  CHECK_FAILS("unknown flags", inotify_init1(1), EINVAL);
  CHECK_FAILS("a closed descriptor", inotify_add_watch(99, "f", IN_OPEN), EBADF);
  IN_CHILD({
    NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("without permission to read", inotify_add_watch(fd, "f", IN_OPEN), EACCES);
  });
}

static void check_processes(void) {
  int ends[2];
  NEED(mkdir("p", 0755));
  fd = NEED(inotify_init());
  NEED(inotify_add_watch(fd, "p", IN_CREATE | IN_DELETE));
  NEED(pipe(ends));
  pid_t child = NEED(fork());
  if (child == 0) {
    char byte;
    NEED(read(ends[0], &byte, 1));
    touch("p/of a child");
    _exit(0);
  }
  NEED(write(ends[1], "x", 1));
  report("a read waits for another process");
  CHECK_IS("child", wait_code(child), 0);
  NEED(unlink("p/of a child"));
  int copy = NEED(dup(fd));
  close(fd);
  fd = copy;
  report("through a copy");
  NEED(rmdir("p"));
  report("the watched directory goes");
}

static void check_overflow(void) {
  fd = NEED(inotify_init1(IN_NONBLOCK));
  NEED(inotify_add_watch(fd, "f", IN_ATTRIB | IN_OPEN | IN_CLOSE));
  for (int i = 0; i < 9000; i++) close(NEED(open("f", O_RDONLY)));
  char buffer[4096];
  int events = 0, overflows = 0;
  for (long length; (length = read(fd, buffer, sizeof buffer)) > 0;)
    for (long at = 0; at < length; at += sizeof(struct inotify_event)) {
      struct inotify_event *event = (struct inotify_event *)(buffer + at);
      if (event->mask & IN_Q_OVERFLOW) overflows += event->wd == -1;
      else events++;
    }
  CHECK_IS("as many as the queue holds", events, 16384);
  CHECK_IS("and a word about the rest", overflows, 1);
  chmod("f", 0644);
  report("then as before");
}

int main(void) {
  umask(022);
  NEED(mkdir("a", 0755));
  NEED(mkdir("b", 0755));
  fd = NEED(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  check_renames();
  check_changes();
  check_open_files();
  check_flags();
  close(fd);
  check_processes();
  close(fd);
  check_overflow();
  return check_status();
}
