/* Addresses of unix sockets: a path, or an abstract name after "@". */
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address {
  struct sockaddr_un name;
  socklen_t size;
};

/* `text` as an address of exactly its length. */
__attribute__((unused)) static struct address address_of(const char *text) {
  struct address address = {{AF_UNIX, ""}, offsetof(struct sockaddr_un, sun_path) + strlen(text)};
  memcpy(address.name.sun_path, text, strlen(text));
  if (text[0] == '@') address.name.sun_path[0] = 0;
  else address.size++;
  return address;
}

/* An abstract name of this process's own. */
__attribute__((unused)) static struct address abstract_address(const char *text) {
  char name[64];
  snprintf(name, sizeof name, "@paravane-conformance-%d-%s", (int)getpid(), text);
  return address_of(name);
}

__attribute__((unused)) static int bind_to(int fd, struct address address) {
  return bind(fd, (struct sockaddr *)&address.name, address.size);
}

__attribute__((unused)) static int connect_to(int fd, struct address address) {
  return connect(fd, (struct sockaddr *)&address.name, address.size);
}

/* A socket of this type that is bound to the address. */
__attribute__((unused)) static int bound(int type, struct address address) {
  int fd = NEED(socket(AF_UNIX, type, 0));
  NEED(bind_to(fd, address));
  return fd;
}
