#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>

// Signals to threads that read one FIFO: whoever gets no byte runs its handler, and waits again.

enum { ROUNDS = 2000, READERS = 2 };
static int fd, handled, got, wrong;

static void on_signal(int number) {
  (void)number;
  __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void *reader(void *is_vector) {
  char bytes[2];
  struct iovec in[2] = {{bytes, 1}, {bytes + 1, 1}};
  for (;;) {
    ssize_t size = is_vector ? readv(fd, in, 2) : read(fd, bytes, sizeof bytes);
    if (size == 0) return NULL;
    if (size > 0) __atomic_add_fetch(&got, size, __ATOMIC_SEQ_CST);
    else if (errno != EINTR) wrong++;
  }
}

static void wait_for(int *counter, int value) {
  while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < value) sched_yield();
}

int main(void) {
  // Without SA_RESTART a read that is interrupted says EINTR.
  struct sigaction action = {.sa_handler = on_signal};
  NEED(sigaction(SIGUSR1, &action, NULL));
  NEED(mkfifo("fifo", 0600));
  int own = NEED(open("fifo", O_RDWR));
  fd = NEED(open("fifo", O_RDONLY));
  int writer = NEED(open("fifo", O_WRONLY));
  close(own);
  pthread_t threads[READERS];
  for (int i = 0; i < READERS; i++)
    NEED(-pthread_create(&threads[i], NULL, reader, i ? &wrong : NULL));
  for (int round = 1; round <= ROUNDS; round++) {
    NEED(write(writer, "x", 1));
    for (int i = 0; i < READERS; i++) pthread_kill(threads[i], SIGUSR1);
    wait_for(&handled, round * READERS);
    wait_for(&got, round);
  }
  close(writer);
  for (int i = 0; i < READERS; i++) pthread_join(threads[i], NULL);
  CHECK_IS("each byte once", got, ROUNDS);
  CHECK_IS("no other errors", wrong, 0);
  CHECK_IS("each signal", handled, ROUNDS * READERS);
  return check_status();
}
