#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <utime.h>

// utimensat(2) and its older kin.

static struct stat st;

static int times_are(const char *path, long access, long access_ns, long change, long change_ns) {
  NEED(lstat(path, &st));
  return st.st_atim.tv_sec == access && st.st_atim.tv_nsec == access_ns
    && st.st_mtim.tv_sec == change && st.st_mtim.tv_nsec == change_ns;
}

static void as_nobody(void) {
  NEED(setresuid(65534, 65534, 65534));
  struct timespec set[] = {{1, 0}, {2, 0}}, now[] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  struct timespec omit[] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
  CHECK_FAILS("another's file", utimensat(AT_FDCWD, "f", set, 0), EPERM);
  CHECK_FAILS("to now without write permission", utimensat(AT_FDCWD, "f", now, 0), EACCES);
  CHECK_FAILS("a null pointer is now", utimensat(AT_FDCWD, "f", NULL, 0), EACCES);
  CHECK_OK("to now with write permission", utimensat(AT_FDCWD, "open", now, 0));
  CHECK_FAILS("one now, one not", (now[0].tv_nsec = 5, utimensat(AT_FDCWD, "open", now, 0)), EPERM);
  CHECK_OK("nothing at all", utimensat(AT_FDCWD, "f", omit, 0));
}

int main(void) {
  umask(0);
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0644));
  close(NEED(creat("open", 0666)));
  NEED(symlink("f", "link"));
  struct timespec set[] = {{1000, 5}, {2000, 999999999}};
  CHECK_OK("utimensat", utimensat(AT_FDCWD, "f", set, 0));
  CHECK("to the nanosecond", times_are("f", 1000, 5, 2000, 999999999));
  CHECK("the status changed just now", st.st_ctime > 1000000000);
  set[0].tv_nsec = UTIME_OMIT;
  set[1].tv_sec = 3000;
  CHECK_OK("UTIME_OMIT", utimensat(AT_FDCWD, "f", set, 0));
  CHECK("leaves one", times_are("f", 1000, 5, 3000, 999999999));
  set[0].tv_nsec = UTIME_NOW;
  CHECK_OK("UTIME_NOW", utimensat(AT_FDCWD, "f", set, 0));
  NEED(stat("f", &st));
  CHECK("is now", st.st_atime > 1000000000 && st.st_mtime == 3000);
  struct timespec old[] = {{10, 1}, {20, 2}};
  CHECK_OK("futimens", futimens(fd, old));
  CHECK("by descriptor", times_are("f", 10, 1, 20, 2));
  CHECK_OK("AT_SYMLINK_NOFOLLOW", utimensat(AT_FDCWD, "link", set, AT_SYMLINK_NOFOLLOW));
  CHECK("not the target", times_are("f", 10, 1, 20, 2));
  CHECK_OK("before 1970", (old[0].tv_sec = -5, futimens(fd, old)));
  CHECK("is kept", times_are("f", -5, 1, 20, 2));
  CHECK_OK("a null pointer", futimens(fd, NULL));
  NEED(fstat(fd, &st));
  CHECK("is now", st.st_atime > 1000000000 && st.st_mtime > 1000000000);

  struct timespec bad[] = {{0, 1000000000}, {0, 0}};
  CHECK_FAILS("nanoseconds out of range", futimens(fd, bad), EINVAL);
  CHECK_FAILS("negative nanoseconds", (bad[0].tv_nsec = -1, futimens(fd, bad)), EINVAL);
  CHECK_FAILS("a missing file", utimensat(AT_FDCWD, "m", old, 0), ENOENT);
  CHECK_FAILS("a closed descriptor", futimens(99, old), EBADF);
  CHECK_FAILS("a bad pointer", utimensat(AT_FDCWD, "f", (void *)8, 0), EFAULT);
  CHECK_FAILS("unknown flags", utimensat(AT_FDCWD, "f", old, 0x80), EINVAL);

  struct timeval micro[] = {{7, 8}, {9, 10}};
  CHECK_OK("utimes", utimes("link", micro));
  CHECK("follows, in microseconds", times_are("f", 7, 8000, 9, 10000));
  CHECK_OK("lutimes", lutimes("link", micro));
  CHECK("does not", times_are("link", 7, 8000, 9, 10000));
  CHECK_FAILS("a second of microseconds", (micro[0].tv_usec = 1000000, utimes("f", micro)), EINVAL);
  struct utimbuf seconds = {11, 12};
  CHECK_OK("utime", utime("f", &seconds));
  CHECK("in seconds", times_are("f", 11, 0, 12, 0));

  NEED(futimens(fd, (struct timespec[]){{100, 0}, {100, 0}}));
  NEED(write(fd, "x", 1));
  NEED(fstat(fd, &st));
  CHECK("writing sets the modification time", st.st_mtime > 1000000000 && st.st_atime == 100);
  NEED(mkdir("d", 0755));
  NEED(utimensat(AT_FDCWD, "d", (struct timespec[]){{100, 0}, {100, 0}}, 0));
  close(NEED(creat("d/x", 0600)));
  NEED(stat("d", &st));
  CHECK("so does creating in a directory", st.st_mtime > 1000000000);
  IN_CHILD(as_nobody());
  return check_status();
}
