#include "check.h"
#include "unix/address.h"
#include <fcntl.h>
#include <sys/time.h>

// recv(2) flags, sendmsg(2) and sendmmsg(2) vectors, SO_RCVTIMEO and SO_SNDTIMEO.

static long now_ms(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  return now.tv_sec * 1000 + now.tv_usec / 1000;
}

int main(void) {
  int pair[2];
  char text[32] = "", more[32] = "";
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  NEED(send(pair[0], "hello world", 11, 0));
  CHECK_IS("MSG_PEEK", recv(pair[1], text, 5, MSG_PEEK), 5);
  CHECK_IS("and again", recv(pair[1], text, 32, MSG_PEEK), 11);
  CHECK_IS("nothing is taken", recv(pair[1], text, 32, 0), 11);
  CHECK_TEXT("text", text, "hello world");
  CHECK_FAILS("MSG_PEEK of nothing", recv(pair[1], text, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
  CHECK_FAILS("MSG_OOB from a stream without any", recv(pair[1], text, 1, MSG_OOB | MSG_DONTWAIT),
    EINVAL);

  struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdefg", 5}}, in[2] = {{text, 3}, {more, 32}};
  struct msghdr message = {.msg_iov = out, .msg_iovlen = 3};
  CHECK_IS("sendmsg gathers", sendmsg(pair[0], &message, 0), 7);
  message = (struct msghdr){.msg_iov = in, .msg_iovlen = 2, .msg_namelen = 9};
  CHECK_IS("recvmsg scatters", recvmsg(pair[1], &message, 0), 7);
  CHECK("into both", memcmp(text, "abc", 3) == 0 && memcmp(more, "defg", 4) == 0);
  CHECK_IS("no flags", message.msg_flags, 0);
  message = (struct msghdr){.msg_iov = out, .msg_iovlen = 3, .msg_flags = -1};
  CHECK_IS("msg_flags of a send are ignored", sendmsg(pair[0], &message, 0), 7);
  CHECK_IS("MSG_TRUNC of a stream counts as data", recv(pair[1], more, 32, 0), 7);
  message.msg_iovlen = 1025;
  CHECK_FAILS("too long a vector", sendmsg(pair[0], &message, 0), EMSGSIZE);
  CHECK_IS("no bytes", send(pair[0], "", 0, 0), 0);
  CHECK_FAILS("are no message", recv(pair[1], text, 1, MSG_DONTWAIT), EAGAIN);

  int packets[2];
  NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, packets));
  struct mmsghdr many[3] = {{{.msg_iov = out, .msg_iovlen = 1}}, {{.msg_iov = out + 2,
    .msg_iovlen = 1}}, {{.msg_iov = out, .msg_iovlen = 3}}};
  CHECK_IS("sendmmsg", sendmmsg(packets[0], many, 3, 0), 3);
  CHECK("sizes", many[0].msg_len == 2 && many[1].msg_len == 5 && many[2].msg_len == 7);
  struct iovec rooms[4] = {{text, 16}, {text + 16, 16}, {more, 16}, {more + 16, 16}};
  struct mmsghdr got[4];
  for (int i = 0; i < 4; i++)
    got[i] = (struct mmsghdr){{.msg_iov = &rooms[i], .msg_iovlen = 1}};
  CHECK_IS("recvmmsg", recvmmsg(packets[1], got, 4, MSG_DONTWAIT, NULL), 3);
  CHECK("sizes", got[0].msg_len == 2 && got[1].msg_len == 5 && got[2].msg_len == 7);
  CHECK("texts", memcmp(text, "ab", 2) == 0 && memcmp(more, "abcdefg", 7) == 0);

  struct timeval limit = {0, 30000}, set;
  socklen_t size = sizeof set;
  CHECK_OK("SO_RCVTIMEO", setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  NEED(getsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &set, &size));
  CHECK("reads back, in ticks", set.tv_sec == 0 && set.tv_usec >= 30000 && set.tv_usec < 50000);
  long start = now_ms();
  CHECK_FAILS("a read gives up", recv(pair[1], text, 1, 0), EAGAIN);
  CHECK("not too early", now_ms() - start >= 25);
  NEED(send(pair[0], "x", 1, 0));
  CHECK_IS("data in time", recv(pair[1], text, 1, 0), 1);
  CHECK_OK("SO_SNDTIMEO", setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
  static char block[1 << 20];
  CHECK("a long send stops short", send(pair[0], block, sizeof block, 0) < (long)sizeof block);
  CHECK_FAILS("and then gives up", send(pair[0], block, sizeof block, 0), EAGAIN);
  limit.tv_usec = 1000000;
  CHECK_FAILS("a bad time", setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit),
    EDOM);
  return check_status();
}
