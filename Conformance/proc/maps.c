#include "check.h"
#include "proc/text.h"
#include <sys/mman.h>

// /proc/self/maps: form, order, and what mmap, mprotect and munmap do to it.

struct mapping {
  unsigned long start, end, offset;
  char access[8], name[256];
};

static struct mapping mappings[512];
static int count, malformed;

static void read_maps(void) {
  count = 0;
  for (const char *line = text_of("/proc/self/maps"); line && *line && count < 512;) {
    struct mapping *m = &mappings[count++];
    unsigned major, minor;
    unsigned long inode;
    m->name[0] = 0;
    int fields = sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %255[^\n]", &m->start, &m->end, m->access,
      &m->offset, &major, &minor, &inode, m->name);
    malformed += fields < 7;
    line = strchr(line, '\n');
    if (line) line++;
  }
}

// The mapping that holds this address, or one without access.
static struct mapping *at(const void *address) {
  static struct mapping none = {0, 0, 0, "none", ""};
  read_maps();
  for (int i = 0; i < count; i++)
    if (mappings[i].start <= (unsigned long)address && (unsigned long)address < mappings[i].end)
      return &mappings[i];
  return &none;
}

static int constant = 1;

int main(int words_count, char **words) {
  char here[4096], path[5000];
  (void)words_count;
  NEED(getcwd(here, sizeof here) ? 0 : -1);
  read_maps();
  int ordered = 1;
  for (int i = 1; i < count; i++) ordered &= mappings[i - 1].end <= mappings[i].start;
  CHECK("some lines", count > 5);
  CHECK_IS("malformed lines", malformed, 0);
  CHECK("in order", ordered);

  CHECK_TEXT("the code", at((void *)main)->access, "r-xp");
  CHECK_TEXT("is the program's", at((void *)main)->name, link_of("/proc/self/exe"));
  CHECK_TEXT("the data", at(&constant)->access, "rw-p");
  int local;
  CHECK_TEXT("the stack", at(&local)->name, "[stack]");
  CHECK_TEXT("its access", at(&local)->access, "rw-p");
  char *heap = sbrk(100000);
  CHECK_TEXT("the heap", at(heap + 50000)->name, "[heap]");
  CHECK("libc has a file", strstr(at((void *)strlen)->name, "libc") != NULL);

  char *pages = mmap(0, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_TEXT("a new mapping", at(pages)->access, "rw-p");
  NEED(mprotect(pages + 4096, 4096, PROT_READ));
  CHECK_TEXT("mprotect", at(pages + 4096)->access, "r--p");
  CHECK("splits it", at(pages + 4096)->start == (unsigned long)pages + 4096
    && at(pages + 4096)->end == (unsigned long)pages + 8192);
  CHECK_TEXT("before it", at(pages)->access, "rw-p");
  CHECK_TEXT("after it", at(pages + 8192)->access, "rw-p");
  NEED(munmap(pages + 3 * 4096, 4096));
  CHECK_TEXT("munmap leaves a hole", at(pages + 3 * 4096)->access, "none");
  CHECK_TEXT("the rest stays", at(pages + 4 * 4096)->access, "rw-p");
  NEED(mprotect(pages, 4096, PROT_NONE));
  CHECK_TEXT("no access", at(pages)->access, "---p");

  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  NEED(ftruncate(fd, 16384));
  char *shared = mmap(0, 8192, PROT_READ, MAP_SHARED, fd, 4096);
  snprintf(path, sizeof path, "%s/f", here);
  CHECK_TEXT("a shared file", at(shared)->access, "r--s");
  CHECK_TEXT("its name", at(shared)->name, path);
  CHECK_IS("its offset", at(shared)->offset, 4096);
  NEED(unlink("f"));
  strcat(path, " (deleted)");
  CHECK_TEXT("deleted", at(shared)->name, path);
  close(fd);
  CHECK_TEXT("the mapping outlives the descriptor", at(shared)->access, "r--s");

  unsigned long before, after;
  CHECK("statm", sscanf(text_of("/proc/self/statm"), "%lu", &before) == 1);
  NEED(mmap(0, 100 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
  sscanf(text_of("/proc/self/statm"), "%lu", &after);
  CHECK_IS("counts pages", after - before, 100);
  IN_CHILD(CHECK_TEXT("a child has the same", at(pages + 4096)->access, "r--p"));

  char word[8] = "";
  fd = NEED(open("/proc/self/mem", O_RDONLY));
  CHECK_IS("/proc/self/mem", pread(fd, word, 5, (off_t)words[0]), 5);
  CHECK("reads memory", memcmp(word, words[0], 5) == 0);
  CHECK_FAILS("but not a hole", pread(fd, word, 1, (off_t)(pages + 3 * 4096)), EIO);
  return check_status();
}
