#include "check.h"
#include "inet/inet.h"

// getsockopt(2) and setsockopt(2): what programs set, and what they get back.

#define ROUND(fd, level, name, value) \
  do { \
    CHECK_IS("set " #name, set_option(fd, level, name, value), 0); \
    CHECK_IS("get " #name, option_of(fd, level, name), value); \
  } while (0)

int main(void) {
  int fd = NEED(socket(AF_INET, SOCK_STREAM, 0)), udp = NEED(socket(AF_INET, SOCK_DGRAM, 0));
  int six = NEED(socket(AF_INET6, SOCK_DGRAM, 0));
  CHECK_IS("type", option_of(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
  CHECK_IS("domain", option_of(six, SOL_SOCKET, SO_DOMAIN), AF_INET6);
  CHECK_IS("protocol", option_of(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
  CHECK_IS("protocol of UDP", option_of(udp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
  ROUND(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  ROUND(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  ROUND(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  ROUND(fd, SOL_SOCKET, SO_OOBINLINE, 1);
  ROUND(fd, SOL_SOCKET, SO_PRIORITY, 5);
  ROUND(fd, SOL_SOCKET, SO_RCVLOWAT, 7);
  ROUND(udp, SOL_SOCKET, SO_BROADCAST, 1);
  CHECK_IS("send buffer", set_option(fd, SOL_SOCKET, SO_SNDBUF, 20000), 0);
  CHECK_IS("is doubled", option_of(fd, SOL_SOCKET, SO_SNDBUF), 40000);
  CHECK_IS("receive buffer", set_option(fd, SOL_SOCKET, SO_RCVBUF, 1), 0);
  CHECK("has a least size", option_of(fd, SOL_SOCKET, SO_RCVBUF) > 1000);
  struct linger linger = {1, 3}, found;
  socklen_t size = sizeof found;
  CHECK_IS("linger", setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
  NEED(getsockopt(fd, SOL_SOCKET, SO_LINGER, &found, &size));
  CHECK("comes back", found.l_onoff == 1 && found.l_linger == 3 && size == sizeof found);
  struct timeval time = {2, 500000}, back;
  size = sizeof back;
  CHECK_IS("time limit", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
  NEED(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &back, &size));
  CHECK("comes back", back.tv_sec == 2 && back.tv_usec == 500000);
  time.tv_usec = 1000000;
  CHECK_FAILS("not a time", setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time), EDOM);

  ROUND(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  ROUND(fd, IPPROTO_TCP, TCP_CORK, 1);
  ROUND(fd, IPPROTO_TCP, TCP_KEEPIDLE, 77);
  ROUND(fd, IPPROTO_TCP, TCP_KEEPINTVL, 7);
  ROUND(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
  ROUND(fd, IPPROTO_TCP, TCP_SYNCNT, 3);
  ROUND(fd, IPPROTO_TCP, TCP_LINGER2, 9);
  ROUND(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 4000);
  ROUND(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384);
  CHECK_IS("defer accept", set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1), 0);
  CHECK_IS("quick acknowledgements", set_option(fd, IPPROTO_TCP, TCP_QUICKACK, 1), 0);
  CHECK("segment size", option_of(fd, IPPROTO_TCP, TCP_MAXSEG) > 0);
  char name[16] = "";
  size = sizeof name;
  NEED(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size));
  CHECK_IS("congestion control", setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, strlen(name)),
    0);
  CHECK_FAILS("that nobody knows", setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nobody", 6),
    ENOENT);
  struct tcp_info info;
  size = sizeof info;
  CHECK_IS("information", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  CHECK_IS("state", info.tcpi_state, TCP_CLOSE);
  CHECK_FAILS("not of UDP", set_option(udp, IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);

  ROUND(fd, IPPROTO_IP, IP_TOS, 0x10);
  ROUND(fd, IPPROTO_IP, IP_TTL, 33);
  ROUND(udp, IPPROTO_IP, IP_PKTINFO, 1);
  ROUND(udp, IPPROTO_IP, IP_RECVTTL, 1);
  ROUND(udp, IPPROTO_IP, IP_RECVERR, 1);
  ROUND(udp, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
  ROUND(udp, IPPROTO_IP, IP_MULTICAST_TTL, 4);
  ROUND(udp, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  ROUND(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  ROUND(fd, IPPROTO_IP, IP_FREEBIND, 1);
  ROUND(six, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  ROUND(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
  ROUND(six, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  ROUND(six, IPPROTO_IPV6, IPV6_TCLASS, 8);
  ROUND(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 3);
  // What can be set is where to cut, what can be read is the way's.
  CHECK_IS("set IPV6_MTU", set_option(six, IPPROTO_IPV6, IPV6_MTU, 1280), 0);
  CHECK_FAILS("too little", set_option(six, IPPROTO_IPV6, IPV6_MTU, 1279), EINVAL);
  CHECK_IS("or anywhere", set_option(six, IPPROTO_IPV6, IPV6_MTU, 0), 0);

  CHECK_FAILS("no such option", set_option(fd, SOL_SOCKET, 9999, 1), ENOPROTOOPT);
  CHECK_FAILS("too short", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, "", 1), EINVAL);
  CHECK_FAILS("bad memory", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (void *)8, 4), EFAULT);
  size = 2;
  char small[4] = "....";
  CHECK_IS("little room", getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, small, &size), 0);
  CHECK("is not overrun", size == 2 && small[0] == 1 && small[2] == '.');
  size = -1;
  CHECK_FAILS("negative room", getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, small, &size), EINVAL);
  CHECK_FAILS("not a socket", set_option(1, SOL_SOCKET, SO_KEEPALIVE, 1), ENOTSOCK);

  int server = NEED(socket(AF_INET, SOCK_STREAM, 0));
  NEED(set_option(server, IPPROTO_TCP, TCP_NODELAY, 1));
  NEED(set_option(server, SOL_SOCKET, SO_KEEPALIVE, 1));
  NEED(bind_to(server, loopback(AF_INET, 0)));
  NEED(listen(server, 1));
  int client = NEED(socket(AF_INET, SOCK_STREAM, 0));
  NEED(connect_to(client, name_of(server)));
  int accepted = NEED(accept(server, NULL, NULL));
  CHECK_IS("accepted with TCP_NODELAY", option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
  CHECK_IS("accepted with SO_KEEPALIVE", option_of(accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
  size = sizeof info;
  NEED(getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &size));
  CHECK_IS("established", info.tcpi_state, TCP_ESTABLISHED);
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("privileged priority", set_option(fd, SOL_SOCKET, SO_PRIORITY, 7), EPERM);
    CHECK_FAILS("mark", set_option(fd, SOL_SOCKET, SO_MARK, 7), EPERM);
    CHECK_FAILS("raw", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
    CHECK_FAILS("forced buffer", set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 7), EPERM));
  return check_status();
}
