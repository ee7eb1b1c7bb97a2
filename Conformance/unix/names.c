#include "check.h"
#include "unix/address.h"
#include <fcntl.h>
#include <sys/stat.h>

// bind(2), getsockname(2) and getpeername(2): paths and abstract names.

static struct sockaddr_un name;
static socklen_t size;

static const char *own_name(int fd) {
  size = sizeof name;
  memset(&name, 0, sizeof name);
  NEED(getsockname(fd, (struct sockaddr *)&name, &size));
  return name.sun_path;
}

static int fresh(void) { return NEED(socket(AF_UNIX, SOCK_STREAM, 0)); }

int main(void) {
  struct stat st;
  umask(0);
  int server = fresh();
  CHECK_OK("bind", bind_to(server, address_of("s")));
  CHECK_OK("makes a file", stat("s", &st));
  CHECK_IS("a socket", st.st_mode, S_IFSOCK | 0777);
  CHECK_TEXT("getsockname", own_name(server), "s");
  CHECK_IS("its size", size, 4);
  CHECK_FAILS("bind twice", bind_to(server, address_of("t")), EINVAL);
  CHECK_FAILS("a taken name", bind_to(fresh(), address_of("s")), EADDRINUSE);
  close(NEED(creat("file", 0600)));
  CHECK_FAILS("a file's name", bind_to(fresh(), address_of("file")), EADDRINUSE);
  CHECK_FAILS("a missing directory", bind_to(fresh(), address_of("m/s")), ENOENT);
  CHECK_FAILS("below a file", bind_to(fresh(), address_of("file/s")), ENOTDIR);
  NEED(symlink("nowhere", "dangling"));
  CHECK_FAILS("a dangling link", bind_to(fresh(), address_of("dangling")), EADDRINUSE);
  CHECK_FAILS("open", open("s", O_RDWR), ENXIO);

  NEED(listen(server, 8));
  NEED(rename("s", "renamed"));
  int client = fresh();
  CHECK_OK("a renamed socket", connect_to(client, address_of("renamed")));
  size = sizeof name;
  NEED(getpeername(client, (struct sockaddr *)&name, &size));
  CHECK_TEXT("keeps the name it was bound to", name.sun_path, "s");
  int peer = NEED(accept(server, (struct sockaddr *)&name, (size = sizeof name, &size)));
  CHECK_IS("the client has no name", size, 2);
  CHECK_TEXT("the accepted one has the server's", own_name(peer), "s");
  size = 4;
  memset(&name, 'x', sizeof name);
  NEED(getsockname(peer, (struct sockaddr *)&name, &size));
  CHECK("a short buffer is cut", name.sun_path[1] == 0 && name.sun_path[2] == 'x');
  size = 2;
  NEED(getsockname(peer, (struct sockaddr *)&name, &size));
  CHECK_IS("the real size is told", size, 4);
  size = -1;
  CHECK_FAILS("a negative size", getsockname(peer, (struct sockaddr *)&name, &size), EINVAL);
  size = sizeof name;
  CHECK_FAILS("no peer", getpeername(server, (struct sockaddr *)&name, &size), ENOTCONN);

  char path[108];
  memset(path, 'p', 107);
  path[107] = 0;
  struct address longest = address_of("");
  memcpy(longest.name.sun_path, path, 108);
  longest.size = sizeof longest.name;
  CHECK_OK("107 bytes", bind_to(fresh(), longest));
  longest.name.sun_path[107] = 'q';
  CHECK_OK("108 bytes", bind_to(fresh(), longest));
  longest.size++;
  CHECK_FAILS("a longer address", bind_to(fresh(), longest), EINVAL);
  struct address wrong = address_of("w");
  wrong.name.sun_family = AF_INET;
  CHECK_FAILS("another family", bind_to(fresh(), wrong), EINVAL);

  int hidden = fresh();
  struct address abstract = abstract_address("name");
  CHECK_OK("an abstract name", bind_to(hidden, abstract));
  own_name(hidden);
  CHECK("comes back as it was", size == abstract.size
    && memcmp(&name, &abstract.name, size) == 0);
  CHECK_FAILS("is taken", bind_to(fresh(), abstract), EADDRINUSE);
  abstract.size++;
  CHECK_OK("one byte more is another name", bind_to(fresh(), abstract));
  abstract.size--;
  NEED(listen(hidden, 1));
  CHECK_OK("connect", connect_to(fresh(), abstract));
  close(hidden);
  CHECK_FAILS("gone with its socket", connect_to(fresh(), abstract), ECONNREFUSED);
  CHECK_OK("free again", bind_to(fresh(), abstract));

  struct address automatic = {{AF_UNIX, ""}, sizeof(sa_family_t)};
  int fd = fresh();
  CHECK_OK("autobind", bind_to(fd, automatic));
  own_name(fd);
  CHECK("gives five hexadecimal digits", size == 8 && name.sun_path[0] == 0
    && strspn(name.sun_path + 1, "0123456789abcdef") == 5);
  NEED(mkdir("closed", 0755));
  IN_CHILD(NEED(setresuid(65534, 65534, 65534));
    CHECK_FAILS("without permission", bind_to(fresh(), address_of("closed/s")), EACCES));
  return check_status();
}
