"""Shares volumes between sandboxes, and kills sandboxes while they write.

    storage.py [--list] [PATTERN]

Two sandboxes, and the host, must agree on who holds a lock; and what fsync(2) has confirmed must be on
the disk, whatever part of a sandbox is killed.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path += [os.path.join(ROOT, name) for name in ("Attack", "Connections")]

import harness  # noqa: E402
import sandboxes  # noqa: E402
from sandboxes import LIMIT, Sandbox, case, equal, expect  # noqa: E402


@contextlib.contextmanager
def volume():
    directory = tempfile.mkdtemp(prefix="storage-")
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


# Takes orders, one a line, and says what comes of each.
LOCKER = """
import fcntl, signal, struct
OFD_GETLK, OFD_SETLK, OFD_SETLKW = 36, 37, 38
files = {}
def flock(kind, start, size): return struct.pack('hhqqi4x', kind, 0, start, size, 0)
def order(verb, name='', kind='', start='0', size='0'):
    if verb == 'open':
        files[name] = os.open('/data/' + kind, os.O_RDONLY if start == 'r' else os.O_RDWR)
        return
    f, kinds = files.get(name), {'r': fcntl.F_RDLCK, 'w': fcntl.F_WRLCK, 'u': fcntl.F_UNLCK}
    lock = flock(kinds.get(kind, 0), int(start), int(size))
    if verb == 'close': os.close(files.pop(name))
    elif verb == 'posix': fcntl.fcntl(f, fcntl.F_SETLK, lock)
    elif verb == 'posix-wait': fcntl.fcntl(f, fcntl.F_SETLKW, lock)
    elif verb == 'ofd': fcntl.fcntl(f, OFD_SETLK, lock)
    elif verb == 'ofd-wait': fcntl.fcntl(f, OFD_SETLKW, lock)
    elif verb == 'flock': fcntl.flock(f, {'r': 1, 'w': 2, 'u': 8}[kind] | 4)
    elif verb == 'flock-wait': fcntl.flock(f, {'r': 1, 'w': 2, 'u': 8}[kind])
    elif verb in ('get', 'ofd-get'):
        command = fcntl.F_GETLK if verb == 'get' else OFD_GETLK
        found = struct.unpack('hhqqi4x', fcntl.fcntl(f, command, lock))
        if found[0] == fcntl.F_UNLCK: return 'free'
        return f"{'rw'[found[0]]} {found[2]} {found[3]} {found[4]}"
    elif verb == 'alarm':
        def ring(*_): raise InterruptedError(4, 'rang')
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
say('ready')
for line in sys.stdin:
    say(attempt(lambda: order(*line.split())))
"""


class Locker(Sandbox):
    """A sandbox that locks what it is told to."""

    def __init__(self, directory):
        super().__init__(LOCKER, audit=False, network="none",
                         arguments=["--volume", f"{directory}:/data"])
        equal(self.line(), "ready", "the program")

    def ask(self, order):
        self.tell(order)
        return self.line()

    def asks(self, answers):
        for order, answer in answers.items():
            equal(self.ask(order), answer, order)


@contextlib.contextmanager
def two_lockers():
    with volume() as directory:
        with open(os.path.join(directory, "file"), "wb") as file:
            file.write(bytes(100))
        with Locker(directory) as one, Locker(directory) as other:
            for locker in (one, other):
                equal(locker.ask("open a file"), "ok", "open")
            yield one, other, os.path.join(directory, "file")


def hands_over(kind, release="u"):
    """A lock that one sandbox holds keeps the other, and the host, out until it is released."""
    with two_lockers() as (one, other, path):
        one.asks({f"{kind} a w": "ok"})
        other.asks({f"{kind} a w": "EAGAIN", f"{kind} a r": "EAGAIN"})
        with open(path, "rb+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB) if kind == "flock" else \
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                raise sandboxes.Failure("the host got the lock, too")
            except BlockingIOError:
                pass
        # A wait ends by a signal, or by the lock.
        other.asks({"alarm": "ok", f"{kind}-wait a w": "EINTR"})
        other.tell(f"{kind}-wait a w")
        if release == "u":
            one.asks({f"{kind} a u": "ok"})
        else:
            one.process.send_signal(signal.SIGKILL)
        equal(other.line(), "ok", "the wait")
        if release == "u":
            one.asks({f"{kind} a w": "EAGAIN"})
            other.asks({f"{kind} a r": "ok"})
            one.asks({f"{kind} a r": "ok", f"{kind} a w": "EAGAIN"})


@case
def posix_locks_between_sandboxes():
    hands_over("posix")


@case
def locks_of_open_files_between_sandboxes():
    hands_over("ofd")


@case
def flock_between_sandboxes():
    hands_over("flock")


@case
def locks_of_a_sandbox_that_is_killed():
    for kind in ("posix", "ofd", "flock"):
        hands_over(kind, "kill")


@case
def ranges_between_sandboxes():
    with two_lockers() as (one, other, _):
        one.asks({"posix a w 0 10": "ok", "posix a r 20 10": "ok", "ofd a w 40 10": "ok"})
        other.asks({
            "get a w": "w 0 10 -1", "get a r 10 30": "free", "get a w 10 30": "r 20 10 -1",
            "ofd-get a r 45 1": "w 40 10 -1", "posix a w 9 2": "EAGAIN", "posix a w 10 10": "ok",
            "posix a r 25 1": "ok", "ofd a r 49 1": "EAGAIN", "ofd a r 50 1": "ok"})
        one.asks({"posix a w 20 10": "EAGAIN", "posix a u 3 4": "ok"})
        other.asks({"posix a w 3 4": "ok", "posix a w 0 3": "EAGAIN", "posix a w 7 3": "EAGAIN",
                    "get a w 0 10": "w 0 3 -1"})


@case
def posix_locks_go_with_any_descriptor():
    with two_lockers() as (one, other, _):
        one.asks({"posix a w 0 10": "ok", "open b file r": "ok"})
        other.asks({"posix a w 0 10": "EAGAIN"})
        one.asks({"close b": "ok"})
        other.asks({"posix a w 0 10": "ok"})
        # One of an open file stays until that is closed.
        one.asks({"open c file": "ok", "ofd c w 50 1": "ok", "open d file": "ok", "close d": "ok"})
        other.asks({"posix a w 50 1": "EAGAIN"})
        one.asks({"close c": "ok"})
        other.asks({"posix a w 50 1": "ok"})


@case
def a_read_lock_becomes_a_write_lock():
    """Taken by a descriptor for reading, and made exclusive by one for writing."""
    with two_lockers() as (one, other, _):
        one.asks({"open b file r": "ok", "posix b r 0 10": "ok", "posix b w 0 1": "EBADF"})
        other.asks({"posix a w 5 1": "EAGAIN"})
        one.asks({"posix a w 20 1": "ok"})
        other.asks({"posix a w 5 1": "EAGAIN", "posix a r 20 1": "EAGAIN"})
        one.asks({"posix a w 0 10": "ok"})
        other.asks({"posix a r 5 1": "EAGAIN"})
        one.asks({"posix a u": "ok"})
        other.asks({"posix a w": "ok"})


@case
def a_database_of_two_sandboxes():
    """Both count in one table of SQLite, by transactions of their own."""
    program = """
import sqlite3
database = sqlite3.connect('/data/db', timeout=60, isolation_level=None)
say('ready')
sys.stdin.readline()
for _ in range(200):
    database.execute('BEGIN IMMEDIATE')
    n, = database.execute('SELECT n FROM t').fetchone()
    database.execute('UPDATE t SET n = ?', [n + 1])
    database.execute('COMMIT')
"""
    with volume() as directory:
        subprocess.run(["sqlite3", os.path.join(directory, "db"),
                        "PRAGMA synchronous = OFF; CREATE TABLE t (n); INSERT INTO t VALUES (0)"],
                       check=True, capture_output=True)
        with contextlib.ExitStack() as stack:
            both = [stack.enter_context(Sandbox(
                program, audit=False, network="none",
                arguments=["--volume", f"{directory}:/data"])) for _ in range(2)]
            for sandbox in both:
                equal(sandbox.line(), "ready", "the program")
            for sandbox in both:
                sandbox.tell("")
            for sandbox in both:
                sandbox.finish()
        found = subprocess.run(["sqlite3", os.path.join(directory, "db"),
                                "PRAGMA integrity_check; SELECT n FROM t"],
                               check=True, capture_output=True, text=True).stdout
        equal(found, "ok\n400\n", "the database")


# ---- What a volume forbids, and what its disk says


@case
def volumes_that_forbid():
    """ro, noexec, nosuid and nodev, each alone and all at once."""
    program = """
import ctypes, mmap, subprocess
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments): raise OSError(ctypes.get_errno(), name)
def attempts(place):
    os.chdir('/' + place)
    return [
        attempt(lambda: os.close(os.open('new', os.O_CREAT | os.O_WRONLY))),
        attempt(lambda: os.close(os.open('file', os.O_RDWR))),
        attempt(lambda: os.close(os.open('file', os.O_RDONLY | os.O_TRUNC))),
        attempt(lambda: os.truncate('file', 1)), attempt(lambda: os.mkdir('made')),
        attempt(lambda: os.symlink('a', 'link')), attempt(lambda: os.link('file', 'name')),
        attempt(lambda: os.rename('other', 'moved')), attempt(lambda: os.unlink('gone')),
        attempt(lambda: os.chmod('file', 0o600)), attempt(lambda: os.chown('file', 1, 1)),
        attempt(lambda: os.utime('file')), attempt(lambda: os.setxattr('file', 'user.a', b'1')),
        attempt(lambda: os.mkfifo('fifo')), attempt(lambda: call('access', b'file', 2)),
        attempt(lambda: os.close(os.open('.', os.O_TMPFILE | os.O_RDWR)))]
def run(place):
    def start(): return subprocess.run(['/' + place + '/who'], stdout=-1).stdout.decode().strip()
    def code():
        with open('/' + place + '/who', 'rb') as f:
            kind = mmap.PROT_READ | mmap.PROT_EXEC
            mmap.mmap(f.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=kind)
    return attempt(start), attempt(code)
def flags(place):
    f = os.statvfs('/' + place).f_flag
    return ' '.join(n for n, b in (('ro', 1), ('noexec', 8)) if f & b) or '-'
for place in sys.argv[1:]:
    found = attempts(place)
    say(place, *(sorted(set(found))), *run(place), flags(place))
    say(attempt(lambda: os.close(os.open('/' + place + '/null', os.O_RDWR))))
"""
    kinds = {"rw": "rw", "ro": "ro", "noexec": "rw,noexec", "nosuid": "nosuid", "nodev": "nodev",
             "all": "ro,noexec,nosuid,nodev"}
    with contextlib.ExitStack() as stack:
        arguments = []
        for name, words in kinds.items():
            directory = stack.enter_context(volume())
            os.chmod(directory, 0o755)
            for file in ("file", "other", "gone"):
                with open(f"{directory}/{file}", "w") as out:
                    out.write("text")
            shutil.copy("/usr/bin/id", f"{directory}/id")
            with open(f"{directory}/who.c", "w") as out:
                out.write("#include <stdio.h>\n#include <unistd.h>\n"
                          "int main(void) { printf(\"%d\\n\", geteuid()); }\n")
            subprocess.run(["gcc", "-o", f"{directory}/who", f"{directory}/who.c"], check=True)
            os.chown(f"{directory}/who", 1000, 1000)
            os.chmod(f"{directory}/who", 0o4755)
            os.mknod(f"{directory}/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            arguments += ["--volume", f"{directory}:/{name}:{words}"]
        with Sandbox(f"sys.argv[1:] = {list(kinds)!r}\n" + program, audit=False, network="none",
                     arguments=arguments) as sandbox:
            lines = sandbox.finish()
    # A device of the host's is never opened, whatever the volume allows.
    equal(lines[1::2], ["EACCES"] * len(kinds), "the device")
    equal(lines[0::2], [
        "rw ok 1000 ok -", "ro EROFS 1000 ok ro", "noexec ok EACCES EPERM noexec",
        "nosuid ok 0 ok -", "nodev ok 1000 ok -", "all EROFS EACCES EPERM ro noexec"],
        "the answers")


@case
def a_quota_under_a_volume():
    """EDQUOT, from whatever takes space; and what was there before can be read and removed."""
    program = """
os.chdir('/data')
f = open('file', 'wb', buffering=0)
g = os.open('other', os.O_RDWR | os.O_CREAT)
def fill():
    while True:
        f.write(b'x' * 65536)
        os.fsync(f.fileno())
say(attempt(fill), os.fstat(f.fileno()).st_size > 1 << 20)
say(attempt(lambda: os.posix_fallocate(f.fileno(), 0, 1 << 24)),
    attempt(lambda: os.close(os.open('new', os.O_CREAT))), attempt(lambda: os.mkdir('d')))
source = os.open('/work/source', os.O_RDONLY)
def copy(body):
    def all():
        for i in range(64):
            body()
            os.fsync(g)
    return attempt(all)
say(copy(lambda: os.write(g, b'y' * 65536)), copy(lambda: os.sendfile(g, source, 0, 65536)))
os.lseek(g, 0, 0)
with open('file', 'rb') as again: say(set(again.read(1 << 20)) == {120})
os.unlink('file')
f.close()
os.sync()
say(attempt(lambda: [os.fsync(g), None][1]))
"""
    if not shutil.which("mkfs.btrfs"):
        return "skipped: there is no mkfs.btrfs, and ext4 has no quota where the host lacks QFMT_V2"
    with volume() as directory, volume() as work:
        with open(f"{work}/source", "wb") as file:
            file.write(bytes(range(256)) * 256)
        image, mounted = os.path.join(directory, "image"), os.path.join(directory, "mounted")
        with open(image, "wb") as file:
            file.truncate(160 << 20)
        os.mkdir(mounted)
        subprocess.run(["mkfs.btrfs", "-q", "-m", "single", image], check=True, capture_output=True)
        subprocess.run(["mount", "-t", "btrfs", "-o", "loop", image, mounted], check=True)
        try:
            for words in (["quota", "enable", mounted], ["subvolume", "create", f"{mounted}/v"],
                          ["qgroup", "limit", "4M", f"{mounted}/v"]):
                subprocess.run(["btrfs", *words], check=True, capture_output=True)
            with Sandbox(program, audit=False, network="none", arguments=[
                    "--volume", f"{mounted}/v:/data", "--volume", f"{work}:/work"]) as sandbox:
                equal(sandbox.finish(), [
                    "EDQUOT True", "EDQUOT EDQUOT EDQUOT", "EDQUOT EDQUOT", "True", "ok"],
                    "the answers")
        finally:
            subprocess.run(["umount", mounted], check=True)


# ---- Nothing is lost


class Disk:
    """An ext4 in a file. `after_crash` gives it as a machine would find it whose power went off."""

    def __init__(self, directory):
        self.image = os.path.join(directory, "image")
        self.mounted = os.path.join(directory, "mounted")
        self.copy = os.path.join(directory, "copy")
        self.found = os.path.join(directory, "found")
        with open(self.image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)
        for path in (self.mounted, self.found):
            os.mkdir(path)

    @contextlib.contextmanager
    def mount(self):
        # A commit of the journal by time alone would hide a missing fsync.
        self.attach(self.image, self.mounted, "loop,commit=300")
        try:
            yield self.mounted
        finally:
            subprocess.run(["umount", self.mounted], check=True)

    @contextlib.contextmanager
    def after_crash(self):
        shutil.copy(self.image, self.copy)
        self.attach(self.copy, self.found, "loop")
        try:
            yield self.found
        finally:
            subprocess.run(["umount", self.found], check=True)
            os.unlink(self.copy)

    @staticmethod
    def attach(image, path, options):
        subprocess.run(["mount", "-t", "ext4", "-o", options, image, path], check=True)


# Each line that it says is true of the disk.
WRITER = """
os.chdir('/data')
log = os.open('log', os.O_CREAT | os.O_WRONLY | os.O_APPEND)
directory = os.open('.', os.O_RDONLY)
os.fsync(directory)
mapped = os.open('mapped', os.O_CREAT | os.O_RDWR)
os.truncate(mapped, 1 << 20)
import mmap
memory = mmap.mmap(mapped, 1 << 20)
number = 0
while True:
    number += 1
    os.write(log, b'%09d\\n' % number)
    os.fdatasync(log)
    memory[number * 10 % 1000000:number * 10 % 1000000 + 10] = b'%09d\\n' % number
    memory.flush()
    with open('new', 'wb') as f:
        f.write(b'%d' % number)
        f.flush()
        os.fsync(f.fileno())
    os.rename('new', 'current')
    os.fsync(directory)
    say(number)
"""


def killed_while_it_writes(part):
    with volume() as directory:
        disk = Disk(directory)
        with disk.mount() as mounted:
            with Sandbox(WRITER, audit=False, network="none",
                         arguments=["--volume", f"{mounted}:/data"]) as sandbox:
                for _ in range(20):
                    confirmed = int(sandbox.line())
                command = sandbox.process.pid
                backend, = harness.children(command)
                init, = harness.children(backend)
                victims = {"command": command, "backend": backend, "init": init,
                           "program": harness.children(init)[0]}
                os.kill(victims[part], signal.SIGKILL)
                output, _ = sandbox.process.communicate(timeout=LIMIT)
            confirmed = max([confirmed] + [int(line) for line in output.splitlines()])
            # As the disk is now: without an umount, and without what is only in memory.
            with disk.after_crash() as found:
                with open(os.path.join(found, "log")) as file:
                    lines = [line for line in file.read().splitlines() if line]
                expect(lines[:confirmed] == [f"{i + 1:09d}" for i in range(confirmed)],
                       f"{confirmed} lines were confirmed, {len(lines)} are there")
                with open(os.path.join(found, "mapped"), "rb") as file:
                    file.seek(confirmed * 10)
                    equal(file.read(10), b"%09d\n" % confirmed, "what was stored by a mapping")
                with open(os.path.join(found, "current")) as file:
                    expect(int(file.read()) >= confirmed, "the file of before was found")
    return f"{confirmed} rounds were confirmed and found"


@case
def the_program_is_killed_while_it_writes():
    return killed_while_it_writes("program")


@case
def the_backend_is_killed_while_it_writes():
    return killed_while_it_writes("backend")


@case
def the_init_is_killed_while_it_writes():
    return killed_while_it_writes("init")


@case
def the_command_is_killed_while_it_writes():
    return killed_while_it_writes("command")


@case
def an_overlay_is_whole_after_a_kill():
    """Files of the lower layer are renamed and rewritten; each is there once, with one content."""
    program = """
os.chdir('/data')
say('ready')
turn = 0
while True:
    for i in range(40):
        a, b = (f'd{i}/a', f'd{i}/b') if turn % 2 == 0 else (f'd{i}/b', f'd{i}/a')
        with open(f'd{i}/new', 'w') as f: f.write(f'{i} {turn + 1}')
        os.rename(f'd{i}/new', a)
        os.rename(a, b)
    turn += 1
    if turn == 3: say('thrice')
"""
    with volume() as directory:
        layers = {name: os.path.join(directory, name) for name in (
            "lower", "upper", "work", "merged")}
        options = "lowerdir={lower},upperdir={upper},workdir={work}".format(**layers)

        @contextlib.contextmanager
        def overlay():
            subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", layers["merged"]],
                           check=True)
            try:
                yield layers["merged"]
            finally:
                subprocess.run(["umount", layers["merged"]], check=True)

        # An overlay can't lie on one.
        subprocess.run(["mount", "-t", "tmpfs", "layers", directory], check=True)
        try:
            for path in layers.values():
                os.mkdir(path)
            for i in range(40):
                os.mkdir(f"{layers['lower']}/d{i}")
                with open(f"{layers['lower']}/d{i}/a", "w") as file:
                    file.write(f"{i} 0")
            with overlay() as merged, Sandbox(
                    program, audit=False, network="none",
                    arguments=["--volume", f"{merged}:/data"]) as sandbox:
                equal([sandbox.line(), sandbox.line()], ["ready", "thrice"], "the program")
                os.kill(harness.children(sandbox.process.pid)[0], signal.SIGKILL)
                sandbox.process.wait(LIMIT)
            with overlay() as merged:
                for i in range(40):
                    names = set(os.listdir(f"{merged}/d{i}")) - {"new"}
                    expect(len(names) in (1, 2) and names <= {"a", "b"}, f"d{i} has {names}")
                    for name in names:
                        with open(f"{merged}/d{i}/{name}") as file:
                            text = file.read().split()
                        expect(len(text) == 2 and text[0] == str(i), f"d{i}/{name} has {text}")
        finally:
            subprocess.run(["umount", directory], check=True)


def main(arguments):
    if "--list" in arguments:
        return sandboxes.run(arguments)
    harness.require_root()
    harness.isolate()
    return sandboxes.run(arguments, sandboxes.nothing_left)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
