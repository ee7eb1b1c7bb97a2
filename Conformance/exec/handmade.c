/* Programs written byte by byte: what the loader maps, zeroes, and refuses. */
#include "../check.h"
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { BASE = 0x400000, CODE = 0x200, LENGTH = 0x2000 };

static struct image {
  Elf64_Ehdr header;
  Elf64_Phdr segments[4];
} image;
static unsigned char bytes[LENGTH];

/* exit(argc), by hand: mov (%rsp), %edi; mov $60, %eax; syscall. */
static const unsigned char exit_argc[] = {0x8b, 0x3c, 0x24, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};
/* exit of the byte at an address: movabs $address, %rax; movzbl (%rax), %edi; and so on. */
static unsigned char exit_byte[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0xb6,
                                    0x38, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};
/* The same with a write to the address first: movb $7, (%rax). */
static unsigned char write_byte[] = {0x48, 0xb8, 0, 0, 0, 0, 0,  0, 0, 0, 0xc6, 0x00,
                                     7,    0xbf, 7, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};

static void begin(int type) {
  memset(&image, 0, sizeof image);
  memset(bytes, 0, sizeof bytes);
  Elf64_Addr base = type == ET_EXEC ? BASE : 0;
  image.header = (Elf64_Ehdr){.e_type = type, .e_machine = EM_X86_64, .e_version = 1,
                              .e_entry = base + CODE, .e_phoff = sizeof(Elf64_Ehdr),
                              .e_ehsize = sizeof(Elf64_Ehdr), .e_phnum = 1,
                              .e_phentsize = sizeof(Elf64_Phdr)};
  memcpy(image.header.e_ident, "\177ELF\2\1\1", 7);
  image.segments[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base,
                                   .p_filesz = 0x1000, .p_memsz = 0x1000, .p_align = 0x1000};
}

static void code(const unsigned char *from, size_t size, uint64_t address) {
  memcpy(bytes + CODE, from, size);
  if (address) memcpy(bytes + CODE + 2, &address, 8);
}

static void add(Elf64_Phdr segment) { image.segments[image.header.e_phnum++] = segment; }

/* Writes the image to a file and runs it; exit code, 128 + signal, or 200 + errno. */
static int run(size_t length) {
  unlink("program");
  memcpy(bytes, &image, sizeof image);
  int file = NEED(open("program", O_CREAT | O_WRONLY, 0755));
  if (write(file, bytes, length) != (ssize_t)length) exit(2);
  close(file);
  pid_t child = fork();
  if (child == 0) {
    char *arguments[] = {"a", "b", "c", NULL}, *environment[] = {NULL};
    execve("./program", arguments, environment);
    _exit(200 + errno);
  }
  return wait_code(child);
}

static const Elf64_Phdr data = {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x1000,
                                .p_vaddr = BASE + 0x11000, .p_filesz = 0x100, .p_memsz = 0x5000,
                                .p_align = 0x1000};

int main(void) {
  char directory[] = "/tmp/conformance-elf-XXXXXX";
  if (!mkdtemp(directory) || chdir(directory) != 0) return 2;
  begin(ET_EXEC);
  code(exit_argc, sizeof exit_argc, 0);
  CHECK_IS("a small program", run(LENGTH), 3);
  begin(ET_DYN);
  code(exit_argc, sizeof exit_argc, 0);
  CHECK_IS("at any address", run(LENGTH), 3);

  begin(ET_EXEC);
  add(data);
  code(exit_byte, sizeof exit_byte, BASE + 0x11000 + 0x50);
  bytes[0x1050] = 77;
  CHECK_IS("initialized data", run(LENGTH), 77);
  begin(ET_EXEC);
  add(data);
  memset(bytes + 0x1000, 0xee, 0x1000);
  code(exit_byte, sizeof exit_byte, BASE + 0x11000 + 0x180);
  memset(bytes + 0x1000, 0xee, 0x1000);
  CHECK_IS("the rest of the last page is zero", run(LENGTH), 0);
  code(exit_byte, sizeof exit_byte, BASE + 0x11000 + 0x4800);
  CHECK_IS("pages beyond the file are zero", run(LENGTH), 0);
  code(exit_byte, sizeof exit_byte, BASE + 0x11000 + 0x5800);
  CHECK_IS("and then nothing", run(LENGTH), 128 + 11);
  code(write_byte, sizeof write_byte, BASE + 0x11000 + 0x4800);
  CHECK_IS("data is writable", run(LENGTH), 7);
  code(write_byte, sizeof write_byte, BASE + 0x10);
  CHECK_IS("code is not", run(LENGTH), 128 + 11);

  begin(ET_EXEC);
  code(exit_argc, sizeof exit_argc, 0);
  add((Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0x1000, .p_filesz = 13, .p_memsz = 13});
  memcpy(bytes + 0x1000, "/nonexistent", 13);
  CHECK_IS("a missing interpreter", run(LENGTH), 200 + ENOENT);
  memcpy(bytes + 0x1000, "/etc//passwd", 13);
  CHECK_IS("an interpreter that is no program", run(LENGTH), 200 + EACCES);
  memset(bytes + 0x1000, 'x', 13);
  CHECK_IS("an interpreter's name without an end", run(LENGTH), 200 + ENOEXEC);

  begin(ET_EXEC);
  code(exit_argc, sizeof exit_argc, 0);
  CHECK_IS("a header without its segments", run(sizeof(Elf64_Ehdr)), 200 + ENOEXEC);
  image.header.e_phentsize = 13;
  CHECK_IS("segments of another size", run(LENGTH), 200 + ENOEXEC);
  begin(ET_EXEC);
  image.header.e_ident[EI_CLASS] = ELFCLASS32;
  image.header.e_machine = EM_ARM;
  CHECK_IS("another machine and class", run(LENGTH), 200 + ENOEXEC);
  begin(ET_EXEC);
  image.segments[0].p_memsz = 0x100;
  CHECK("more in the file than in memory", run(LENGTH) >= 128);
  if (chdir("/") != 0) return 2;
  char command[64];
  snprintf(command, sizeof command, "rm -r %s", directory);
  CHECK_IS("clean up", system(command), 0);
  return check_status();
}
