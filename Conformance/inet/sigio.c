#include "check.h"
#include "events/sigio.h"
#include "inet/inet.h"

// O_ASYNC of sockets that reach out: connections, data, datagrams, ends; SIGURG.

static void streams(void) {
  int server = listener(AF_INET, 4);
  async(server, NEWS);
  CHECK_IS("nobody came", none(), 0);
  int client = NEED(socket(AF_INET, SOCK_STREAM, 0));
  NEED(connect_to(client, name_of(server)));
  told("a connection", server, POLL_IN, IN);
  int peer = NEED(accept(server, NULL, NULL));
  CHECK_IS("is not asked for", fcntl(peer, F_GETFL) & O_ASYNC, 0);
  async(peer, NEWS);
  CHECK_IS("room is no news", none(), 0);
  NEED(write(client, "a", 1));
  told("input", peer, POLL_IN, IN);
  NEED(write(client, "b", 1));
  told("more input", peer, POLL_IN, IN);
  NEED(fcntl(peer, F_SETSIG, 0));
  NEED(write(client, "c", 1));
  siginfo_t info;
  CHECK_IS("SIGIO", next(&info), SIGIO);
  CHECK_IS("by the kernel", info.si_code, SI_KERNEL);
  NEED(fcntl(peer, F_SETSIG, NEWS));

  static char large[1 << 16];
  NEED(fcntl(peer, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC));
  while (write(peer, large, sizeof large) > 0);
  CHECK_IS("full", none(), 0);
  NEED(fcntl(client, F_SETFL, O_RDWR | O_NONBLOCK));
  siginfo_t room = {0};
  struct timespec now = {0, 0};
  int signal = -1;
  for (int count = 0; signal < 0 && count < 1000; count++) {
    while (read(client, large, sizeof large) > 0);
    now.tv_nsec = 10000000;
    signal = sigtimedwait(&waited, &room, &now);
  }
  CHECK("room is told of", signal == NEWS && room.si_code == POLL_OUT && room.si_band == OUT);
  while (read(client, large, sizeof large) > 0);
  while (none());
  NEED(shutdown(client, SHUT_WR));
  told("half closed", peer, POLL_IN, IN);
  close(client);
  close(peer);
  // The end of a connection may be told of twice.
  while (none());

  // A connection in the making.
  client = NEED(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  async(client, NEWS);
  CHECK_IS("idle", none(), 0);
  struct address name = name_of(server);
  int result = connect_to(client, name);
  CHECK_IS("connect", result < 0 && errno != EINPROGRESS ? errno : 0, 0);
  int outcomes = 0;
  for (int count = 0; count < 2; count++) {
    int one = next(&info);
    if (one == NEWS && info.si_fd == client && info.si_code == POLL_OUT) outcomes |= 1;
    if (one == NEWS && info.si_fd == server && info.si_code == POLL_IN) outcomes |= 2;
  }
  CHECK_IS("both ends are told", outcomes, 3);
  peer = NEED(accept(server, NULL, NULL));
  NEED(write(client, "unread", 6));
  NEED(wait_for(peer, POLLIN));
  close(peer);
  told("reset", client, POLL_ERR, POLLERR);
  close(client);
  close(server);
}

static void urgent(void) {
  int ends[2];
  siginfo_t info;
  char byte;
  tcp_pair(ends);
  NEED(send(ends[1], "!", 1, MSG_OOB));
  NEED(wait_for(ends[0], POLLPRI));
  CHECK_IS("nobody is the owner", none(), 0);
  NEED(recv(ends[0], &byte, 1, MSG_OOB));
  NEED(fcntl(ends[0], F_SETOWN, getpid()));
  NEED(send(ends[1], "!", 1, MSG_OOB));
  CHECK_IS("SIGURG", next(&info), SIGURG);
  CHECK_IS("by the kernel", info.si_code, SI_KERNEL);
  NEED(wait_for(ends[0], POLLPRI));
  NEED(recv(ends[0], &byte, 1, MSG_OOB));
  CHECK_IS("the byte", byte, '!');
  NEED(write(ends[1], "plain", 5));
  NEED(wait_for(ends[0], POLLIN));
  CHECK_IS("other data is not urgent", none(), 0);
  NEED(send(ends[1], "?", 1, MSG_OOB));
  CHECK_IS("again", next(&info), SIGURG);
  NEED(wait_for(ends[0], POLLPRI));
  NEED(recv(ends[0], &byte, 1, MSG_OOB));
  NEED(fcntl(ends[0], F_SETOWN, 0));
  NEED(send(ends[1], "?", 1, MSG_OOB));
  NEED(wait_for(ends[0], POLLPRI));
  CHECK_IS("nobody's any more", none(), 0);
  close(ends[0]);
  close(ends[1]);
}

static void datagrams(void) {
  int server = bound(AF_INET, SOCK_DGRAM);
  async(server, NEWS);
  int client = NEED(socket(AF_INET, SOCK_DGRAM, 0));
  NEED(connect_to(client, name_of(server)));
  NEED(write(client, "a", 1));
  told("a datagram", server, POLL_IN, IN);
  NEED(write(client, "b", 1));
  told("another", server, POLL_IN, IN);
  async(client, NEWS);
  NEED(write(client, "c", 1));
  told("for the server only", server, POLL_IN, IN);
  CHECK_IS("a datagram on its way", none(), 0);
  close(server);
  NEED(write(client, "d", 1));
  told("nobody there", client, POLL_ERR, POLLERR);
  NEED(fcntl(client, F_SETFL, O_RDWR));
  close(client);
}

int main(void) {
  sigemptyset(&waited);
  sigaddset(&waited, SIGIO);
  sigaddset(&waited, SIGURG);
  sigaddset(&waited, NEWS);
  NEED(sigprocmask(SIG_BLOCK, &waited, NULL));
  streams();
  urgent();
  datagrams();
  return check_status();
}
