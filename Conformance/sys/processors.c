#include "check.h"
#include "proc/text.h"
#include <dirent.h>
#include <sys/stat.h>
#include <sys/vfs.h>

// What programs look up in /sys: processors, memory nodes, huge pages, the loopback interface.

// The numbers of a list such as 0-3,8.
static int count_list(const char *text) {
  int count = 0, first, last, length;
  while (sscanf(text, "%d%n", &first, &length) == 1) {
    text += length;
    last = first;
    if (*text == '-' && sscanf(text, "-%d%n", &last, &length) == 1) text += length;
    count += last - first + 1;
    if (*text++ != ',') break;
  }
  return count;
}

int main(void) {
  struct statfs fs;
  struct stat st;
  CHECK_OK("statfs", statfs("/sys", &fs));
  CHECK_IS("its type", fs.f_type, 0x62656572);
  int online = count_list(text_of("/sys/devices/system/cpu/online"));
  CHECK("processors", online >= 1);
  CHECK_IS("sysconf agrees", sysconf(_SC_NPROCESSORS_ONLN), online);
  CHECK_IS("configured", sysconf(_SC_NPROCESSORS_CONF) >= online, 1);
  CHECK("possible", count_list(text_of("/sys/devices/system/cpu/possible")) >= online);
  CHECK_OK("cpu0", stat("/sys/devices/system/cpu/cpu0/topology", &st));
  CHECK_IS("no such processor", stat("/sys/devices/system/cpu/cpu99999", &st), -1);
  int listed = 0, number;
  DIR *directory = opendir("/sys/devices/system/cpu");
  for (struct dirent *entry; (entry = readdir(directory));) {
    char end;
    listed += sscanf(entry->d_name, "cpu%d%c", &number, &end) == 1;
  }
  closedir(directory);
  CHECK("all are listed", listed >= online);
  CHECK("huge pages", strchr(text_of("/sys/kernel/mm/transparent_hugepage/enabled"), '['));
  CHECK_TEXT("the loopback interface", text_of("/sys/class/net/lo/address"), "00:00:00:00:00:00\n");
  CHECK_FAILS("a missing file", open("/sys/nothing", O_RDONLY), ENOENT);
  CHECK_FAILS("mkdir", mkdir("/sys/new", 0700), EPERM);
  return check_status();
}
