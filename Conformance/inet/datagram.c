#include "check.h"
#include "inet/inet.h"
#include <sys/uio.h>

// UDP: with and without a destination of its own, truncation, vectors, many at once, errors.

int main(void) {
  char text[64];
  int server = bound(AF_INET, SOCK_DGRAM), client = NEED(socket(AF_INET, SOCK_DGRAM, 0));
  struct address target = name_of(server), from = {.size = sizeof from.room};
  CHECK_FAILS("no destination: send", send(client, "x", 1, 0), EDESTADDRREQ);
  CHECK_FAILS("no destination: write", write(client, "x", 1), EDESTADDRREQ);
  CHECK_IS("sendto", sendto(client, "hello", 5, 0, &target.any, target.size), 5);
  CHECK_IS("recvfrom", recvfrom(server, text, sizeof text, 0, &from.any, &from.size), 5);
  struct address own = name_of(client);
  CHECK("who sent it", from.size == own.size && from.v4.sin_port == own.v4.sin_port);
  CHECK_IS("by which address", from.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  CHECK_IS("an answer", sendto(server, "back", 4, 0, &from.any, from.size), 4);
  CHECK_IS("comes", recv(client, text, sizeof text, 0), 4);
  CHECK_IS("an empty one", sendto(client, NULL, 0, 0, &target.any, target.size), 0);
  CHECK_IS("comes, too", recv(server, text, sizeof text, 0), 0);
  CHECK_FAILS("too large", sendto(client, text, 65508, MSG_DONTWAIT, &target.any, target.size),
    EMSGSIZE);
  static char big[65507], room[65507];
  memset(big, 'b', sizeof big);
  CHECK_IS("the largest", sendto(client, big, sizeof big, 0, &target.any, target.size),
    sizeof big);
  CHECK_IS("comes whole", recv(server, room, sizeof room, 0), sizeof room);
  CHECK("as it was", !memcmp(big, room, sizeof big));
  CHECK_FAILS("nothing more", recv(server, text, 1, MSG_DONTWAIT), EAGAIN);
  struct timeval time = {0, 30000};
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  CHECK_FAILS("time limit", recvfrom(server, text, 1, 0, &from.any, &from.size), EAGAIN);

  CHECK_IS("connect", connect_to(client, target), 0);
  CHECK("peer", same(peer_of(client), target));
  CHECK_IS("send", send(client, "0123456789", 10, 0), 10);
  CHECK_IS("truncated", recv(server, text, 4, 0), 4);
  CHECK_IS("write", write(client, "0123456789", 10), 10);
  CHECK_IS("its real size", recv(server, text, 4, MSG_TRUNC), 10);
  CHECK_IS("nothing", send(client, "", 0, 0), 0);
  CHECK_IS("is a datagram", recv(server, text, 4, 0), 0);
  struct iovec parts[2] = {{"left", 4}, {"right", 5}}, empty[1] = {{"", 0}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  CHECK_IS("sendmsg", sendmsg(client, &message, 0), 9);
  char left[2], right[4];
  struct iovec rooms[2] = {{left, 2}, {right, 4}};
  struct msghdr arrival = {.msg_name = &from.any, .msg_namelen = sizeof from.room,
    .msg_iov = rooms, .msg_iovlen = 2};
  CHECK_IS("peek", recvmsg(server, &arrival, MSG_PEEK), 6);
  CHECK_IS("is truncated", arrival.msg_flags, MSG_TRUNC);
  CHECK_IS("recvmsg", recvmsg(server, &arrival, MSG_TRUNC), 9);
  CHECK_IS("flags", arrival.msg_flags, MSG_TRUNC);
  CHECK_IS("name", arrival.msg_namelen, sizeof(struct sockaddr_in));
  CHECK("where it went", !memcmp(left, "le", 2) && !memcmp(right, "ftri", 4));
  struct msghdr hollow = {.msg_iov = empty, .msg_iovlen = 1};
  CHECK_IS("an empty message", sendmsg(client, &hollow, 0), 0);
  CHECK_IS("without buffers", sendmsg(client, &(struct msghdr){0}, 0), 0);
  CHECK_IS("both", recv(server, text, 4, 0), 0);
  CHECK_IS("came", recv(server, text, 4, 0), 0);
  CHECK_IS("writev", writev(client, parts, 2), 9);
  CHECK_IS("readv", readv(server, rooms, 2), 6);
  CHECK_FAILS("one of them only", recv(server, text, 4, MSG_DONTWAIT), EAGAIN);
  int other = bound(AF_INET, SOCK_DGRAM);
  struct address elsewhere = name_of(other);
  CHECK_IS("a name goes elsewhere", sendto(client, "e", 1, 0, &elsewhere.any, elsewhere.size), 1);
  CHECK_IS("arrives there", recv(other, text, 4, 0), 1);
  struct address mine = name_of(client);
  CHECK_IS("a stranger", sendto(other, "s", 1, 0, &mine.any, mine.size), 1);
  CHECK_FAILS("is not heard", recv(client, text, 4, MSG_DONTWAIT), EAGAIN);

  struct mmsghdr many[4] = {0};
  struct iovec each[4];
  for (int i = 0; i < 4; i++) {
    each[i] = (struct iovec){"abcd", i + 1};
    many[i].msg_hdr.msg_iov = &each[i];
    many[i].msg_hdr.msg_iovlen = 1;
  }
  CHECK_IS("sendmmsg", sendmmsg(client, many, 4, 0), 4);
  CHECK_IS("length", many[3].msg_len, 4);
  char rows[4][8];
  for (int i = 0; i < 4; i++) each[i] = (struct iovec){rows[i], 8};
  CHECK_IS("recvmmsg", recvmmsg(server, many, 4, MSG_WAITFORONE, NULL), 4);
  CHECK_IS("lengths", many[0].msg_len * 100 + many[3].msg_len, 104);

  struct address nothing = {.any.sa_family = AF_UNSPEC, .size = sizeof(struct sockaddr_in)};
  CHECK_IS("disconnect", connect_to(client, nothing), 0);
  CHECK_FAILS("no peer", getpeername(client, &from.any, &from.size), ENOTCONN);
  CHECK_FAILS("no destination again", write(client, "x", 1), EDESTADDRREQ);
  close(other);
  CHECK_IS("a closed port", connect_to(client, elsewhere), 0);
  CHECK_IS("takes one", send(client, "x", 1, 0), 1);
  CHECK_IS("and refuses", wait_for(client, POLLIN) & POLLERR, POLLERR);
  CHECK_FAILS("the next", send(client, "x", 1, 0), ECONNREFUSED);
  CHECK_FAILS("broadcast needs asking", sendto(client, "x", 1, 0,
    (struct sockaddr *)&(struct sockaddr_in){AF_INET, htons(9), {INADDR_BROADCAST}, {0}},
    sizeof(struct sockaddr_in)), EACCES);
  struct address wrong = target;
  wrong.v4.sin_family = AF_UNIX;
  CHECK_FAILS("another family", sendto(client, "x", 1, 0, &wrong.any, wrong.size), EAFNOSUPPORT);
  CHECK_FAILS("too short", sendto(client, "x", 1, 0, &target.any, 8), EINVAL);
  wrong = target;
  wrong.v4.sin_port = 0;
  CHECK_FAILS("port 0", sendto(client, "x", 1, 0, &wrong.any, wrong.size), EINVAL);
  CHECK_IS("no SIGPIPE in sight: shutdown", shutdown(client, SHUT_WR), 0);
  CHECK_FAILS("then", send(client, "x", 1, 0), EPIPE);
  return check_status();
}
