// static
/* The segment register that C libraries leave to the program. */
#include "../check.h"
#include <asm/prctl.h>
#include <stdint.h>
#include <sys/syscall.h>

int main(void) {
  uintptr_t base = 1;
  CHECK_IS("gs at the start", syscall(SYS_arch_prctl, ARCH_GET_GS, &base) ? 9 : base, 0);
  static uintptr_t area[1] = {0x777};
  CHECK_IS("set gs", syscall(SYS_arch_prctl, ARCH_SET_GS, area), 0);
  __asm__("mov %%gs:0, %0" : "=r"(base));
  CHECK_IS("through gs", base, 0x777);
  syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
  CHECK("gs is told", base == (uintptr_t)area);
  pid_t child = fork();
  if (child == 0) {
    __asm__("mov %%gs:0, %0" : "=r"(base));
    _exit(base == 0x777 ? 0 : 1);
  }
  CHECK_IS("a child keeps it", wait_code(child), 0);
  return check_status();
}
