/* Names of hosts, by the nameservers of /etc/resolv.conf. */
#ifndef CHOSTOS_RESOLVER_H
#define CHOSTOS_RESOLVER_H
#include <stdint.h>

/* Asks for the A or AAAA records of a whole name; waits for the answer as resolv.conf(5) says.
 * Returns the bytes of the answer, 0 when there are no such records, or -1 with errno: ETIMEDOUT
 * when no nameserver answered well. */
int host_dns_query(const char *name, int is_v6, uint8_t *answer, int size);
#endif
