"""Runs sandboxes on this host and finds what they leave behind.

The driver moves itself into a mount namespace of its own with an empty /tmp, /run and /dev/shm, so
that mounts and files which appear there are the product's; and it is the reaper of everything that
it starts, so that no process of a sandbox can get out of its sight.
"""

import ctypes
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
IMAGE_BASE, IMAGE_LIMIT = 0x200000000000, 0x200080000000
PR_SET_CHILD_SUBREAPER = 36
SYS_RT_SIGACTION, SYS_RT_SIGPROCMASK = 13, 14
SETTLE_SECONDS = 5


def product():
    """$PARAVANE, else the release or the debug build of this checkout."""
    builds = [os.path.join(ROOT, ".build", kind, "paravane") for kind in ("release", "debug")]
    path = os.environ.get("PARAVANE") or next(filter(os.path.exists, builds), builds[0])
    return os.path.realpath(path)


def own_directories():
    """What the driver needs itself, wherever it lies."""
    return [os.path.realpath(ROOT), os.path.dirname(product())]


def require_root():
    if os.geteuid() != 0:
        sys.exit("this test needs root")
    if not os.access(product(), os.X_OK):
        sys.exit(f"no {product()}: build the product first, or set PARAVANE")


def forget_the_caller():
    """Drops what the caller left behind and every child would get: ignored and blocked signals (by
    raw calls, since the C library hides two of them), missing streams, a umask."""
    libc = ctypes.CDLL(None)
    by_default, none = bytes(32), bytes(8)
    for number in range(1, 65):
        libc.syscall(SYS_RT_SIGACTION, number, by_default, None, 8)
    libc.syscall(SYS_RT_SIGPROCMASK, signal.SIG_SETMASK, none, None, 8)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    while (descriptor := os.open("/dev/null", os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    os.umask(0o022)


def isolate():
    """Runs this program again in its own mount namespace; the second time it prepares it."""
    if not os.environ.get("PARAVANE_TEST_ISOLATED"):
        forget_the_caller()
        os.environ["PARAVANE_TEST_ISOLATED"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private",
                              sys.executable] + sys.argv)
    for directory in ("/run", "/tmp", "/dev/shm"):
        kept = [(path, os.open(path, os.O_PATH)) for path in own_directories()
                if path.startswith(directory + "/")]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", directory], check=True)
        for path, descriptor in kept:
            os.makedirs(path, exist_ok=True)
            source = f"/proc/{os.getpid()}/fd/{descriptor}"
            subprocess.run(["mount", "--no-canonicalize", "--bind", source, path], check=True)
            os.close(descriptor)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


# ---- processes


class Process:
    """What /proc says of one process."""

    def __init__(self, pid):
        self.pid = pid
        with open(f"/proc/{pid}/stat") as file:
            text = file.read()
        self.name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        self.state, self.parent, self.start = fields[0], int(fields[1]), fields[19]


def all_processes():
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found[int(name)] = Process(int(name))
            except (OSError, ValueError):
                pass
    return found


def children(pid):
    return sorted(p.pid for p in all_processes().values() if p.parent == pid)


def tree(root, skipping=()):
    """The living processes below `root`, without it and without those that are skipped."""
    processes, found, layer = all_processes(), {}, {root}
    while layer:
        children = {p.pid: p for p in processes.values()
                    if p.parent in layer and p.pid not in skipping}
        found.update(children)
        layer = set(children)
    return found


def is_guest(pid):
    """Whether the kernel's text lies in this process; the backend may have mapped its data."""
    try:
        with open(f"/proc/{pid}/maps") as file:
            return any(line.startswith(f"{IMAGE_BASE:x}-") and " r-x" in line for line in file)
    except OSError:
        return False


def guests(root):
    return [pid for pid in tree(root) if is_guest(pid)]


# ---- what may be left behind


def files_below(directory, skipped):
    found = set()
    for path, directories, names in os.walk(directory):
        directories[:] = [d for d in directories if os.path.join(path, d) not in skipped]
        found.update(os.path.join(path, name) for name in directories + names)
    return found


def control_groups():
    return {path for path, _, _ in os.walk("/sys/fs/cgroup")}


def mounts():
    with open("/proc/self/mountinfo") as file:
        return {line.split(" ", 1)[1].strip() for line in file}


def is_foreign_group(path):
    """Whether a group that appeared belongs to something else: to an engine or another suite on this
    machine, or its processes are not ours."""
    others = "libpod", "docker", "containerd", "/bench-", "/paravane-lifecycle-"
    if any(other in path for other in others):
        return True
    try:
        with open(os.path.join(path, "cgroup.procs")) as file:
            members = {int(line) for line in file}
    except OSError:
        return True
    return bool(members) and not members & (set(tree(os.getpid())) | {os.getpid()})


class Snapshot:
    """The host before a sandbox, to be compared with the host after it."""

    directories = ("/run", "/tmp", "/dev/shm", "/var/tmp", "/var/lib/paravane")

    def __init__(self, host):
        self.host = host
        self.mounts, self.groups = mounts(), control_groups()
        self.files = self.list_files()

    def list_files(self):
        found = set()
        for directory in self.directories:
            found |= files_below(directory, [self.host.scratch, *own_directories()])
        # Where containers are kept: the directory stays, as runc's does, but nothing in it.
        found.discard("/run/paravane")
        return found

    def differences(self):
        found = []
        for process in tree(os.getpid(), self.host.owned_pids()).values():
            if process.state == "Z":
                if process.parent == os.getpid():
                    os.waitpid(process.pid, os.WNOHANG)
                continue
            found.append(f"process {process.pid} ({process.name})")
        found += [f"mount {line}" for line in mounts() - self.mounts]
        found += [f"control group {path}" for path in control_groups() - self.groups
                  if not is_foreign_group(path)]
        found += [f"file {path}" for path in self.list_files() - self.files]
        return found

    def leftovers(self):
        """What is still there once everything had the time to go."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            found = self.differences()
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.05)

    def clean(self):
        """Ends what was left behind, so that one failure does not become many."""
        for pid in tree(os.getpid(), self.host.owned_pids()):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass


# ---- running


class Result:
    def __init__(self, status, output, errors, stopped):
        self.status, self.output, self.errors = status, output, errors
        self.stopped = stopped  # "", or the signal that it took after the time limit
        self.messages = [line for line in errors.splitlines() if line.startswith("paravane: ")]

    def describe(self):
        errors = self.errors.strip().splitlines()
        return f"status {self.status}" + (f", {errors[-1][:160]!r}" if errors else "")


class Limits:
    """A control group around a sandbox, in version 1 or 2, removed at the end."""

    def __init__(self, processes, memory):
        self.paths = []
        name = f"paravane-test-{os.getpid()}"
        version1 = os.path.isdir("/sys/fs/cgroup/pids")
        if version1:
            self.add("/sys/fs/cgroup/pids", "pids", name, {"pids.max": processes})
            self.add("/sys/fs/cgroup/memory", "memory", name, {"memory.limit_in_bytes": memory})
        else:
            self.add("/sys/fs/cgroup", "", name, {
                "pids.max": processes, "memory.max": memory, "memory.swap.max": 0})

    def add(self, hierarchy, controller, name, values):
        with open("/proc/self/cgroup") as file:
            own = next((line.split(":", 2)[2].strip() for line in file
                        if controller in line.split(":")[1].split(",")), "/")
        path = os.path.join(hierarchy + own if controller else hierarchy, name)
        os.makedirs(path, exist_ok=True)
        for key, value in values.items():
            try:
                with open(os.path.join(path, key), "w") as file:
                    file.write(str(value))
            except FileNotFoundError:
                if key != "memory.swap.max":
                    raise
        self.paths.append(path)

    def enter(self):
        for path in self.paths:
            with open(os.path.join(path, "cgroup.procs"), "w") as file:
                file.write(str(os.getpid()))

    def peak(self):
        """The most memory that the group and those below it have had."""
        for path in self.paths:
            for name in ("memory.max_usage_in_bytes", "memory.peak"):
                if os.path.exists(os.path.join(path, name)):
                    with open(os.path.join(path, name)) as file:
                        return int(file.read())
        return 0

    def remove(self):
        for path in self.paths:
            for _ in range(100):
                try:
                    os.rmdir(path)
                    break
                except OSError:
                    time.sleep(0.05)


class Freezer:
    """A control group that can be frozen, in version 1 or 2, around processes that run."""

    def __init__(self):
        name = f"paravane-test-freezer-{os.getpid()}"
        # Version 2 interrupts system calls, which is what matters here.
        for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer"):
            if os.path.exists(os.path.join(root, "cgroup.procs")):
                break
        is_version1 = root.endswith("freezer")
        self.path = os.path.join(root, name)
        self.file = "freezer.state" if is_version1 else "cgroup.freeze"
        self.words = ("THAWED", "FROZEN") if is_version1 else ("0", "1")
        os.makedirs(self.path, exist_ok=True)

    def enter(self):
        with open(os.path.join(self.path, "cgroup.procs"), "w") as file:
            file.write(str(os.getpid()))

    def set(self, is_frozen):
        with open(os.path.join(self.path, self.file), "w") as file:
            file.write(self.words[is_frozen])

    def remove(self):
        self.set(False)
        for _ in range(100):
            try:
                os.rmdir(self.path)
                break
            except OSError:
                time.sleep(0.05)


class Host:
    """This machine during one run of the driver."""

    def __init__(self):
        self.scratch = tempfile.mkdtemp(prefix="paravane-test-")
        self.owned = []  # processes that belong to the driver, with all below them
        self.serial = 0

    def close(self):
        for process in self.owned:
            process.terminate()
        for process in self.owned:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def owned_pids(self):
        return [process.pid for process in self.owned]

    def directory(self, name):
        self.serial += 1
        path = os.path.join(self.scratch, f"{name}-{self.serial}")
        os.makedirs(path)
        return path

    def start(self, command, directory, limits=None, file_size=None, **options):
        def prepare():
            if limits:
                limits.enter()
            if file_size:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

        output = open(os.path.join(directory, "stdout"), "wb")
        errors = open(os.path.join(directory, "stderr"), "wb")
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(command, stdout=output, stderr=errors, preexec_fn=prepare,
                                **options)

    def finish(self, process, directory, limit):
        """Waits for the end, and asks for it when it does not come."""
        stopped = ""
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            for name in ("SIGTERM", "SIGKILL"):
                stopped = name
                process.send_signal(getattr(signal, name))
                try:
                    process.wait(5)
                    break
                except subprocess.TimeoutExpired:
                    continue
        status = process.returncode
        status = 128 - status if status is not None and status < 0 else status
        return Result(status, read_text(directory, "stdout"), read_text(directory, "stderr"),
                      stopped)

    def run(self, command, limit=20, **options):
        directory = self.directory("run")
        return self.finish(self.start(command, directory, **options), directory, limit)


def read_text(directory, name):
    with open(os.path.join(directory, name), "rb") as file:
        return file.read(1 << 20).decode("utf-8", "replace")


def do_command(volume, command, options=()):
    # What a hostile program sends stays in a network of its own.
    network = () if "--network" in options else ("--network", "none")
    return [product(), "do", "--volume", f"{volume}:/work", *network, *options, "--", *command]


def write_bundle(directory, arguments, mounts=(), change=None):
    """An OCI bundle with an empty root file system; `change` may spoil the configuration."""
    os.makedirs(os.path.join(directory, "rootfs"), exist_ok=True)
    for name in ("proc", "dev", "tmp", "work"):
        os.makedirs(os.path.join(directory, "rootfs", name), exist_ok=True)
    configuration = {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False, "user": {"uid": 0, "gid": 0}, "args": list(arguments),
            "env": ["PATH=/bin:/usr/bin:/"], "cwd": "/",
        },
        "root": {"path": "rootfs", "readonly": False},
        "hostname": "test",
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, *mounts],
        "linux": {"namespaces": [{"type": name} for name in ("pid", "mount", "ipc", "uts", "network")]},
    }
    if change:
        change(configuration)
    with open(os.path.join(directory, "config.json"), "w") as file:
        json.dump(configuration, file)
    return directory


def fingerprint(path, with_content=True):
    """Everything of a file or directory that an attack could change. Every store through a shared
    mapping changes the time, so large files need no reading."""
    facts = os.lstat(path)
    text = [path, facts.st_mode, facts.st_uid, facts.st_gid, facts.st_ino, facts.st_nlink,
            facts.st_size, facts.st_mtime_ns]
    if os.path.isdir(path):
        text += [fingerprint(os.path.join(path, name)) for name in sorted(os.listdir(path))]
    elif os.path.isfile(path) and with_content:
        with open(path, "rb") as file:
            text.append(hashlib.sha256(file.read()).hexdigest())
    return text


def direct_calls():
    """The numbers and names of the table in the code."""
    path = os.path.join(ROOT, "Sources", "PVCalls", "DirectCall.swift")
    with open(path) as file:
        found = re.findall(r'DirectCall\(\s*(\d+),\s*"(\w+)"', file.read())
    if len(found) < 10:
        sys.exit(f"cannot read the direct calls from {path}")
    return {int(number): name for number, name in found}


def build_programs(source, target, flags=()):
    """Compiles what is newer than its program."""
    os.makedirs(target, exist_ok=True)
    shared = [os.path.join(source, "attack.c"), os.path.join(source, "attack.h"),
              os.path.join(ROOT, "Sources", "CPVCalls", "include", "CPVCalls.h")]
    for name in sorted(os.listdir(source)):
        path = os.path.join(source, name)
        program = os.path.join(target, name[:-2])
        if not name.endswith(".c") or name == "attack.c":
            continue
        newest = max(os.path.getmtime(p) for p in [path, *shared])
        if os.path.exists(program) and os.path.getmtime(program) > newest:
            continue
        subprocess.run(
            ["gcc", "-O1", "-D_GNU_SOURCE", "-static", "-pthread", "-Wall", "-Wextra", *flags,
             "-I", os.path.dirname(shared[2]), path, shared[0], "-o", program], check=True)


class Report:
    """PASS and FAIL lines, and the closing line."""

    def __init__(self):
        self.passed = self.failed = 0

    def add(self, name, problems, seconds, remark=""):
        if problems:
            self.failed += 1
            print(f"FAIL {name} ({seconds:.1f} s)")
            for problem in problems[:12]:
                print(f"     {problem}")
        else:
            self.passed += 1
            print(f"PASS {name} ({seconds:.1f} s){': ' + remark if remark else ''}")
        sys.stdout.flush()

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0
