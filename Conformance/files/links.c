#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// link(2), symlink(2), readlink(2) and unlink(2).

static struct stat st;

int main(void) {
  char text[16];
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0644));
  NEED(write(fd, "hello", 5));
  CHECK_OK("link", link("f", "g"));
  NEED(fstat(fd, &st));
  CHECK_IS("two links", st.st_nlink, 2);
  int other = NEED(open("g", O_RDWR));
  NEED(pwrite(other, "J", 1, 0));
  CHECK_IS("one file", pread(fd, text, 1, 0), 1);
  CHECK("one content", text[0] == 'J');
  CHECK_FAILS("over a name", link("f", "g"), EEXIST);
  CHECK_FAILS("of a missing file", link("m", "h"), ENOENT);
  CHECK_FAILS("of a directory", link(".", "h"), EPERM);
  CHECK_FAILS("to a missing directory", link("f", "m/h"), ENOENT);
  CHECK_FAILS("across file systems", link("f", "/dev/shm/paravane-link"), EXDEV);
  CHECK_FAILS("to a name with a slash", link("f", "h/"), ENOENT);
  CHECK_OK("unlink one", unlink("f"));
  NEED(fstat(fd, &st));
  CHECK_IS("one link", st.st_nlink, 1);
  CHECK_OK("unlink the other", unlink("g"));
  NEED(fstat(fd, &st));
  CHECK_IS("no links", st.st_nlink, 0);
  CHECK_IS("still readable", pread(fd, text, 5, 0), 5);
  CHECK_IS("still writable", pwrite(fd, "more", 4, 5), 4);
  CHECK_FAILS("gone by name", open("g", O_RDONLY), ENOENT);
  CHECK_FAILS("unlink twice", unlink("g"), ENOENT);
  snprintf(text, sizeof text, "/dev/fd/%d", fd);
  int again;
  CHECK_OK("open it again by descriptor", again = open(text, O_RDONLY));
  CHECK_IS("size", lseek(again, 0, SEEK_END), 9);

  CHECK_OK("symlink", symlink("some/where", "link"));
  CHECK_IS("readlink", readlink("link", text, sizeof text), 10);
  CHECK("text", memcmp(text, "some/where", 10) == 0);
  memset(text, '-', sizeof text);
  CHECK_IS("cut short", readlink("link", text, 4), 4);
  CHECK("no terminator", memcmp(text, "some-", 5) == 0);
  CHECK_FAILS("no room", readlink("link", text, 0), EINVAL);
  CHECK_FAILS("symlink over a name", symlink("x", "link"), EEXIST);
  CHECK_FAILS("an empty text", symlink("", "empty"), ENOENT);
  CHECK_FAILS("an empty name", symlink("x", ""), ENOENT);
  close(NEED(creat("file", 0600)));
  CHECK_FAILS("readlink of a file", readlink("file", text, 8), EINVAL);
  CHECK_FAILS("readlink of a directory", readlink(".", text, 8), EINVAL);
  CHECK_FAILS("readlink of nothing", readlink("m", text, 8), ENOENT);
  CHECK_OK("unlink of a link", unlink("link"));

  char target[4097], back[5000];
  memset(target, 't', 4096);
  target[4095] = 0;
  CHECK_OK("a text of 4095 bytes", symlink(target, "long"));
  CHECK_IS("read back", readlink("long", back, sizeof back), 4095);
  target[4095] = 't';
  target[4096] = 0;
  CHECK_FAILS("a text of 4096 bytes", symlink(target, "longer"), ENAMETOOLONG);

  NEED(mkdir("d", 0755));
  NEED(mkdir("d/e", 0755));
  NEED(symlink("d/e", "deep"));
  close(NEED(creat("d/f", 0600)));
  CHECK_OK(".. after a link is the target's", stat("deep/../f", &st));
  NEED(symlink("../file", "d/up"));
  CHECK_OK("a relative text starts at the link", stat("d/up", &st));
  NEED(symlink("/", "root"));
  CHECK_OK("an absolute text", stat("root/dev/null", &st));
  CHECK_OK("through links in the middle", stat("deep/../../deep/../f", &st));

  char name[32];
  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "d/many%d", i);
    NEED(link("file", name));
  }
  NEED(stat("file", &st));
  CHECK_IS("200 links more", st.st_nlink, 201);
  return check_status();
}
