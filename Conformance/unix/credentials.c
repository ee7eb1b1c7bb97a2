#include "check.h"
#include "unix/address.h"
#include <fcntl.h>
#include <sys/stat.h>

// SCM_CREDENTIALS, SO_PASSCRED and SO_PEERCRED.

static int send_as(int socket, pid_t process, uid_t user, gid_t group) {
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(struct ucred))]; } control = {{0}};
  struct iovec part = {"x", 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
    .msg_controllen = sizeof control};
  struct ucred who = {process, user, group};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_CREDENTIALS;
  control.header.cmsg_len = CMSG_LEN(sizeof who);
  memcpy(CMSG_DATA(&control.header), &who, sizeof who);
  return sendmsg(socket, &message, 0);
}

// Receives one message; whether it told its sender.
static int recv_who(int socket, struct ucred *who) {
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(struct ucred))]; } control;
  char byte;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
    .msg_controllen = sizeof control};
  NEED(recvmsg(socket, &message, 0));
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_CREDENTIALS) return 0;
  memcpy(who, CMSG_DATA(header), sizeof *who);
  return 1;
}

static int peer_of(int socket, struct ucred *who) {
  socklen_t size = sizeof *who;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, who, &size);
}

int main(void) {
  int pair[2], one = 1, value;
  socklen_t size = sizeof value;
  struct ucred who = {0};
  umask(0);
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  NEED(send(pair[0], "x", 1, 0));
  CHECK_IS("nobody asked", recv_who(pair[1], &who), 0);
  CHECK_OK("SO_PASSCRED", setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
  NEED(getsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &value, &size));
  CHECK_IS("is set", value, 1);
  NEED(send(pair[0], "x", 1, 0));
  CHECK_IS("told", recv_who(pair[1], &who), 1);
  CHECK("this process", who.pid == getpid() && who.uid == getuid() && who.gid == getgid());
  NEED(write(pair[0], "x", 1));
  CHECK_IS("write tells too", recv_who(pair[1], &who), 1);

  CHECK_IS("root may claim others", send_as(pair[0], getpid(), 1000, 1001), 1);
  CHECK_IS("told", recv_who(pair[1], &who), 1);
  CHECK("as claimed", who.uid == 1000 && who.gid == 1001);
  CHECK_FAILS("not a process that is not", send_as(pair[0], 0x3fffff, 0, 0), ESRCH);
  IN_CHILD({
    NEED(setresgid(65534, 65534, 65534));
    NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("a user may not claim another user", send_as(pair[0], getpid(), 0, 65534), EPERM);
    CHECK_FAILS("nor group", send_as(pair[0], getpid(), 65534, 0), EPERM);
    CHECK_FAILS("nor process", send_as(pair[0], getppid(), 65534, 65534), EPERM);
    CHECK_IS("but itself", send_as(pair[0], getpid(), 65534, 65534), 1);
  });
  CHECK_IS("told", recv_who(pair[1], &who), 1);
  CHECK("the user", who.uid == 65534 && who.gid == 65534);

  CHECK_OK("SO_PEERCRED of a pair", peer_of(pair[0], &who));
  CHECK("is its maker", who.pid == getpid() && who.uid == 0);
  int server = bound(SOCK_STREAM, address_of("s"));
  CHECK_OK("SO_PEERCRED without a peer", peer_of(server, &who));
  CHECK("nobody", who.pid == 0 && who.uid == (uid_t)-1 && who.gid == (gid_t)-1);
  NEED(listen(server, 1));
  pid_t child = NEED(fork());
  if (child == 0) {
    char byte;
    int client = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
    NEED(setresgid(100, 100, 100));
    NEED(setresuid(0, 1000, 0));
    if (connect_to(client, address_of("s")) < 0) _exit(1);
    NEED(setresuid(0, 0, 0));
    NEED(peer_of(client, &who));
    CHECK("the client sees who listens", who.pid == getppid() && who.uid == 0);
    NEED(read(client, &byte, 1));
    _exit(check_failures);
  }
  int peer = NEED(accept(server, NULL, NULL));
  NEED(peer_of(peer, &who));
  close(peer);
  CHECK_IS("child", wait_code(child), 0);
  CHECK("the server sees who connected", who.pid == child && who.uid == 1000 && who.gid == 100);
  return check_status();
}
