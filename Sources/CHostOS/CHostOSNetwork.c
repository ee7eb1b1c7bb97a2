#define _GNU_SOURCE
#include "CHostOSNetwork.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

_Static_assert(sizeof(struct ifreq) == HOST_INTERFACE_SIZE, "the guest has the same struct ifreq");

int host_socket(int domain, int type, int protocol) {
  return socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
}

int host_set_non_blocking(int socket) { return fcntl(socket, F_SETFL, O_NONBLOCK); }

int host_bind(int socket, const void *address, uint32_t size) {
  return bind(socket, address, size);
}

int host_connect(int socket, const void *address, uint32_t size) {
  return connect(socket, address, size);
}

/* The C library would change all threads. */
int host_connect_as(int socket, const void *address, uint32_t size, uint32_t user, uint32_t group) {
  const long same = -1, own_user = syscall(SYS_geteuid), own_group = syscall(SYS_getegid);
  int is_changed = syscall(SYS_setresgid, same, (long)group, same) == 0 &&
                   syscall(SYS_setresuid, same, (long)user, same) == 0;
  int result = -1, error = EPERM;
  if (is_changed || user == 0) {
    result = connect(socket, address, size);
    error = errno;
  }
  if (syscall(SYS_setresuid, same, own_user, same) != 0 ||
      syscall(SYS_setresgid, same, own_group, same) != 0)
    abort();
  errno = error;
  return result;
}

int host_accept(int socket, void *address, uint32_t *size) {
  return accept4(socket, address, size, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int host_local_name(int socket, void *address, uint32_t *size) {
  return getsockname(socket, address, size);
}

int host_peer_name(int socket, void *address, uint32_t *size) {
  return getpeername(socket, address, size);
}

int host_get_option(int socket, int level, int name, void *value, uint32_t *size) {
  return getsockopt(socket, level, name, value, size);
}

int host_set_option(int socket, int level, int name, const void *value, uint32_t size) {
  return setsockopt(socket, level, name, value, size);
}

int host_reset_on_close(int socket) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  return setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

ssize_t host_send_message(int socket, const struct host_message *message) {
  struct iovec vector = {message->data, message->size};
  struct msghdr header = {
    .msg_name = message->name_size ? message->name : NULL, .msg_namelen = message->name_size,
    .msg_iov = &vector, .msg_iovlen = 1,
    .msg_control = message->control_size ? message->control : NULL,
    .msg_controllen = message->control_size};
  return sendmsg(socket, &header, message->flags | MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t host_receive_message(int socket, struct host_message *message) {
  struct iovec vector = {message->data, message->size};
  struct msghdr header = {
    .msg_name = message->name, .msg_namelen = message->name_size, .msg_iov = &vector,
    .msg_iovlen = 1, .msg_control = message->control_size ? message->control : NULL,
    .msg_controllen = message->control_size};
  ssize_t count = recvmsg(socket, &header, message->flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count < 0) return -1;
  message->name_size = header.msg_namelen;
  message->control_size = header.msg_controllen;
  message->flags = header.msg_flags;
  return count;
}

int host_socket_queue(int socket, uint32_t command, int *value) {
  return ioctl(socket, command, value);
}

static int with_socket(unsigned long command, void *record) {
  int socket = host_socket(AF_INET, SOCK_DGRAM, 0);
  if (socket < 0) return -1;
  int result = ioctl(socket, command, record), error = errno;
  close(socket);
  errno = error;
  return result;
}

int host_interface(uint32_t command, void *record) { return with_socket(command, record); }

int host_interface_list(void *records, size_t size) {
  struct ifconf list = {.ifc_len = (int)size, .ifc_buf = records};
  return with_socket(SIOCGIFCONF, &list) == 0 ? list.ifc_len : -1;
}

/* Whether these messages end an answer. */
static int is_last(const char *bytes, ssize_t count) {
  const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;
  for (; NLMSG_OK(message, count); message = NLMSG_NEXT(message, count)) {
    if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) return 1;
    if (!(message->nlmsg_flags & NLM_F_MULTI)) return 1;
  }
  return 0;
}

static int answer(int socket, const void *request, size_t size, int out) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(socket, request, size, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) return -1;
  char bytes[32768] __attribute__((aligned(8)));
  for (size_t total = 0; total < 16u << 20;) {
    ssize_t count = recv(socket, bytes, sizeof bytes, 0);
    if (count < 0) return -1;
    if (write(out, bytes, (size_t)count) != count) return -1;
    if (is_last(bytes, count)) return 0;
    total += (size_t)count;
  }
  errno = ENOBUFS;
  return -1;
}

int host_netlink_query(int protocol, const void *request, size_t size, int is_strict, int out) {
  int socket_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (socket_ < 0) return -1;
  struct timeval patience = {.tv_sec = 2}; /* the kernel answers at once, or never */
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int on = 1;
  if (is_strict) setsockopt(socket_, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  setsockopt(socket_, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  int result = answer(socket_, request, size, out), error = errno;
  close(socket_);
  errno = error;
  return result;
}

int host_route_listen(void) {
  int listener = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (listener < 0) return -1;
  struct sockaddr_nl own = {.nl_family = AF_NETLINK};
  int on = 1;
  if (bind(listener, (struct sockaddr *)&own, sizeof own) == 0
      && setsockopt(listener, SOL_NETLINK, NETLINK_PKTINFO, &on, sizeof on) == 0)
    return listener;
  int error = errno;
  close(listener);
  errno = error;
  return -1;
}

int host_route_membership(int socket, uint32_t group, int joins) {
  return setsockopt(socket, SOL_NETLINK, joins ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP,
                    &group, sizeof group);
}

static uint32_t group_of(struct msghdr *message) {
  struct nl_pktinfo info = {0};
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
    if (part->cmsg_level == SOL_NETLINK && part->cmsg_type == NETLINK_PKTINFO)
      memcpy(&info, CMSG_DATA(part), sizeof info);
  return info.group;
}

ssize_t host_route_next(int socket, void *room, size_t size, uint32_t *group) {
  for (;;) {
    struct sockaddr_nl sender = {0};
    char control[CMSG_SPACE(sizeof(struct nl_pktinfo))] __attribute__((aligned(8)));
    struct iovec vector = {room, size};
    struct msghdr message = {
      .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &vector, .msg_iovlen = 1,
      .msg_control = control, .msg_controllen = sizeof control};
    ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN ? 0 : -1;
    *group = group_of(&message);
    if (sender.nl_pid != 0 || *group == 0 || count == 0) continue;
    if (!(message.msg_flags & MSG_TRUNC)) return count;
    errno = ENOBUFS;
    return -1;
  }
}

int host_send_record(int socket, const void *bytes, size_t size) {
  return send(socket, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int host_copy_text(int file, int out, size_t limit) {
  char bytes[16384];
  for (size_t total = 0; total < limit;) {
    ssize_t count = read(file, bytes, sizeof bytes);
    if (count <= 0) return (int)count;
    if (write(out, bytes, (size_t)count) != count) return -1;
    total += (size_t)count;
  }
  return 0;
}

int host_enter_network_namespace(int descriptor) { return setns(descriptor, CLONE_NEWNET); }

int host_start_loopback(void) {
  struct ifreq record = {.ifr_name = "lo"};
  if (with_socket(SIOCGIFFLAGS, &record) != 0) return -1;
  record.ifr_flags |= IFF_UP | IFF_RUNNING;
  return with_socket(SIOCSIFFLAGS, &record);
}

int host_allow_echo_sockets(void) {
  int file = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  static const char all[] = "0 2147483647";
  ssize_t count = write(file, all, sizeof all - 1);
  int error = errno;
  close(file);
  errno = error;
  return count < 0 ? -1 : 0;
}

int host_drop_network_capabilities(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets) != 0) return -1;
  uint32_t network = 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW;
  sets[0].effective &= ~network;
  sets[0].permitted &= ~network;
  sets[0].inheritable &= ~network;
  return (int)syscall(SYS_capset, &header, sets);
}
