# A static program linked with musl: another libc, its own start-up, threads, malloc and stdio.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
command -v musl-gcc > /dev/null || { echo "SKIP: musl-gcc is not installed"; exit 0; }

cat > program.c <<'END'
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int total, waiting;
static _Thread_local int mine;
static volatile sig_atomic_t caught;
static sigjmp_buf recovery;

static void count(int number) { caught += number == SIGUSR1; }
static void recover(int number) { siglongjmp(recovery, number); }

static void *add(void *argument) {
  pthread_mutex_lock(&mutex); waiting++; pthread_cond_broadcast(&ready);
  while (waiting < 8) pthread_cond_wait(&ready, &mutex);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 10000; i++) {
    pthread_mutex_lock(&mutex); total++; mine++; pthread_mutex_unlock(&mutex);
  }
  return (void *)(long)mine;
}

static void threads(void) {
  pthread_t all[8]; void *result; long sum = 0;
  for (int i = 0; i < 8; i++) pthread_create(&all[i], 0, add, 0);
  for (int i = 0; i < 8; i++) { pthread_join(all[i], &result); sum += (long)result; }
  printf("threads: %d %ld %d\n", total, sum, mine);
}

static void files(void) {
  FILE *file = fopen("data", "w+"); struct stat status; char word[16];
  for (int i = 0; i < 5000; i++) fprintf(file, "line %d\n", i);
  fseek(file, -5, SEEK_END); fscanf(file, "%15s", word); fstat(fileno(file), &status);
  printf("files: %s %ld\n", word, (long)status.st_size); fclose(file);
  rename("data", "renamed"); printf("%s\n", fopen("data", "r") ? "there" : strerror(errno));
  int names = 0; DIR *directory = opendir("."); while (readdir(directory)) names++;
  closedir(directory);
  printf("names: %d\n", names);
}

static void memory(void) {
  char *blocks[1000]; unsigned long sum = 0;
  for (int i = 0; i < 1000; i++) memset(blocks[i] = malloc(i * 97 + 1), i, i * 97 + 1);
  for (int i = 0; i < 1000; i++) { sum += (unsigned char)blocks[i][i * 97]; free(blocks[i]); }
  char *page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  signal(SIGSEGV, recover); int number = sigsetjmp(recovery, 1);
  if (!number) *(volatile char *)page = 1;
  printf("memory: %lu, fault gave %d\n", sum, number);
}

static void processes(char *self) {
  int ends[2], status; pid_t child; char *words[] = {self, "child", 0}; char buffer[100];
  pipe(ends); posix_spawn_file_actions_t actions; posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn(&child, self, &actions, 0, words, environ); close(ends[1]);
  long got = read(ends[0], buffer, sizeof buffer); waitpid(child, &status, 0);
  printf("spawned: %.*s%d\n", (int)got, buffer, WEXITSTATUS(status));
  if (!(child = fork())) { raise(SIGKILL); }
  waitpid(child, &status, 0); printf("killed by %d\n", WTERMSIG(status));
  FILE *shell = popen("echo popen; exit 4", "r"); fgets(buffer, sizeof buffer, shell);
  printf("%s%d\n", buffer, WEXITSTATUS(pclose(shell)));
}

static void events(void) {
  signal(SIGUSR1, count); for (int i = 0; i < 1000; i++) kill(getpid(), SIGUSR1);
  int pair[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, pair); struct pollfd poller = {pair[0], POLLIN};
  int before = poll(&poller, 1, 10); write(pair[1], "x", 1); int after = poll(&poller, 1, -1);
  struct timespec start, end, rest = {0, 20000000};
  clock_gettime(CLOCK_MONOTONIC, &start); nanosleep(&rest, 0); clock_gettime(CLOCK_MONOTONIC, &end);
  long passed = (end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec;
  printf("signals %d, poll %d %d, slept %d\n", caught, before, after, passed >= 20000000);
}

int main(int count, char **words) {
  setvbuf(stdout, 0, _IOLBF, 0);
  if (count > 1) { printf("child of %s\n", strrchr(words[0], '/') + 1); return 7; }
  threads(); files(); memory(); processes(words[0]); events();
  printf("%.3f %s\n", strtod("2.5", 0) * 3, getenv("WORD")); return 0;
}
END
for options in "-O2 -static" "-O2 -static-pie" "-O2"; do
  echo "== musl-gcc $options"
  mkdir work
  # shellcheck disable=SC2086
  musl-gcc $options program.c -o program 2> /dev/null
  (cd work; WORD=environment ../program)
  rm -r work
done
