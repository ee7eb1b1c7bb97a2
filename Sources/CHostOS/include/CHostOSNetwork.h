/* Calls on sockets, interfaces and routes of the calling thread's network namespace.
 * They return -1 and set errno. No call waits for a peer. */
#ifndef CHOSTOS_NETWORK_H
#define CHOSTOS_NETWORK_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Always close-on-exec and non-blocking. */
int host_socket(int domain, int type, int protocol);
int host_set_non_blocking(int socket);
int host_bind(int socket, const void *address, uint32_t size);
int host_connect(int socket, const void *address, uint32_t size);
/* The same as another user and group, whom SO_PEERCRED shows; the thread has its own file system IDs
 * afterwards. In a user namespace that has no root, root is whoever owns it. EPERM where the user
 * can't be had. */
int host_connect_as(int socket, const void *address, uint32_t size, uint32_t user, uint32_t group);
int host_accept(int socket, void *address, uint32_t *size);
int host_local_name(int socket, void *address, uint32_t *size);
int host_peer_name(int socket, void *address, uint32_t *size);
int host_get_option(int socket, int level, int name, void *value, uint32_t *size);
int host_set_option(int socket, int level, int name, const void *value, uint32_t size);
/* The socket's next close ends its connection with a reset. */
int host_reset_on_close(int socket);

struct host_message {
  void *data;
  size_t size;
  void *name;
  uint32_t name_size; /* of the room, then of the name */
  void *control;
  size_t control_size; /* the same */
  int flags;           /* of the call, then of the message */
};
ssize_t host_send_message(int socket, const struct host_message *message);
ssize_t host_receive_message(int socket, struct host_message *message);

/* FIONREAD, SIOCOUTQ, SIOCOUTQNSD or SIOCATMARK. */
int host_socket_queue(int socket, uint32_t command, int *value);
#define HOST_INTERFACE_SIZE 40u
/* A command of netdevice(7) on a struct ifreq, by a socket of its own. */
int host_interface(uint32_t command, void *record);
/* SIOCGIFCONF; returns the bytes written. */
int host_interface_list(void *records, size_t size);

/* Sends one request of rtnetlink(7) and writes what answers it to `out`. */
int host_netlink_query(int protocol, const void *request, size_t size, int is_strict, int out);
/* A socket that hears of groups of rtnetlink(7), in the calling thread's network namespace. */
int host_route_listen(void);
int host_route_membership(int socket, uint32_t group, int joins);
/* The next message of the kernel's and its group; returns its size, or 0 when none is there.
 * ENOBUFS: some were lost. */
ssize_t host_route_next(int socket, void *room, size_t size, uint32_t *group);
/* Sends a record, unless that would wait. */
int host_send_record(int socket, const void *bytes, size_t size);
/* Copies a file from its start to `out`, at most `limit` bytes. */
int host_copy_text(int file, int out, size_t limit);

int host_enter_network_namespace(int descriptor);
/* Brings the loopback device of the namespace up. */
int host_start_loopback(void);
/* Lets every group make ICMP echo sockets; for a namespace of our own. */
int host_allow_echo_sockets(void);
/* The calling thread gives up CAP_NET_ADMIN and CAP_NET_RAW for good. */
int host_drop_network_capabilities(void);
#endif
