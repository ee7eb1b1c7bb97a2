// static
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

// poll(2): the events of each kind of file.

static const char *events_of(int fd, int events) {
  static char text[64];
  static const struct { int bit; const char *name; } names[] = {
    {POLLIN, "IN "}, {POLLOUT, "OUT "}, {POLLPRI, "PRI "}, {POLLERR, "ERR "}, {POLLHUP, "HUP "},
    {POLLNVAL, "NVAL "}, {POLLRDHUP, "RDHUP "}, {POLLRDNORM, "RDNORM "}, {POLLWRNORM, "WRNORM "},
  };
  struct pollfd wait = {fd, events, 0x7fff};
  int count = poll(&wait, 1, 0);
  snprintf(text, sizeof text, "%d ", count);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (wait.revents & names[i].bit) strcat(text, names[i].name);
  return text;
}

int main(void) {
  enum { all = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM };
  int ends[2], sockets[2];
  int fd = NEED(open("f", O_RDWR | O_CREAT, 0600));
  say("file: %s", events_of(fd, all));
  say("file, nothing asked: %s", events_of(fd, 0));
  say("directory: %s", events_of(NEED(open(".", O_RDONLY)), all));
  say("/dev/null: %s", events_of(NEED(open("/dev/null", O_RDWR)), all));
  NEED(pipe(ends));
  say("empty pipe, reader: %s", events_of(ends[0], all));
  say("empty pipe, writer: %s", events_of(ends[1], all));
  NEED(write(ends[1], "x", 1));
  say("full pipe, reader: %s", events_of(ends[0], all));
  say("full pipe, reader asks to write: %s", events_of(ends[0], POLLOUT));
  close(ends[1]);
  say("no writer, data: %s", events_of(ends[0], all));
  char byte;
  NEED(read(ends[0], &byte, 1));
  say("no writer, no data: %s", events_of(ends[0], all));
  say("no writer, nothing asked: %s", events_of(ends[0], 0));
  NEED(pipe(ends));
  close(ends[0]);
  say("no reader: %s", events_of(ends[1], all));
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  say("socket: %s", events_of(sockets[0], all));
  NEED(send(sockets[1], "x", 1, 0));
  say("socket with data: %s", events_of(sockets[0], all));
  NEED(shutdown(sockets[1], SHUT_WR));
  say("peer shut down, data: %s", events_of(sockets[0], all));
  NEED(recv(sockets[0], &byte, 1, 0));
  say("peer shut down, no data: %s", events_of(sockets[0], all));
  close(sockets[1]);
  say("peer closed: %s", events_of(sockets[0], all));
  fd = NEED(eventfd(0, 0));
  say("eventfd at 0: %s", events_of(fd, all));
  NEED(eventfd_write(fd, 1));
  say("eventfd at 1: %s", events_of(fd, all));
  NEED(eventfd_write(fd, 0xfffffffffffffffd));
  say("eventfd at its limit: %s", events_of(fd, all));
  say("closed descriptor: %s", events_of(99, all));
  say("negative descriptor: %s", events_of(-1, all));
  say("O_PATH: %s", events_of(NEED(open(".", O_PATH)), all));

  struct pollfd many[4] = {{ends[1], POLLOUT, 0}, {99, POLLIN, 0}, {-5, POLLIN, 0}, {fd, 0, 0}};
  CHECK_IS("counts those with events", poll(many, 4, -1), 2);
  CHECK_IS("none", poll(many, 0, 0), 0);
  CHECK_IS("none, a little later", poll(NULL, 0, 1), 0);
  IN_CHILD({
    struct rlimit limit = {3, 64};
    NEED(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_FAILS("more than RLIMIT_NOFILE", poll(many, 4, 0), EINVAL);
  });
  struct pollfd same[3] = {{fd, POLLIN, 0}, {fd, POLLIN, 0}, {fd, POLLIN, 0}};
  CHECK_IS("one descriptor three times", poll(same, 3, 0), 3);
  return check_status();
}
