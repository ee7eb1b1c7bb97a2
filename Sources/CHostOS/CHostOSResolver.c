#define _GNU_SOURCE
#include "CHostOSResolver.h"
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

int host_dns_query(const char *name, int is_v6, uint8_t *answer, int size) {
  struct __res_state state;
  memset(&state, 0, sizeof state);
  /* Anew each time: the file may have changed. */
  if (res_ninit(&state) < 0) {
    errno = ETIMEDOUT;
    return -1;
  }
  int count = res_nquery(&state, name, ns_c_in, is_v6 ? ns_t_aaaa : ns_t_a, answer, size);
  int error = state.res_h_errno;
  res_nclose(&state);
  if (count >= 0) return count < size ? count : size;
  if (error == HOST_NOT_FOUND || error == NO_DATA) return 0;
  errno = ETIMEDOUT;
  return -1;
}
