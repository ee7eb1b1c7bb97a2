#include "check.h"
#include "unix/address.h"
#include <pthread.h>
#include <signal.h>

// shutdown(2): half-closed streams, and waking those who wait.

static int pair[2];

static void *shut_read(void *unused) {
  NEED(shutdown(pair[0], SHUT_RD));
  return unused;
}

static void *shut_peer(void *unused) {
  NEED(shutdown(pair[1], SHUT_WR));
  return unused;
}

int main(void) {
  char text[16];
  signal(SIGPIPE, SIG_IGN);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  NEED(send(pair[0], "before", 6, 0));
  CHECK_OK("SHUT_WR", shutdown(pair[0], SHUT_WR));
  CHECK_FAILS("send", send(pair[0], "x", 1, 0), EPIPE);
  CHECK_IS("the peer gets what was sent", recv(pair[1], text, 16, 0), 6);
  CHECK_IS("then the end", recv(pair[1], text, 16, 0), 0);
  CHECK_IS("the other way still works", send(pair[1], "back", 4, 0), 4);
  CHECK_IS("recv", recv(pair[0], text, 16, 0), 4);
  CHECK_OK("again", shutdown(pair[0], SHUT_WR));
  CHECK_OK("SHUT_RD", shutdown(pair[0], SHUT_RD));
  CHECK_IS("recv", recv(pair[0], text, 16, 0), 0);
  CHECK_FAILS("the peer can't send", send(pair[1], "x", 1, 0), EPIPE);
  CHECK_FAILS("an unknown way", shutdown(pair[0], 7), EINVAL);
  close(pair[0]);
  close(pair[1]);

  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  NEED(send(pair[1], "left", 4, 0));
  CHECK_OK("SHUT_RDWR", shutdown(pair[0], SHUT_RDWR));
  CHECK_IS("what had arrived is still there", recv(pair[0], text, 16, 0), 4);
  CHECK_IS("then the end", recv(pair[0], text, 16, 0), 0);
  close(pair[0]);
  close(pair[1]);

  pthread_t thread;
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  pthread_create(&thread, NULL, shut_read, NULL);
  CHECK_IS("one's own SHUT_RD ends a wait", recv(pair[0], text, 16, 0), 0);
  pthread_join(thread, NULL);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  pthread_create(&thread, NULL, shut_peer, NULL);
  CHECK_IS("the peer's SHUT_WR too", recv(pair[0], text, 16, 0), 0);
  pthread_join(thread, NULL);

  int fresh = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
  CHECK_FAILS("a closed descriptor", shutdown(99, SHUT_RD), EBADF);
  CHECK_FAILS("not a socket", shutdown(0, SHUT_RD), ENOTSOCK);
  close(fresh);
  int server = bound(SOCK_STREAM, address_of("s"));
  NEED(listen(server, 1));
  CHECK_OK("a listener", shutdown(server, SHUT_RD));
  CHECK_FAILS("accepts no more", accept(server, NULL, NULL), EINVAL);
  fresh = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
  CHECK_FAILS("nor can one connect", connect_to(fresh, address_of("s")), ECONNREFUSED);
  return check_status();
}
