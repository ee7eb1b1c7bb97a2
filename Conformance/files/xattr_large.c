#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

// Values and lists of any size that the file system below takes, xattr(7): what it refuses, it
// refuses with the same error.
static char value[70000], back[70000], list[70000];

static void values(const char *where, const char *path) {
  static const int sizes[] = {3000, 4096, 4097, 20000, 65535, 65536, 65537};
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int size = sizes[i];
    for (int k = 0; k < size; k++) value[k] = (char)(k * 7 + size);
    int set = setxattr(path, "user.large", value, (size_t)size, 0);
    printf("%s: %d bytes: %s\n", where, size, set == 0 ? "set" : strerror(errno));
    if (set != 0) continue;
    printf("%s: asked for the size: %d\n", where, (int)getxattr(path, "user.large", NULL, 0));
    printf("%s: with less room: %d %s\n", where,
           (int)getxattr(path, "user.large", back, (size_t)size - 1), strerror(errno));
    memset(back, 0, sizeof back);
    printf("%s: read: %d, the same: %d\n", where,
           (int)getxattr(path, "user.large", back, sizeof back), memcmp(value, back, (size_t)size) == 0);
  }
  CHECK_OK("remove it", removexattr(path, "user.large"));
}

static void lists(const char *where, const char *path) {
  char name[256];
  int count = 0;
  // More than a page of names, as far as there is room.
  for (; count < 40; count++) {
    snprintf(name, sizeof name, "user.%0240d", count);
    if (setxattr(path, name, "", 0, 0) != 0) break;
  }
  int size = (int)listxattr(path, NULL, 0);
  printf("%s: %d names in %d bytes\n", where, count, size);
  printf("%s: with less room: %d %s\n", where, (int)listxattr(path, list, (size_t)size - 1), strerror(errno));
  printf("%s: with all room: %d\n", where, (int)listxattr(path, list, sizeof list));
  int found = 0;
  for (int i = 0; i < count; i++) {
    snprintf(name, sizeof name, "user.%0240d", i);
    found += memmem(list, (size_t)size, name, strlen(name) + 1) != NULL;
  }
  printf("%s: %d of them are there\n", where, found);
}

int main(void) {
  char shared[64];
  snprintf(shared, sizeof shared, "/dev/shm/xattr-%d", getpid());
  close(NEED(open("f", O_RDWR | O_CREAT, 0600)));
  close(NEED(open(shared, O_RDWR | O_CREAT, 0600)));
  values("disk", "f");
  lists("disk", "f");
  values("memory", shared);
  lists("memory", shared);
  NEED(unlink(shared));
  return 0;
}
