/* The sandbox's host descriptors, which all its processes share.
 *
 *     descriptors look      what each is, and whether it leads out
 *     descriptors garbage   writes into each, moves each, locks each
 *     descriptors close     closes each
 *     descriptors exhaust   none left
 */
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "attack.h"

#define LAST_DESCRIPTOR 1023

static int look(void) {
  for (long descriptor = 0; descriptor <= LAST_DESCRIPTOR; descriptor++) {
    struct stat facts;
    if (HOST(SYS_newfstatat, descriptor, "", &facts, AT_EMPTY_PATH) != 0) continue;
    long flags = HOST(SYS_fcntl, descriptor, F_GETFL);
    say("note: descriptor %ld: mode %o device %u:%u inode %lu flags %lo", descriptor,
        facts.st_mode, major(facts.st_dev), minor(facts.st_dev), facts.st_ino, flags);
    if (S_ISBLK(facts.st_mode)) say("breach: descriptor %ld is a block device", descriptor);
    if (S_ISSOCK(facts.st_mode) && descriptor > 2)
      say("note: descriptor %ld is a socket", descriptor);
  }
  return 0;
}

/* Writing into one's own files is no breach: the driver compares the product's files and the
 * host's before and after. */
static int garbage(void) {
  static char bytes[4096];
  uint64_t state = 0x6a7ba6e;
  for (size_t i = 0; i < sizeof bytes; i += 8) *(uint64_t *)(bytes + i) = next_random(&state);
  for (long descriptor = 3; descriptor <= LAST_DESCRIPTOR; descriptor++) {
    long flags = HOST(SYS_fcntl, descriptor, F_GETFL);
    if (flags < 0) continue;
    record_progress(descriptor);
    HOST(SYS_fcntl, descriptor, F_SETFL, flags | O_NONBLOCK);
    HOST(SYS_write, descriptor, bytes, 24);
    struct iovec vector = {bytes, 64};
    HOST(SYS_pwritev2, descriptor, &vector, 1, 0, 0, 0);
    HOST(SYS_pwritev2, descriptor, bytes, 1, 0, 0, -1);
    HOST(SYS_read, descriptor, bytes, 64);
    HOST(SYS_lseek, descriptor, 1l << 40, SEEK_SET);
    HOST(SYS_flock, descriptor, LOCK_EX | LOCK_NB);
    struct epoll_event event = {.events = EPOLLIN};
    HOST(SYS_epoll_ctl, descriptor, EPOLL_CTL_ADD, 0, &event);
    long mapped = HOST(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (mapped > 0) say("note: descriptor %ld can be mapped writable", descriptor);
    HOST(SYS_fcntl, descriptor, 1031, 1 << 30); /* F_SETPIPE_SZ */
  }
  /* The events of the backend: signals for the first program, a window, the end. */
  for (uint32_t kind = 0; kind < 8; kind++) {
    for (uint32_t program = 0; program < 4; program++) {
      struct pv_event event = {kind, 0xffffffff, program < 3 ? program : ~0u, ~0u};
      HOST(SYS_write, boot->event_descriptor, &event, sizeof event);
    }
  }
  for (int i = 0; i < 50; i++) close(open("/work", O_RDONLY));
  return 0;
}

static int close_all(void) {
  for (long descriptor = 3; descriptor <= LAST_DESCRIPTOR; descriptor++)
    HOST(SYS_close, descriptor);
  for (int i = 0; i < 50; i++) close(open("/work", O_RDONLY));
  say("done");
  for (long descriptor = 0; descriptor < 3; descriptor++) HOST(SYS_close, descriptor);
  for (int i = 0; i < 50; i++) close(open("/work", O_RDONLY));
  _exit(0);
}

static int exhaust(void) {
  long result = 0;
  int ends[2], count = 0;
  for (; count < 2000000; count++) {
    result = HOST(SYS_pipe2, ends, O_CLOEXEC);
    if (result < 0) break;
  }
  say("note: %d pipes, then %ld", count, result);
  if (result >= 0) say("breach: two million pipes and no limit");
  int descriptor = open("/work/after", O_CREAT | O_WRONLY, 0644);
  if (descriptor < 0) say("note: then open fails: %s", strerror(errno));
  pid_t child = fork();
  if (child == 0) _exit(0);
  if (child > 0) waitpid(child, NULL, 0);
  return 0;
}

int main(int count, char **values) {
  find_kernel();
  int result = 2;
  const char *mode = count > 1 ? values[1] : "";
  if (!strcmp(mode, "look")) result = look();
  else if (!strcmp(mode, "garbage")) result = garbage();
  else if (!strcmp(mode, "close")) result = close_all();
  else if (!strcmp(mode, "exhaust")) result = exhaust();
  if (result == 0) say("done");
  return result;
}
