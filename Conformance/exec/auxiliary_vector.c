// static
/* The auxiliary vector and the rest of what lies on a new program's stack. */
#include "../check.h"
#include <elf.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

extern const char __ehdr_start[];

int main(int argc, char **argv, char **envp) {
  CHECK_IS("page size", getauxval(AT_PAGESZ), 4096);
  CHECK_IS("ticks", getauxval(AT_CLKTCK), 100);
  CHECK_IS("real user", getauxval(AT_UID), getuid());
  CHECK_IS("effective user", getauxval(AT_EUID), geteuid());
  CHECK_IS("real group", getauxval(AT_GID), getgid());
  CHECK_IS("effective group", getauxval(AT_EGID), getegid());
  CHECK_IS("not set-user-id", getauxval(AT_SECURE), 0);
  CHECK_TEXT("platform", (const char *)getauxval(AT_PLATFORM), "x86_64");

  const Elf64_Ehdr *header = (const Elf64_Ehdr *)__ehdr_start;
  CHECK("program headers", getauxval(AT_PHDR) == (uintptr_t)header + header->e_phoff);
  CHECK_IS("size of one", getauxval(AT_PHENT), sizeof(Elf64_Phdr));
  CHECK_IS("number of them", getauxval(AT_PHNUM), header->e_phnum);
  uintptr_t base = header->e_type == ET_DYN ? (uintptr_t)header : 0;
  CHECK("entry", getauxval(AT_ENTRY) == base + header->e_entry);
  CHECK("the interpreter is page-aligned", (getauxval(AT_BASE) & 4095) == 0);

  const unsigned char *seed = (const unsigned char *)getauxval(AT_RANDOM);
  int sum = 0;
  for (int i = 0; i < 16; i++) sum |= seed[i];
  CHECK("sixteen random bytes", sum != 0);
  const char *path = (const char *)getauxval(AT_EXECFN);
  CHECK("path of the program", path && access(path, X_OK) == 0);
  CHECK("it lies above the environment", path > envp[0]);
  CHECK("a minimal signal stack", getauxval(AT_MINSIGSTKSZ) >= 1024);

  uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
  CHECK("the vDSO is an ELF image", vdso == 0 || !memcmp((void *)vdso, "\177ELF", 4));

  /* argc, argv, NULL, envp, NULL, auxv, in this order and without gaps. */
  CHECK_IS("argc", ((long *)argv)[-1], argc);
  CHECK("argc is aligned to 16", ((uintptr_t)argv - 8) % 16 == 0);
  CHECK("envp follows argv", (char **)envp == argv + argc + 1);
  char **end = envp;
  while (*end) end++;
  Elf64_auxv_t *vector = (Elf64_auxv_t *)(end + 1);
  int entries = 0, entry_found = 0;
  unsigned long features = 0;
  for (; vector[entries].a_type != AT_NULL && entries < 100; entries++) {
    entry_found |= vector[entries].a_type == AT_ENTRY;
    /* glibc's getauxval answers something of its own for this one. */
    if (vector[entries].a_type == AT_HWCAP) features = vector[entries].a_un.a_val;
  }
  CHECK("auxv follows envp", entry_found && entries < 40);
  CHECK("processor features as from cpuid", features & 1);
  CHECK("strings lie above the vector", argv[0] > (char *)&vector[entries]);
  int packed = 1;
  for (int i = 0; i + 1 < argc; i++) packed &= argv[i + 1] == argv[i] + strlen(argv[i]) + 1;
  CHECK("strings are packed", packed && envp[0] == argv[argc - 1] + strlen(argv[argc - 1]) + 1);
  return check_status();
}
