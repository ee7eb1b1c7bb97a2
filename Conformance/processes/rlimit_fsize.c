/* RLIMIT_FSIZE: a short write up to the limit, then SIGXFSZ and EFBIG. */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static volatile sig_atomic_t signals;
static void count(int number) { signals += number == SIGXFSZ; }

static int file;

static int dies(void) {
  signal(SIGXFSZ, SIG_DFL);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  return write(file, "x", 1) == 1 ? 1 : 2;
}

int main(void) {
  char path[] = "/tmp/conformance-fsize-XXXXXX", buffer[1000] = {0};
  NEED(file = mkstemp(path));
  unlink(path);
  struct rlimit limit = {1500, RLIM_INFINITY};
  struct stat status;
  NEED(setrlimit(RLIMIT_FSIZE, &limit));
  signal(SIGXFSZ, count);

  CHECK_IS("below the limit", write(file, buffer, 1000), 1000);
  CHECK_IS("up to the limit", write(file, buffer, 1000), 500);
  CHECK_IS("no signal yet", signals, 0);
  CHECK_FAILS("beyond the limit", write(file, buffer, 1000), EFBIG);
  CHECK_IS("a signal", signals, 1);
  CHECK_FAILS("pwrite beyond", pwrite(file, buffer, 1, 5000), EFBIG);
  CHECK_IS("another signal", signals, 2);
  CHECK_FAILS("ftruncate beyond", ftruncate(file, 2000), EFBIG);
  CHECK_IS("a third signal", signals, 3);
  CHECK_IS("ftruncate within", ftruncate(file, 1500), 0);
  CHECK_IS("size", fstat(file, &status) ? -1 : status.st_size, 1500);
  CHECK_IS("writing inside is allowed", pwrite(file, buffer, 100, 100), 100);
  int pair[2];
  NEED(pipe(pair));

  /* Standard output may be a file too, so nothing is said below this limit. */
  limit.rlim_cur = 0;
  setrlimit(RLIMIT_FSIZE, &limit);
  long piped = write(pair[1], buffer, 1000);
  long refused = pwrite(file, buffer, 1, 0);
  int refusal = errno;
  signal(SIGXFSZ, SIG_IGN);
  long ignored = pwrite(file, buffer, 1, 2000);
  int ignored_error = errno;
  int killed = in_child(dies);
  limit.rlim_cur = RLIM_INFINITY;
  setrlimit(RLIMIT_FSIZE, &limit);
  CHECK_IS("pipes have no such limit", piped, 1000);
  CHECK("limit 0", refused == -1 && refusal == EFBIG);
  CHECK("ignored signal", ignored == -1 && ignored_error == EFBIG);
  CHECK_IS("signals in all", signals, 4);
  CHECK_IS("the default kills", killed, 128 + SIGXFSZ);
  return check_status();
}
