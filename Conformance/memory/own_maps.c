/* /proc/self/maps lists the program's own mappings as they are. */
#include "../check.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { PAGE = 4096 };

static char maps[1 << 17];

static void load(void) {
  int file = NEED(open("/proc/self/maps", O_RDONLY));
  size_t used = 0;
  for (ssize_t got; (got = read(file, maps + used, sizeof maps - 1 - used)) > 0;) used += got;
  maps[used] = 0;
  close(file);
}

struct line {
  uintptr_t start, end;
  char access[8];
  unsigned long offset, inode;
  char path[256];
};

static char *next(char *text) {
  char *end = strchr(text, '\n');
  return end ? end + 1 : text + strlen(text);
}

/* The line that holds an address. */
static int find(const void *place, struct line *line) {
  for (char *text = maps; *text; text = next(text)) {
    char copy[512];
    snprintf(copy, sizeof copy, "%.*s", (int)(next(text) - text - 1), text);
    line->path[0] = 0;
    if (sscanf(copy, "%lx-%lx %7s %lx %*x:%*x %lu %255[^\n]", &line->start, &line->end,
               line->access, &line->offset, &line->inode, line->path) < 5)
      return 0;
    if ((uintptr_t)place >= line->start && (uintptr_t)place < line->end) return 1;
  }
  return 0;
}

static void expect(const char *name, const void *place, const char *access, const char *path) {
  struct line line;
  char text[80];
  snprintf(text, sizeof text, "%s is listed", name);
  if (!CHECK(text, find(place, &line))) return;
  snprintf(text, sizeof text, "%s: access", name);
  CHECK_TEXT(text, line.access, access);
  if (!path) return;
  snprintf(text, sizeof text, "%s: name", name);
  CHECK_TEXT(text, line.path, path);
}

static int ordered(void) {
  uintptr_t last = 0;
  for (char *text = maps; *text; text = next(text)) {
    uintptr_t start, end;
    if (sscanf(text, "%lx-%lx", &start, &end) != 2 || start < last || end <= start) return 0;
    last = end;
  }
  return 1;
}

static int data = 5;

int main(void) {
  char self[4096] = "";
  volatile int on_stack = 0;
  NEED(readlink("/proc/self/exe", self, sizeof self - 1));
  void *heap = sbrk(PAGE);
  load();
  CHECK("in order", ordered());
  expect("code", (void *)(uintptr_t)main, "r-xp", self);
  expect("data", &data, "rw-p", self);
  expect("heap", heap, "rw-p", "[heap]");
  expect("stack", (void *)&on_stack, "rw-p", "[stack]");

  char path[] = "/tmp/conformance-maps-XXXXXX";
  int file = NEED(mkstemp(path));
  NEED(ftruncate(file, 4 * PAGE));
  char *mapped = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file, PAGE);
  char *nothing = mmap(NULL, 5 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(nothing + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE);
  struct line line;
  struct stat status;
  load();
  CHECK("still in order", ordered());
  expect("file", mapped, "r--s", path);
  CHECK("its extent", find(mapped, &line) && line.start == (uintptr_t)mapped &&
                          line.end == (uintptr_t)mapped + 2 * PAGE && line.offset == PAGE);
  CHECK("its inode", fstat(file, &status) == 0 && line.inode == status.st_ino);
  expect("before the change", nothing, "---p", "");
  expect("the changed page", nothing + 2 * PAGE, "rw-p", "");
  CHECK("just one page", find(nothing + 2 * PAGE, &line) && line.end - line.start == PAGE);
  unlink(path);
  munmap(nothing + 3 * PAGE, PAGE);
  load();
  CHECK("an unmapped page is not listed", !find(nothing + 3 * PAGE, &line));
  CHECK("what lies behind it is", find(nothing + 4 * PAGE, &line));
  char removed[64];
  snprintf(removed, sizeof removed, "%s (deleted)", path);
  expect("a removed file", mapped, "r--s", removed);
  return check_status();
}
