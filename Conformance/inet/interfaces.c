#include "check.h"
#include "inet/inet.h"
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

// What a program learns of the network: getifaddrs(3), ioctl(2), rtnetlink(7), /proc/net.

static char buffer[65536];

/* Sends one request; returns the type of the first message of the answer. */
static int ask(int fd, int type, int flags, void *body, int size) {
  struct {
    struct nlmsghdr head;
    char body[64];
  } request = {{NLMSG_LENGTH(size), type, NLM_F_REQUEST | flags, 77, 0}, {0}};
  memcpy(request.body, body, size);
  NEED(send(fd, &request, request.head.nlmsg_len, 0));
  NEED(recv(fd, buffer, sizeof buffer, 0));
  return ((struct nlmsghdr *)buffer)->nlmsg_type;
}

static int error_of(void) {
  struct nlmsgerr *error = NLMSG_DATA((struct nlmsghdr *)buffer);
  return -error->error;
}

/* Whether a file has a line with this text. */
static int file_has(const char *path, const char *text) {
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  char line[1024];
  int found = 0;
  while (fgets(line, sizeof line, file)) found |= strstr(line, text) != NULL;
  fclose(file);
  return found;
}

int main(void) {
  struct ifaddrs *list;
  NEED(getifaddrs(&list));
  int four = 0, six = 0, links = 0;
  for (struct ifaddrs *each = list; each; each = each->ifa_next) {
    if (!each->ifa_addr) continue;
    say("%s family %d flags %x", each->ifa_name, each->ifa_addr->sa_family, each->ifa_flags);
    if (strcmp(each->ifa_name, "lo")) continue;
    four += each->ifa_addr->sa_family == AF_INET;
    six += each->ifa_addr->sa_family == AF_INET6;
    links += each->ifa_addr->sa_family == AF_PACKET;
  }
  freeifaddrs(list);
  CHECK("the loopback device has addresses", four == 1 && six == 1 && links == 1);
  unsigned index = if_nametoindex("lo");
  CHECK_IS("if_nametoindex", index, 1);
  char name[IF_NAMESIZE] = "";
  CHECK_TEXT("if_indextoname", if_indextoname(1, name) ? name : "none", "lo");
  struct if_nameindex *names = if_nameindex();
  for (struct if_nameindex *each = names; each && each->if_name; each++)
    say("interface %u %s", each->if_index, each->if_name);

  int fd = NEED(socket(AF_INET, SOCK_DGRAM, 0));
  struct ifreq record = {.ifr_name = "lo"};
  CHECK_IS("SIOCGIFFLAGS", ioctl(fd, SIOCGIFFLAGS, &record), 0);
  CHECK("up", (record.ifr_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK));
  CHECK_IS("SIOCGIFADDR", ioctl(fd, SIOCGIFADDR, &record), 0);
  CHECK_IS("address", ((struct sockaddr_in *)&record.ifr_addr)->sin_addr.s_addr,
    htonl(INADDR_LOOPBACK));
  CHECK_IS("SIOCGIFNETMASK", ioctl(fd, SIOCGIFNETMASK, &record), 0);
  CHECK_IS("mask", ((struct sockaddr_in *)&record.ifr_addr)->sin_addr.s_addr, htonl(0xff000000));
  CHECK_IS("SIOCGIFMTU", ioctl(fd, SIOCGIFMTU, &record), 0);
  CHECK_IS("MTU", record.ifr_mtu, 65536);
  CHECK_IS("SIOCGIFHWADDR", ioctl(fd, SIOCGIFHWADDR, &record), 0);
  CHECK_IS("kind", record.ifr_hwaddr.sa_family, 772);
  CHECK_IS("SIOCGIFINDEX by a unix socket",
    ioctl(NEED(socket(AF_UNIX, SOCK_DGRAM, 0)), SIOCGIFINDEX, &record), 0);
  CHECK_IS("index", record.ifr_ifindex, 1);
  struct ifreq missing = {.ifr_name = "nothere"};
  CHECK_FAILS("no such device", ioctl(fd, SIOCGIFFLAGS, &missing), ENODEV);
  struct ifreq records[16];
  struct ifconf all = {sizeof records, {(char *)records}};
  CHECK_IS("SIOCGIFCONF", ioctl(fd, SIOCGIFCONF, &all), 0);
  say("%d bytes, %s first", all.ifc_len, records[0].ifr_name);
  struct ifconf none = {0, {NULL}};
  CHECK_IS("its size", ioctl(fd, SIOCGIFCONF, &none), 0);
  CHECK_IS("is the same", none.ifc_len, all.ifc_len);
  struct ifconf one = {sizeof *records + 3, {(char *)records}};
  CHECK_IS("room for one", ioctl(fd, SIOCGIFCONF, &one), 0);
  CHECK_IS("gives one", one.ifc_len, sizeof *records);
  CHECK_FAILS("bad memory", ioctl(fd, SIOCGIFFLAGS, (void *)8), EFAULT);
  CHECK_FAILS("no such command", ioctl(fd, 0x8999, &record), ENOTTY);

  int route = NEED(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  struct sockaddr_nl own = {.nl_family = AF_NETLINK};
  CHECK_IS("bind", bind(route, (struct sockaddr *)&own, sizeof own), 0);
  socklen_t size = sizeof own;
  NEED(getsockname(route, (struct sockaddr *)&own, &size));
  CHECK_IS("its port is the process", own.nl_pid, getpid());
  struct rtgenmsg any = {AF_UNSPEC};
  CHECK_IS("links", ask(route, RTM_GETLINK, NLM_F_DUMP, &any, sizeof any), RTM_NEWLINK);
  struct nlmsghdr *head = (struct nlmsghdr *)buffer;
  CHECK_IS("to this port", head->nlmsg_pid, own.nl_pid);
  CHECK_IS("with this number", head->nlmsg_seq, 77);
  CHECK("one of many", head->nlmsg_flags & NLM_F_MULTI);
  int done = 0;
  for (int count = 0; !done && count < 100; count++) {
    long got = recv(route, buffer, sizeof buffer, 0);
    for (head = (struct nlmsghdr *)buffer; NLMSG_OK(head, got); head = NLMSG_NEXT(head, got))
      done |= head->nlmsg_type == NLMSG_DONE;
  }
  CHECK("the end", done);
  CHECK_FAILS("nothing behind it", recv(route, buffer, 1, MSG_DONTWAIT), EAGAIN);
  struct ifinfomsg loopback_link = {.ifi_index = 1};
  CHECK_IS("one link", ask(route, RTM_GETLINK, 0, &loopback_link, sizeof loopback_link),
    RTM_NEWLINK);
  loopback_link.ifi_index = 999999;
  CHECK_IS("one that is not there", ask(route, RTM_GETLINK, 0, &loopback_link,
    sizeof loopback_link), NLMSG_ERROR);
  CHECK_IS("says so", error_of(), ENODEV);
  struct rtmsg to = {.rtm_family = AF_INET};
  CHECK_IS("routes", ask(route, RTM_GETROUTE, NLM_F_DUMP, &to, sizeof to), RTM_NEWROUTE);
  while (recv(route, buffer, sizeof buffer, MSG_DONTWAIT) > 0);
  CHECK_IS("unknown", ask(route, 0x7e, NLM_F_ACK, &any, sizeof any), NLMSG_ERROR);
  CHECK_IS("is not supported", error_of(), EOPNOTSUPP);
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    int mine = NEED(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    CHECK_IS("a change", ask(mine, RTM_DELLINK, NLM_F_ACK, &loopback_link, sizeof loopback_link),
      NLMSG_ERROR);
    CHECK_IS("is not permitted", error_of(), EPERM));
  NEED(send(route, &(struct nlmsghdr){16, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 5, 0}, 16, 0));
  CHECK_IS("peek at the size", recv(route, NULL, 0, MSG_PEEK | MSG_TRUNC), 36);
  char few[20];
  struct sockaddr_nl from;
  struct iovec part = {few, sizeof few};
  struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part,
    .msg_iovlen = 1};
  CHECK_IS("truncated", recvmsg(route, &message, 0), 20);
  CHECK_IS("and says so", message.msg_flags, MSG_TRUNC);
  CHECK("from the kernel", from.nl_family == AF_NETLINK && from.nl_pid == 0);
  CHECK_FAILS("a stream", socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);

  int server = listener(AF_INET, 3);
  char text[64];
  snprintf(text, sizeof text, "0100007F:%04X 00000000:0000 0A", ntohs(name_of(server).v4.sin_port));
  CHECK("/proc/net/tcp has our listener", file_has("/proc/net/tcp", text));
  int datagram = bound(AF_INET, SOCK_DGRAM);
  snprintf(text, sizeof text, "0100007F:%04X", ntohs(name_of(datagram).v4.sin_port));
  CHECK("/proc/net/udp has our socket", file_has("/proc/net/udp", text));
  CHECK("/proc/net/dev has the device", file_has("/proc/net/dev", "lo:"));
  CHECK("/proc/net/if_inet6", file_has("/proc/net/if_inet6", "lo"));
  CHECK("/proc/net/route", file_has("/proc/net/route", "Destination"));
  CHECK("/proc/net/snmp", file_has("/proc/net/snmp", "Tcp:"));
  return check_status();
}
