#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

// Who opens a FIFO of somebody else's, in which directory and with which flags: whether it waits for
// the other end depends on the flags alone, whether it may on permissions and fs.protected_fifos.

static const uid_t users[] = {0, 1000};
static const uid_t owners[] = {0, 1000, 2000};
static const mode_t modes[] = {0600, 0644, 0666};
static const char *const directories[] = {"plain", "sticky"};

static void on_alarm(int number) { (void)number; }

static const char *outcome(int fd) {
  if (fd >= 0) {
    close(fd);
    return "open";
  }
  return errno == EINTR ? "waits" : strerrorname_np(errno);
}

/* Opens again and again interrupted: what waits for ever is EINTR. */
static const char *attempt(const char *path, int flags) {
  int waits = (flags & O_ACCMODE) != O_RDWR && !(flags & O_NONBLOCK);
  struct itimerval often = {{0, 4000}, {0, 4000}}, never = {{0, 0}, {0, 0}};
  if (waits) setitimer(ITIMER_REAL, &often, NULL);
  int fd = open(path, flags, 0600);
  int error = errno;
  setitimer(ITIMER_REAL, &never, NULL);
  errno = error;
  return outcome(fd);
}

static void attempts(const char *title, const char *path) {
  static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR};
  static const char *const names[] = {"r", "w", "rw"};
  char line[256];
  int length = snprintf(line, sizeof line, "%s:", title);
  for (int extra = 0; extra < 4; extra++)
    for (int index = 0; index < 3; index++) {
      int flags = access[index] | (extra & 1 ? O_NONBLOCK : 0) | (extra & 2 ? O_CREAT : 0);
      length += snprintf(line + length, sizeof line - length, " %s%s%s=%s", names[index],
        extra & 1 ? "n" : "", extra & 2 ? "c" : "", attempt(path, flags));
    }
  say("%s", line);
}

static char path[64];

/* One end waits for the other, both as that user. */
static void meet(uid_t user, int flags) {
  char text[8] = "";
  pid_t writer = NEED(fork());
  if (writer == 0) {
    NEED(setresuid(user, user, user));
    int fd = NEED(open(path, O_WRONLY | flags, 0600));
    NEED(write(fd, "data", 4));
    _exit(0);
  }
  pid_t reader = NEED(fork());
  if (reader == 0) {
    NEED(setresuid(user, user, user));
    int fd = NEED(open(path, O_RDONLY));
    if (read(fd, text, sizeof text) != 4 || strcmp(text, "data")) _exit(1);
    _exit(read(fd, text, sizeof text) == 0 ? 0 : 2);
  }
  CHECK_IS("writer", wait_code(writer), 0);
  CHECK_IS("reader", wait_code(reader), 0);
}

int main(void) {
  umask(0);
  struct sigaction action = {.sa_handler = on_alarm};
  NEED(sigaction(SIGALRM, &action, NULL));
  NEED(mkdir("plain", 0777));
  NEED(mkdir("sticky", 0777));
  NEED(chmod("sticky", 01777));
  for (int user = 0; user < 2; user++)
    for (int owner = 0; owner < 3; owner++)
      for (int mode = 0; mode < 3; mode++)
        for (int directory = 0; directory < 2; directory++) {
          char title[80];
          snprintf(path, sizeof path, "%s/fifo", directories[directory]);
          NEED(mkfifo(path, modes[mode]));
          NEED(chown(path, owners[owner], owners[owner]));
          snprintf(title, sizeof title, "%d: of %d, %04o, %s", users[user], owners[owner],
            modes[mode], directories[directory]);
          pid_t child = NEED(fork());
          if (child == 0) {
            NEED(setresuid(users[user], users[user], users[user]));
            attempts(title, path);
            _exit(0);
          }
          CHECK_IS("child", wait_code(child), 0);
          NEED(unlink(path));
        }

  // The other end is there.
  snprintf(path, sizeof path, "plain/open");
  NEED(mkfifo(path, 0600));
  NEED(chown(path, 1000, 1000));
  int both = NEED(open(path, O_RDWR));
  attempts("root, with both ends", path);
  IN_CHILD({
    NEED(setresuid(1000, 1000, 1000));
    attempts("the owner, with both ends", path);
  });
  close(both);
  int reader = NEED(open(path, O_RDONLY | O_NONBLOCK));
  IN_CHILD({
    NEED(setresuid(1000, 1000, 1000));
    int writer = open(path, O_WRONLY);
    CHECK_IS("the owner finds a reader", write(writer, "x", 1), 1);
  });
  char byte;
  CHECK_IS("who reads", read(reader, &byte, 1), 1);
  CHECK_IS("to the end", read(reader, &byte, 1), 0);
  close(reader);

  meet(1000, 0);
  meet(1000, O_CREAT | O_TRUNC);
  meet(0, 0);
  NEED(chown(path, 2000, 2000));
  meet(0, O_CREAT);
  return check_status();
}
