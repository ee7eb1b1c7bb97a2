#include "check.h"
#include "inet/inet.h"
#include <linux/sockios.h>
#include <pthread.h>
#include <sys/uio.h>

// Data on a TCP connection: flags of send(2) and recv(2), vectors, ends, resets, signals.

static char large[3 << 20];

static void *send_large(void *fd) {
  return (void *)(long)write(*(int *)fd, large, sizeof large);
}

static void *send_late(void *fd) {
  usleep(50000);
  NEED(write(*(int *)fd, "late", 4));
  return NULL;
}

int main(void) {
  int ends[2];
  char text[64];
  tcp_pair(ends);
  CHECK_IS("send", send(ends[0], "hello", 5, 0), 5);
  NEED(wait_for(ends[1], POLLIN));
  int count;
  NEED(ioctl(ends[1], FIONREAD, &count));
  CHECK_IS("FIONREAD", count, 5);
  CHECK_IS("peek", recv(ends[1], text, 3, MSG_PEEK), 3);
  CHECK_IS("peek again", recv(ends[1], text, sizeof text, MSG_PEEK | MSG_DONTWAIT), 5);
  CHECK_IS("truncate throws away", recv(ends[1], NULL, 2, MSG_TRUNC), 2);
  CHECK_IS("the rest", read(ends[1], text, sizeof text), 3);
  CHECK("is the end", !memcmp(text, "llo", 3));
  CHECK_FAILS("nothing more", recv(ends[1], text, 1, MSG_DONTWAIT), EAGAIN);
  CHECK_IS("nothing is wanted: read", read(ends[1], text, 0), 0);
  CHECK_FAILS("nothing is wanted: recv", recv(ends[1], text, 0, MSG_DONTWAIT), EAGAIN);

  struct iovec parts[3] = {{"one", 3}, {"", 0}, {"three", 5}};
  CHECK_IS("writev", writev(ends[0], parts, 3), 8);
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
  CHECK_IS("sendmsg", sendmsg(ends[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL), 8);
  CHECK_IS("wait for all", recv(ends[1], text, 16, MSG_WAITALL), 16);
  CHECK("in order", !memcmp(text, "onethreeonethree", 16));
  CHECK_IS("more to come", send(ends[0], "ab", 2, MSG_MORE), 2);
  CHECK_IS("and the rest", send(ends[0], "cd", 2, 0), 2);
  char left[3], right[3];
  struct iovec rooms[2] = {{left, 3}, {right, 3}};
  NEED(recv(ends[1], text, 4, MSG_PEEK | MSG_WAITALL));
  struct msghdr arrival = {.msg_iov = rooms, .msg_iovlen = 2};
  CHECK_IS("recvmsg peeks", recvmsg(ends[1], &arrival, MSG_PEEK), 4);
  CHECK("two buffers", !memcmp(left, "abc", 3) && right[0] == 'd');
  CHECK_IS("recvmsg", recvmsg(ends[1], &arrival, MSG_DONTWAIT), 4);
  CHECK_IS("no flags", arrival.msg_flags, 0);
  CHECK_FAILS("empty", recvmsg(ends[1], &arrival, MSG_DONTWAIT), EAGAIN);
  struct address other = loopback(AF_INET, 9);
  CHECK_IS("a name means nothing", sendto(ends[0], "n", 1, 0, &other.any, other.size), 1);
  struct address from = {.size = sizeof from.room};
  CHECK_IS("nor is one given", recvfrom(ends[1], text, 4, 0, &from.any, &from.size), 1);
  CHECK_IS("size", from.size, 0);
  CHECK_FAILS("bad memory", send(ends[0], (void *)8, 4, 0), EFAULT);

  handle(SIGALRM, 0);
  alarm_often(20000);
  CHECK_FAILS("a signal ends the wait", read(ends[1], text, 1), EINTR);
  handle(SIGALRM, SA_RESTART);
  pthread_t thread;
  pthread_create(&thread, NULL, send_late, &ends[0]);
  CHECK_IS("or not", recv(ends[1], text, sizeof text, 0), 4);
  pthread_join(thread, NULL);
  struct timeval time = {0, 70000}, none = {0, 0};
  setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  CHECK_FAILS("with a time limit it does", read(ends[1], text, 1), EINTR);
  alarm_often(0);
  CHECK_FAILS("the time limit", read(ends[1], text, 1), EAGAIN);
  setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);

  for (size_t i = 0; i < sizeof large; i++) large[i] = (char)(i * 31 >> 3);
  pthread_create(&thread, NULL, send_large, &ends[0]);
  size_t total = 0, wrong = 0;
  static char room[100000];
  while (total < sizeof large) {
    long got = read(ends[1], room, sizeof room);
    if (got <= 0) break;
    for (long i = 0; i < got; i++) wrong += room[i] != large[total + i];
    total += got;
  }
  void *written;
  pthread_join(thread, &written);
  CHECK_IS("a large write is written whole", (long)written, sizeof large);
  CHECK_IS("and read whole", total, sizeof large);
  CHECK_IS("byte by byte", wrong, 0);

  NEED(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  long sent = 0, step;
  while ((step = send(ends[0], large, sizeof large, 0)) > 0) sent += step;
  int stopped = errno;
  CHECK_IS("non-blocking stops", stopped, EAGAIN);
  CHECK("in the middle", sent > 0);
  CHECK_IS("and is not writable", events_of(ends[0], POLLOUT), 0);
  NEED(ioctl(ends[0], SIOCOUTQ, &count));
  CHECK("SIOCOUTQ", count > 0);
  while (sent > 0 && (step = read(ends[1], room, sizeof room)) > 0) sent -= step;
  CHECK_IS("all of it came", sent, 0);
  NEED(wait_for(ends[0], POLLOUT));

  NEED(send(ends[0], "a", 1, 0));
  CHECK_IS("urgent", send(ends[0], "!", 1, MSG_OOB), 1);
  NEED(send(ends[0], "b", 1, 0));
  CHECK_IS("is told", wait_for(ends[1], POLLPRI), POLLPRI);
  CHECK_IS("before the mark", read(ends[1], text, 10), 1);
  NEED(ioctl(ends[1], SIOCATMARK, &count));
  CHECK_IS("at the mark", count, 1);
  CHECK_IS("out of band", recv(ends[1], text, 1, MSG_OOB), 1);
  CHECK_IS("the byte", text[0], '!');
  CHECK_IS("behind the mark", read(ends[1], text, 10), 1);
  CHECK_IS("the next", text[0], 'b');
  CHECK_FAILS("no other", recv(ends[1], text, 1, MSG_OOB), EINVAL);

  CHECK_IS("half close", shutdown(ends[0], SHUT_WR), 0);
  CHECK_IS("the end is told", wait_for(ends[1], POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
  CHECK_IS("end of file", read(ends[1], text, 1), 0);
  CHECK_IS("the other way is open", write(ends[1], "back", 4), 4);
  NEED(wait_for(ends[0], POLLIN));
  CHECK_IS("read", read(ends[0], text, sizeof text), 4);
  handle(SIGPIPE, 0);
  signals_seen = 0;
  CHECK_FAILS("write after the end", write(ends[0], "x", 1), EPIPE);
  CHECK_IS("SIGPIPE", signals_seen, 1);
  CHECK_FAILS("MSG_NOSIGNAL", send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE);
  CHECK_FAILS("in a message", sendmsg(ends[0], &message, MSG_NOSIGNAL), EPIPE);
  CHECK_IS("is quiet", signals_seen, 1);
  CHECK_FAILS("a message", sendmsg(ends[0], &message, 0), EPIPE);
  CHECK_IS("is not", signals_seen, 2);
  CHECK_FAILS("bad shutdown", shutdown(ends[0], 7), EINVAL);
  close(ends[0]);
  close(ends[1]);

  tcp_pair(ends);
  struct linger linger = {1, 0};
  NEED(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
  close(ends[0]);
  CHECK_IS("a reset", wait_for(ends[1], POLLIN), POLLIN | POLLERR | POLLHUP);
  CHECK_FAILS("is told", read(ends[1], text, 1), ECONNRESET);
  CHECK_IS("once", read(ends[1], text, 1), 0);
  signals_seen = 0;
  CHECK_FAILS("then it is a broken pipe", write(ends[1], "x", 1), EPIPE);
  CHECK_IS("with its signal", signals_seen, 1);
  CHECK_FAILS("no peer", shutdown(ends[1], SHUT_RDWR), ENOTCONN);

  int lonely = NEED(socket(AF_INET, SOCK_STREAM, 0));
  CHECK_FAILS("not connected: read", read(lonely, text, 1), ENOTCONN);
  CHECK_FAILS("not connected: write", send(lonely, "x", 1, MSG_NOSIGNAL), EPIPE);
  CHECK_FAILS("not connected: shutdown", shutdown(lonely, SHUT_RDWR), ENOTCONN);
  CHECK_IS("not connected: poll", events_of(lonely, POLLIN | POLLOUT), POLLIN | POLLOUT | POLLHUP);
  CHECK_FAILS("no seeking", lseek(lonely, 0, SEEK_SET), ESPIPE);
  CHECK_FAILS("no offset", pread(lonely, text, 1, 0), ESPIPE);
  return check_status();
}
