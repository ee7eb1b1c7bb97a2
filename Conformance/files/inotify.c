#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

// inotify(7): what a watch of a directory and of a file reports.

static int fd;

static const char *kind(uint32_t mask) {
  static char text[64];
  static const struct { uint32_t bit; const char *name; } names[] = {
    {IN_CREATE, "create"}, {IN_OPEN, "open"}, {IN_MODIFY, "modify"}, {IN_ATTRIB, "attrib"},
    {IN_CLOSE_WRITE, "close-write"}, {IN_CLOSE_NOWRITE, "close-nowrite"}, {IN_ACCESS, "access"},
    {IN_MOVED_FROM, "moved-from"}, {IN_MOVED_TO, "moved-to"}, {IN_DELETE, "delete"},
    {IN_DELETE_SELF, "delete-self"}, {IN_MOVE_SELF, "move-self"}, {IN_IGNORED, "ignored"},
    {IN_ISDIR, "directory"},
  };
  text[0] = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!(mask & names[i].bit)) continue;
    if (text[0]) strcat(text, " ");
    strcat(text, names[i].name);
  }
  return text;
}

// Prints what has been reported since the last time.
static void report(const char *after) {
  char buffer[4096] __attribute__((aligned(8)));
  long length = read(fd, buffer, sizeof buffer);
  say("%s:", after);
  for (long at = 0; at < length;) {
    struct inotify_event *event = (struct inotify_event *)(buffer + at);
    say("  %d %s %s", event->wd, kind(event->mask), event->len ? event->name : "");
    at += sizeof *event + event->len;
  }
}

int main(void) {
  CHECK_OK("inotify_init1", fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  char text[64];
  CHECK_FAILS("nothing yet", read(fd, text, sizeof text), EAGAIN);
  NEED(mkdir("d", 0755));
  CHECK_IS("watch a directory", inotify_add_watch(fd, "d", IN_ALL_EVENTS), 1);
  CHECK_IS("again is the same", inotify_add_watch(fd, "d", IN_ALL_EVENTS), 1);
  int file = NEED(creat("d/f", 0600));
  report("create");
  NEED(write(file, "x", 1));
  close(file);
  report("write and close");
  file = NEED(open("d/f", O_RDONLY));
  NEED(read(file, text, 1));
  close(file);
  report("read");
  NEED(chmod("d/f", 0644));
  report("chmod");
  NEED(rename("d/f", "d/g"));
  report("rename");
  NEED(mkdir("d/sub", 0755));
  report("mkdir");
  CHECK_IS("watch a file", inotify_add_watch(fd, "d/g", IN_ATTRIB | IN_DELETE_SELF), 2);
  NEED(unlink("d/g"));
  report("unlink");
  struct pollfd wait = {fd, POLLIN, 0};
  CHECK_IS("poll finds nothing", poll(&wait, 1, 0), 0);
  NEED(rmdir("d/sub"));
  CHECK_IS("poll finds something", poll(&wait, 1, 0), 1);
  int waiting;
  NEED(ioctl(fd, FIONREAD, &waiting));
  CHECK_IS("FIONREAD", waiting, 32);
  CHECK_FAILS("no room for it", read(fd, text, 20), EINVAL);
  report("rmdir");
  CHECK_OK("remove the watch", inotify_rm_watch(fd, 1));
  report("remove");
  NEED(mkdir("d/again", 0755));
  CHECK_FAILS("silence", read(fd, text, sizeof text), EAGAIN);
  CHECK_FAILS("remove it again", inotify_rm_watch(fd, 1), EINVAL);
  CHECK_FAILS("watch nothing", inotify_add_watch(fd, "m", IN_OPEN), ENOENT);
  CHECK_FAILS("watch for nothing", inotify_add_watch(fd, "d", 0), EINVAL);
  CHECK_FAILS("not an inotify", inotify_add_watch(0, "d", IN_OPEN), EINVAL);
  CHECK_FAILS("IN_ONLYDIR of a file",
    (close(creat("f", 0600)), inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR)), ENOTDIR);
  return check_status();
}
