/* Ways to unix sockets of the host that the policy does not let this sandbox reach.
 *
 *     hostsockets denied     no policy: nothing of the host may answer
 *     hostsockets allowed    /work/open is let through, /ro/secret is not. "open" sends a
 *                            descriptor to who connects
 *
 * Ways to keep a connection from a policy that forbids it; /vol/door is let through. Each says
 * "hidden" when the program itself has it no more, and waits for a line.
 *
 *     hostsockets hidden     in a process that has a table of descriptors of its own
 *     hostsockets thread     in a thread that has one
 *     hostsockets moving     in a process that starts another one and ends, again and again
 */
#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "attack.h"

/* A brokered connect, as root unless said otherwise; a descriptor or -errno. */
static long ask(long directory, const char *path, long type, uint32_t user) {
  struct pv_request *request = new_request(PV_OP_CONNECT_UNIX);
  request->arguments[0] = (uint64_t)directory;
  request->arguments[1] = (uint64_t)type;
  request->arguments[5] = 1;
  request->user = request->group = user;
  snprintf(request->path2, sizeof request->path2, "%s", path);
  return broker(request);
}

static long open_handle(const char *path) {
  struct pv_request *request = new_request(PV_OP_OPEN);
  request->arguments[1] = O_PATH;
  snprintf(request->path, sizeof request->path, "%s", path);
  return broker(request);
}

static void expect_denial(const char *what, long result) {
  if (result >= 0) say("breach: %s: a socket of the host, %ld", what, result);
}

static void ask_for_others(void) {
  static const char *const paths[] = {"/ro/secret", "/work/to-secret", "/work/../ro/secret",
    "/work/up", "/work/magic", "/proc/self/root/ro/secret", "/proc/self/fd/0", "0", "3", "4", "5",
    "6", "7", "8", "9", "10", "", ".", "/", "/work", "/work/hostsockets", "/run/systemd/notify",
    "/run/dbus/system_bus_socket", "/run/docker.sock", "/run/containerd/containerd.sock",
    "/dev/log", "/var/run/docker.sock"};
  static const long types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, 0, -1, 1 << 11};
  const long directories[] = {0, 1, 3, AT_FDCWD, -1, open_handle("/ro"), open_handle("/work")};
  for (size_t i = 0; i < LENGTH(paths); i++)
    for (size_t j = 0; j < LENGTH(types); j++)
      for (size_t k = 0; k < LENGTH(directories); k++) {
        record_progress((long)i);
        expect_denial(paths[i], ask(directories[k], paths[i], types[j], k % 2 ? 1234 : 0));
      }
  expect_denial("a name in a directory", ask(directories[5], "secret", SOCK_STREAM, 0));
  expect_denial("nobody", ask(0, "/work/open", SOCK_STREAM, UINT32_MAX));
}

/* A link that leads to the socket that is let through, and then again to the other one. */
static _Atomic int is_over;

static void *flip(void *unused) {
  (void)unused;
  while (!is_over) {
    static const char *const targets[] = {"/work/open", "/ro/secret"};
    for (size_t i = 0; i < LENGTH(targets); i++) {
      unlink("/work/next");
      symlink(targets[i], "/work/next");
      rename("/work/next", "/work/flip");
    }
  }
  return NULL;
}

static void race(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, flip, NULL);
  int reached = 0, refused = 0;
  for (int i = 0; i < 20000 && (reached < 200 || refused < 200); i++) {
    long socket = ask(0, "/work/flip", SOCK_STREAM, 0);
    if (socket >= 0) {
      reached++;
      HOST(SYS_close, socket);
    } else {
      refused++;
    }
  }
  is_over = 1;
  pthread_join(thread, NULL);
  if (!reached || !refused) say("breach: no race: %d reached, %d refused", reached, refused);
}

/* How many descriptors this sandbox has on the host: none may come from a message. */
static int count_descriptors(void) {
  int count = 0;
  for (int i = 0; i < 256; i++)
    if (HOST(SYS_fcntl, i, F_GETFL) >= 0) count++;
  return count;
}

static void take_descriptors(void) {
  char data[16];
  union { char bytes[256]; struct cmsghdr head; } control;
  struct iovec part = {data, sizeof data};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                           .msg_controllen = sizeof control};
  for (int way = 0; way < 5; way++) {
    long socket = ask(0, "/work/open", SOCK_STREAM, 0);
    if (socket < 0) {
      say("breach: what is let through is refused: %ld", socket);
      return;
    }
    int before = count_descriptors();
    struct pv_request *request;
    switch (way) {
    case 0: HOST(SYS_read, socket, data, 1); break;
    case 1: HOST(SYS_preadv2, socket, &part, 1, -1, -1, 0); break;
    case 2: HOST(SYS_recvfrom, socket, data, 1, MSG_CMSG_CLOEXEC, NULL, NULL); break;
    case 3: {
      const long arguments[] = {socket, (long)&message, 0, 0, 0, 0};
      struct outcome outcome = probe(SYS_recvmsg, arguments);
      if (outcome.verdict == ANSWERED && outcome.result != -ENOSYS)
        say("breach: recvmsg past the kernel returned %ld", outcome.result);
      break;
    }
    default:
      request = new_request(PV_OP_RECEIVE);
      request->arguments[0] = (uint64_t)socket;
      request->arguments[1] = (uint64_t)(uintptr_t)request->path;
      request->arguments[2] = 8;
      request->arguments[4] = 256;
      if (broker(request) >= 0) say("breach: the backend receives from a socket of the host");
    }
    int after = count_descriptors();
    if (after > before)
      say("breach: %d descriptors came with a message, way %d", after - before, way);
    HOST(SYS_close, socket);
  }
}

static void give_descriptors(void) {
  long socket = ask(0, "/work/open", SOCK_STREAM, 0);
  struct { struct cmsghdr head; int descriptor; } rights = {
      {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}, 0};
  for (int type = SCM_RIGHTS; type <= 4; type++) {
    rights.head.cmsg_type = type;
    struct pv_request *request = new_request(PV_OP_SEND);
    request->arguments[0] = (uint64_t)socket;
    request->arguments[1] = (uint64_t)(uintptr_t)request->path;
    request->arguments[2] = 1;
    memcpy(request->payload, &rights, sizeof rights);
    request->payload_size = CMSG_SPACE(sizeof(int));
    if (broker(request) >= 0) say("breach: a control message of type %d is sent", type);
  }
  /* To another place with the same socket, and as a listener. */
  const struct sockaddr_un name = {AF_UNIX, "/ro/secret"};
  static const uint32_t operations[] = {PV_OP_CONNECT, PV_OP_BIND, PV_OP_LISTEN, PV_OP_ACCEPT,
    PV_OP_CONNECT_RESULT, PV_OP_SOCKET_NAME};
  for (size_t i = 0; i < LENGTH(operations); i++) {
    struct pv_request *request = new_request(operations[i]);
    request->arguments[0] = (uint64_t)socket;
    memcpy(request->payload, &name, sizeof name);
    request->payload_size = sizeof name;
    if (broker(request) >= 0) say("breach: operation %u on a socket of the host", operations[i]);
  }
  /* Options that make descriptors or tell more than bytes: PASSCRED, PEERCRED, PEERSEC, PASSSEC,
   * ATTACH_FILTER, PEERGROUPS, PASSPIDFD, PEERPIDFD, PASSRIGHTS. */
  static const int options[] = {16, 17, 31, 34, 26, 59, 76, 77, 83};
  for (size_t i = 0; i < LENGTH(options); i++)
    for (int set = 0; set < 2; set++) {
      struct pv_request *request = new_request(set ? PV_OP_SET_OPTION : PV_OP_GET_OPTION);
      request->arguments[0] = (uint64_t)socket;
      request->arguments[1] = SOL_SOCKET;
      request->arguments[2] = (uint64_t)options[i];
      request->arguments[3] = 64;
      request->payload[0] = 1;
      request->payload_size = set ? 4 : 0;
      if (broker(request) >= 0) say("breach: option %d of a socket of the host", options[i]);
    }
}

/* A process of which no kernel of ours knows, with a copy of the descriptors. */
static long split(void) { return HOST(SYS_clone, 0, 0, 0, 0, 0); }

static void keep_in_process(int is_moving) {
  if (split() != 0) return;
  for (;;) {
    if (!is_moving) HOST(SYS_ppoll, 0, 0, 0, 0, 8);
    else if (split() > 0) HOST(SYS_exit, 0);
  }
}

/* Where the thread goes on: it has no thread-local memory and no way back. */
__asm__(".text\nstay:\n  pause\n  jmp stay\n");
extern const char stay[];

static void keep_in_thread(void) {
  static const char *stack[512];
  for (size_t i = 0; i < LENGTH(stack); i++) stack[i] = stay;
  HOST(SYS_clone, CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD, &stack[256], 0, 0, 0);
}

static int hide(const char *mode) {
  long socket = ask(0, "/vol/door", SOCK_STREAM, 0);
  if (socket < 0 || HOST(SYS_write, socket, "x", 1) != 1) {
    say("breach: what is let through is refused: %ld", socket);
    return 1;
  }
  if (!strcmp(mode, "thread")) keep_in_thread();
  else keep_in_process(!strcmp(mode, "moving"));
  HOST(SYS_close, socket);
  say("hidden");
  getchar();
  say("done");
  return 0;
}

int main(int count, char **values) {
  find_kernel();
  if (count != 2) return 2;
  static const char *const ways[] = {"hidden", "thread", "moving"};
  for (size_t i = 0; i < LENGTH(ways); i++)
    if (!strcmp(values[1], ways[i])) return hide(ways[i]);
  symlink("/ro/secret", "/work/to-secret");
  symlink("../ro/secret", "/work/up");
  symlink("/proc/self/root/ro/secret", "/work/magic");
  ask_for_others();
  if (!strcmp(values[1], "denied")) {
    expect_denial("without a policy", ask(0, "/work/open", SOCK_STREAM, 0));
  } else {
    take_descriptors();
    give_descriptors();
    race();
  }
  say("done");
  return 0;
}
