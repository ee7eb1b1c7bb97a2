/* What the host kernel says about sockets of a network namespace: sock_diag(7).
 * The calls return -1 and set errno. */
#ifndef CHOSTOS_DIAGNOSIS_H
#define CHOSTOS_DIAGNOSIS_H
#include <stdint.h>

struct host_socket_record {
  uint64_t cookie; /* SO_COOKIE */
  uint64_t bytes_sent, bytes_received;
  uint32_t inode;
  uint32_t interface;
  uint8_t family, protocol;
  uint8_t state;     /* TCP_ESTABLISHED ... of the kernel's tcp_states.h */
  uint8_t has_bytes; /* only TCP counts */
  uint16_t local_port, remote_port;
  uint8_t local[16], remote[16]; /* the first 4 bytes of AF_INET */
};

/* A socket that hears of every TCP and UDP socket that ends in the calling thread's network
 * namespace, from now on and also after the thread has left it. */
int host_diagnosis_listen(void);
/* One end; 0 when there is none now, 1 with a record, ENOBUFS when some were lost. */
int host_diagnosis_next_end(int listener, struct host_socket_record *record);

/* A socket for questions about the calling thread's network namespace. */
int host_diagnosis_open(void);
/* Asks for all sockets of a family and a protocol but those in TIME-WAIT; then
 * host_diagnosis_next until it is done. Without information there are no bytes. */
int host_diagnosis_list(int socket, uint8_t family, uint8_t protocol, int with_information);
/* Fills at most HOST_DIAGNOSIS_BATCH records and returns how many. */
#define HOST_DIAGNOSIS_BATCH 400
int host_diagnosis_next(int socket, struct host_socket_record *records, int *is_done);
/* Ends a socket as by a reset. Needs CAP_NET_ADMIN. */
int host_diagnosis_destroy(int socket, const struct host_socket_record *record);

struct host_unix_record {
  uint64_t cookie; /* SO_COOKIE */
  uint32_t inode;
  uint8_t state;    /* as above */
  uint8_t shutdown; /* 1: receives nothing more, 2: sends nothing more */
};

/* Asks for all unix sockets; then host_unix_diagnosis_next until it is done. */
int host_unix_diagnosis_list(int socket);
/* Fills at most HOST_UNIX_DIAGNOSIS_BATCH records and returns how many. */
#define HOST_UNIX_DIAGNOSIS_BATCH 1025
int host_unix_diagnosis_next(int socket, struct host_unix_record *records, int *is_done);
/* One unix socket: 1 with its record, 0 when there is none, or no such diagnosis. */
int host_unix_diagnosis_find(int socket, uint32_t inode, uint64_t cookie,
                             struct host_unix_record *record);

/* ECONNREFUSED; NULL for a number that has no name. */
const char *host_error_name(int number);

int host_socket_cookie(int socket, uint64_t *cookie);
#endif
