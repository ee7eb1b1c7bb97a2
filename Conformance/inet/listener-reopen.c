// A listener's port is free as soon as its last descriptor is closed, also after accept(2).
#include "check.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

static int open_listener(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  NEED(bind(listener, (struct sockaddr *)&address, sizeof address));
  socklen_t size = sizeof address;
  getsockname(listener, (struct sockaddr *)&address, &size);
  NEED(listen(listener, 5));
  return listener;
}

static void accept_in_vain(int listener) {
  CHECK_FAILS("nobody to accept", accept(listener, NULL, NULL), EAGAIN);
}

/* Returns what connect(2) says, and leaves no connection. */
static int try_to_connect(void) {
  int client = socket(AF_INET, SOCK_STREAM, 0);
  int result = connect(client, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
  close(client);
  return result;
}

static void in_a_child(void) {
  pid_t child = fork();
  if (child == 0) {
    accept_in_vain(open_listener());
    _exit(7);  /* without closing it */
  }
  int status;
  waitpid(child, &status, 0);
  CHECK_IS("the child's status", WEXITSTATUS(status), 7);
}

int main(void) {
  int listener = open_listener();
  accept_in_vain(listener);
  close(listener);
  for (int i = 0; i < 20; i++) {
    CHECK_IS("nobody listens", try_to_connect(), ECONNREFUSED);
    listener = open_listener();
    accept_in_vain(listener);
    int copy = dup(listener);
    close(listener);
    accept_in_vain(copy);
    CHECK_IS("somebody listens", try_to_connect(), 0);
    /* The one that has just ended is still there to be accepted, and then there is none. */
    struct pollfd ready = {.fd = copy, .events = POLLIN};
    CHECK_IS("a connection waits", poll(&ready, 1, -1), 1);
    int connection = accept4(copy, NULL, NULL, 0);
    CHECK("accepted", connection >= 0);
    accept_in_vain(copy);
    struct linger reset = {1, 0};
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(connection);
    close(copy);
  }
  in_a_child();
  CHECK_IS("nobody listens", try_to_connect(), ECONNREFUSED);
  /* Another number's listener is not taken for the one before. */
  int first = open_listener();
  accept_in_vain(first);
  struct sockaddr_in old = address;
  close(first);
  address.sin_port = 0;
  int second = open_listener();
  CHECK_IS("the same number", second, first);
  CHECK("another port", address.sin_port != old.sin_port);
  CHECK_IS("somebody listens", try_to_connect(), 0);
  struct pollfd ready = {.fd = second, .events = POLLIN};
  CHECK_IS("a connection waits", poll(&ready, 1, -1), 1);
  CHECK_OK("accepted there", accept(second, NULL, NULL));
  return check_status();
}
