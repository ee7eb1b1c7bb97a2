// static
/* uname, sysinfo, personality, getrandom, getcpu, umask: facts with a known shape. */
#include "../check.h"
#include <sched.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

static void names(void) {
  struct utsname name;
  char host[65];
  CHECK_IS("uname", uname(&name), 0);
  CHECK_TEXT("system", name.sysname, "Linux");
  CHECK_TEXT("machine", name.machine, "x86_64");
  int major = 0, minor = -1;
  CHECK("release is a version", sscanf(name.release, "%d.%d", &major, &minor) == 2 && major >= 4);
  CHECK("version starts with #", name.version[0] == '#');
  CHECK_IS("gethostname", gethostname(host, sizeof host), 0);
  CHECK_TEXT("host name is the node name", host, name.nodename);
  CHECK_FAILS("uname into unmapped memory", syscall(SYS_uname, 8), EFAULT);
}

static void facts(void) {
  struct sysinfo info;
  CHECK_IS("sysinfo", sysinfo(&info), 0);
  CHECK("uptime", info.uptime > 0);
  CHECK("memory", info.mem_unit > 0 && info.totalram > 0 && info.freeram <= info.totalram);
  CHECK("swap", info.freeswap <= info.totalswap);
  CHECK("processes", info.procs > 0);
  CHECK_FAILS("sysinfo into unmapped memory", syscall(SYS_sysinfo, 8), EFAULT);
  CHECK_IS("page size", sysconf(_SC_PAGESIZE), 4096);
  CHECK("processors", get_nprocs() >= 1 && get_nprocs() <= sysconf(_SC_NPROCESSORS_CONF));
  unsigned cpu = 12345, node = 12345;
  CHECK_IS("getcpu", syscall(SYS_getcpu, &cpu, &node, NULL), 0);
  CHECK("the processor exists", (int)cpu < get_nprocs_conf() && node < 1024);
  CHECK("sched_getcpu", sched_getcpu() >= 0);
}

static void random_bytes(void) {
  unsigned char first[256], second[256];
  CHECK_IS("getrandom", getrandom(first, sizeof first, 0), sizeof first);
  CHECK_IS("getrandom again", getrandom(second, sizeof second, GRND_NONBLOCK), sizeof second);
  CHECK("it differs", memcmp(first, second, sizeof first) != 0);
  CHECK_IS("nothing", getrandom(first, 0, 0), 0);
  CHECK_IS("from the random source", getrandom(first, 16, GRND_RANDOM), 16);
  CHECK_FAILS("unknown flag", getrandom(first, 16, 0x100), EINVAL);
  CHECK_FAILS("into unmapped memory", syscall(SYS_getrandom, 8, 16, 0), EFAULT);
  CHECK_IS("getentropy", getentropy(first, sizeof first), 0);
}

static int keeps_personality(void) { return personality(0xffffffff) == ADDR_NO_RANDOMIZE ? 0 : 1; }

int main(void) {
  names();
  facts();
  random_bytes();
  CHECK_IS("personality", personality(0xffffffff), PER_LINUX);
  CHECK_IS("set personality", personality(ADDR_NO_RANDOMIZE), PER_LINUX);
  CHECK_IS("personality now", personality(0xffffffff), ADDR_NO_RANDOMIZE);
  CHECK_IS("a child inherits it", in_child(keeps_personality), 0);
  umask(0123);
  CHECK_IS("umask keeps only permissions", umask(07777), 0123);
  CHECK_IS("umask", umask(022), 0777);
  CHECK_FAILS("no such system call", syscall(1000000), ENOSYS);
  CHECK_FAILS("nor a negative one", syscall(-5), ENOSYS);
  return check_status();
}
