#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>

// Several threads wait for one set; timeouts; epoll_pwait and signals.

enum { threads = 4, events = 400 };

static int set, work, stop;
static int taken, woken;
static volatile int caught;

static void on_signal(int number) { caught = number; }

// Takes one unit of work at a time until told to stop.
static void *worker(void *unused) {
  struct epoll_event event;
  while (epoll_wait(set, &event, 1, -1) == 1 && event.data.fd != stop) {
    eventfd_t one;
    if (eventfd_read(work, &one) == 0) __atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
  }
  return unused;
}

static void control(int operation, int fd, unsigned mask) {
  struct epoll_event event = {mask, {.fd = fd}};
  NEED(epoll_ctl(set, operation, fd, &event));
}

static void *add_later(void *fd) {
  control(EPOLL_CTL_ADD, *(int *)fd, EPOLLIN);
  return NULL;
}

int main(void) {
  struct epoll_event event;
  struct timespec start, end;
  set = NEED(epoll_create1(0));
  work = NEED(eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK));
  stop = NEED(eventfd(0, 0));
  control(EPOLL_CTL_ADD, work, EPOLLIN);
  control(EPOLL_CTL_ADD, stop, EPOLLIN);
  clock_gettime(CLOCK_MONOTONIC, &start);
  CHECK_IS("a timeout", epoll_wait(set, &event, 1, 30), 0);
  clock_gettime(CLOCK_MONOTONIC, &end);
  CHECK("not too early", (end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec
    >= 29000000);

  pthread_t workers[threads];
  for (int i = 0; i < threads; i++) pthread_create(&workers[i], NULL, worker, NULL);
  for (int i = 0; i < events; i++) NEED(eventfd_write(work, 1));
  while (__atomic_load_n(&taken, __ATOMIC_SEQ_CST) < events) sched_yield();
  NEED(eventfd_write(stop, 1));
  for (int i = 0; i < threads; i++) pthread_join(workers[i], NULL);
  CHECK_IS("every unit was taken once", taken, events);
  eventfd_t value;
  NEED(eventfd_read(stop, &value));

  int late = NEED(eventfd(1, 0));
  pthread_t thread;
  pthread_create(&thread, NULL, add_later, &late);
  CHECK_IS("adding a ready one wakes a waiter", epoll_wait(set, &event, 1, -1), 1);
  CHECK_IS("with it", event.data.fd, late);
  pthread_join(thread, NULL);
  close(late);

  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  CHECK_FAILS("a signal ends the wait", epoll_wait(set, &event, 1, -1), EINTR);
  setitimer(ITIMER_REAL, &never, NULL);
  sigset_t blocked, open;
  sigemptyset(&open);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  raise(SIGUSR1);
  caught = 0;
  CHECK_IS("not a blocked one", epoll_wait(set, &event, 1, 0), 0);
  CHECK_FAILS("epoll_pwait lets it in", epoll_pwait(set, &event, 1, -1, &open), EINTR);
  CHECK_IS("handler", caught, SIGUSR1);
  struct timespec short_time = {0, 5000000};
  CHECK_IS("epoll_pwait2", epoll_pwait2(set, &event, 1, &short_time, &blocked), 0);

  // A child shares the set.
  pid_t child = NEED(fork());
  if (child == 0) _exit(epoll_wait(set, &event, 1, -1) == 1 && event.data.fd == work ? 3 : 1);
  NEED(eventfd_write(work, 1));
  CHECK_IS("a child waits for it too", wait_code(child), 3);
  return check_status();
}
