/* Shared and private memory across fork: what is common, what is copied, and when. */
#include "../check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { PAGE = 4096, ACCESS = PROT_READ | PROT_WRITE };

static volatile char *shared, *private;
static int pair[2], back[2];

static void pass(int to) { NEED(write(to, "x", 1)); }
static void await(int from) {
  char byte;
  NEED(read(from, &byte, 1));
}

static int child(void) {
  if (shared[0] != 1 || private[0] != 1) return 1;
  shared[0] = 2;
  private[0] = 2;
  pass(pair[1]);
  await(back[0]);
  if (shared[0] != 3 || private[0] != 2) return 2;
  /* Pages that nobody had touched before the fork. */
  shared[5 * PAGE] = 4;
  private[5 * PAGE] = 4;
  return 0;
}

/* Three generations: each changes one page and sees its ancestors' others. */
static int generations(int depth) {
  private[depth * PAGE] = 'A' + depth;
  if (depth == 3) {
    for (int i = 0; i <= 3; i++)
      if (private[i * PAGE] != 'A' + i) return 100 + i;
    return 0;
  }
  pid_t made = fork();
  if (made == 0) _exit(generations(depth + 1));
  private[(depth + 1) * PAGE] = '?';
  int code = wait_code(made);
  return private[(depth + 1) * PAGE] == '?' ? code : 50;
}

static int grows(void) {
  char *more = mmap(NULL, PAGE, ACCESS, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  munmap((void *)shared, PAGE);
  return more == MAP_FAILED;
}

int main(void) {
  NEED(pipe(pair));
  NEED(pipe(back));
  shared = mmap(NULL, 8 * PAGE, ACCESS, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  private = mmap(NULL, 8 * PAGE, ACCESS, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  shared[0] = private[0] = 1;
  pid_t made = fork();
  if (made == 0) _exit(child());
  await(pair[0]);
  CHECK_IS("the child's write to shared memory", shared[0], 2);
  CHECK_IS("its write to private memory", private[0], 1);
  shared[0] = private[0] = 3;
  pass(back[1]);
  CHECK_IS("child", wait_code(made), 0);
  CHECK_IS("a shared page touched by the child first", shared[5 * PAGE], 4);
  CHECK_IS("a private page touched by the child first", private[5 * PAGE], 0);
  made = fork();
  if (made == 0) _exit(generations(0));
  CHECK_IS("generations", wait_code(made), 0);
  CHECK_IS("a child's munmap is its own", in_child(grows), 0);
  CHECK_IS("still mapped", shared[0], 3);

  /* A file mapped shared and private. */
  char path[] = "/tmp/conformance-shared-XXXXXX", byte;
  int file = mkstemp(path);
  NEED(file);
  unlink(path);
  NEED(write(file, "aaaaaaaa", 8));
  NEED(ftruncate(file, 2 * PAGE));
  char *both = mmap(NULL, 2 * PAGE, ACCESS, MAP_SHARED, file, 0);
  char *own = mmap(NULL, 2 * PAGE, ACCESS, MAP_PRIVATE, file, 0);
  both[0] = 'b';
  CHECK_IS("read sees a shared mapping's write", pread(file, &byte, 1, 0) == 1 ? byte : 0, 'b');
  CHECK_IS("so does a private mapping", own[0], 'b');
  NEED(pwrite(file, "c", 1, 1));
  CHECK("write shows in both", both[1] == 'c' && own[1] == 'c');
  own[2] = 'd';
  CHECK_IS("a private write does not reach the file", pread(file, &byte, 1, 2) == 1 ? byte : 0,
           'a');
  both[3] = 'e';
  CHECK("the private page is a copy now", own[2] == 'd' && both[2] == 'a' && own[3] == 'a');
  CHECK_IS("msync", msync(both, 2 * PAGE, MS_SYNC), 0);
  CHECK_FAILS("msync within a page", msync(both + 1, PAGE, MS_SYNC), EINVAL);
  CHECK_FAILS("msync of nothing", msync(both, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
  close(file);
  both[4] = 'f';
  CHECK_IS("a mapping outlives its descriptor", both[4], 'f');
  made = fork();
  if (made == 0) {
    both[5] = 'g';
    _exit(both[4] != 'f');
  }
  CHECK_IS("a child shares the file mapping", wait_code(made), 0);
  CHECK_IS("and its writes are seen", both[5], 'g');
  munmap(both, 2 * PAGE);
  CHECK_FAILS("msync of unmapped memory", msync(both, PAGE, MS_SYNC), ENOMEM);
  return check_status();
}
