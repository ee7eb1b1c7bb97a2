/* posix_spawn(3): success, errors by number, file actions and attributes. */
#include "../check.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

static char *const shell = "/bin/sh";

static int run(const char *command, posix_spawn_file_actions_t *actions,
               posix_spawnattr_t *attributes) {
  char *arguments[] = {"sh", "-c", (char *)command, NULL};
  pid_t child;
  int error = posix_spawn(&child, shell, actions, attributes, arguments, environ);
  return error ? -error : wait_code(child);
}

static void actions(void) {
  posix_spawn_file_actions_t list;
  int channel[2];
  char text[32] = "";
  NEED(pipe2(channel, O_CLOEXEC));
  posix_spawn_file_actions_init(&list);
  posix_spawn_file_actions_adddup2(&list, channel[1], 1);
  posix_spawn_file_actions_addopen(&list, 7, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addchdir_np(&list, "/proc");
  posix_spawn_file_actions_addclose(&list, 0);
  CHECK_IS("file actions", run("pwd; test -e /proc/self/fd/7 && ! [ -e /proc/self/fd/0 ]", &list,
                               NULL), 0);
  close(channel[1]);
  if (read(channel[0], text, sizeof text - 1) < 0) exit(2);
  CHECK_TEXT("what the child wrote", text, "/proc\n");
  close(channel[0]);
  posix_spawn_file_actions_addopen(&list, 8, "/nonexistent/file", O_RDONLY, 0);
  CHECK_IS("a file action that fails", run("exit 0", &list, NULL), -EBADF);
  posix_spawn_file_actions_destroy(&list);
  posix_spawn_file_actions_init(&list);
  posix_spawn_file_actions_addopen(&list, 8, "/nonexistent/file", O_RDONLY, 0);
  CHECK_IS("a file that is missing", run("exit 0", &list, NULL), -ENOENT);
  posix_spawn_file_actions_destroy(&list);
}

static void attributes(void) {
  posix_spawnattr_t attributes;
  sigset_t set;
  posix_spawnattr_init(&attributes);
  signal(SIGTERM, SIG_IGN);
  CHECK_IS("ignored signals stay ignored", run("kill -TERM $$; exit 5", NULL, NULL), 5);
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  CHECK_IS("default signals", run("kill -TERM $$; exit 5", NULL, &attributes), 128 + SIGTERM);
  signal(SIGTERM, SIG_DFL);

  posix_spawnattr_setsigmask(&attributes, &set);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  CHECK_IS("signal mask", run("kill -TERM $$; exit 6", NULL, &attributes), 6);

  char *sleeper[] = {"cat", NULL};
  pid_t child;
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  int gate[2];
  NEED(pipe2(gate, O_CLOEXEC));
  posix_spawn_file_actions_t list;
  posix_spawn_file_actions_init(&list);
  posix_spawn_file_actions_adddup2(&list, gate[0], 0);
  CHECK_IS("process group", posix_spawn(&child, "/bin/cat", &list, &attributes, sleeper, environ),
           0);
  CHECK_IS("a group of its own", getpgid(child), child);
  close(gate[1]);
  CHECK_IS("cat ends with its input", wait_code(child), 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  CHECK_IS("session", posix_spawn(&child, "/bin/cat", NULL, &attributes, sleeper, environ), 0);
  CHECK_IS("cat of a new session", wait_code(child), 0);
  posix_spawn_file_actions_destroy(&list);
  posix_spawnattr_destroy(&attributes);
}

int main(void) {
  char *arguments[] = {"x", NULL};
  pid_t child;
  CHECK_IS("exit code", run("exit 7", NULL, NULL), 7);
  CHECK_IS("death by signal", run("kill -KILL $$", NULL, NULL), 128 + SIGKILL);
  CHECK_IS("missing program", posix_spawn(&child, "/nonexistent", NULL, NULL, arguments, environ),
           ENOENT);
  CHECK_IS("not executable", posix_spawn(&child, "/etc/passwd", NULL, NULL, arguments, environ),
           EACCES);
  CHECK_IS("by name", posix_spawnp(&child, "true", NULL, NULL, arguments, environ), 0);
  CHECK_IS("ended", wait_code(child), 0);
  CHECK_IS("missing name", posix_spawnp(&child, "no-such-program", NULL, NULL, arguments, environ),
           ENOENT);
  CHECK_FAILS("failed ones leave no child", wait(NULL), ECHILD);
  actions();
  attributes();
  return check_status();
}
