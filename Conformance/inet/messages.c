#include "check.h"
#include "inet/inet.h"
#include <linux/errqueue.h>

// What comes beside the data: packet information, TTL, times, the queue of errors, multicast.

static char control[256];

static struct msghdr message_of(struct iovec *part, struct address *name) {
  return (struct msghdr){.msg_name = name ? &name->room : NULL,
    .msg_namelen = name ? sizeof name->room : 0, .msg_iov = part, .msg_iovlen = 1,
    .msg_control = control, .msg_controllen = sizeof control};
}

/* The data of the control message of this kind, or NULL. */
static void *find(struct msghdr *message, int level, int type) {
  for (struct cmsghdr *each = CMSG_FIRSTHDR(message); each; each = CMSG_NXTHDR(message, each))
    if (each->cmsg_level == level && each->cmsg_type == type) return CMSG_DATA(each);
  return NULL;
}

int main(void) {
  char text[16];
  struct iovec part = {text, sizeof text};
  int server = bound(AF_INET, SOCK_DGRAM), client = bound(AF_INET, SOCK_DGRAM);
  struct address target = name_of(server), from;
  NEED(set_option(server, IPPROTO_IP, IP_PKTINFO, 1));
  NEED(set_option(server, IPPROTO_IP, IP_RECVTTL, 1));
  NEED(set_option(server, IPPROTO_IP, IP_RECVTOS, 1));
  NEED(set_option(server, SOL_SOCKET, SO_TIMESTAMP, 1));
  NEED(set_option(client, IPPROTO_IP, IP_TTL, 44));
  NEED(sendto(client, "one", 3, 0, &target.any, target.size));
  struct msghdr message = message_of(&part, &from);
  CHECK_IS("recvmsg", recvmsg(server, &message, 0), 3);
  CHECK_IS("name", message.msg_namelen, sizeof(struct sockaddr_in));
  CHECK_IS("from", from.v4.sin_port, name_of(client).v4.sin_port);
  struct in_pktinfo *info = find(&message, IPPROTO_IP, IP_PKTINFO);
  CHECK("IP_PKTINFO", info && info->ipi_ifindex == 1 &&
    info->ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
  int *ttl = find(&message, IPPROTO_IP, IP_TTL);
  CHECK_IS("IP_TTL", ttl ? *ttl : -1, 44);
  unsigned char *tos = find(&message, IPPROTO_IP, IP_TOS);
  CHECK_IS("IP_TOS", tos ? *tos : -1, 0);
  struct timeval *time = find(&message, SOL_SOCKET, SO_TIMESTAMP);
  CHECK("SO_TIMESTAMP", time && time->tv_sec > 1600000000);
  CHECK_IS("flags", message.msg_flags, 0);

  NEED(sendto(client, "two", 3, 0, &target.any, target.size));
  message = message_of(&part, NULL);
  message.msg_controllen = CMSG_SPACE(sizeof *time);
  CHECK_IS("little room", recvmsg(server, &message, 0), 3);
  CHECK_IS("is told", message.msg_flags, MSG_CTRUNC);
  CHECK("the first fits", find(&message, SOL_SOCKET, SO_TIMESTAMP));
  NEED(sendto(client, "a long datagram that is cut", 27, 0, &target.any, target.size));
  message = message_of(&part, NULL);
  CHECK_IS("cut", recvmsg(server, &message, 0), 16);
  CHECK_IS("and told", message.msg_flags, MSG_TRUNC);
  CHECK_FAILS("nothing", recvmsg(server, &message, MSG_DONTWAIT), EAGAIN);
  struct timeval limit = {0, 30000};
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  CHECK_FAILS("time limit", recvmsg(server, &message, 0), EAGAIN);

  char space[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec words = {"x", 1};
  struct msghdr outgoing = {.msg_name = &target.any, .msg_namelen = target.size,
    .msg_iov = &words, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct cmsghdr *head = CMSG_FIRSTHDR(&outgoing);
  *head = (struct cmsghdr){CMSG_LEN(sizeof(int)), IPPROTO_IP, IP_TTL};
  *(int *)CMSG_DATA(head) = 9;
  CHECK_IS("send with a TTL", sendmsg(client, &outgoing, 0), 1);
  message = message_of(&part, NULL);
  CHECK_IS("comes", recvmsg(server, &message, 0), 1);
  ttl = find(&message, IPPROTO_IP, IP_TTL);
  CHECK_IS("with it", ttl ? *ttl : -1, 9);

  int six = bound(AF_INET6, SOCK_DGRAM), client6 = bound(AF_INET6, SOCK_DGRAM);
  struct address target6 = name_of(six);
  NEED(set_option(six, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
  NEED(set_option(six, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
  NEED(sendto(client6, "six", 3, 0, &target6.any, target6.size));
  message = message_of(&part, &from);
  CHECK_IS("version 6", recvmsg(six, &message, 0), 3);
  struct in6_pktinfo *info6 = find(&message, IPPROTO_IPV6, IPV6_PKTINFO);
  CHECK("IPV6_PKTINFO", info6 && info6->ipi6_ifindex == 1 &&
    IN6_IS_ADDR_LOOPBACK(&info6->ipi6_addr));
  ttl = find(&message, IPPROTO_IPV6, IPV6_HOPLIMIT);
  CHECK_IS("IPV6_HOPLIMIT", ttl ? *ttl : -1, 64);

  int gone = bound(AF_INET, SOCK_DGRAM);
  struct address nobody = name_of(gone);
  close(gone);
  NEED(set_option(client, IPPROTO_IP, IP_RECVERR, 1));
  message = message_of(&part, &from);
  CHECK_FAILS("no error waits", recvmsg(client, &message, MSG_ERRQUEUE), EAGAIN);
  NEED(sendto(client, "lost", 4, 0, &nobody.any, nobody.size));
  CHECK_IS("an error", wait_for(client, 0), POLLERR);
  message = message_of(&part, &from);
  CHECK_IS("its datagram", recvmsg(client, &message, MSG_ERRQUEUE), 4);
  CHECK_IS("flags", message.msg_flags, MSG_ERRQUEUE);
  struct sock_extended_err *error = find(&message, IPPROTO_IP, IP_RECVERR);
  CHECK_IS("its reason", error ? (int)error->ee_errno : -1, ECONNREFUSED);
  CHECK_IS("where it was to go", from.v4.sin_port, nobody.v4.sin_port);

  int group = NEED(socket(AF_INET, SOCK_DGRAM, 0)), speaker = NEED(socket(AF_INET, SOCK_DGRAM, 0));
  struct address any = loopback(AF_INET, 0);
  any.v4.sin_addr.s_addr = 0;
  NEED(bind_to(group, any));
  struct ip_mreqn member = {{inet_addr("239.255.77.1")}, {htonl(INADDR_LOOPBACK)}, 1};
  CHECK_IS("join", setsockopt(group, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof member), 0);
  CHECK_FAILS("twice", setsockopt(group, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof member),
    EADDRINUSE);
  CHECK_IS("speak here", setsockopt(speaker, IPPROTO_IP, IP_MULTICAST_IF, &member, sizeof member),
    0);
  struct address many = any;
  many.v4.sin_port = name_of(group).v4.sin_port;
  many.v4.sin_addr = member.imr_multiaddr;
  CHECK_IS("to the group", sendto(speaker, "all", 3, 0, &many.any, many.size), 3);
  setsockopt(group, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){2, 0}, sizeof limit);
  CHECK_IS("it hears", recv(group, text, sizeof text, 0), 3);
  CHECK_IS("leave", setsockopt(group, IPPROTO_IP, IP_DROP_MEMBERSHIP, &member, sizeof member), 0);
  return check_status();
}
