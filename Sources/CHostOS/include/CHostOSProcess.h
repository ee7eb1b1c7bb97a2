/* Calls on processes that Swift cannot make itself: variadic, or without a wrapper in glibc.
 * Where nothing else is said they return -1 and set errno. */
#ifndef CHOSTOS_PROCESS_H
#define CHOSTOS_PROCESS_H
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

pid_t host_fork(void);
/* fork(2) into new namespaces, and into the control group of a descriptor unless it is -1. */
pid_t host_fork_into(int namespaces, int control_group);
/* The same, but the child is the calling process's sibling: whoever waits for us waits for it. */
pid_t host_fork_sibling_into(int namespaces, int control_group);
/* setns(2) */
int host_enter_namespace(int descriptor, int kind);
/* The CLONE_NEW* of a namespace; -1 when the file is none. */
int host_namespace_kind(int descriptor);
/* Runs a program with its standard output in `output`. NULL arguments end the list. */
pid_t host_spawn(char *const arguments[], int output);
/* Runs the program at `path` with its standard input from `input`; output and errors go to
 * `output`. Both lists end with NULL. */
pid_t host_spawn_at(const char *path, char *const arguments[], char *const environment[], int input,
                    int output);
/* PR_SET_PDEATHSIG, to the thread that forked this process. */
int host_die_with_parent(int signal);
/* Orphans among our descendants become our children. */
int host_adopt_orphans(void);
/* sched_setattr(2) and ioprio_set(2); thread 0 is the caller. */
int host_set_scheduling(pid_t thread, int policy, int nice, int priority);
int host_set_io_priority(pid_t thread, int priority);
int host_set_no_new_privileges(void);
int host_set_undumpable(void);
/* Undoes what a change of ids has done: processes of the same ids may look into it again. */
int host_set_dumpable(void);
/* User and group 0 of the calling process's user namespace; capabilities stay as they are. */
int host_become_root(void);

/* Empties all capability sets, the bounding and the ambient one too. */
/* Shows `title`, or as much of it as there were arguments, in place of the arguments in ps(1). */
void host_set_title(const char *title);
int host_drop_capabilities(void);
/* Whether CAP_SETGID is in effect. */
int host_has_group_rights(void);
/* Makes every permitted capability effective again, after setfsuid(2) took some away. */
int host_raise_capabilities(void);
/* setgroups(2) with none, of the calling thread alone. */
int host_drop_groups_of_thread(void);
/* sched_getcpu(3), which Swift does not see. */
int host_processor(void);
/* Of the calling thread, for the files that it makes. */
void host_set_file_system_ids(uint32_t user, uint32_t group);

/* rt_sigaction(2) itself: the handler and restorer need not be code of this process yet. */
int host_set_signal_action(int signal, uint64_t handler, uint64_t flags, uint64_t restorer);
#define HOST_SIGNAL_DEFAULT 0u
#define HOST_SIGNAL_IGNORE 1u
/* SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER */
#define HOST_SIGNAL_GUEST_FLAGS 0x4c000004u
/* Which its parent may have asked for. */
int host_signal_is_ignored(int signal);
int host_unblock_all_signals(void);
/* For threads made with these attributes. */
void host_block_all_signals_of_thread(pthread_attr_t *attributes);

int host_pidfd_open(pid_t process);
/* Also for a thread that leads no process, where the host's kernel can (Linux 6.9). */
int host_pidfd_open_thread(pid_t thread);
int host_pidfd_get(int pidfd, int number);
int host_pidfd_signal(int pidfd, int signal);
/* The host's number of a thread of a pid namespace; ENOTTY before Linux 6.11. */
pid_t host_translate_thread(int pid_namespace, pid_t thread);

int host_get_priority(pid_t thread); /* 20 - nice */
int host_set_priority(pid_t thread, int nice);
int host_get_affinity(pid_t thread, void *mask, size_t size);
int host_set_affinity(pid_t thread, const void *mask, size_t size);
int host_get_limit(pid_t process, int resource, uint64_t *soft, uint64_t *hard);
int host_set_limit(pid_t process, int resource, uint64_t soft, uint64_t hard);

uint64_t host_auxiliary_value(unsigned long key);

/* The standard-format XSAVE area of the features that programs get without asking the host. */
void host_get_vector_state(uint64_t *features, uint64_t *size);

/* Unmaps the pages of the program's code until they are run again. */
void host_forget_code(void);

/* Sends or receives one record of a socket together with the sender's process id. */
int host_enable_credentials(int socket);
ssize_t host_receive_record(int socket, void *record, size_t size, pid_t *sender);

/* Unix sockets by name in a directory, whatever the length of the directory's own path. */
int host_unix_listen(int directory, const char *name);
/* How long its owner may take to take what is sent. */
#define HOST_NOTIFY_PATIENCE_SECONDS 30
/* To the socket for datagrams that a NOTIFY_SOCKET names: a path, or '@' and an abstract name. */
int host_unix_connect_notify(const char *name);
/* How long a stream's server may take to accept a connection and to take what is sent. */
#define HOST_STREAM_PATIENCE_SECONDS 5
int host_unix_connect(int directory, const char *name, int type);
int host_unix_accept(int listener, uid_t *user);
/* A record or a piece of a stream with descriptors. */
#define HOST_DESCRIPTOR_LIMIT 250
ssize_t host_send_descriptors(int socket, const void *bytes, size_t size, const int *descriptors,
                              size_t count);
ssize_t host_receive_descriptors(int socket, void *bytes, size_t size, int *descriptors,
                                 size_t *count);

/* A pseudo-terminal: master, other side, and the name of that. */
int host_open_terminal(int ends[2], char *name, size_t size);
/* The calling process, which leads a session, gets the terminal for its own. */
int host_take_terminal(int descriptor);
int host_set_window(int descriptor, uint16_t rows, uint16_t columns);
#endif
