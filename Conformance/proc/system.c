#include "check.h"
#include "proc/text.h"
#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

// The files of /proc that tell of the whole machine: form and plausibility.

static long kilobytes(const char *name) {
  const char *value = field_of("/proc/meminfo", name);
  return value && strstr(value, " kB") ? strtol(value, NULL, 10) : -1;
}

static int count_lines(const char *text, const char *start) {
  int count = 0;
  for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
    count += strncmp(text, start, strlen(start)) == 0;
  return count;
}

static void check_mounts(void) {
  char device[4096], place[4096], type[64], options[4096];
  int dump, pass, found = 0, malformed = 0;
  CHECK_TEXT("/proc/mounts is a link", link_of("/proc/mounts"), "self/mounts");
  const char *text = text_of("/proc/self/mounts");
  for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL) {
    malformed += sscanf(text, "%4095s %4095s %63s %4095s %d %d", device, place, type, options, &dump,
      &pass) != 6;
    found += strcmp(place, "/proc") == 0 && strcmp(type, "proc") == 0;
  }
  CHECK_IS("malformed mounts", malformed, 0);
  CHECK("proc is mounted on /proc", found >= 1);
  CHECK("something is mounted on /", strstr(text_of("/proc/self/mounts"), " / ") != NULL);
  CHECK("mountinfo", count_lines(text_of("/proc/self/mountinfo"), "")
    == count_lines(text_of("/proc/self/mounts"), ""));
  CHECK("has separators", strstr(text_of("/proc/self/mountinfo"), " - proc ") != NULL);
}

int main(void) {
  struct utsname name;
  struct sysinfo info;
  char expected[128];
  uname(&name);
  sysinfo(&info);
  CHECK("MemTotal", kilobytes("MemTotal") > 10000);
  CHECK("MemFree", kilobytes("MemFree") > 0 && kilobytes("MemFree") < kilobytes("MemTotal"));
  CHECK("MemAvailable", kilobytes("MemAvailable") > 0);
  CHECK("SwapTotal", kilobytes("SwapTotal") >= 0);
  CHECK("Cached and Buffers", kilobytes("Cached") >= 0 && kilobytes("Buffers") >= 0);
  CHECK("sysinfo agrees", kilobytes("MemTotal") == (long)(info.totalram * info.mem_unit / 1024));

  int processors = count_lines(text_of("/proc/cpuinfo"), "processor\t: ");
  CHECK("a processor", processors >= 1);
  CHECK("its model", count_lines(text_of("/proc/cpuinfo"), "model name\t: ") == processors);
  CHECK("its flags", count_lines(text_of("/proc/cpuinfo"), "flags\t\t: ") == processors);
  CHECK("with sse2", strstr(text_of("/proc/cpuinfo"), " sse2 ") != NULL);
  CHECK_IS("sysconf counts them", sysconf(_SC_NPROCESSORS_ONLN), processors);

  CHECK_IS("/proc/stat", count_lines(text_of("/proc/stat"), "cpu "), 1);
  CHECK_IS("one line a processor", count_lines(text_of("/proc/stat"), "cpu"), processors + 1);
  CHECK_IS("btime", count_lines(text_of("/proc/stat"), "btime "), 1);
  CHECK_IS("processes", count_lines(text_of("/proc/stat"), "processes "), 1);
  double up, idle, loads[3];
  CHECK_IS("/proc/uptime", sscanf(text_of("/proc/uptime"), "%lf %lf", &up, &idle), 2);
  CHECK("is positive", up > 0 && idle >= 0);
  int running, all, last;
  CHECK_IS("/proc/loadavg", sscanf(text_of("/proc/loadavg"), "%lf %lf %lf %d/%d %d", &loads[0],
    &loads[1], &loads[2], &running, &all, &last), 6);
  CHECK("/proc/version", strncmp(text_of("/proc/version"), "Linux version ", 14) == 0);
  CHECK("/proc/filesystems", strstr(text_of("/proc/filesystems"), "nodev\ttmpfs\n") != NULL);
  CHECK("/proc/cmdline", strchr(text_of("/proc/cmdline"), '\n') != NULL);

  CHECK_TEXT("ostype", text_of("/proc/sys/kernel/ostype"), "Linux\n");
  snprintf(expected, sizeof expected, "%s\n", name.release);
  CHECK_TEXT("osrelease", text_of("/proc/sys/kernel/osrelease"), expected);
  snprintf(expected, sizeof expected, "%s\n", name.nodename);
  CHECK_TEXT("hostname", text_of("/proc/sys/kernel/hostname"), expected);
  CHECK("pid_max", atoi(text_of("/proc/sys/kernel/pid_max")) >= 301);
  CHECK("overcommit", *text_of("/proc/sys/vm/overcommit_memory"));
  char one[64];
  strcpy(one, text_of("/proc/sys/kernel/random/uuid"));
  CHECK_IS("uuid", strlen(one), 37);
  CHECK("a new one each time", strcmp(one, text_of("/proc/sys/kernel/random/uuid")) != 0);
  CHECK_IS("boot_id", strlen(strcpy(one, text_of("/proc/sys/kernel/random/boot_id"))), 37);
  CHECK_TEXT("the same each time", text_of("/proc/sys/kernel/random/boot_id"), one);

  struct stat st;
  NEED(stat("/proc", &st));
  CHECK_IS("mode of /proc", st.st_mode, S_IFDIR | 0555);
  NEED(stat("/proc/meminfo", &st));
  CHECK("a file of size 0", st.st_mode == (S_IFREG | 0444) && st.st_size == 0);
  CHECK_FAILS("which takes nothing", write(NEED(open("/proc/uptime", O_WRONLY)), "x", 1), EIO);
  check_mounts();
  return check_status();
}
