// System V shared memory: keys, attachments, their count, permissions, and what is left at the end.
#include "check.h"
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <setjmp.h>

#define SIZE 10000
static sigjmp_buf back;

static void on_fault(int signal) { siglongjmp(back, signal); }

static struct shmid_ds status(int id) {
  struct shmid_ds record = {0};
  NEED(shmctl(id, IPC_STAT, &record));
  return record;
}

static long attached(int id) { return (long)status(id).shm_nattch; }

static void keys(key_t key) {
  CHECK_FAILS("no such key", shmget(key, SIZE, 0), ENOENT);
  int id = NEED(shmget(key, SIZE, IPC_CREAT | 0640));
  CHECK_IS("the same again", shmget(key, SIZE, IPC_CREAT | 0640), id);
  CHECK_IS("without a size", shmget(key, 0, 0), id);
  CHECK_FAILS("exclusively", shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0640), EEXIST);
  CHECK_FAILS("too large", shmget(key, SIZE + 1, 0), EINVAL);
  CHECK_FAILS("nothing", shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600), EINVAL);
  struct shmid_ds record = status(id);
  CHECK_IS("size", record.shm_segsz, SIZE);
  CHECK_IS("mode", record.shm_perm.mode, 0640);
  CHECK_IS("key", record.shm_perm.__key, key);
  CHECK_IS("creator", record.shm_perm.cuid, geteuid());
  CHECK_IS("creator's process", record.shm_cpid, getpid());
  CHECK_IS("last process", record.shm_lpid, 0);
  CHECK_IS("never attached", record.shm_atime, 0);
  CHECK("changed", record.shm_ctime > 0);
  record.shm_perm.mode = 0600;
  CHECK_IS("set", shmctl(id, IPC_SET, &record), 0);
  CHECK_IS("new mode", status(id).shm_perm.mode, 0600);
  CHECK_IS("locked", shmctl(id, SHM_LOCK, NULL), 0);
  CHECK_IS("mode when locked", status(id).shm_perm.mode, 0600 | 02000);
  CHECK_IS("unlocked", shmctl(id, SHM_UNLOCK, NULL), 0);
  CHECK_IS("removed", shmctl(id, IPC_RMID, NULL), 0);
  CHECK_FAILS("gone", shmctl(id, IPC_STAT, &record), EINVAL);
  CHECK_FAILS("its key, too", shmget(key, SIZE, 0), ENOENT);
  int other = NEED(shmget(key, SIZE, IPC_CREAT | 0600));
  CHECK("another identifier", other != id);
  CHECK_FAILS("the old one", shmctl(id, IPC_STAT, &record), EINVAL);
  CHECK_FAILS("the old one attached", (long)shmat(id, NULL, 0), EINVAL);
  shmctl(other, IPC_RMID, NULL);
  CHECK_FAILS("a strange command", shmctl(other, 99, NULL), EINVAL);
  CHECK_FAILS("a negative identifier", (long)shmat(-1, NULL, 0), EINVAL);
  CHECK_FAILS("a bad pointer", shmctl(0, IPC_INFO, (void *)8), EFAULT);
}

static void attachments(void) {
  int id = NEED(shmget(IPC_PRIVATE, SIZE, 0600));
  char *first = shmat(id, NULL, 0);
  CHECK("attached", first != (char *)-1);
  CHECK_IS("empty", first[SIZE - 1], 0);
  char *second = shmat(id, NULL, SHM_RDONLY);
  strcpy(first, "shared");
  CHECK_TEXT("seen twice", second, "shared");
  CHECK_IS("two", attached(id), 2);
  CHECK_IS("last process", status(id).shm_lpid, getpid());
  signal(SIGSEGV, on_fault);
  int got = sigsetjmp(back, 1);
  if (got == 0) second[0] = 'x';
  CHECK_IS("read-only", got, SIGSEGV);
  pid_t child = fork();
  if (child == 0) {
    if (attached(id) != 4) _exit(1);
    strcpy(first, "from the child");
    if (shmdt(second) != 0) _exit(2);
    _exit(attached(id) == 3 ? 0 : 3);
  }
  CHECK_IS("a child has them, too", wait_code(child), 0);
  CHECK_TEXT("its word", second, "from the child");
  CHECK_IS("two are left", attached(id), 2);
  child = fork();
  if (child == 0) {
    execl("/bin/true", "true", NULL);
    _exit(127);
  }
  CHECK_IS("a program", wait_code(child), 0);
  CHECK_IS("has none", attached(id), 2);
  child = fork();
  if (child == 0) {
    kill(getpid(), SIGKILL);
    pause();
  }
  CHECK_IS("a dead one", wait_code(child), 128 + SIGKILL);
  CHECK_IS("has none either", attached(id), 2);
  CHECK_FAILS("no attachment", shmdt(first + 4096), EINVAL);
  CHECK_FAILS("between pages", shmdt(first + 1), EINVAL);
  CHECK_IS("detached", shmdt(second), 0);
  CHECK_FAILS("twice", shmdt(second), EINVAL);
  CHECK_IS("one", attached(id), 1);
  CHECK_IS("split", mprotect(first + 4096, 4096, PROT_READ), 0);
  CHECK_IS("three pieces", attached(id), 3);
  CHECK_IS("a hole", munmap(first + 4096, 4096), 0);
  CHECK_IS("two pieces", attached(id), 2);
  CHECK_IS("all at once", shmdt(first), 0);
  CHECK_IS("none", attached(id), 0);
  shmctl(id, IPC_RMID, NULL);
}

static void places(void) {
  int id = NEED(shmget(IPC_PRIVATE, 8192, 0600));
  char *room = mmap(NULL, 1 << 16, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_FAILS("taken", (long)shmat(id, room, 0), EINVAL);
  CHECK_FAILS("not a page's", (long)shmat(id, room + 100, SHM_REMAP), EINVAL);
  CHECK_FAILS("nowhere", (long)shmat(id, NULL, SHM_REMAP), EINVAL);
  CHECK_IS("instead", (char *)shmat(id, room, SHM_REMAP) - room, 0);
  room[0] = 'r';
  munmap(room + 32768, 32768);
  CHECK_IS("rounded", (char *)shmat(id, room + 32768 + 77, SHM_RND) - room, 32768);
  CHECK_IS("the same", room[32768], 'r');
  CHECK_IS("two", attached(id), 2);
  shmctl(id, IPC_RMID, NULL);
  /* It ends with its last attachment, and until then has an identifier. */
  CHECK_IS("doomed", status(id).shm_perm.mode, 0600 | 01000);
  CHECK_IS("without a key", status(id).shm_perm.__key, IPC_PRIVATE);
  char *late = shmat(id, NULL, 0);
  CHECK("attached late", late != (char *)-1);
  CHECK_IS("what was written", late[0], 'r');
  shmdt(room);
  shmdt(room + 32768);
  CHECK_IS("one", attached(id), 1);
  CHECK_IS("unmapped", munmap(late, 8192), 0);
  struct shmid_ds record;
  CHECK_FAILS("the end", shmctl(id, IPC_STAT, &record), EINVAL);
}

static int as_nobody(void) {
  if (setgid(65534) != 0 || setuid(65534) != 0) return 10;
  struct shmid_ds record;
  int id = shmget(0x7e57002, 0, 0);
  if (id < 0) return 11;
  CHECK_FAILS("to write", shmget(0x7e57002, 0, 0222), EACCES);
  CHECK("to read", shmat(id, NULL, SHM_RDONLY) != (void *)-1);
  CHECK_FAILS("to attach", (long)shmat(id, NULL, 0), EACCES);
  CHECK_IS("to look", shmctl(id, IPC_STAT, &record), 0);
  CHECK_FAILS("to change", shmctl(id, IPC_SET, &record), EPERM);
  CHECK_FAILS("to remove", shmctl(id, IPC_RMID, NULL), EPERM);
  int own = shmget(IPC_PRIVATE, 100, 0);
  CHECK_FAILS("an own one without rights", (long)shmat(own, NULL, SHM_RDONLY), EACCES);
  CHECK_IS("removed", shmctl(own, IPC_RMID, NULL), 0);
  return check_failures;
}

int main(void) {
  keys(0x7e57001);
  attachments();
  places();
  int id = NEED(shmget(0x7e57002, 4096, IPC_CREAT | 0644));
  CHECK_IS("another user", in_child(as_nobody), 0);
  CHECK_IS("removed at last", shmctl(id, IPC_RMID, NULL), 0);
  return check_status();
}
