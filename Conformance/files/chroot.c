#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// chroot(2): another root for one process and its children.
int main(void) {
  struct stat st, root;
  char text[4096];
  NEED(mkdir("jail", 0755));
  NEED(mkdir("jail/d", 0755));
  close(NEED(creat("jail/f", 0644)));
  close(NEED(creat("outside", 0644)));
  NEED(symlink("/f", "jail/absolute"));
  NEED(symlink("../../../f", "jail/d/up"));
  NEED(stat("jail", &root));
  CHECK_FAILS("a file", chroot("outside"), ENOTDIR);
  CHECK_FAILS("nothing", chroot("m"), ENOENT);

  IN_CHILD({
    CHECK_OK("chroot", chroot("jail"));
    CHECK_OK("the working directory stays outside", stat("outside", &st));
    CHECK_OK("chdir to the root", chdir("/"));
    CHECK_TEXT("its path", getcwd(text, sizeof text), "/");
    CHECK_OK("a file in it", stat("/f", &st));
    CHECK_FAILS("nothing else", stat("/dev/null", &st), ENOENT);
    CHECK_OK(".. of the root", stat("/../../f", &st));
    NEED(stat("/..", &st));
    CHECK("is the root", st.st_ino == root.st_ino && st.st_dev == root.st_dev);
    CHECK_OK("an absolute link", stat("/absolute", &st));
    CHECK_OK("a relative link", stat("/d/up", &st));
    CHECK_OK("create", close(creat("/new", 0600)));
    CHECK_OK("chdir", chdir("d"));
    CHECK_TEXT("path", getcwd(text, sizeof text), "/d");
    IN_CHILD(CHECK_OK("a child has it too", stat("/f", &st)));
    CHECK_OK("again", chroot("."));
    CHECK_OK("deeper", lstat("/up", &st));
    CHECK_FAILS("f is out of reach", stat("/f", &st), ENOENT);
  });
  CHECK_OK("the parent's root is as it was", stat("/dev/null", &st));
  CHECK_OK("the new file", stat("jail/new", &st));

  IN_CHILD({
    int outside = NEED(open(".", O_RDONLY | O_DIRECTORY));
    NEED(chroot("jail"));
    NEED(chdir("/"));
    CHECK_OK("a descriptor from outside still works", openat(outside, "outside", O_RDONLY));
    CHECK_OK("fchdir to it", fchdir(outside));
    CHECK_OK("look around", stat("outside", &st));
    CHECK("its path", syscall(SYS_getcwd, text, sizeof text) > 0);
    CHECK("is unreachable", strncmp(text, "(unreachable)/", 14) == 0);
    CHECK_IS("which getcwd(3) does not take for one", getcwd(text, sizeof text) != NULL, 0);
  });
  return check_status();
}
