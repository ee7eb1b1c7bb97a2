#include "check.h"
#include "unix/address.h"
#include <fcntl.h>
#include <poll.h>

// Megabytes through a stream in both directions at once, and a server with many clients.

enum { total = 4 << 20, clients = 8 };

static unsigned char value_at(long index) { return index * 31 + (index >> 12); }

// Sends and receives `total` bytes at once without blocking; whether all were right.
static int exchange(int fd) {
  static unsigned char out[70000], in[50000];
  long sent = 0, received = 0;
  int good = 1;
  NEED(fcntl(fd, F_SETFL, O_NONBLOCK));
  while (sent < total || received < total) {
    struct pollfd wait = {fd, (sent < total ? POLLOUT : 0) | (received < total ? POLLIN : 0), 0};
    NEED(poll(&wait, 1, -1));
    if (wait.revents & POLLIN) {
      long count = NEED(recv(fd, in, sizeof in, 0));
      if (count == 0) return 0;
      for (long i = 0; i < count; i++) good &= in[i] == value_at(received + i);
      received += count;
    }
    if (wait.revents & POLLOUT) {
      long size = total - sent < (long)sizeof out ? total - sent : (long)sizeof out;
      for (long i = 0; i < size; i++) out[i] = value_at(sent + i);
      long count = send(fd, out, size, 0);
      if (count > 0) sent += count;
      else if (errno != EAGAIN) return 0;
    }
  }
  return good;
}

static void serve(int server) {
  struct pollfd fds[clients + 1] = {{server, POLLIN, 0}};
  int open = 0, ended = 0;
  char text[256];
  while (ended < clients) {
    NEED(poll(fds, open + 1, -1));
    for (int i = 1; i <= open; i++) {
      if (!fds[i].revents) continue;
      long count = NEED(recv(fds[i].fd, text, sizeof text, 0));
      if (count > 0) {
        NEED(send(fds[i].fd, text, count, 0));
      } else {
        close(fds[i].fd);
        fds[i].fd = -1;
        ended++;
      }
    }
    if (fds[0].revents) fds[++open] = (struct pollfd){NEED(accept(server, NULL, NULL)), POLLIN, 0};
  }
}

static int be_client(int number) {
  char text[32], back[32];
  int fd = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
  NEED(connect_to(fd, address_of("s")));
  for (int i = 0; i < 100; i++) {
    int size = snprintf(text, sizeof text, "client %d says %d", number, i);
    NEED(send(fd, text, size, 0));
    if (recv(fd, back, size, MSG_WAITALL) != size || memcmp(text, back, size)) return 1;
  }
  return 0;
}

int main(void) {
  int pair[2];
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  pid_t child = NEED(fork());
  if (child == 0) _exit(!exchange(pair[1]));
  CHECK("4 MiB each way", exchange(pair[0]));
  CHECK_IS("the child's view", wait_code(child), 0);

  // A blocking transfer of one large write.
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  static char block[1 << 20];
  if ((child = NEED(fork())) == 0) {
    close(pair[0]);
    _exit(write(pair[1], block, sizeof block) != sizeof block);
  }
  close(pair[1]);
  long received = 0, count;
  while ((count = read(pair[0], block, 9999)) > 0) received += count;
  CHECK_IS("1 MiB in one write", received, sizeof block);
  CHECK_IS("child", wait_code(child), 0);

  int server = bound(SOCK_STREAM, address_of("s"));
  NEED(listen(server, clients));
  pid_t children[clients];
  for (int i = 0; i < clients; i++)
    if ((children[i] = NEED(fork())) == 0) _exit(be_client(i));
  serve(server);
  for (int i = 0; i < clients; i++) CHECK_IS("a client", wait_code(children[i]), 0);
  return check_status();
}
