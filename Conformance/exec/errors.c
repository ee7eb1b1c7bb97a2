/* Why execve(2) refuses a file. */
#include "../check.h"
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

static void make(const char *name, const void *bytes, size_t size, mode_t mode) {
  int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  NEED(file);
  if (write(file, bytes, size) != (ssize_t)size) exit(2);
  fchmod(file, mode);
  close(file);
}

static int attempt(const char *path) {
  char *arguments[] = {"x", NULL};
  return execve(path, arguments, arguments + 1);
}

static int unprivileged(void) {
  if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) return 9;
  CHECK_FAILS("no search permission", attempt("locked/program"), EACCES);
  CHECK_FAILS("executable for others only", attempt("owner-only"), EACCES);
  return check_status();
}

int main(void) {
  char directory[] = "/tmp/conformance-exec-XXXXXX";
  if (!mkdtemp(directory) || chdir(directory) != 0) return 2;
  chmod(".", 0755);
  static char junk[512];
  memset(junk, 0x41, sizeof junk);

  CHECK_FAILS("missing", attempt("missing"), ENOENT);
  CHECK_FAILS("empty name", attempt(""), ENOENT);
  CHECK_FAILS("a directory", attempt("/"), EACCES);
  CHECK_FAILS("below a file", attempt("/bin/true/x"), ENOTDIR);
  CHECK_FAILS("a device", attempt("/dev/null"), EACCES);
  char name[5000];
  memset(name, 'n', sizeof name);
  name[300] = 0;
  CHECK_FAILS("a name too long", attempt(name), ENAMETOOLONG);
  name[300] = 'n';
  name[4999] = 0;
  CHECK_FAILS("a path too long", attempt(name), ENAMETOOLONG);
  if (symlink("loop", "loop") != 0) return 2;
  CHECK_FAILS("a loop of links", attempt("loop"), ELOOP);
  if (symlink("missing", "dangling") != 0) return 2;
  CHECK_FAILS("a link to nothing", attempt("dangling"), ENOENT);

  make("plain", junk, 10, 0644);
  CHECK_FAILS("no permission", attempt("plain"), EACCES);
  make("empty", junk, 0, 0755);
  CHECK_FAILS("an empty file", attempt("empty"), ENOEXEC);
  make("junk", junk, sizeof junk, 0755);
  CHECK_FAILS("junk", attempt("junk"), ENOEXEC);
  make("magic", "\177ELF", 4, 0755);
  CHECK_FAILS("nothing but the magic", attempt("magic"), ENOEXEC);

  Elf64_Ehdr header = {.e_type = ET_EXEC, .e_machine = EM_AARCH64, .e_version = 1};
  memcpy(header.e_ident, "\177ELF\2\1\1", 7);
  header.e_ehsize = header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  make("foreign", &header, sizeof header, 0755);
  CHECK_FAILS("another machine", attempt("foreign"), ENOEXEC);
  header.e_machine = EM_X86_64;
  header.e_type = ET_REL;
  make("object", &header, sizeof header, 0755);
  CHECK_FAILS("an object file", attempt("object"), ENOEXEC);
  header.e_type = ET_EXEC;
  header.e_phnum = 0;
  make("segmentless", &header, sizeof header, 0755);
  CHECK_FAILS("no segments", attempt("segmentless"), ENOEXEC);

  int writer = open("empty", O_WRONLY);
  CHECK_FAILS("open for writing", attempt("empty"), ETXTBSY);
  close(writer);
  make("owner-only", junk, 10, 0700);
  mkdir("locked", 0700);
  make("locked/program", junk, 10, 0755);
  CHECK_IS("unprivileged", in_child(unprivileged), 0);

  CHECK("this program goes on", getpid() > 0);
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", directory);
  CHECK_IS("clean up", system(command), 0);
  return check_status();
}
