#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

// The sticky bit: in such a directory only the owner of a file or of the directory removes it.

static void as_user(uid_t user) { NEED(setresuid(user, user, user)); }

int main(void) {
  umask(0);
  NEED(mkdir("shared", 0777));
  NEED(chmod("shared", 01777));
  NEED(mkdir("open", 0777));
  IN_CHILD({
    as_user(1000);
    CHECK_OK("anybody may create", close(creat("shared/one", 0666)));
    CHECK_OK("a directory too", mkdir("shared/d", 0777));
    CHECK_OK("and without the bit", close(creat("open/one", 0600)));
  });
  IN_CHILD({
    as_user(2000);
    CHECK_OK("another may write", close(open("shared/one", O_WRONLY)));
    CHECK_FAILS("not unlink", unlink("shared/one"), EPERM);
    CHECK_FAILS("not rename", rename("shared/one", "shared/two"), EPERM);
    CHECK_FAILS("not rename away", rename("shared/one", "open/two"), EPERM);
    CHECK_FAILS("not rmdir", rmdir("shared/d"), EPERM);
    CHECK_OK("create one's own", close(creat("shared/mine", 0600)));
    CHECK_FAILS("not rename over another's", rename("shared/mine", "shared/one"), EPERM);
    CHECK_OK("create in another's directory", close(creat("shared/d/x", 0600)));
    CHECK_OK("unlink there", unlink("shared/d/x"));
    CHECK_OK("unlink one's own", unlink("shared/mine"));
    CHECK_OK("without the bit unlink another's", unlink("open/one"));
  });
  IN_CHILD({
    as_user(1000);
    CHECK_OK("the owner renames", rename("shared/one", "shared/two"));
    CHECK_OK("and unlinks", unlink("shared/two"));
    CHECK_OK("and removes the directory", rmdir("shared/d"));
  });
  close(NEED(creat("shared/root", 0600)));
  NEED(chown("shared", 1000, -1));
  IN_CHILD({
    as_user(1000);
    CHECK_OK("the directory's owner unlinks any", unlink("shared/root"));
    CHECK_OK("and makes one", close(creat("shared/again", 0600)));
  });
  CHECK_OK("root unlinks any", unlink("shared/again"));
  return check_status();
}
