#define _GNU_SOURCE
#include "CHostOSFile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Paths are of PATH_MAX bytes, so nobody needs more. */
enum { DEPTH_LIMIT = 256 };

static int copy_tree(int source, int target, int depth);

static int copy_bytes(int source, int target) {
  for (;;) {
    ssize_t count = sendfile(target, source, NULL, 1 << 20);
    if (count == 0) return 0;
    if (count < 0 && errno != EINTR) return -1;
  }
}

/* Owner first, which takes set-id bits away; then mode and times. */
static int copy_facts(int directory, const char *name, const struct stat *facts) {
  if (fchownat(directory, name, facts->st_uid, facts->st_gid, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  if (!S_ISLNK(facts->st_mode) && fchmodat(directory, name, facts->st_mode & 07777, 0) != 0)
    return -1;
  struct timespec times[2] = {facts->st_atim, facts->st_mtim};
  return utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_directory(int source, int target, const char *name, int depth) {
  int from = openat(source, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (from < 0) return -1;
  int to = -1;
  if (mkdirat(target, name, 0700) == 0)
    to = openat(target, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int result = to < 0 ? -1 : copy_tree(from, to, depth + 1);
  int error = errno;
  close(from);
  if (to >= 0) close(to);
  errno = error;
  return result;
}

static int copy_file(int source, int target, const char *name) {
  int from = openat(source, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (from < 0) return -1;
  int to = openat(target, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  int result = to < 0 ? -1 : copy_bytes(from, to);
  int error = errno;
  close(from);
  if (to >= 0) close(to);
  errno = error;
  return result;
}

static int copy_entry(int source, int target, const char *name, int depth) {
  struct stat facts;
  if (fstatat(source, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  int result;
  if (S_ISDIR(facts.st_mode)) {
    result = copy_directory(source, target, name, depth);
  } else if (S_ISREG(facts.st_mode)) {
    result = copy_file(source, target, name);
  } else if (S_ISLNK(facts.st_mode)) {
    char text[PATH_MAX];
    ssize_t size = readlinkat(source, name, text, sizeof text - 1);
    if (size < 0) return -1;
    text[size] = 0;
    result = symlinkat(text, target, name);
  } else {
    result = mknodat(target, name, facts.st_mode & (S_IFMT | 0600), facts.st_rdev);
  }
  return result == 0 ? copy_facts(target, name, &facts) : -1;
}

static int copy_tree(int source, int target, int depth) {
  if (depth > DEPTH_LIMIT) {
    errno = ELOOP;
    return -1;
  }
  int own = openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = own < 0 ? NULL : fdopendir(own);
  if (list == NULL) {
    if (own >= 0) close(own);
    return -1;
  }
  int result = 0;
  for (struct dirent *entry; result == 0;) {
    errno = 0;
    if ((entry = readdir(list)) == NULL) {
      result = errno == 0 ? 0 : -1;
      break;
    }
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      result = copy_entry(source, target, entry->d_name, depth);
  }
  int error = errno;
  closedir(list);
  errno = error;
  return result;
}

int host_copy_tree(int source, int target) { return copy_tree(source, target, 0); }
