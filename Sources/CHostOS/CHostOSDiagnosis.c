#define _GNU_SOURCE
#include "CHostOSDiagnosis.h"
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESTROY_BUFFER (8 << 20)
#define DUMP_BUFFER 32768

const char *host_error_name(int number) { return strerrorname_np(number); }

int host_socket_cookie(int socket, uint64_t *cookie) {
  socklen_t size = sizeof *cookie;
  return getsockopt(socket, SOL_SOCKET, SO_COOKIE, cookie, &size);
}

/* TCP_TIME_WAIT of tcp_states.h, whose header does not go with linux/tcp.h. */
#define TIME_WAIT 6

int host_diagnosis_open(void) {
  return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

int host_diagnosis_listen(void) {
  int listener = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
  if (listener < 0) return -1;
  int size = DESTROY_BUFFER;
  setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  struct sockaddr_nl own = {.nl_family = AF_NETLINK};
  if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0) goto failed;
  for (int group = SKNLGRP_INET_TCP_DESTROY; group <= SKNLGRP_INET6_UDP_DESTROY; group++)
    if (setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
      goto failed;
  return listener;
failed:;
  int error = errno;
  close(listener);
  errno = error;
  return -1;
}

/* A member of struct tcp_info, which is as long as the kernel is new. */
static int tcp_counter(const struct rtattr *attribute, size_t offset, uint64_t *value) {
  if (RTA_PAYLOAD(attribute) < offset + sizeof *value) return 0;
  memcpy(value, (const char *)RTA_DATA(attribute) + offset, sizeof *value);
  return 1;
}

static void read_info(const struct rtattr *attribute, struct host_socket_record *record) {
  uint64_t sent, again, received;
  if (!tcp_counter(attribute, offsetof(struct tcp_info, tcpi_bytes_received), &received)) return;
  if (!tcp_counter(attribute, offsetof(struct tcp_info, tcpi_bytes_sent), &sent)) return;
  if (!tcp_counter(attribute, offsetof(struct tcp_info, tcpi_bytes_retrans), &again)) again = 0;
  record->bytes_sent = sent > again ? sent - again : 0;
  record->bytes_received = received;
  record->has_bytes = 1;
}

static int read_record(const struct nlmsghdr *header, struct host_socket_record *record) {
  if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) return 0;
  const struct inet_diag_msg *message = NLMSG_DATA(header);
  memset(record, 0, sizeof *record);
  record->cookie = message->id.idiag_cookie[0] | (uint64_t)message->id.idiag_cookie[1] << 32;
  record->inode = message->idiag_inode;
  record->interface = message->id.idiag_if;
  record->family = message->idiag_family;
  record->state = message->idiag_state;
  record->local_port = ntohs(message->id.idiag_sport);
  record->remote_port = ntohs(message->id.idiag_dport);
  memcpy(record->local, message->id.idiag_src, 16);
  memcpy(record->remote, message->id.idiag_dst, 16);
  int size = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof *message);
  for (const struct rtattr *attribute = (const struct rtattr *)(message + 1);
       RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size)) {
    if (attribute->rta_type == INET_DIAG_INFO) read_info(attribute, record);
    if (attribute->rta_type == INET_DIAG_PROTOCOL && RTA_PAYLOAD(attribute) >= 1)
      record->protocol = *(const uint8_t *)RTA_DATA(attribute);
  }
  /* Without a protocol attribute, what counts bytes is TCP. */
  if (!record->protocol && record->has_bytes) record->protocol = IPPROTO_TCP;
  return 1;
}

int host_diagnosis_next_end(int listener, struct host_socket_record *record) {
  _Alignas(struct nlmsghdr) char buffer[8192];
  for (;;) {
    ssize_t size = recv(listener, buffer, sizeof buffer, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN ? 0 : -1;
    const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
    if (NLMSG_OK(header, (uint32_t)size) && read_record(header, record)) return 1;
  }
}

int host_diagnosis_list(int socket, uint8_t family, uint8_t protocol, int with_information) {
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } message = {
      .header = {.nlmsg_len = sizeof message,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
      .request = {.sdiag_family = family,
                  .sdiag_protocol = protocol,
                  .idiag_ext = with_information ? 1 << (INET_DIAG_INFO - 1) : 0,
                  .idiag_states = ~(1u << TIME_WAIT)}};
  return send(socket, &message, sizeof message, 0) < 0 ? -1 : 0;
}

/* Takes one piece of a dump, and gives each of its messages to `read`, which says whether it was a
 * record, the one at that index. Returns how many there were. */
static int next_of_dump(int socket, void *records, int *is_done,
                        int (*read)(const struct nlmsghdr *header, void *records, int index)) {
  _Alignas(struct nlmsghdr) char buffer[DUMP_BUFFER];
  for (;;) {
    ssize_t size = recv(socket, buffer, sizeof buffer, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return -1;
    int count = 0;
    *is_done = 0;
    for (const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
         NLMSG_OK(header, (uint32_t)size); header = NLMSG_NEXT(header, size)) {
      if (header->nlmsg_type == NLMSG_DONE) {
        *is_done = 1;
        return count;
      }
      if (header->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(header);
        errno = -error->error;
        return -1;
      }
      if (read(header, records, count)) count++;
    }
    if (count) return count;
  }
}

/* A record is never shorter than its header and message: a buffer holds less than a batch. */
_Static_assert(DUMP_BUFFER / NLMSG_LENGTH(sizeof(struct inet_diag_msg)) < HOST_DIAGNOSIS_BATCH,
               "a buffer of records fits");

static int read_nth_record(const struct nlmsghdr *header, void *records, int index) {
  return read_record(header, (struct host_socket_record *)records + index);
}

int host_diagnosis_next(int socket, struct host_socket_record *records, int *is_done) {
  return next_of_dump(socket, records, is_done, read_nth_record);
}

int host_diagnosis_destroy(int socket, const struct host_socket_record *record) {
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } message = {
      .header = {.nlmsg_len = sizeof message,
                 .nlmsg_type = SOCK_DESTROY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
      .request = {.sdiag_family = record->family,
                  .sdiag_protocol = record->protocol,
                  .idiag_states = ~0u,
                  .id = {.idiag_sport = htons(record->local_port),
                         .idiag_dport = htons(record->remote_port),
                         .idiag_if = record->interface,
                         .idiag_cookie = {(uint32_t)record->cookie,
                                          (uint32_t)(record->cookie >> 32)}}}};
  memcpy(message.request.id.idiag_src, record->local, 16);
  memcpy(message.request.id.idiag_dst, record->remote, 16);
  if (send(socket, &message, sizeof message, 0) < 0) return -1;
  _Alignas(struct nlmsghdr) char buffer[4096];
  ssize_t size;
  do size = recv(socket, buffer, sizeof buffer, 0);
  while (size < 0 && errno == EINTR);
  if (size < 0) return -1;
  const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
  if (!NLMSG_OK(header, (uint32_t)size) || header->nlmsg_type != NLMSG_ERROR) {
    errno = EPROTO;
    return -1;
  }
  const struct nlmsgerr *error = NLMSG_DATA(header);
  errno = -error->error;
  return error->error ? -1 : 0;
}

static int read_unix_record(const struct nlmsghdr *header, struct host_unix_record *record) {
  if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct unix_diag_msg))) return 0;
  const struct unix_diag_msg *message = NLMSG_DATA(header);
  memset(record, 0, sizeof *record);
  record->cookie = message->udiag_cookie[0] | (uint64_t)message->udiag_cookie[1] << 32;
  record->inode = message->udiag_ino;
  record->state = message->udiag_state;
  int size = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof *message);
  for (const struct rtattr *attribute = (const struct rtattr *)(message + 1);
       RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size))
    if (attribute->rta_type == UNIX_DIAG_SHUTDOWN && RTA_PAYLOAD(attribute) >= 1)
      record->shutdown = *(const uint8_t *)RTA_DATA(attribute);
  return 1;
}

static int ask_unix(int socket, uint16_t flags, uint32_t inode, uint64_t cookie) {
  struct {
    struct nlmsghdr header;
    struct unix_diag_req request;
  } message = {.header = {.nlmsg_len = sizeof message,
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST | flags},
               .request = {.sdiag_family = AF_UNIX,
                           .udiag_states = ~0u,
                           .udiag_ino = inode,
                           .udiag_cookie = {(uint32_t)cookie, (uint32_t)(cookie >> 32)}}};
  return send(socket, &message, sizeof message, 0) < 0 ? -1 : 0;
}

int host_unix_diagnosis_list(int socket) { return ask_unix(socket, NLM_F_DUMP, 0, 0); }

_Static_assert(DUMP_BUFFER / NLMSG_LENGTH(sizeof(struct unix_diag_msg)) < HOST_UNIX_DIAGNOSIS_BATCH,
               "a buffer of records fits");

static int read_nth_unix_record(const struct nlmsghdr *header, void *records, int index) {
  return read_unix_record(header, (struct host_unix_record *)records + index);
}

int host_unix_diagnosis_next(int socket, struct host_unix_record *records, int *is_done) {
  return next_of_dump(socket, records, is_done, read_nth_unix_record);
}

int host_unix_diagnosis_find(int socket, uint32_t inode, uint64_t cookie,
                             struct host_unix_record *record) {
  if (ask_unix(socket, 0, inode, cookie) < 0) return -1;
  _Alignas(struct nlmsghdr) char buffer[4096];
  ssize_t size;
  do size = recv(socket, buffer, sizeof buffer, 0);
  while (size < 0 && errno == EINTR);
  if (size < 0) return -1;
  const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
  if (NLMSG_OK(header, (uint32_t)size)) {
    if (header->nlmsg_type != NLMSG_ERROR) return read_unix_record(header, record);
    const struct nlmsgerr *error = NLMSG_DATA(header);
    errno = -error->error;
    /* ESTALE: the inode's number is another socket's now. */
    return errno == ENOENT || errno == ESTALE ? 0 : -1;
  }
  errno = EPROTO;
  return -1;
}
