// static
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>

// eventfd(2): a counter, and a semaphore.

static int fd;

static void *add_five(void *unused) {
  NEED(eventfd_write(fd, 5));
  return unused;
}

static void *take(void *unused) {
  eventfd_t value;
  NEED(eventfd_read(fd, &value));
  return unused;
}

int main(void) {
  uint64_t value = 0, step = 3;
  CHECK_OK("eventfd", fd = eventfd(7, EFD_NONBLOCK));
  CHECK_IS("read", read(fd, &value, 8), 8);
  CHECK_IS("gives the count", value, 7);
  CHECK_FAILS("and empties it", read(fd, &value, 8), EAGAIN);
  CHECK_IS("write", write(fd, &step, 8), 8);
  CHECK_IS("adds", write(fd, &step, 8), 8);
  NEED(read(fd, &value, 8));
  CHECK_IS("both", value, 6);
  CHECK_FAILS("a short read", read(fd, &value, 7), EINVAL);
  CHECK_FAILS("a short write", write(fd, &step, 7), EINVAL);
  step = UINT64_MAX;
  CHECK_FAILS("the largest value", write(fd, &step, 8), EINVAL);
  step--;
  CHECK_IS("the one before", write(fd, &step, 8), 8);
  step = 1;
  CHECK_FAILS("one more would wait", write(fd, &step, 8), EAGAIN);
  step = 0;
  CHECK_IS("zero always fits", write(fd, &step, 8), 8);
  NEED(read(fd, &value, 8));
  CHECK("the count", value == UINT64_MAX - 1);
  CHECK_FAILS("unknown flags", eventfd(0, 0x10), EINVAL);
  CHECK_FAILS("a bad buffer", (eventfd_write(fd, 1), read(fd, (void *)8, 8)), EFAULT);
  close(fd);

  CHECK_OK("EFD_SEMAPHORE", fd = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
  for (int i = 0; i < 3; i++) {
    NEED(read(fd, &value, 8));
    CHECK_IS("one at a time", value, 1);
  }
  CHECK_FAILS("then none", read(fd, &value, 8), EAGAIN);
  close(fd);

  fd = NEED(eventfd(0, 0));
  pthread_t thread, other;
  pthread_create(&thread, NULL, add_five, NULL);
  CHECK_IS("a read waits", read(fd, &value, 8), 8);
  CHECK_IS("for a write", value, 5);
  pthread_join(thread, NULL);
  step = UINT64_MAX - 1;
  NEED(write(fd, &step, 8));
  pthread_create(&thread, NULL, add_five, NULL);
  NEED(read(fd, &value, 8));
  pthread_join(thread, NULL);
  CHECK("a write waits for room", value == UINT64_MAX - 1);
  NEED(read(fd, &value, 8));
  CHECK_IS("and then adds", value, 5);

  close(fd);
  fd = NEED(eventfd(0, EFD_SEMAPHORE));
  pthread_create(&thread, NULL, take, NULL);
  pthread_create(&other, NULL, take, NULL);
  NEED(eventfd_write(fd, 2));
  pthread_join(thread, NULL);
  pthread_join(other, NULL);
  say("one write lets two waiters through");
  IN_CHILD(NEED(eventfd_write(fd, 1)));
  CHECK_IS("a child adds to the same count", read(fd, &value, 8), 8);
  return check_status();
}
