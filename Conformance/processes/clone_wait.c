/* Children that end without SIGCHLD are waited for with __WCLONE or __WALL only. */
#include "../check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

static volatile sig_atomic_t child_signals, user_signals;
static void on_signal(int number) {
  if (number == SIGCHLD) child_signals++;
  if (number == SIGUSR1) user_signals++;
}

static pid_t clone_child(int exit_signal, int code) {
  pid_t child = syscall(SYS_clone, exit_signal, 0, 0, 0, 0);
  if (child == 0) _exit(code);
  NEED(child);
  return child;
}

static pid_t of_thread;

static void *forking_thread(void *unused) {
  of_thread = fork();
  if (of_thread == 0) _exit(8);
  return unused;
}

/* Waits in this thread alone for a child of another. */
static void other_thread_child(void) {
  int status = 0;
  pthread_t id;
  pthread_create(&id, NULL, forking_thread, NULL);
  pthread_join(id, NULL);
  CHECK_IS("a child of another thread", waitpid(of_thread, &status, 0), of_thread);
  CHECK_IS("its code", WEXITSTATUS(status), 8);
}

int main(void) {
  int status = 0;
  signal(SIGCHLD, on_signal);
  signal(SIGUSR1, on_signal);
  pid_t child = clone_child(SIGUSR1, 5);
  CHECK_FAILS("plain wait does not see it", waitpid(child, &status, 0), ECHILD);
  CHECK_IS("__WCLONE does", waitpid(child, &status, __WCLONE), child);
  CHECK_IS("code", WEXITSTATUS(status), 5);
  CHECK_IS("its exit signal came", user_signals, 1);
  CHECK_IS("no SIGCHLD came", child_signals, 0);

  child = clone_child(SIGUSR1, 6);
  CHECK_IS("__WALL sees it", waitpid(-1, &status, __WALL), child);
  CHECK_IS("code again", WEXITSTATUS(status), 6);

  child = clone_child(0, 7);
  CHECK_IS("no exit signal at all", waitpid(child, &status, __WALL), child);
  CHECK_IS("silent end", child_signals + user_signals, 2);

  child = clone_child(SIGCHLD, 4);
  CHECK_FAILS("__WCLONE does not see an ordinary child", waitpid(child, &status, __WCLONE), ECHILD);
  CHECK_IS("__WALL sees both kinds", waitpid(child, &status, __WALL), child);
  CHECK_IS("SIGCHLD came", child_signals, 1);
  siginfo_t info;
  child = clone_child(SIGUSR1, 3);
  CHECK_IS("waitid with __WALL", waitid(P_PID, child, &info, WEXITED | __WALL), 0);
  CHECK_IS("status", info.si_status, 3);

  signal(SIGCHLD, SIG_DFL);
  other_thread_child();
  return check_status();
}
