/* Reading the text files of /proc. */
#include <fcntl.h>

/* The whole file, or "" and errno. */
__attribute__((unused)) static const char *text_of(const char *path) {
  static char text[1 << 17];
  int fd = open(path, O_RDONLY);
  long length = 0, count = 0;
  while (fd >= 0 && (count = read(fd, text + length, sizeof text - 1 - length)) > 0)
    length += count;
  text[length] = 0;
  if (fd >= 0) close(fd);
  return text;
}

/* What follows "NAME:" and blanks on its line of the file, or NULL. */
__attribute__((unused)) static const char *field_of(const char *path, const char *name) {
  static char value[1024];
  for (const char *line = text_of(path); line && *line;) {
    size_t length = strlen(name);
    if (strncmp(line, name, length) == 0 && line[length] == ':') {
      line += length + 1;
      line += strspn(line, " \t");
      snprintf(value, sizeof value, "%.*s", (int)strcspn(line, "\n"), line);
      return value;
    }
    line = strchr(line, '\n');
    if (line) line++;
  }
  return NULL;
}

/* The target of a link, or the name of the error. */
__attribute__((unused)) static const char *link_of(const char *path) {
  static char text[4096];
  long length = readlink(path, text, sizeof text - 1);
  if (length < 0) return strerrorname_np(errno);
  text[length] = 0;
  return text;
}
