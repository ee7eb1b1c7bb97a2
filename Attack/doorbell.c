/* The brokered calls, from a program that writes its own requests.
 *
 *     doorbell addresses            requests that are not there, or only in part
 *     doorbell strings              paths and names without an end, sizes beyond the record
 *     doorbell fuzz FROM SEED       random requests, none that ends the sandbox
 *     doorbell race                 requests that change while they are answered
 *     doorbell reach SECRET PATH    files outside the root, through every call that takes a path
 *     doorbell tasks PID...         priorities, limits and affinity of the host's processes
 *     doorbell fifo                 a request that blocks
 *     doorbell flood                many threads at once, then the log
 *     doorbell lost                 descriptors that no call has lost
 *     doorbell exit VALUE           the end of the sandbox with a status of our choice
 *     doorbell panic                a message of control characters
 */
#include <pthread.h>
#include <sys/ioctl.h>

#include "attack.h"

#define LAST_OPERATION 160

static int ends_sandbox(uint32_t operation) {
  return operation == PV_OP_EXIT || operation == PV_OP_PANIC;
}

static int addresses(void) {
  char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(pages + 4096, 8192);
  const char *constant = mmap(NULL, 16384, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const uint64_t places[] = {
      0, 1, 4095, (uint64_t)pages, (uint64_t)pages + 8, (uint64_t)pages + 4092, (uint64_t)constant,
      boot->text_start, boot->text_end - 8, boot->writable_start, boot->writable_end - 8,
      boot->writable_end, PV_IMAGE_LIMIT, 0x7fffffffe000, 0x7fffffffffff, 0x800000000000,
      0xffff800000000000, 0xffffffff81000000, 0xffffffffff600000, ~0ull, ~0ull - 4096,
  };
  for (size_t i = 0; i < LENGTH(places); i++) {
    record_progress((long)i);
    long result = HOST(PV_DOORBELL, places[i]);
    if (result > 0) say("note: request at %#lx: %ld", places[i], result);
  }
  for (uint64_t extra = 1; extra < 6; extra++) HOST(PV_DOORBELL, 0, -1, extra << 40, -1, -1, -1);
  return 0;
}

static int strings(void) {
  struct pv_request *request = new_request(0);
  static const uint32_t sizes[] = {0, 1, PV_PAYLOAD_SIZE, PV_PAYLOAD_SIZE + 1, 0x7fffffff, ~0u};
  for (uint32_t operation = 0; operation < LAST_OPERATION; operation++) {
    if (ends_sandbox(operation)) continue;
    record_progress(operation);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
      memset(request, 0, sizeof *request);
      request->operation = operation;
      request->version = PV_PROTOCOL_VERSION;
      memset(request->path, i & 1 ? 'a' : '/', sizeof request->path);
      memset(request->path2, '.', sizeof request->path2);
      memset(request->payload, 0xff, sizeof request->payload);
      request->payload_size = sizes[i];
      request->arguments[0] = (uint64_t)AT_FDCWD;
      request->arguments[3] = sizes[i];
      broker(request);
    }
  }
  request->version = 77;
  request->operation = PV_OP_STAT;
  if (broker(request) >= 0) say("note: a request of another version is answered");
  return 0;
}

static void fill(struct pv_request *request, uint64_t *state) {
  static const char *const paths[] = {"", ".", "..", "/", "/work", "/work/x", "/proc/self/fd/3",
                                      "../..", "/dev/null", "a//b/../c", "/work/\xff\xfe\n"};
  uint64_t random = next_random(state);
  uint32_t operation = random % 8 == 0 ? (uint32_t)(random >> 8) : (random >> 8) % LAST_OPERATION;
  if (ends_sandbox(operation)) operation = PV_OP_STAT;
  request->operation = operation;
  request->version = PV_PROTOCOL_VERSION;
  request->user = (uint32_t)next_random(state);
  request->group = (uint32_t)next_random(state);
  request->payload_size = next_random(state) % 4 ? next_random(state) % 4096
                                                 : (uint32_t)next_random(state);
  for (int i = 0; i < 6; i++) {
    uint64_t value = next_random(state);
    switch (value % 5) {
      case 0: value = value >> 8 & 0x3f; break;
      case 1: value = (uint64_t)AT_FDCWD; break;
      case 2: value = 1ull << (value >> 8 & 63); break;
      case 3: value = -(value >> 8 & 0xffff); break;
      default: break;
    }
    request->arguments[i] = value;
  }
  strcpy(request->path, paths[next_random(state) % LENGTH(paths)]);
  strcpy(request->path2, paths[next_random(state) % LENGTH(paths)]);
  for (int i = 0; i < 64; i++) request->payload[i] = (uint8_t)next_random(state);
}

/* Bounded allocations only: what would fill a disk or wait for ever is another attack's work. */
static void tame(struct pv_request *request) {
  uint32_t operation = request->operation;
  int allocates = operation == PV_OP_FALLOCATE || operation == PV_OP_COPY_RANGE
      || operation == PV_OP_SENDFILE;
  if (allocates) request->arguments[4] &= 0xfffff;
  if (operation == PV_OP_FALLOCATE) request->arguments[3] &= 0xfffff;
  if (operation == PV_OP_TRUNCATE) request->arguments[2] &= 0x80000000000fffffull;
}

static int fuzz(long from, uint64_t state) {
  struct pv_request *request = new_request(0);
  for (long step = 0; step < 4000; step++) {
    fill(request, &state);
    tame(request);
    if (step < from) continue;
    if (step % 16 == 0 || step == from) record_progress(step);
    long result = broker(request);
    int is_descriptor =
        request->operation >= PV_OP_OPEN && request->operation <= PV_OP_LOST_DESCRIPTOR;
    if (is_descriptor && result > 2) HOST(SYS_close, result);
  }
  return 0;
}

static volatile int is_racing = 1;

static void *change_request(void *argument) {
  struct pv_request *request = argument;
  uint64_t state = 0x7ace;
  while (is_racing) {
    uint64_t random = next_random(&state);
    if (random & 1) request->arguments[random >> 8 & 3] = random;
    if (random & 2) request->payload_size = (uint32_t)(random >> 16);
    memset(request->path + (random >> 8 & 2047), 'b', 1024);
    request->operation = random & 4 ? PV_OP_GETXATTR : PV_OP_READLINK;
    request->path[random >> 20 & 4095] = 0;
  }
  return NULL;
}

static int race(void) {
  struct pv_request *request = new_request(PV_OP_STAT);
  pthread_t thread;
  if (pthread_create(&thread, NULL, change_request, request)) return 5;
  for (int i = 0; i < 3000; i++) {
    long result = HOST(PV_DOORBELL, request);
    if (i % 64 == 0) record_progress(i);
    (void)result;
  }
  is_racing = 0;
  pthread_join(thread, NULL);
  return 0;
}

static void check_content(long descriptor, const char *secret, const char *how, const char *path) {
  char text[128] = {0};
  if (descriptor < 0) return;
  if (HOST(SYS_pread64, descriptor, text, sizeof text - 1, 0) > 0 && strstr(text, secret))
    say("breach: %s: %s shows a host file", how, path);
  HOST(SYS_close, descriptor);
}

static void reach_one(struct pv_request *request, long directory, const char *path,
                      const char *secret) {
  static const uint32_t operations[] = {PV_OP_OPEN, PV_OP_RENAME, PV_OP_LINK, PV_OP_UNLINK,
                                        PV_OP_CHMOD, PV_OP_SYMLINK, PV_OP_SETXATTR};
  for (size_t i = 0; i < LENGTH(operations); i++) {
    memset(request->arguments, 0, sizeof request->arguments);
    request->operation = operations[i];
    request->arguments[0] = (uint64_t)directory;
    request->arguments[1] = (uint64_t)directory;
    request->arguments[2] = operations[i] == PV_OP_CHMOD ? 0777 : 0;
    request->payload_size = 4;
    snprintf(request->path, sizeof request->path, "%s", path);
    snprintf(request->path2, sizeof request->path2, "/work/reached");
    if (operations[i] == PV_OP_SETXATTR) snprintf(request->path2, 64, "user.attack");
    if (operations[i] == PV_OP_SYMLINK) snprintf(request->path2, 64, "attacked");
    if (operations[i] == PV_OP_OPEN) request->arguments[1] = O_RDWR;
    long result = broker(request);
    if (operations[i] == PV_OP_OPEN) check_content(result, secret, "open", path);
    if (operations[i] == PV_OP_LINK && result == 0)
      check_content(HOST(SYS_openat, AT_FDCWD, "/work/reached", O_RDONLY), secret, "link", path);
    if (operations[i] == PV_OP_RENAME && result == 0)
      check_content(HOST(SYS_openat, AT_FDCWD, "/work/reached", O_RDONLY), secret, "rename", path);
  }
}

static int reach(const char *secret, const char *target) {
  static const char *const prefixes[] = {
      "", "/..", "..", "../../../../../../../../..", "/work/..", "/work/../..", "/proc/self/root",
      "/proc/1/root", "/proc/self/cwd/..", "/proc/thread-self/root", "/proc/self/fd/0/..",
      "/dev/fd/3/..", "/work/absolute", "/work/relative"};
  struct pv_request *request = new_request(0);
  if (symlink("/", "/work/absolute") || symlink("../../../../../..", "/work/relative"))
    say("note: no symlinks in the volume");
  for (size_t i = 0; i < LENGTH(prefixes); i++) {
    char path[1024];
    snprintf(path, sizeof path, "%s%s", prefixes[i], target);
    reach_one(request, AT_FDCWD, path, secret);
  }
  const char *base = strrchr(target, '/');
  for (long directory = 0; directory < 300; directory++) {
    char path[1024] = "";
    for (int depth = 0; depth < 6; depth++) {
      strcat(path, "../");
      size_t size = strlen(path);
      strcat(path, target + 1);
      reach_one(request, directory, path, secret);
      path[size] = 0;
      strcat(path, base + 1);
      reach_one(request, directory, path, secret);
      path[size] = 0;
    }
  }
  return 0;
}

static int tasks(int count, char **pids) {
  static const uint64_t limits[] = {0, 3, 5, 7, 8, 9};
  struct pv_request *request = new_request(0);
  for (int i = 0; i < count; i++) {
    uint64_t pid = strtoull(pids[i], NULL, 10);
    for (uint32_t operation = PV_OP_TASK_STATISTICS; operation <= PV_OP_LIMIT; operation++) {
      for (size_t k = 0; k < LENGTH(limits); k++) {
        request->operation = operation;
        request->arguments[0] = pid;
        request->arguments[1] = operation == PV_OP_PRIORITY ? 19
            : operation == PV_OP_LIMIT ? limits[k] : 8;
        request->arguments[2] = request->arguments[3] = 1;
        request->payload_size = 8;
        memset(request->payload, 0, 64);
        request->payload[0] = 1;
        long result = broker(request);
        if (result >= 0)
          say("breach: operation %u on host process %lu returned %ld", operation, pid, result);
      }
    }
  }
  return 0;
}

static void *open_fifo(void *argument) {
  (void)argument;
  struct pv_request *request = new_request(PV_OP_OPEN);
  request->arguments[0] = (uint64_t)AT_FDCWD;
  request->arguments[1] = O_RDONLY;
  strcpy(request->path, "/work/fifo");
  broker(request);
  return NULL;
}

/* A backend that waits for a FIFO's other end would leave the other threads waiting too. */
static int fifo(void) {
  struct pv_request *request = new_request(PV_OP_MKNOD);
  request->arguments[0] = (uint64_t)AT_FDCWD;
  request->arguments[2] = S_IFIFO | 0666;
  strcpy(request->path, "/work/fifo");
  if (broker(request) < 0) mkfifo("/work/fifo", 0666);
  pthread_t threads[24];
  for (size_t i = 0; i < LENGTH(threads); i++) pthread_create(&threads[i], NULL, open_fifo, NULL);
  struct timespec pause = {0, 200000000};
  nanosleep(&pause, NULL);
  request->operation = PV_OP_STAT;
  strcpy(request->path, "/work");
  record_progress(1);
  broker(request);
  record_progress(2);
  say("done");
  _exit(0);
}

static void *ring_on(void *argument) {
  (void)argument;
  struct pv_request *request = new_request(PV_OP_STATFS);
  for (int i = 0; i < 2000; i++) {
    request->operation = PV_OP_STATFS;
    strcpy(request->path, "/work");
    broker(request);
  }
  return NULL;
}

static int flood(void) {
  pthread_t threads[32];
  int started = 0;
  for (size_t i = 0; i < LENGTH(threads); i++)
    if (!pthread_create(&threads[i], NULL, ring_on, NULL)) started++;
  for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
  struct pv_request *request = new_request(PV_OP_LOG);
  for (int i = 0; i < 2000; i++) {
    request->operation = PV_OP_LOG;
    request->payload_size = 300;
    memset(request->payload, "\033]0;x\007\n\r"[i % 8], 300);
    broker(request);
  }
  return 0;
}

/* Asks for what no call has lost, also right behind calls that hand descriptors over. */
static int lost(void) {
  struct pv_request *request = new_request(PV_OP_LOST_DESCRIPTOR);
  for (int i = 0; i < 2000; i++) {
    request->operation = i % 2 ? PV_OP_EVENTFD : PV_OP_LOST_DESCRIPTOR;
    request->arguments[0] = request->arguments[1] = 0;
    long result = broker(request);
    if (i % 2 == 0 && result != -EAGAIN) say("breach: call %d has lost %ld", i, result);
    if (i % 2 && result > 2) HOST(SYS_close, result);
  }
  return 0;
}

/* Listens to the network again and again, and meddles with the channel: each listener that stayed
 * would be a descriptor of the backend's, of which there are not so many. */
static int listeners(void) {
  struct pv_request *request = new_request(PV_OP_ROUTE_LISTEN);
  long last = -1;
  for (int i = 0; i < 3000; i++) {
    request->operation = PV_OP_ROUTE_LISTEN;
    long channel = broker(request);
    if (channel < 0) say("breach: listener %d is refused: %ld", i, channel);
    request->operation = PV_OP_ROUTE_GROUPS;
    request->arguments[0] = i % 3 ? 1ull << i % 64 : ~0ull;
    broker(request);
    char byte;
    if (i % 5 == 0) HOST(SYS_write, channel, "x", 1);
    HOST(SYS_recvfrom, channel, &byte, 1, 0x40 /* MSG_DONTWAIT */, 0, 0);
    if (last > 2 && i % 7) HOST(SYS_close, last);
    last = channel;
    if (i % 7 == 0 && last > 2) HOST(SYS_close, last), last = -1;
  }
  return 0;
}

static int leave(uint64_t value) {
  struct pv_request *request = new_request(PV_OP_EXIT);
  request->arguments[0] = value;
  broker(request);
  return 0;
}

static int panic(void) {
  struct pv_request *request = new_request(PV_OP_PANIC);
  const char message[] = "\033[2J\033]0;title\007 first\nparavane: second\r\n\x9b third";
  memcpy(request->payload, message, sizeof message);
  request->payload_size = sizeof message - 1;
  broker(request);
  return 0;
}

int main(int count, char **values) {
  find_kernel();
  int result = 2;
  const char *mode = count > 1 ? values[1] : "";
  if (!strcmp(mode, "addresses")) result = addresses();
  else if (!strcmp(mode, "strings")) result = strings();
  else if (!strcmp(mode, "fuzz") && count == 4)
    result = fuzz(atol(values[2]), strtoull(values[3], NULL, 0) | 1);
  else if (!strcmp(mode, "race")) result = race();
  else if (!strcmp(mode, "reach") && count == 4) result = reach(values[2], values[3]);
  else if (!strcmp(mode, "tasks")) result = tasks(count - 2, values + 2);
  else if (!strcmp(mode, "fifo")) result = fifo();
  else if (!strcmp(mode, "flood")) result = flood();
  else if (!strcmp(mode, "lost")) result = lost();
  else if (!strcmp(mode, "listeners")) result = listeners();
  else if (!strcmp(mode, "exit") && count == 3) result = leave(strtoull(values[2], NULL, 0));
  else if (!strcmp(mode, "panic")) result = panic();
  if (result == 0) say("done");
  return result;
}
