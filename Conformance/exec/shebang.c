/* Scripts: the interpreter line, its one argument, nesting and its limits. */
#include "../check.h"
#include <fcntl.h>
#include <sys/stat.h>

static char directory[] = "/tmp/conformance-shebang-XXXXXX";
static char self[4096];

static void make(const char *name, const char *text, mode_t mode) {
  int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  NEED(file);
  if (write(file, text, strlen(text)) < 0) exit(2);
  fchmod(file, mode);
  close(file);
}

/* Writes a script whose interpreter is this very program, which lists its arguments. */
static void make_script(const char *name, const char *line) {
  char text[8192];
  snprintf(text, sizeof text, "#!%s%s\n", self, line);
  make(name, text, 0755);
}

/* Runs ./name with two arguments. Prints its arguments, or answers the errno. */
static int run(const char *name) {
  pid_t child = fork();
  if (child == 0) {
    char *arguments[] = {"dropped", "first", "second", NULL};
    execve(name, arguments, environ);
    _exit(errno);
  }
  return wait_code(child);
}

static int list(int argc, char **argv) {
  for (int i = 1; i < argc; i++) say("  argument %d: [%s]", i, argv[i]);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) return list(argc, argv);
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  NEED(length);
  if (!mkdtemp(directory) || chdir(directory) != 0) return 2;
  /* A short name for this program, as an interpreter line has room for 255 bytes. */
  char link[128];
  snprintf(link, sizeof link, "%s/self", directory);
  if (symlink(self, link) != 0) return 2;
  strcpy(self, link);

  make_script("plain", "");
  make_script("one", " only");
  make_script("words", "   two words\tand more  \t");
  make_script("empty", "   \t");
  CHECK_IS("no argument", run("./plain"), 0);
  CHECK_IS("an argument", run("./one"), 0);
  CHECK_IS("all words are one argument", run("./words"), 0);
  CHECK_IS("blanks are no argument", run("./empty"), 0);
  make("nested", "#!./one from-nested\n", 0755);
  CHECK_IS("a script as interpreter", run("./nested"), 0);
  make("spaced", "#!  /bin/sh  -e\nexit $#\n", 0755);
  CHECK_IS("blanks before the interpreter", run("./spaced"), 2);
  make("unended", "#!/bin/true", 0755);
  CHECK_IS("no newline at the end", run("./unended"), 0);

  char previous[32] = "#!./plain\n", name[16];
  for (int depth = 1; depth <= 6; depth++) {
    snprintf(name, sizeof name, "deep%d", depth);
    make(name, previous, 0755);
    snprintf(previous, sizeof previous, "#!./%s\n", name);
  }
  CHECK_IS("five scripts", run("./deep3"), 0);
  CHECK_IS("too many scripts", run("./deep6"), ELOOP);

  make("missing", "#!/nonexistent/interpreter\n", 0755);
  CHECK_IS("missing interpreter", run("./missing"), ENOENT);
  make("directory", "#!/tmp\n", 0755);
  CHECK_IS("a directory as interpreter", run("./directory"), EACCES);
  make("nothing", "#!\nexit 0\n", 0755);
  CHECK_IS("no interpreter", run("./nothing"), ENOEXEC);
  make("blank", "#!   \n", 0755);
  CHECK_IS("a blank interpreter", run("./blank"), ENOEXEC);
  make("return", "#!/bin/sh\r\n", 0755);
  CHECK_IS("a carriage return belongs to the name", run("./return"), ENOENT);
  char text[400] = "#!/";
  memset(text + 3, 'y', 300);
  make("long", text, 0755);
  CHECK_IS("an interpreter name too long", run("./long"), ENOEXEC);
  strcpy(text, "#!/");
  memset(text + 3, 'y', 252);
  strcpy(text + 255, " \n");
  make("longest", text, 0755);
  CHECK_IS("the longest interpreter name", run("./longest"), ENOENT);
  length = snprintf(text, sizeof text, "#!%s ", self);
  memset(text + length, 'z', 300);
  text[length + 300] = 0;
  make("cut", text, 0755);
  CHECK_IS("an argument that is too long is cut", run("./cut"), 0);
  snprintf(text, sizeof text, "#!%s  ", self);
  make("trailing", text, 0755);
  CHECK_IS("blanks at the end of the file are an empty argument", run("./trailing"), 0);
  make("two bytes", "#!", 0755);
  CHECK_IS("nothing but the mark", run("./two bytes"), EACCES);
  make("private", "#!/bin/true\n", 0644);
  CHECK_IS("a script without permission", run("./private"), EACCES);

  if (chdir("/") == 0) {
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", directory);
    CHECK_IS("clean up", system(command), 0);
  }
  return check_status();
}
