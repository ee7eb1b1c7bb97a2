"""What is measured, in the order of the table, and how much slower than native it may be.

The rows of the network and of storage are in throughput.py.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `limit` is the highest ratio to native, or an absolute value for `host` rows; of rows that say
    how much gets done in a second, `least` is the lowest ratio.
    """

    title: str
    name: str
    limit: float | None = None
    # "micro", a loop of micro.c; "command", a whole program; "host", seen from outside; "served", a
    # server whose client is outside; "fio".
    kind: str = "micro"
    one_cpu: bool = False
    batches: int = 11
    rounds: float = 1  # times the rounds that were asked for
    prepare: str = ""
    command: tuple[str, ...] = ()
    least: float | None = None
    unit: str = "/s"  # of rows with `least`
    count: int = 0  # how many things a command does
    server: str = ""
    client: tuple | None = None
    material: str = ""
    group: str = "local"
    options: tuple[str, ...] = ()  # of Paravane
    baseline: str = "native"  # or "paravane", without the options


def micro(title, name, limit=None, **options):
    return Row(title, name, limit, **options)


def command(title, name, limit, prepare, *words, **options):
    return Row(title, name, limit, "command", batches=1, prepare=prepare, command=words, **options)


ROWS = (
    micro("getpid", "getpid", 0.5),
    micro("getuid", "getuid", 0.5),
    micro("uname", "uname", 0.5),
    micro("sigprocmask", "sigprocmask", 0.5),
    micro("clock_gettime, the raw call", "clock_gettime", 0.5),
    micro("read 1 byte of /dev/zero", "read-zero", 0.5),
    micro("pipe ping-pong of two processes, one CPU", "pipe", 1.1, one_cpu=True),
    micro("pipe ping-pong of two processes, any CPU", "pipe", 1.1),
    micro("futex ping-pong of two threads, one CPU", "futex", 1.1, one_cpu=True),
    micro("futex ping-pong of two threads, any CPU", "futex", 1.1),
    micro("pread 4 KB of a cached host file", "pread", 1.4),
    micro("write 4 KB to a host file", "write", 1.4),
    micro("stat", "stat", 2.0),
    micro("access", "access", 2.0),
    micro("readlink", "readlink", 2.0),
    micro("open and close for reading", "open", 2.0),
    micro("stat in the root file system", "stat-root", 2.0),
    micro("open and close in the root file system", "open-root", 2.0),
    micro("mmap, touch, munmap of 64 KB", "mmap", 1.5),
    micro("page fault, over 256 MB", "faults", 1.1, batches=3),
    micro("fork, exit, wait", "fork", 1.5),
    micro("fork, exec, wait of a static binary", "fork-exec", 2.0),
    micro("thread create and join", "thread", 1.5),
    command("python3 start-up", "python3", 1.3, "", "/usr/bin/python3", "-c", "pass"),
    command("gcc build of 60 files, make -j2", "gcc", 1.25,
            "make -s -C project clean", "make", "-s", "-j2", "-C", "project", rounds=0.5),
    command("git clone, local, 1,000 files", "git", 1.5,
            "rm -rf clone", "git", "clone", "-q", "repository", "clone", rounds=0.5),
    command("tar x of 10,000 files", "tar", 2.0, "rm -rf unpacked; mkdir unpacked",
            "tar", "-xf", "files.tar", "-C", "unpacked", rounds=0.5),
    command("find over 50,000 files", "find", 1.3, "",
            "find", "tree", "-type", "f", "-size", "+1000k", rounds=0.75),
    micro("CPU-bound, integer", "integer", 1.01, rounds=3),
    micro("CPU-bound, floating point", "floating", 1.01, rounds=3),
    micro("memory-bound, copy of 32 MB", "copy", 1.01, rounds=3),
    micro("vfork, exec, wait of a static binary", "vfork-exec"),
    micro("eventfd write and read", "eventfd"),
    micro("epoll_wait without waiting", "epoll_wait"),
    micro("unix socket ping-pong, one CPU", "unix-socket", one_cpu=True),
    micro("unix socket ping-pong, any CPU", "unix-socket"),
    micro("signal to self", "signal"),
    micro("create and unlink", "create"),
    micro("lseek", "lseek"),
    micro("mprotect twice", "mprotect"),
    Row("start and end of /bin/true, ms longer than native", "start", 20, "host", rounds=3),
    Row("idle sandbox, MiB of PSS beyond its program", "pss", 8, "host", rounds=0.5),
)
