/* The host kernel's large interfaces, with arguments that would work.
 *
 *     interfaces guest   through the guest kernel
 *     interfaces host    past it
 */
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <sys/socket.h>

#include "attack.h"

/* What a positive answer would mean. */
enum meaning {
  FORBIDDEN, /* nothing in a sandbox may get this */
  OWN,       /* the guest kernel may answer for itself; past it nothing may */
};

struct interface {
  const char *name;
  long number;
  enum meaning meaning;
  long arguments[6];
};

static char buffer[8192];
static union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
                             .max_entries = 1};
static struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event,
                                       .exclude_kernel = 1};

#define AT(pointer) ((long)(pointer))
static const struct interface *all(size_t *count) {
  static const char name[] = "attack";
  static struct interface list[] = {
      {"bpf", SYS_bpf, FORBIDDEN, {BPF_MAP_CREATE, AT(&map), sizeof map}},
      {"io_uring_setup", SYS_io_uring_setup, FORBIDDEN, {4, AT(buffer)}},
      {"add_key", SYS_add_key, FORBIDDEN, {AT("user"), AT(name), AT(name), 4, -3}},
      {"request_key", SYS_request_key, FORBIDDEN, {AT("user"), AT(name), 0, -3}},
      {"keyctl", SYS_keyctl, FORBIDDEN, {0, -3, 1}},
      {"userfaultfd", SYS_userfaultfd, FORBIDDEN, {1}},
      {"perf_event_open", SYS_perf_event_open, FORBIDDEN, {AT(&event), 0, -1, -1, 0}},
      {"netlink socket", SYS_socket, OWN, {AF_NETLINK, SOCK_RAW, 0}},
      {"netlink audit", SYS_socket, FORBIDDEN, {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}},
      {"netlink firewall events", SYS_socket, FORBIDDEN, {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}},
      {"netlink connector", SYS_socket, FORBIDDEN, {AF_NETLINK, SOCK_RAW, NETLINK_CONNECTOR}},
      {"netlink uevents", SYS_socket, FORBIDDEN, {AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT}},
      {"netlink generic", SYS_socket, FORBIDDEN, {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC}},
      {"packet socket", SYS_socket, FORBIDDEN, {AF_PACKET, SOCK_RAW, 0x300}},
      {"raw socket", SYS_socket, FORBIDDEN, {AF_INET, SOCK_RAW, 255}},
      {"vsock socket", SYS_socket, FORBIDDEN, {AF_VSOCK, SOCK_STREAM, 0}},
      {"alg socket", SYS_socket, FORBIDDEN, {AF_ALG, SOCK_SEQPACKET, 0}},
      {"xdp socket", SYS_socket, FORBIDDEN, {AF_XDP, SOCK_RAW, 0}},
      {"bluetooth socket", SYS_socket, FORBIDDEN, {AF_BLUETOOTH, SOCK_RAW, 1}},
      {"tcp socket", SYS_socket, OWN, {AF_INET, SOCK_STREAM, 0}},
      {"unix socket", SYS_socket, OWN, {AF_UNIX, SOCK_STREAM, 0}},
      {"unshare user", SYS_unshare, OWN, {0x10000000}},
      {"unshare mount", SYS_unshare, OWN, {0x20000}},
      {"unshare net", SYS_unshare, OWN, {0x40000000}},
      {"setns", SYS_setns, FORBIDDEN, {0, 0}},
      {"clone3", 435, OWN, {AT(buffer), 0}},
      {"swapon", SYS_swapon, FORBIDDEN, {AT("/work/swap"), 0}},
      {"swapoff", SYS_swapoff, FORBIDDEN, {AT("/work/swap")}},
      {"kexec_load", SYS_kexec_load, FORBIDDEN, {0, 0, 0, 0}},
      {"init_module", SYS_init_module, FORBIDDEN, {AT(buffer), 4096, AT("")}},
      {"finit_module", SYS_finit_module, FORBIDDEN, {0, AT(""), 0}},
      {"delete_module", SYS_delete_module, FORBIDDEN, {AT(name), 0x800}},
      {"iopl", SYS_iopl, FORBIDDEN, {3}},
      {"ioperm", SYS_ioperm, FORBIDDEN, {0x70, 2, 1}},
      {"modify_ldt", SYS_modify_ldt, OWN, {0, AT(buffer), 64}},
      {"quotactl", SYS_quotactl, FORBIDDEN, {0x800001l << 8, 0, 0, 0}},
      {"fanotify_init", SYS_fanotify_init, FORBIDDEN, {0, 0}},
      {"inotify_init1", SYS_inotify_init1, OWN, {0}},
      {"seccomp", SYS_seccomp, OWN, {0, 0, 0}},
      {"personality", SYS_personality, OWN, {0x0040000}},
      {"acct", SYS_acct, FORBIDDEN, {AT("/work/acct")}},
      {"settimeofday", SYS_settimeofday, FORBIDDEN, {AT(buffer), 0}},
      {"clock_settime", SYS_clock_settime, FORBIDDEN, {11, AT(buffer)}},
      {"syslog", SYS_syslog, FORBIDDEN, {3, AT(buffer), 4096}},
      {"lookup_dcookie", SYS_lookup_dcookie, FORBIDDEN, {1, AT(buffer), 4096}},
      {"vhangup", SYS_vhangup, OWN, {0}},
      {"mbind", SYS_mbind, OWN, {AT(buffer), 4096, 0, 0, 0, 0}},
      {"remap_file_pages", SYS_remap_file_pages, OWN, {AT(buffer), 4096, 0, 0, 0}},
      {"landlock", 444, OWN, {0, 0, 1}},
      {"memfd_secret", 447, OWN, {0}},
      {"shmget", SYS_shmget, OWN, {0, 4096, 0600}},
      {"msgget", SYS_msgget, OWN, {0, 0600}},
      {"mq_open", SYS_mq_open, OWN, {AT(name), O_CREAT | O_RDWR, 0600, 0}},
      {"timer_create", SYS_timer_create, OWN, {0, 0, AT(buffer)}},
      {"vmsplice", SYS_vmsplice, OWN, {1, AT(buffer), 0, 0}},
      {"cachestat", 451, OWN, {0, AT(buffer), AT(buffer), 0}},
      {"map_shadow_stack", 453, OWN, {0, 4096, 0}},
      {"lsm_list_modules", 461, FORBIDDEN, {AT(buffer), AT(buffer + 4096), 0}},
  };
  *count = LENGTH(list);
  return list;
}

static void guest_body(void *argument) {
  const struct interface *interface = argument;
  const long *a = interface->arguments;
  long result = guest_call(interface->number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (result >= 0) _exit(30);
}

int main(int count, char **values) {
  find_kernel();
  if (count != 2) return 2;
  int is_host = !strcmp(values[1], "host");
  size_t size;
  const struct interface *list = all(&size);
  for (size_t i = 0; i < size; i++) {
    record_progress((long)i);
    if (is_host) {
      struct outcome outcome = probe(list[i].number, list[i].arguments);
      if (outcome.verdict == ANSWERED)
        say("breach: %s past the kernel returned %ld", list[i].name, outcome.result);
      continue;
    }
    int status = in_child(guest_body, (void *)&list[i], 1000);
    int has_worked = status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 30;
    if (has_worked && list[i].meaning == FORBIDDEN) say("breach: %s works", list[i].name);
    if (has_worked && list[i].meaning == OWN) say("note: %s works", list[i].name);
  }
  say("done");
  return 0;
}
