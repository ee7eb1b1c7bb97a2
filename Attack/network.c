/* Ways to a destination that nobody has let through.
 *
 *     network direct TCP UDP     the sandbox shares the host's network, and something listens at
 *                                these ports of 127.0.0.1: past the kernel, nothing may arrive
 *     network isolated TCP UDP   the sandbox has a network of its own: by no way at all
 *     network control TCP UDP    the same ports by the doorbell, which has to arrive
 */
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "attack.h"

static struct sockaddr_in tcp_target, udp_target;
static struct sockaddr_in6 mapped_target;

static struct sockaddr_in target(int port) {
  return (struct sockaddr_in){AF_INET, htons((uint16_t)port), {htonl(INADDR_LOOPBACK)}, {0}};
}

/* A brokered call with a payload; the result, a descriptor or -errno. */
static long ask(uint32_t operation, long a, long b, long c, long d, long e, const void *payload,
                uint32_t size) {
  struct pv_request *request = new_request(operation);
  const long arguments[] = {a, b, c, d, e, 1};
  for (int i = 0; i < 6; i++) request->arguments[i] = (uint64_t)arguments[i];
  memcpy(request->payload, payload ? payload : "", size);
  request->payload_size = size;
  return broker(request);
}

static int make_socket(int domain, int type) {
  return (int)ask(PV_OP_SOCKET, domain, type, 0, 0, 0, NULL, 0);
}

/* Memory of the kernel, for the data of PV_OP_SEND: the request's own second path will do. */
static long kernel_memory(void) {
  struct pv_request *request = new_request(0);
  return (long)request->path2;
}

static void expect_refusal(const char *name, long number, const long arguments[6]) {
  struct outcome outcome = probe(number, arguments);
  if (outcome.verdict == ANSWERED && outcome.result != -ENOSYS)
    say("breach: %s past the kernel returned %ld", name, outcome.result);
}

#define AT(pointer) ((long)(pointer))

/* Calls that take a name, or make sockets: the filter lets none of them through. */
static void name_destinations(int tcp, int udp) {
  static struct iovec part = {(void *)"breach", 6};
  static struct msghdr message;
  static struct mmsghdr messages[1];
  static int on = 1;
  message = (struct msghdr){.msg_name = &udp_target, .msg_namelen = sizeof udp_target,
                            .msg_iov = &part, .msg_iovlen = 1};
  messages[0].msg_hdr = message;
  const long size = sizeof udp_target;
  const struct {
    const char *name;
    long number, arguments[6];
  } calls[] = {
      {"socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
      {"socket raw", SYS_socket, {AF_INET, SOCK_RAW, 255}},
      {"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, AT(&part)}},
      {"connect", SYS_connect, {tcp, AT(&tcp_target), size}},
      {"connect of UDP", SYS_connect, {udp, AT(&udp_target), size}},
      {"bind", SYS_bind, {tcp, AT(&tcp_target), size}},
      {"listen", SYS_listen, {tcp, 5}},
      {"accept", SYS_accept, {tcp, 0, 0}},
      {"accept4", SYS_accept4, {tcp, 0, 0, 0}},
      {"sendto", SYS_sendto, {udp, AT("breach"), 6, 0, AT(&udp_target), size}},
      {"sendto fast open", SYS_sendto, {tcp, AT("breach"), 6, MSG_FASTOPEN, AT(&tcp_target), size}},
      {"sendto without a name", SYS_sendto, {tcp, AT("breach"), 6, MSG_FASTOPEN, 0, 0}},
      {"sendmsg", SYS_sendmsg, {udp, AT(&message), 0}},
      {"sendmmsg", SYS_sendmmsg, {udp, AT(messages), 1, 0}},
      {"recvmsg", SYS_recvmsg, {udp, AT(&message), MSG_DONTWAIT}},
      {"setsockopt", SYS_setsockopt, {tcp, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, AT(&on), 4}},
      {"shutdown", SYS_shutdown, {tcp, SHUT_RDWR}},
      {"ioctl", SYS_ioctl, {tcp, 0x8914, AT(&message)}},
      {"setns", SYS_setns, {0, 0x40000000}},
      {"unshare", SYS_unshare, {0x40000000}},
      {"clone", SYS_clone, {0x40000000 | SIGCHLD, 0}},
      {"io_uring_setup", SYS_io_uring_setup, {4, AT(&message)}},
      {"pidfd_getfd", SYS_pidfd_getfd, {tcp, 3, 0}},
  };
  for (size_t i = 0; i < LENGTH(calls); i++) {
    record_progress((long)i);
    expect_refusal(calls[i].name, calls[i].number, calls[i].arguments);
  }
}

/* Calls that move data, on sockets that lead nowhere. */
static void send_to_nowhere(int tcp, int udp) {
  struct iovec part = {(void *)"breach", 6};
  const int sockets[] = {udp, tcp};
  for (size_t i = 0; i < LENGTH(sockets); i++) {
    long result = HOST(SYS_write, sockets[i], "breach", 6);
    if (result >= 0) say("breach: write on a socket without a peer returned %ld", result);
    for (long flags = 0; flags < 0x100; flags++) {
      result = HOST(SYS_pwritev2, sockets[i], &part, 1, -1, -1, flags);
      if (result >= 0) say("breach: pwritev2 with %#lx returned %ld", flags, result);
    }
    for (int bit = 0; bit < 32; bit++) {
      char byte;
      HOST(SYS_recvfrom, sockets[i], &byte, 1, 1l << bit | MSG_DONTWAIT, &udp_target,
           &(int){sizeof udp_target});
      udp_target = target(ntohs(udp_target.sin_port));
    }
  }
}

/* Lists of sources longer than an answer, of which the host kernel fills in as many as the value
 * asks for: the backend may not have its own memory overwritten. */
static void overfill_answers(void) {
  int six = make_socket(AF_INET6, SOCK_DGRAM);
  struct sockaddr_in6 group = {.sin6_family = AF_INET6}, source = {.sin6_family = AF_INET6};
  memcpy(&group.sin6_addr, "\xff\x31\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
  source.sin6_addr.s6_addr[15] = 1;
  long joined = 0;
  for (int i = 0; i < 64; i++) {
    struct group_source_req request = {.gsr_interface = 1};
    source.sin6_addr.s6_addr[14] = (uint8_t)i;
    memcpy(&request.gsr_group, &group, sizeof group);
    memcpy(&request.gsr_source, &source, sizeof source);
    joined += ask(PV_OP_SET_OPTION, six, 41, MCAST_JOIN_SOURCE_GROUP, 0, 0, &request,
                  sizeof request) == 0;
  }
  /* Where there is no such device or limit, 33 are more than an answer holds, too. */
  if (joined < 33) say("only %ld sources to ask for", joined);
  struct group_filter filter = {.gf_interface = 1, .gf_fmode = MCAST_INCLUDE, .gf_numsrc = 64};
  memcpy(&filter.gf_group, &group, sizeof group);
  for (uint32_t room = 144; room <= 4096; room += 16)
    if (ask(PV_OP_GET_OPTION, six, 41, MCAST_MSFILTER, room, 0, &filter, sizeof filter) > room)
      say("breach: more sources than there is room for");
}

/* Requests that try to get past the gate, or to make a socket that does. */
static void trick_the_backend(int tcp, int udp) {
  static const int kinds[][3] = {{AF_INET, SOCK_RAW, 1}, {AF_INET, SOCK_RAW, 255},
    {AF_INET6, SOCK_RAW, 58}, {AF_PACKET, SOCK_RAW, 0x300}, {AF_PACKET, SOCK_DGRAM, 8},
    {AF_NETLINK, SOCK_RAW, 0}, {AF_UNIX, SOCK_STREAM, 0}, {AF_VSOCK, SOCK_STREAM, 0},
    {AF_INET, SOCK_STREAM, 132}, {AF_INET, SOCK_STREAM, 262}, {AF_ALG, SOCK_SEQPACKET, 0},
    {AF_XDP, SOCK_RAW, 0}};
  for (size_t i = 0; i < LENGTH(kinds); i++) {
    long result = ask(PV_OP_SOCKET, kinds[i][0], kinds[i][1], kinds[i][2], 0, 0, NULL, 0);
    if (result >= 0) say("breach: the backend made a socket of family %d", kinds[i][0]);
  }
  static const struct { long level, name; } options[] = {{6, 30}, {6, 19}, {6, 31}, {6, 35}, {0, 4},
    {0, 19}, {0, 3}, {41, 57}, {41, 54}, {41, 55}, {41, 59}, {1, 26}, {1, 50}, {1, 36}, {1, 60}};
  unsigned char value[64] = {1};
  for (size_t i = 0; i < LENGTH(options); i++)
    for (uint32_t size = 4; size <= 44; size += 8) {
      long result = ask(PV_OP_SET_OPTION, tcp, options[i].level, options[i].name, 0, 0, value,
                        size);
      if (result >= 0) say("breach: option %ld of level %ld is set", options[i].name,
                           options[i].level);
    }
  overfill_answers();
  for (int i = 0; i < 2; i++) {
    int socket = i ? udp : tcp;
    const struct sockaddr_in *name = i ? &udp_target : &tcp_target;
    if (ask(PV_OP_CONNECT_RESULT, socket, 0, 0, 0, 0, name, sizeof *name) >= 0)
      say("breach: the outcome of no connection");
  }
  for (uint32_t bit = 0; bit < 32; bit++) {
    if (1u << bit & (MSG_OOB | MSG_DONTROUTE | MSG_EOR | MSG_CONFIRM | MSG_MORE)) continue;
    long result = ask(PV_OP_SEND, udp, kernel_memory(), 6, 1l << bit, 16, &udp_target, 16);
    if (result >= 0) say("breach: sent with flag %#x", 1u << bit);
  }
  if (ask(PV_OP_SEND, tcp, kernel_memory(), 6, 0, 16, &tcp_target, 16) >= 0)
    say("breach: a name on a stream");
  static const int changes[] = {RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWLINK,
    RTM_SETLINK, RTM_NEWNEIGH, RTM_NEWRULE};
  for (size_t i = 0; i < LENGTH(changes); i++) {
    struct { struct nlmsghdr head; char body[28]; } change = {
        {sizeof change, (uint16_t)changes[i], NLM_F_REQUEST | NLM_F_ACK, 1, 0}, {0}};
    if (ask(PV_OP_ROUTE_QUERY, 0, 0, 0, 0, 0, &change, sizeof change) >= 0)
      say("breach: a change of routes is passed on");
  }
}

/* What the gate would be asked about; here there is nothing but a loopback device to reach. */
static void go_through_the_backend(int tcp, int udp) {
  ask(PV_OP_CONNECT, tcp, 0, 0, 0, 0, &tcp_target, sizeof tcp_target);
  int six = make_socket(AF_INET6, SOCK_STREAM);
  ask(PV_OP_CONNECT, six, 0, 0, 0, 0, &mapped_target, sizeof mapped_target);
  struct sockaddr_in everywhere = tcp_target;
  everywhere.sin_addr.s_addr = 0;
  ask(PV_OP_CONNECT, make_socket(AF_INET, SOCK_STREAM), 0, 0, 0, 0, &everywhere,
      sizeof everywhere);
  strcpy((char *)kernel_memory(), "breach");
  ask(PV_OP_SEND, udp, kernel_memory(), 6, 0, sizeof udp_target, &udp_target, sizeof udp_target);
  if (ask(PV_OP_CONNECT, udp, 0, 0, 0, 0, &udp_target, sizeof udp_target) == 0)
    HOST(SYS_write, udp, "breach", 6);
}

int main(int count, char **values) {
  find_kernel();
  if (count != 4) return 2;
  tcp_target = target(atoi(values[2]));
  udp_target = target(atoi(values[3]));
  mapped_target.sin6_family = AF_INET6;
  mapped_target.sin6_port = tcp_target.sin_port;
  mapped_target.sin6_addr.s6_addr16[5] = 0xffff;
  memcpy(&mapped_target.sin6_addr.s6_addr32[3], &tcp_target.sin_addr, 4);
  int tcp = make_socket(AF_INET, SOCK_STREAM), udp = make_socket(AF_INET, SOCK_DGRAM);
  if (tcp < 0 || udp < 0) {
    say("breach: no sockets to attack with: %d %d", tcp, udp);
    return 1;
  }
  if (!strcmp(values[1], "control")) {
    go_through_the_backend(tcp, udp);
  } else {
    send_to_nowhere(tcp, udp);
    trick_the_backend(tcp, udp);
    name_destinations(tcp, udp);
    if (!strcmp(values[1], "isolated")) go_through_the_backend(tcp, udp);
  }
  say("done");
  return 0;
}
