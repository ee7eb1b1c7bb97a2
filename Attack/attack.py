"""Runs hostile programs in sandboxes and looks at the host, and at a sandbox beside them.

    attack.py [--list] [PATTERN]

Expected of each attack: the calls fail, or the sandbox ends itself with a message; nothing outside
changes; nothing is left behind.
"""

import contextlib
import fnmatch
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import confinement
import harness
from harness import Host, Limits, Report, Snapshot, do_command, fingerprint, guests

SECRET = "paravane-host-secret-8c1f"
PROGRAMS = os.path.join(harness.ROOT, ".build", "attack")


class Canary:
    """A sandbox that works beside the attacks."""

    def __init__(self, host):
        self.volume = host.directory("canary")
        shutil.copy(os.path.join(PROGRAMS, "count"), self.volume)
        self.directory = host.directory("canary-output")
        self.process = host.start(do_command(self.volume, ["/work/count"]), self.directory)
        host.owned.append(self.process)
        if not self.has_grown_beyond(3, 30):
            sys.exit("the sandbox beside the attacks does not count: "
                     + harness.read_text(self.directory, "stderr")[-500:])

    def count(self):
        try:
            with open(os.path.join(self.volume, "number")) as file:
                return int(file.read() or 0)
        except (OSError, ValueError):
            return 0

    def has_grown_beyond(self, number, seconds):
        deadline = time.monotonic() + seconds
        while self.count() <= number:
            if time.monotonic() > deadline or self.process.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    def check(self):
        if not self.has_grown_beyond(self.count(), 10):
            output = harness.read_text(self.directory, "stdout")
            return [f"the sandbox beside stopped counting: {output[-200:]}"
                    f"{harness.read_text(self.directory, 'stderr')[-200:]}"]
        return []


class Surroundings:
    """Files and processes of the host that no attack may change."""

    def __init__(self, host, canary):
        self.canary = canary
        self.outside = host.directory("outside")
        self.target = os.path.join(self.outside, "secret")
        self.read_only = host.directory("read-only")
        for path in (self.target, os.path.join(self.read_only, "file")):
            with open(path, "w") as file:
                file.write(SECRET + "\n")
        self.bystander = subprocess.Popen(["sleep", "infinity"], stdin=subprocess.DEVNULL)
        host.owned.append(self.bystander)
        self.before = self.facts()

    def pids(self):
        """Host processes worth an attack."""
        found = [self.bystander.pid, os.getpid(), self.canary.process.pid]
        return found + sorted(harness.tree(self.canary.process.pid))[:6]

    def facts(self):
        pid = self.bystander.pid
        with open(f"/proc/{pid}/limits") as file:
            limits = file.read()
        with open("/proc/sys/kernel/tainted") as file:
            tainted = file.read().strip()
        process = harness.Process(pid)
        folder = os.path.dirname(harness.product())
        product = [fingerprint(entry.path, False) for entry in sorted(os.scandir(folder), key=str)
                   if entry.is_file(follow_symlinks=False) and os.access(entry.path, os.X_OK)]
        return {
            "the file outside": fingerprint(self.outside),
            "the read-only volume": fingerprint(self.read_only),
            "the process beside": (process.start, process.state in "SR", limits,
                                   os.getpriority(os.PRIO_PROCESS, pid),
                                   sorted(os.sched_getaffinity(pid))),
            "the host kernel's taint": tainted,
            "/etc/paravane-attack": os.path.exists("/etc/paravane-attack"),
            "the product's own files": product,
        }

    def check(self):
        after = self.facts()
        return [f"{name} changed" for name in after if after[name] != self.before[name]]


class Context:
    def __init__(self, host):
        self.host = host
        self.canary = Canary(host)
        self.surroundings = Surroundings(host, self.canary)
        self.allowed = ",".join(map(str, sorted(harness.direct_calls())))

    def volume(self, program):
        directory = self.host.directory("volume")
        os.chmod(directory, 0o777)
        shutil.copy(os.path.join(PROGRAMS, program), directory)
        return directory

    def run(self, program, arguments, limit, **options):
        """One sandbox, one program; also gives the volume that it wrote into."""
        volume = self.volume(program)
        command = do_command(volume, [f"/work/{program}", *arguments],
                             ["--volume", f"{self.surroundings.read_only}:/ro:ro"])
        return self.host.run(command, limit, **options), volume


def progress(volume):
    try:
        with open(os.path.join(volume, "progress")) as file:
            return int(file.read())
    except (OSError, ValueError):
        return -1


def judge(result, can_hang=False, any_status=False):
    """How a run ended, and what is wrong with that.

    With `any_status` the sandbox may end as if its program had said so: the kernel's code, run from
    anywhere, can say that too."""
    problems = [line for line in result.output.splitlines() if line.startswith("breach: ")]
    last = (result.output.strip().splitlines() or [""])[-1]
    if any(ord(c) < 32 and c not in "\n\t" or ord(c) in (127, 0x9b) for c in result.errors):
        problems.append(f"control characters in the messages: {result.errors[:200]!r}")
    for sign in ("Fatal error", "Program crashed", "core dumped", "AddressSanitizer"):
        if sign in result.errors:
            problems.append(f"the runtime crashed: {result.errors.strip()[-300:]!r}")
    if result.stopped:
        if not can_hang:
            problems.append(f"still running at the time limit, {result.stopped} ended it")
        return "stopped", problems
    if last == "done" and result.status == 0:
        return "done", problems
    if result.messages:
        return "message", problems
    if result.status in (3, 4, 5):
        problems.append(f"the attack could not be made: {result.describe()}")
    if result.status is not None and result.status > 128:
        return "signal", problems
    if any_status:
        return "status", problems
    problems.append(f"ended without a message: {result.describe()}, last line {last!r}")
    return "unclear", problems


# ---- the attacks: name, and a function that gives problems and a remark

ATTACKS = {}


def attack(name):
    def add(function):
        ATTACKS[name] = function
        return function
    return add


def simple(name, program, *arguments, limit=30, can_hang=False, must_finish=False, **options):
    """One run of one program."""

    def run(context):
        result, volume = context.run(program, arguments, limit, **options)
        ending, problems = judge(result, can_hang)
        if must_finish and ending != "done":
            problems.append(f"did not come to its end: {result.describe()}")
        notes = [line[6:] for line in result.output.splitlines() if line.startswith("note: ")]
        if ending != "done":
            notes.append(f"ended by {ending} at step {progress(volume)}: {result.describe()}")
        return problems, "; ".join(notes[-3:])[:300]

    ATTACKS[name] = run


def in_steps(name, program, mode, seconds=240, limit=60, extra=None, **judging):
    """A program whose steps may each end the sandbox: goes on after the step that did."""

    def run(context):
        deadline = time.monotonic() + seconds
        problems, start, endings = [], 0, {}
        while True:
            last = extra if extra else context.allowed
            result, volume = context.run(program, [mode, str(start), last], limit)
            ending, found = judge(result, **judging)
            problems += found
            endings[ending] = endings.get(ending, 0) + 1
            reached = progress(volume)
            if ending == "done" or len(problems) > 10:
                break
            if reached < start or time.monotonic() > deadline:
                problems.append(f"stopped at step {reached}: {result.describe()}")
                break
            start = reached + 1
        return problems, f"sandboxes by ending: {endings}"

    ATTACKS[name] = run


@attack("confinement")
def confined(context):
    return confinement.check_confinement(context.canary.process.pid)


in_steps("preflight", "sweep", "preflight")
in_steps("numbers", "sweep", "numbers")
in_steps("x32", "sweep", "x32")
in_steps("checks", "sweep", "checks")
in_steps("allowed", "sweep", "allowed")
in_steps("undispatched", "sweep", "undispatched")

simple("memory-read", "memory", "read", must_finish=True)
simple("memory-write", "memory", "write")
simple("memory-names", "memory", "names", must_finish=True)
simple("memory-cut", "memory", "cut", must_finish=True)
for seed in range(1, 4):
    in_steps(f"memory-execute-{seed}", "memory", "execute", limit=12, extra=str(seed),
             can_hang=True, any_status=True)
in_steps("memory-unmap", "memory", "unmap", extra="-")
in_steps("memory-replace", "memory", "replace", extra="-")
in_steps("registers", "memory", "registers", extra="-")
for region, pages in (("data", (0, 1, 2, 3, 4, 6, 8, 12)), ("threads", (0, 1, 6, 8, 15, 16)),
                      ("heap", (0, 1, 2, 3, 8, 32, 128))):
    for page in pages:
        simple(f"corrupt-{region}-{page}", "memory", "corrupt", region, str(page), str(7 + page),
               can_hang=True, limit=8)

simple("doorbell-addresses", "doorbell", "addresses")
simple("doorbell-strings", "doorbell", "strings")
for seed in (0x1d0, 0x2d1, 0x3d2):
    in_steps(f"doorbell-fuzz-{seed:x}", "doorbell", "fuzz", extra=str(seed))
simple("doorbell-race", "doorbell", "race")
simple("doorbell-fifo", "doorbell", "fifo")
simple("doorbell-flood", "doorbell", "flood", limit=60)
simple("doorbell-lost", "doorbell", "lost", must_finish=True)
simple("doorbell-listeners", "doorbell", "listeners", must_finish=True)

def leaving(value, status):
    """The kernel's last word is a wait status; whatever it is, the command ends with a status."""

    def run(context):
        result, _ = context.run("doorbell", ["exit", hex(value)], 20)
        is_right = result.status == status and not result.stopped
        return [] if is_right else [f"expected status {status}: {result.describe()}"], ""

    ATTACKS[f"doorbell-exit-{value:x}"] = run


for value, status in ((0, 0), (0xff00, 255), (0x7f, 255), (0x8b, 139), (0xffffffffffffffff, 255)):
    leaving(value, status)
simple("doorbell-panic", "doorbell", "panic")


def with_surroundings(name, program, mode, arguments, limit=60):
    def run(context):
        result, _ = context.run(program, [mode, *arguments(context.surroundings)], limit)
        ending, problems = judge(result)
        return problems, ending

    ATTACKS[name] = run


with_surroundings("doorbell-reach", "doorbell", "reach", lambda s: [SECRET, s.target])
with_surroundings("doorbell-tasks", "doorbell", "tasks", lambda s: map(str, s.pids()))
with_surroundings("files-guest", "files", "guest", lambda s: [SECRET, s.target])
with_surroundings("files-host", "files", "host", lambda s: [SECRET, s.target])
with_surroundings("files-race", "files", "race", lambda s: [SECRET, s.target])
with_surroundings("processes-reach", "processes", "reach", lambda s: map(str, s.pids()))


def with_directory(name, mode, is_input):
    """The caller left a directory of the host open: as standard input, or as another number."""

    def run(context):
        places = context.surroundings
        descriptor = os.open(places.outside, os.O_RDONLY | os.O_DIRECTORY)
        options = {"stdin": descriptor} if is_input else {"pass_fds": (descriptor,)}
        try:
            result, _ = context.run("files", [mode, SECRET, places.target], 60, **options)
        finally:
            os.close(descriptor)
        ending, problems = judge(result)
        return problems, f"{ending}: {result.describe()}"

    ATTACKS[name] = run


with_directory("files-inherited-directory", "host", False)
with_directory("files-input-directory", "host", True)
simple("files-write", "files", "write")
simple("files-devices", "files", "devices")


def in_bundle(name, program, *arguments):
    """In a bundle nothing of the host's root is visible by design, so the secret may lie on it."""

    def run(context):
        directory = context.host.directory("bundle")
        volume = context.volume(program)
        target = os.path.join("/var/tmp", f"paravane-secret-{os.getpid()}")
        with open(target, "w") as file:
            file.write(SECRET + "\n")
        try:
            harness.write_bundle(
                directory, [f"/work/{program}", *arguments, SECRET, target],
                [{"destination": "/work", "type": "bind", "source": volume,
                  "options": ["bind", "rw"]}])
            before = fingerprint(target)
            identifier = f"attack-{os.getpid()}-{context.host.serial}"
            result = context.host.run(
                [harness.product(), "run", "--bundle", directory, identifier], 60)
            ending, problems = judge(result)
            if fingerprint(target) != before:
                problems.append("a host file outside the bundle changed")
        finally:
            os.unlink(target)
        return problems, ending

    ATTACKS[name] = run


for mode in ("guest", "host", "race"):
    in_bundle(f"files-bundle-{mode}", "files", mode)
in_bundle("doorbell-bundle-reach", "doorbell", "reach")

simple("processes-kill", "processes", "kill")
simple("processes-stop", "processes", "stop", can_hang=True, limit=10)
simple("processes-orphans", "processes", "orphans")
simple("processes-parent", "processes", "parent")
simple("processes-timers", "processes", "timers")
simple("interfaces-guest", "interfaces", "guest", limit=60, must_finish=True)
simple("interfaces-host", "interfaces", "host", limit=60)
simple("descriptors-look", "descriptors", "look", must_finish=True)
simple("descriptors-garbage", "descriptors", "garbage", can_hang=True, limit=10)
simple("descriptors-close", "descriptors", "close", can_hang=True, limit=10)
simple("descriptors-exhaust", "descriptors", "exhaust")


def bomb(name, processes=400, memory=768 << 20, file_size=None):
    def run(context):
        limits = Limits(processes, memory)
        try:
            result, _ = context.run("bombs", [name], 60, limits=limits, file_size=file_size)
        finally:
            limits.remove()
        ending, problems = judge(result)
        notes = [line[6:] for line in result.output.splitlines() if line.startswith("note: ")]
        return problems, "; ".join(notes + [ending])[:300]

    ATTACKS[f"bomb-{name}"] = run


for kind in ("fork", "clone", "threads", "memory", "descriptors", "pipes", "files", "mappings",
             "sockets", "objects"):
    bomb(kind)
bomb("file", file_size=64 << 20)


def bomb_in_container(name, memory=32 << 20, beside=64 << 20):
    """Under the container's own limit; what else is used because of it counts as well."""

    def run(context):
        directory, volume = context.host.directory("bundle"), context.volume("bombs")
        harness.write_bundle(
            directory, ["/work/bombs", name],
            [{"destination": "/work", "type": "bind", "source": volume, "options": ["bind", "rw"]}],
            lambda configuration: configuration["linux"].update(
                resources={"memory": {"limit": memory, "swap": memory}}))
        identifier = f"attack-{os.getpid()}-{context.host.serial}"
        limits = Limits(400, 768 << 20)
        try:
            result = context.host.run(
                [harness.product(), "run", "--bundle", directory, identifier], 60, limits=limits)
            peak = limits.peak()
        finally:
            limits.remove()
        ending, problems = judge(result)
        if result.status not in (0, 137):
            problems.append(f"ended with status {result.status}, not for want of memory")
        if peak > memory + beside:
            problems.append(f"{peak >> 20} MiB were used under a limit of {memory >> 20} MiB")
        notes = [line[6:] for line in result.output.splitlines() if line.startswith("note: ")]
        return problems, "; ".join(notes + [ending, f"{peak >> 20} MiB in all"])[:300]

    ATTACKS[f"bomb-container-{name}"] = run


for kind in ("memory", "fallocate", "copies", "splices", "answers"):
    bomb_in_container(kind)


# What the host's other processes try while a sandbox holds what is counted by user.
HOST_NEEDS = """
import ctypes, os, select, signal
libc = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
for _ in range(100):
    if libc.sigqueue(os.getpid(), signal.SIGRTMIN, ctypes.c_void_p(0)):
        print("a host process cannot queue a signal:", os.strerror(ctypes.get_errno()))
        break
poll, ends = select.epoll(), os.pipe()
try:
    poll.register(ends[0])
except OSError as error:
    print("a host process cannot watch a descriptor:", error)
"""


def held(mode):
    def run(context):
        volume, directory = context.volume("hold"), context.host.directory("run")
        command = do_command(volume, ["/work/hold", mode],
                             ["--volume", f"{context.surroundings.read_only}:/ro:ro"])
        process = context.host.start(command, directory)
        deadline = time.monotonic() + 30
        while not os.path.exists(os.path.join(volume, "holding")):
            if time.monotonic() > deadline or process.poll() is not None:
                break
            time.sleep(0.02)
        needs = subprocess.run([sys.executable, "-c", HOST_NEEDS], capture_output=True, text=True)
        problems = (needs.stdout + needs.stderr).splitlines() + context.canary.check()
        beside = context.host.run(
            do_command(context.host.directory("volume"), ["/bin/sh", "-c", "echo a | cat"]), 20)
        if beside.status != 0 or beside.output != "a\n":
            problems.append(f"another sandbox does not start: {beside.describe()}")
        with open(os.path.join(volume, "release"), "w"):
            pass
        result = context.host.finish(process, directory, 20)
        ending, found = judge(result)
        notes = [line[6:] for line in result.output.splitlines() if line.startswith("note: ")]
        return problems + found, "; ".join(notes + [ending])

    ATTACKS[f"hold-{mode}"] = run


for mode in ("signals", "watches", "pipes", "locks"):
    held(mode)


# Uses up what the host's user may queue.
QUEUE = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
count = 0
while libc.sigqueue(os.getpid(), signal.SIGRTMIN, ctypes.c_void_p(0)) == 0:
    count += 1
print(count, flush=True)
sys.stdin.read()
"""


@attack("full-queue")
def full_queue(context):
    """The kernel interrupts its own threads even when its user can queue no more signals."""
    queue = subprocess.Popen([sys.executable, "-c", QUEUE], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    try:
        count = queue.stdout.readline().strip()
        result, _ = context.run("kicks", ["500"], 40)
    finally:
        queue.communicate()
    ending, problems = judge(result)
    if ending != "done":
        problems.append(f"did not come to its end: {result.describe()}")
    return problems, f"with {count} signals queued"


def stopping(name, limits, stop):
    """Somebody outside stops the sandbox again and again; `stop(root, is_stopped)` does it."""

    def run(context):
        volume, directory = context.volume("waits"), context.host.directory("run")
        group = limits() if limits else None
        try:
            process = context.host.start(do_command(volume, ["/work/waits", "4"]), directory,
                                         limits=group)
            started = os.path.join(volume, "waiting")
            deadline = time.monotonic() + 40
            rounds = 0
            while process.poll() is None and time.monotonic() < deadline:
                if os.path.exists(started):
                    stop(group or process.pid, True)
                    rounds += 1
                time.sleep(0.01)
                stop(group or process.pid, False)
                time.sleep(0.02)
            result = context.host.finish(process, directory, 5)
        finally:
            if group:
                group.remove()
        ending, problems = judge(result)
        if ending != "done":
            problems.append(f"did not come to its end: {result.describe()}")
        if rounds < 20:
            problems.append(f"was stopped {rounds} times only")
        notes = [line[6:] for line in result.output.splitlines() if line.startswith("note: ")]
        return problems, "; ".join([f"stopped {rounds} times", *notes])

    ATTACKS[name] = run


def send_to_guests(root, is_stopped):
    for pid in guests(root):
        try:
            os.kill(pid, signal.SIGSTOP if is_stopped else signal.SIGCONT)
        except ProcessLookupError:
            pass


stopping("stopped", None, send_to_guests)
stopping("frozen", harness.Freezer, lambda group, is_stopped: group.set(is_stopped))


class Listeners:
    """A TCP and a UDP port of this machine's loopback address, and who came there."""

    def __init__(self):
        self.tcp, self.udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        for each in (self.tcp, self.udp):
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        self.tcp.listen(64)

    def ports(self):
        return [str(each.getsockname()[1]) for each in (self.tcp, self.udp)]

    def arrivals(self):
        found = []
        for name, take in (("connection", self.tcp.accept),
                           ("datagram", lambda: self.udp.recvfrom(100))):
            try:
                while True:
                    take()
                    found.append(name)
            except BlockingIOError:
                pass
        return found

    def close(self):
        self.tcp.close()
        self.udp.close()


def reaching(mode, network, arrives):
    def run(context):
        listeners = Listeners()
        try:
            volume = context.volume("network")
            command = do_command(volume, ["/work/network", mode, *listeners.ports()],
                                 ["--network", network])
            result = context.host.run(command, 60)
            found = listeners.arrivals()
        finally:
            listeners.close()
        ending, problems = judge(result)
        if ending != "done":
            problems.append(f"did not come to its end: {result.describe()}")
        if arrives and set(found) != {"connection", "datagram"}:
            problems.append(f"what is let through did not arrive: {found}")
        if not arrives and found:
            problems.append(f"arrived on the host: {found}")
        return problems, f"{len(found)} arrivals"

    ATTACKS[f"network-{mode}"] = run


reaching("direct", "host", arrives=False)
reaching("isolated", "none", arrives=False)
reaching("control", "host", arrives=True)


class HostSocket:
    """A unix socket that gives whoever connects a descriptor of the host; counts who came."""

    def __init__(self, path):
        self.arrivals = 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(128)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with open("/etc/hostname") as file:
            while True:
                try:
                    connection, _ = self.socket.accept()
                except OSError:
                    return
                self.arrivals += 1
                with connection, contextlib.suppress(ConnectionError):
                    socket.send_fds(connection, [b"x"], [file.fileno()] * 8)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


HOST_SOCKET_POLICY = """
default: allow
rules:
- {path: /work/open, action: allow}
"""


def reaching_host_sockets(mode, policy):
    def run(context):
        volume = context.volume("hostsockets")
        hidden = context.host.directory("hidden")
        sockets = [HostSocket(os.path.join(volume, "open")),
                   HostSocket(os.path.join(hidden, "secret"))]
        options = ["--volume", f"{hidden}:/ro:ro"]
        if policy:
            options += ["--policy", os.path.join(hidden, "policy.yaml")]
            with open(options[-1], "w") as file:
                file.write(policy)
        try:
            result = context.host.run(
                do_command(volume, ["/work/hostsockets", mode], options), 60)
        finally:
            for one in sockets:
                one.close()
        ending, problems = judge(result)
        if ending != "done":
            problems.append(f"did not come to its end: {result.describe()}")
        if sockets[1].arrivals:
            problems.append(f"{sockets[1].arrivals} arrivals where none is let through")
        if bool(sockets[0].arrivals) != bool(policy):
            problems.append(f"{sockets[0].arrivals} arrivals at the open socket")
        return problems, f"{sockets[0].arrivals} arrivals"

    ATTACKS[f"host-sockets-{mode}"] = run


reaching_host_sockets("denied", None)
reaching_host_sockets("allowed", HOST_SOCKET_POLICY)


@attack("trace")
def traced(context):
    def start(script):
        volume, directory = context.host.directory("volume"), context.host.directory("trace")
        os.chmod(volume, 0o777)
        command = do_command(volume, ["/bin/sh", "-c", script])
        return context.host.start(command, directory), volume, directory

    return confinement.check_trace(context.host, start)


# ---- the run


def perform(name, context, report):
    began = time.monotonic()
    snapshot = Snapshot(context.host)
    problems, remark = ATTACKS[name](context)
    problems += [f"left behind: {item}" for item in snapshot.leftovers()]
    snapshot.clean()
    problems += context.canary.check() + context.surroundings.check()
    report.add(name, problems, time.monotonic() - began, remark)
    return not problems


def main():
    arguments = [value for value in sys.argv[1:] if value != "--list"]
    pattern = arguments[0] if arguments else "*"
    names = [name for name in ATTACKS if fnmatch.fnmatch(name, pattern)]
    if "--list" in sys.argv:
        print("\n".join(names))
        return 0
    if not names:
        sys.exit(f"no attack matches {pattern}")
    harness.require_root()
    harness.isolate()
    harness.build_programs(os.path.dirname(os.path.abspath(__file__)), PROGRAMS)
    host, report = Host(), Report()
    try:
        context = Context(host)
        # Without a filter the rest would be aimed at the host itself.
        for name in ("confinement", "preflight"):
            if not perform(name, context, report):
                print("     the other attacks are not safe to run: stopping")
                return report.close()
        for name in names:
            if name not in ("confinement", "preflight"):
                perform(name, context, report)
    finally:
        host.close()
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
