#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// O_NOFOLLOW, O_DIRECTORY and O_EXCL against symbolic links.
int main(void) {
  struct stat st;
  close(NEED(creat("f", 0644)));
  NEED(mkdir("d", 0755));
  NEED(symlink("f", "to_f"));
  NEED(symlink("d", "to_d"));
  NEED(symlink("new", "to_new"));

  CHECK_OK("a link is followed", close(open("to_f", O_RDONLY)));
  CHECK_FAILS("O_NOFOLLOW of a link", open("to_f", O_RDONLY | O_NOFOLLOW), ELOOP);
  CHECK_OK("O_NOFOLLOW of a file", close(open("f", O_RDONLY | O_NOFOLLOW)));
  CHECK_FAILS("O_NOFOLLOW of a dangling link", open("to_new", O_RDONLY | O_NOFOLLOW), ELOOP);
  CHECK_FAILS("O_NOFOLLOW|O_CREAT of a dangling link",
    open("to_new", O_WRONLY | O_CREAT | O_NOFOLLOW, 0600), ELOOP);
  CHECK_FAILS("O_NOFOLLOW|O_DIRECTORY of a link to a directory",
    open("to_d", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
  CHECK_OK("a slash makes it follow", close(open("to_d/", O_RDONLY | O_NOFOLLOW)));
  close(NEED(creat("d/inside", 0644)));
  CHECK_OK("links on the way are followed", close(open("to_d/inside", O_RDONLY | O_NOFOLLOW)));
  CHECK_OK("O_DIRECTORY of a link to a directory", close(open("to_d", O_RDONLY | O_DIRECTORY)));
  CHECK_FAILS("O_DIRECTORY of a link to a file", open("to_f", O_RDONLY | O_DIRECTORY), ENOTDIR);

  CHECK_FAILS("O_EXCL of a link", open("to_f", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
  CHECK_FAILS("O_EXCL of a dangling link", open("to_new", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
  CHECK_FAILS("nothing was made", stat("new", &st), ENOENT);
  CHECK_OK("O_CREAT through a dangling link", close(open("to_new", O_RDWR | O_CREAT, 0600)));
  CHECK_OK("made the target", lstat("new", &st));
  CHECK("as a file", S_ISREG(st.st_mode));
  NEED(lstat("to_new", &st));
  CHECK("and left the link", S_ISLNK(st.st_mode));

  NEED(symlink("f/", "to_f_slash"));
  CHECK_FAILS("a link whose text ends in a slash", open("to_f_slash", O_RDONLY), ENOTDIR);
  CHECK_FAILS("mkdir over a dangling link", (unlink("new"), mkdir("to_new", 0700)), EEXIST);
  CHECK_FAILS("mkdir with a slash over it", mkdir("to_new/", 0700), EEXIST);
  CHECK_FAILS("rmdir of a link", rmdir("to_d"), ENOTDIR);
  CHECK_FAILS("rmdir of a link with a slash", rmdir("to_d/"), ENOTDIR);
  CHECK_FAILS("unlink with a slash", unlink("to_d/"), ENOTDIR);
  CHECK_OK("chmod follows", chmod("to_f", 0600));
  NEED(stat("f", &st));
  CHECK_IS("the target's mode", st.st_mode & 07777, 0600);
  CHECK_OK("truncate follows", truncate("to_f", 7));
  NEED(lstat("f", &st));
  CHECK_IS("the target's size", st.st_size, 7);
  return check_status();
}
