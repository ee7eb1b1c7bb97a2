/* process_vm_readv(2) and process_vm_writev(2) on a child and on itself. */
#include "../check.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>

static char buffer[8192];

static long peek(pid_t pid, void *from, void *to, size_t size) {
  struct iovec remote = {from, size}, local = {to, size};
  return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

static long poke(pid_t pid, void *to, void *from, size_t size) {
  struct iovec remote = {to, size}, local = {from, size};
  return process_vm_writev(pid, &local, 1, &remote, 1, 0);
}

int main(void) {
  int gate[2], ready[2];
  char text[32] = "";
  NEED(pipe(gate));
  NEED(pipe(ready));
  strcpy(buffer, "parent");
  pid_t child = fork();
  if (child == 0) {
    strcpy(buffer, "child");
    if (write(ready[1], "r", 1) != 1) _exit(1);
    if (read(gate[0], text, 1) != 1) _exit(2);
    _exit(!strcmp(buffer, "poked") ? 0 : 3);
  }
  NEED(read(ready[0], text, 1));
  CHECK_IS("read the child's memory", peek(child, buffer, text, 6), 6);
  CHECK_TEXT("it is the child's", text, "child");
  CHECK_TEXT("and not the parent's", buffer, "parent");
  CHECK_IS("write to it", poke(child, buffer, "poked", 6), 6);
  NEED(write(gate[1], "g", 1));
  CHECK_IS("the child saw it", wait_code(child), 0);

  CHECK_IS("itself", peek(getpid(), buffer, text, 7), 7);
  CHECK_TEXT("own memory", text, "parent");
  struct iovec local[2] = {{text, 3}, {text + 10, 4}};
  struct iovec remote[2] = {{buffer + 3, 3}, {buffer, 4}};
  CHECK_IS("in parts", process_vm_readv(getpid(), local, 2, remote, 2, 0), 7);
  CHECK("each to its place", !memcmp(text, "ent", 3) && !memcmp(text + 10, "pare", 4));
  CHECK_FAILS("unmapped there", peek(getpid(), (void *)16, text, 4), EFAULT);
  CHECK_FAILS("unmapped here", peek(getpid(), buffer, (void *)16, 4), EFAULT);
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(pages + 4096, 4096);
  CHECK_IS("mapped in part", peek(getpid(), pages, buffer, 8192), 4096);
  CHECK_FAILS("no such process", peek(0x3fffffff, buffer, text, 4), ESRCH);
  CHECK_FAILS("unknown flags", process_vm_readv(getpid(), local, 1, remote, 1, 1), EINVAL);
  mprotect(pages, 4096, PROT_READ);
  CHECK_FAILS("writing to read-only memory", poke(getpid(), pages, text, 4), EFAULT);
  return check_status();
}
