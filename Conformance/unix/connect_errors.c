#include "check.h"
#include "unix/address.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

// connect(2): refusals, a full backlog, and closing a listener with people waiting.

static int server;

static int fresh(int flags) { return NEED(socket(AF_UNIX, SOCK_STREAM | flags, 0)); }

static void on_alarm(int number) { (void)number; }

static void *accept_one(void *unused) {
  NEED(accept(server, NULL, NULL));
  return unused;
}

int main(void) {
  CHECK_FAILS("a missing name", connect_to(fresh(0), address_of("m")), ENOENT);
  close(NEED(creat("file", 0600)));
  CHECK_FAILS("a file", connect_to(fresh(0), address_of("file")), ECONNREFUSED);
  CHECK_FAILS("below a file", connect_to(fresh(0), address_of("file/s")), ENOTDIR);
  server = bound(SOCK_STREAM, address_of("s"));
  CHECK_FAILS("a bound one that does not listen", connect_to(fresh(0), address_of("s")),
    ECONNREFUSED);
  NEED(listen(server, 0));
  int datagram = NEED(socket(AF_UNIX, SOCK_DGRAM, 0));
  CHECK_FAILS("another type", connect_to(datagram, address_of("s")), EPROTOTYPE);
  struct address wrong = address_of("s");
  wrong.name.sun_family = AF_INET;
  CHECK_FAILS("another family", connect_to(fresh(0), wrong), EINVAL);
  wrong.size = 1;
  CHECK_FAILS("too short", connect_to(fresh(0), wrong), EINVAL);
  CHECK_FAILS("an abstract name nobody has", connect_to(fresh(0), abstract_address("nobody")),
    ECONNREFUSED);
  int self = bound(SOCK_STREAM, address_of("self"));
  CHECK_FAILS("itself", connect_to(self, address_of("self")), ECONNREFUSED);
  NEED(chmod("s", 0600));
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("without permission", connect_to(fresh(0), address_of("s")), EACCES));

  CHECK_OK("one fits a backlog of 0", connect_to(fresh(0), address_of("s")));
  CHECK_FAILS("the next would wait", connect_to(fresh(SOCK_NONBLOCK), address_of("s")), EAGAIN);
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  CHECK_FAILS("a signal ends the wait", connect_to(fresh(0), address_of("s")), EINTR);
  setitimer(ITIMER_REAL, &never, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, accept_one, NULL);
  CHECK_OK("accept makes room", connect_to(fresh(0), address_of("s")));
  pthread_join(thread, NULL);

  CHECK_OK("a larger backlog", listen(server, 1));
  CHECK_OK("has room for one more", connect_to(fresh(SOCK_NONBLOCK), address_of("s")));
  pid_t child = NEED(fork());
  if (child == 0) {
    int own = fresh(0);
    close(server);
    int result = connect_to(own, address_of("s"));
    _exit(result < 0 && errno == ECONNREFUSED ? 4 : 1);
  }
  close(server);
  CHECK_IS("closing the listener refuses those who wait", wait_code(child), 4);
  CHECK_FAILS("and who comes later", connect_to(fresh(0), address_of("s")), ECONNREFUSED);
  return check_status();
}
