"""Gives the product what it can't work with, and kills its processes at bad moments.

    bad_input.py [--list] [PATTERN]

Expected: one line that says what and why, the right status, and nothing left behind.
"""

import fnmatch
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

import harness
from harness import Host, Limits, Report, Snapshot, do_command, product, write_bundle

CASES = {}
OWN_FAILURE, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127
BAD_CONFIGURATION = 78


class Expectation:
    """The statuses that are right, and what the message must contain (patterns)."""

    def __init__(self, statuses, patterns=(), needs_message=True):
        self.statuses = {statuses} if isinstance(statuses, int) else set(statuses)
        self.patterns, self.needs_message = patterns, needs_message

    def check(self, result):
        problems = []
        if result.stopped:
            problems.append(f"still running at the time limit, {result.stopped} ended it")
        if result.status not in self.statuses:
            problems.append(f"status {result.status}, expected {sorted(self.statuses)}")
        is_own = result.status in (OWN_FAILURE, NOT_EXECUTABLE, NOT_FOUND, BAD_CONFIGURATION)
        if self.needs_message and is_own:
            problems += self.check_message(result)
        if problems:
            problems.append(f"standard error: {result.errors.strip()[:300]!r}")
        return problems

    def check_message(self, result):
        lines = [line for line in result.messages
                 if not line.startswith("paravane: warning: ")]
        if len(lines) != 1 or "Fatal error" in result.errors:
            return [f"expected one line that starts with 'paravane: ', found {len(lines)}"]
        message = lines[0][len("paravane: "):]
        problems = [f"the message lacks {pattern!r}" for pattern in self.patterns
                    if not re.search(pattern, message)]
        if message[:1].isupper() or re.search(r"[\w'\")]\.$", message):
            problems.append("the message is not lowercase without a full stop")
        return problems


def case(name, statuses=OWN_FAILURE, patterns=(), **options):
    """`make(host)` gives the command, or a result of its own making."""
    def add(make):
        expectation = Expectation(statuses, patterns, **options)

        def run(host):
            command = make(host)
            result = command if isinstance(command, harness.Result) else host.run(command, 30)
            return expectation.check(result)

        CASES[name] = run
        return make
    return add


# ---- config.json


def bundle_command(host, change=None, arguments=("/bin/true",), spoil=None):
    directory = write_bundle(host.directory("bundle"), arguments, change=change)
    if spoil:
        spoil(directory)
    return [product(), "run", "--bundle", directory, f"bad-{os.getpid()}-{host.serial}"]


def configuration(name, field, change, patterns=()):
    """One field of config.json is wrong; the message names the file and the field."""
    @case(name, OWN_FAILURE, ("config.json", re.escape(field), *patterns))
    def make(host):
        return bundle_command(host, change)


def content(name, bytes_, patterns=()):
    """All of config.json is wrong."""
    @case(name, OWN_FAILURE, ("config.json", *patterns))
    def make(host):
        def spoil(directory):
            with open(os.path.join(directory, "config.json"), "wb") as file:
                file.write(bytes_)
        return bundle_command(host, spoil=spoil)


def put(*keys_and_value):
    *keys, last, value = keys_and_value

    def change(document):
        for key in keys:
            document = document[key]
        document[last] = value
    return change


def remove(*keys):
    *outer, last = keys

    def change(document):
        for key in outer:
            document = document[key]
        del document[last]
    return change


content("config-empty", b"")
content("config-truncated", b'{"ociVersion": "1.0.2", "process": {"args": ["/bin/tr')
content("config-not-json", b"\x7fELF\x00\x01")
content("config-an-array", b"[]")
content("config-deeply-nested", b"[" * 200000)
content("config-deep-objects", b'{"process":' * 50000)
content("config-invalid-utf8", b'{"ociVersion": "1.0.2", "hostname": "\xff\xfe"}')
configuration("config-no-process", "process", remove("process"))
configuration("config-no-root", "root", remove("root"))
configuration("config-no-root-path", "root.path", remove("root", "path"))
configuration("config-no-args", "process.args", remove("process", "args"))
configuration("config-empty-args", "process.args", put("process", "args", []))
configuration("config-args-a-string", "process.args", put("process", "args", "/bin/true"))
configuration("config-args-of-numbers", "process.args", put("process", "args", [1, 2]))
configuration("config-nul-in-args", "process.args", put("process", "args", ["/bin/true", "a\0b"]))
configuration("config-env-a-number", "process.env", put("process", "env", 5))
configuration("config-relative-cwd", "process.cwd", put("process", "cwd", "home"))
configuration("config-user-a-string", "process.user.uid",
              put("process", "user", "uid", "root"))
configuration("config-user-negative", "process.user.uid", put("process", "user", "uid", -5))
configuration("config-user-too-large", "process.user.uid",
              put("process", "user", "uid", 1 << 40))
configuration("config-unknown-limit", "process.rlimits",
              put("process", "rlimits", [{"type": "RLIMIT_LUNCH", "soft": 1, "hard": 1}]),
              ("RLIMIT_LUNCH",))
configuration("config-mounts-an-object", "mounts", put("mounts", {"type": "proc"}))
configuration("config-unknown-mount-type", "mounts",
              put("mounts", [{"destination": "/work", "type": "nosuchfs", "source": "x"}]),
              ("nosuchfs",))
configuration("config-mount-without-destination", "mounts",
              put("mounts", [{"type": "proc", "source": "proc"}]))
configuration("config-hostname-too-long", "hostname", put("hostname", "h" * 300))
configuration("config-version-missing", "ociVersion", remove("ociVersion"))
configuration("config-version-of-the-future", "ociVersion", put("ociVersion", "9.0.0"))


@case("config-missing", OWN_FAILURE, ("config.json",))
def config_missing(host):
    return bundle_command(host, spoil=lambda path: os.unlink(os.path.join(path, "config.json")))


@case("config-a-directory", OWN_FAILURE, ("config.json",))
def config_directory(host):
    def spoil(path):
        os.unlink(os.path.join(path, "config.json"))
        os.mkdir(os.path.join(path, "config.json"))
    return bundle_command(host, spoil=spoil)


@case("config-a-fifo", OWN_FAILURE, ("config.json",))
def config_fifo(host):
    def spoil(path):
        os.unlink(os.path.join(path, "config.json"))
        os.mkfifo(os.path.join(path, "config.json"))
    return bundle_command(host, spoil=spoil)


@case("bundle-missing", OWN_FAILURE, ("no-such-bundle",))
def bundle_missing(host):
    path = os.path.join(host.scratch, "no-such-bundle")
    return [product(), "run", "--bundle", path, f"bad-{os.getpid()}"]


@case("rootfs-missing", OWN_FAILURE, ("nowhere",))
def rootfs_missing(host):
    return bundle_command(host, put("root", "path", "nowhere"))


@case("rootfs-missing-absolute", OWN_FAILURE, ("/no/such/root",))
def rootfs_missing_absolute(host):
    return bundle_command(host, put("root", "path", "/no/such/root"))


@case("rootfs-a-file", OWN_FAILURE, ("config.json|file|directory",))
def rootfs_file(host):
    return bundle_command(host, put("root", "path", "config.json"))


@case("rootfs-empty", NOT_FOUND, ("/bin/true",))
def rootfs_empty(host):
    return bundle_command(host)


@case("rootfs-relative", 0, needs_message=False)
def rootfs_relative(host):
    """A relative root is relative to the bundle, wherever the caller is."""
    def spoil(path):
        shutil.copy(static_program(host), os.path.join(path, "rootfs", "program"))
    return bundle_command(host, arguments=("/program",), spoil=spoil)


@case("bind-source-missing", OWN_FAILURE, ("/no/such/source",))
def bind_missing(host):
    return bundle_command(host, put("mounts", [
        {"destination": "/work", "type": "bind", "source": "/no/such/source",
         "options": ["bind"]}]))


def identifier(name, text):
    @case(f"identifier-{name}")
    def make(host):
        directory = write_bundle(host.directory("bundle"), ["/bin/true"])
        return [product(), "run", "--bundle", directory, text]


identifier("climbing", "../escape")
identifier("with-slash", "a/b")
identifier("empty", "")
identifier("dot", ".")
identifier("two-dots", "..")
identifier("long", "x" * 2000)
identifier("with-newline", "a b\n")


# ---- the command line of `do`


def do(*arguments):
    return lambda host: [product(), "do", *arguments]


case("do-nothing")(do())
case("do-no-command")(do("--"))
case("do-unknown-option", OWN_FAILURE, ("--frobnicate",))(do("--frobnicate", "--", "/bin/true"))
case("unknown-subcommand")(lambda host: [product(), "frobnicate"])
case("do-not-found", NOT_FOUND, ("/no/such/program",))(do("--", "/no/such/program"))
case("do-not-found-in-path", NOT_FOUND, ("nosuchprogram",))(do("--", "nosuchprogram"))
case("do-not-executable", NOT_EXECUTABLE, ("/etc/passwd",))(do("--", "/etc/passwd"))
case("do-a-directory", NOT_EXECUTABLE, ("/etc",))(do("--", "/etc"))
case("do-below-a-file", (NOT_FOUND, NOT_EXECUTABLE))(do("--", "/etc/passwd/x"))
case("do-empty-command", (NOT_FOUND, OWN_FAILURE))(do("--", ""))
case("do-long-command", (NOT_FOUND, NOT_EXECUTABLE))(do("--", "/" + "x" * 5000))
case("volume-missing", OWN_FAILURE, ("/no/such/volume",))(
    do("--volume", "/no/such/volume:/work", "--", "/bin/true"))
case("volume-malformed", OWN_FAILURE, ("volume",))(do("--volume", "nonsense", "--", "/bin/true"))
case("volume-relative-target", OWN_FAILURE, ("work",))(
    do("--volume", "/etc:work", "--", "/bin/true"))
case("volume-unknown-mode", OWN_FAILURE, ("sideways",))(
    do("--volume", "/etc:/work:sideways", "--", "/bin/true"))
case("volume-climbing-target", (0, OWN_FAILURE))(
    do("--volume", "/etc:/../../work", "--", "/bin/true"))
case("env-without-equals", (0, OWN_FAILURE), ("env|NONSENSE",))(
    do("--env", "NONSENSE", "--", "true"))
case("cwd-missing", (OWN_FAILURE, NOT_FOUND), ("/no/such/directory",))(
    do("--cwd", "/no/such/directory", "--", "/bin/true"))
case("hostname-too-long", OWN_FAILURE, ("host ?name",))(
    do("--hostname", "h" * 300, "--", "/bin/true"))
def policy(text, *arguments):
    """A policy file, read by `paravane policy check`."""
    def command(host):
        path = os.path.join(host.directory("policy"), "policy.yaml")
        with open(path, "wb") as file:
            file.write(text)
        return [product(), "policy", "check", path, *arguments]
    return command


case("policy-missing", OWN_FAILURE, ("/no/such/policy",))(
    lambda host: [product(), "policy", "check", "/no/such/policy"])
case("policy-a-directory", OWN_FAILURE, ("/etc",))(
    lambda host: [product(), "policy", "check", "/etc"])
case("policy-empty", BAD_CONFIGURATION, ("policy.yaml: is empty",))(policy(b""))
case("policy-not-text", BAD_CONFIGURATION, ("UTF-8",))(policy(bytes(range(128, 256))))
case("policy-not-yaml", BAD_CONFIGURATION, (r"policy.yaml:2: ",))(policy(b"default: deny\n\tx"))
case("policy-deep", BAD_CONFIGURATION, ("too many levels",))(policy(b"[" * 1_000_000))
case("policy-huge", BAD_CONFIGURATION, ("8 MiB",))(policy(b"# x\n" * 3_000_000))
case("policy-unknown-field", BAD_CONFIGURATION, (r"policy.yaml:3: rules\[0\].prot: is unknown",))(
    policy(b"default: deny\nrules:\n- prot: tcp\n  action: allow\n"))
case("policy-many-rules", BAD_CONFIGURATION, ("more than 10000 rules",))(
    policy(b"default: deny\nrules:\n" + b"- {port: 1, action: deny}\n" * 10_001))

CANNOT_RUN = ("cannot run sandboxes on this machine",)
case("doctor-without-a-kernel", OWN_FAILURE, CANNOT_RUN)(
    lambda host: ["env", "PARAVANE_KERNEL=/no/such/kernel", product(), "doctor"])
case("doctor-without-privileges", OWN_FAILURE, CANNOT_RUN)(
    lambda host: ["setpriv", "--bounding-set=-sys_admin", product(), "doctor"])
case("doctor-satisfied", 0)(lambda host: [product(), "doctor"])

case("strace-unwritable", OWN_FAILURE, ("/no/such/directory",))(
    do("--strace=/no/such/directory/trace", "--", "/bin/true"))


@case("volume-unreadable", OWN_FAILURE, ("secret",))
def volume_unreadable(host):
    """What even root can't look up: a path that leads through a file."""
    path = os.path.join(host.directory("volume"), "file")
    with open(path, "w"):
        pass
    return [product(), "do", "--volume", f"{path}/secret:/work", "--", "/bin/true"]


# ---- programs


def static_program(host):
    source, program = (os.path.join(host.scratch, name) for name in ("true.c", "true"))
    if not os.path.exists(program):
        with open(source, "w") as file:
            file.write("int main(void) { return 0; }\n")
        subprocess.run(["gcc", "-static", "-O1", source, "-o", program], check=True)
    return program


def program(name, statuses, change, patterns=(), **options):
    """A static program with some of its bytes changed."""
    @case(name, statuses, patterns, **options)
    def make(host):
        volume = host.directory("volume")
        path = os.path.join(volume, "program")
        with open(static_program(host), "rb") as file:
            bytes_ = bytearray(file.read())
        changed = change(bytes_)
        with open(path, "wb") as file:
            file.write(bytes_ if changed is None else changed)
        os.chmod(path, 0o755)
        return do_command(volume, ["/work/program"])


def store(form, offset, value):
    def change(bytes_):
        struct.pack_into(form, bytes_, offset, value)
    return change


def segment(index_of_type, form, field, value):
    """Changes a field of the first program header of this type."""
    def change(bytes_):
        start, = struct.unpack_from("<Q", bytes_, 32)
        size, count = struct.unpack_from("<HH", bytes_, 54)
        for index in range(count):
            at = start + index * size
            if struct.unpack_from("<I", bytes_, at)[0] == index_of_type:
                struct.pack_into(form, bytes_, at + field, value)
                return
    return change


BROKEN = (NOT_EXECUTABLE, *range(129, 160))  # Linux may start such a program and then kill it.
program("elf-other-architecture", NOT_EXECUTABLE, store("<H", 18, 183), ("/work/program",))
program("elf-32-bit", NOT_EXECUTABLE, store("<B", 4, 1))
program("elf-big-endian", BROKEN, store("<B", 5, 2))
program("elf-not-a-program", NOT_EXECUTABLE, store("<H", 16, 1))
program("elf-empty", NOT_EXECUTABLE, lambda bytes_: b"")
program("elf-only-the-magic", NOT_EXECUTABLE, lambda bytes_: b"\x7fELF")
program("elf-truncated-header", NOT_EXECUTABLE, lambda bytes_: bytes_[:40])
program("elf-truncated-table", NOT_EXECUTABLE, lambda bytes_: bytes_[:100])
program("elf-truncated-half", BROKEN, lambda bytes_: bytes_[:len(bytes_) // 2])
program("elf-truncated-page", BROKEN, lambda bytes_: bytes_[:4096])
program("elf-table-outside", NOT_EXECUTABLE, store("<Q", 32, 1 << 62))
program("elf-table-huge", BROKEN, store("<H", 56, 65535))
program("elf-no-table", BROKEN, store("<H", 56, 0))
program("elf-entry-size", NOT_EXECUTABLE, store("<H", 54, 1))
program("elf-entry-nowhere", BROKEN, store("<Q", 24, 0xdead000))
# The kernel notices that it is entered where nobody may, and gives its own account of that.
program("elf-entry-in-the-kernel", (OWN_FAILURE, *BROKEN), store("<Q", 24, harness.IMAGE_BASE),
        needs_message=False)
program("elf-segment-in-the-kernel", BROKEN, segment(1, "<Q", 16, harness.IMAGE_BASE))
program("elf-segment-over-everything", BROKEN, segment(1, "<Q", 40, 0x7fffffff0000))
program("elf-segment-not-canonical", BROKEN, segment(1, "<Q", 16, 0x8000000000000))
program("elf-segment-file-size", BROKEN, segment(1, "<Q", 32, 1 << 63))
program("elf-segment-offset", BROKEN, segment(1, "<Q", 8, 1 << 63))
program("elf-segment-at-zero", BROKEN, segment(1, "<Q", 16, 0))
program("elf-interpreter-unbounded", (NOT_FOUND, *BROKEN), segment(4, "<I", 0, 3))
program("script-missing-interpreter", (NOT_FOUND, NOT_EXECUTABLE),
        lambda bytes_: b"#!/no/such/interpreter\n", ("/work/program",))
program("script-own-interpreter", (NOT_FOUND, NOT_EXECUTABLE),
        lambda bytes_: b"#!/work/program\n")
program("script-empty-interpreter", NOT_EXECUTABLE, lambda bytes_: b"#!\n")
program("script-endless-line", (NOT_FOUND, NOT_EXECUTABLE), lambda bytes_: b"#!/" + b"x" * 100000)


@case("elf-missing-interpreter", (NOT_FOUND, NOT_EXECUTABLE), ("/work/program",))
def missing_interpreter(host):
    volume = host.directory("volume")
    source = os.path.join(volume, "program.c")
    with open(source, "w") as file:
        file.write("int main(void) { return 0; }\n")
    subprocess.run(["gcc", source, "-o", os.path.join(volume, "program"),
                    "-Wl,--dynamic-linker=/no/such/ld.so"], check=True)
    return do_command(volume, ["/work/program"])


# ---- full disks


class SmallDisk:
    """A tmpfs of so many bytes."""

    def __init__(self, path, size):
        self.path = path
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=True)


@case("full-volume", 1, needs_message=False)
def full_volume(host):
    volume = host.directory("volume")
    disk = SmallDisk(volume, "1m")
    try:
        result = host.run(do_command(volume, [
            "/bin/sh", "-c", "head -c 4000000 /dev/zero > /work/file"]), 30)
        if "space" not in result.errors:
            result.status = -1
        return result
    finally:
        disk.remove()


@case("full-overlay", (1, 2, 137, OWN_FAILURE))
def full_overlay(host):
    """The throw-away overlay lives in memory: its end is the group's limit, or its own size."""
    limits = Limits(200, 256 << 20)
    try:
        return host.run([product(), "do", "--", "/bin/sh", "-c",
                         "head -c 600000000 /dev/zero > /var/file"], 60, limits=limits)
    finally:
        limits.remove()


@case("full-state-directory", (0, OWN_FAILURE))
def full_state_directory(host):
    disk = SmallDisk("/run", "4k")
    try:
        filler = os.open("/run/filler", os.O_CREAT | os.O_WRONLY)
        os.write(filler, b"x" * 4096)
        os.close(filler)
        return host.run(do_command(host.directory("volume"), ["/bin/true"]), 30)
    finally:
        disk.remove()


# ---- standard streams


def shell(script):
    def make(host):
        return ["/bin/bash", "-c", f'paravane="{product()}"; ' + script]
    return make


case("closed-output", 141, needs_message=False)(
    shell('"$paravane" do -- yes | head -1 >/dev/null; exit ${PIPESTATUS[0]}'))
case("no-input", 0, needs_message=False)(shell('exec "$paravane" do -- /bin/true <&-'))
case("no-streams", (0, OWN_FAILURE), needs_message=False)(
    shell('exec "$paravane" do -- /bin/true <&- >&- 2>&-'))


# ---- ends that come from outside

BUSY = "echo ready; while :; do /bin/true; done & while :; do /bin/true | /bin/true; done"
IDLE = "echo ready; sleep 1000 & sleep 1000 & wait"


def wait_for(condition, process, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or process.poll() is not None:
            return False
        time.sleep(0.002)
    return True


def started(host, script):
    directory = host.directory("run")
    process = host.start([product(), "do", "--", "/bin/sh", "-c", script], directory)
    return process, directory


def is_ready(directory):
    return lambda: "ready" in harness.read_text(directory, "stdout")


def kill_command_early(milliseconds):
    @case(f"kill-command-after-{milliseconds}-ms", (137,), needs_message=False)
    def make(host):
        process, directory = started(host, IDLE)
        time.sleep(milliseconds / 1000)
        process.kill()
        return host.finish(process, directory, 15)


for milliseconds in (*range(0, 40, 2), 64, 100):
    kill_command_early(milliseconds)


@case("kill-command-idle", 137, needs_message=False)
def kill_command_idle(host):
    process, directory = started(host, IDLE)
    wait_for(is_ready(directory), process)
    process.kill()
    return host.finish(process, directory, 15)


@case("kill-command-busy", 137, needs_message=False)
def kill_command_busy(host):
    process, directory = started(host, BUSY)
    wait_for(is_ready(directory), process)
    process.kill()
    return host.finish(process, directory, 15)


def kill_others(name, script, choose):
    """Kills, one run after the other, each process that `choose` gives."""
    def run(host):
        problems, index = [], 0
        while index < 8:
            process, directory = started(host, script)
            if not wait_for(is_ready(directory), process):
                return problems + [f"did not start: {host.finish(process, directory, 1).errors}"]
            victims = choose(process.pid)
            if index >= len(victims):
                process.kill()
                process.wait()
                break
            victim = victims[index]
            index += 1
            try:
                label = f"{index} ({harness.Process(victim).name})"
                os.kill(victim, signal.SIGKILL)
            except OSError:
                process.kill()
                process.wait()
                continue  # It ended by itself meanwhile.
            result = host.finish(process, directory, 15)
            # A killed program that is not the first may leave the others at work.
            is_guest = name.startswith("kill-guest")
            if result.stopped and not is_guest:
                problems.append(f"victim {label}: the command did not end by itself")
            found = Expectation((OWN_FAILURE, 137, 143, 0, 1)).check_message(result)
            if result.status == OWN_FAILURE and found:
                problems += [f"victim {label}: {text}: {result.errors[-200:]!r}" for text in found]
            if not result.stopped and result.status not in (OWN_FAILURE, 137):
                problems.append(f"victim {label}: {result.describe()}")
        if index == 0:
            problems.append("found no process to kill")
        return problems
    CASES[name] = run


def guest_processes(root):
    return sorted(harness.guests(root))


def other_processes(root):
    guests = set(harness.guests(root))
    return sorted(pid for pid, process in harness.tree(root).items()
                  if process.state != "Z" and pid not in guests)


kill_others("kill-guest-idle", IDLE, guest_processes)
kill_others("kill-guest-busy", BUSY, guest_processes)
kill_others("kill-runtime-idle", IDLE, other_processes)
kill_others("kill-runtime-busy", BUSY, other_processes)


def signalled(name, number, script, status):
    @case(name, status, needs_message=False)
    def make(host):
        process, directory = started(host, script)
        wait_for(is_ready(directory), process)
        process.send_signal(number)
        return host.finish(process, directory, 15)


signalled("signal-term", signal.SIGTERM, "echo ready; while :; do sleep 0.1; done", 143)
signalled("signal-term-handled", signal.SIGTERM,
          "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done", 7)
signalled("signal-int", signal.SIGINT, "trap 'exit 8' INT; echo ready; while :; do sleep 0.1; done",
          8)
signalled("signal-hup", signal.SIGHUP, "trap 'exit 9' HUP; echo ready; while :; do sleep 0.1; done",
          9)


# What a caller may leave behind: signals that are ignored or blocked, among them those of children.
INHERITING = """
import os, signal, sys
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.umask(0o077)
os.execv(sys.argv[1], sys.argv[1:])
"""


def inheriting(script):
    return [sys.executable, "-c", INHERITING, product(), "do", "--", "/bin/sh", "-c", script]


@case("inherited-state", 42, needs_message=False)
def inherited_state(host):
    """The sandbox works all the same, and so do signals in it."""
    return inheriting("trap 'exit 42' USR1; (kill -USR1 $$) & wait; wait; sleep 20")


@case("inherited-ignored-signals", 143, needs_message=False)
def inherited_ignored_signals(host):
    """A signal that the caller ignored does not reach the program, as behind nohup(1)."""
    directory = host.directory("run")
    process = host.start(inheriting("echo ready; while :; do sleep 0.1; done"), directory)
    wait_for(is_ready(directory), process)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    return host.finish(process, directory, 15)


@case("status-of-the-program", 42, needs_message=False)
def status_of_program(host):
    return [product(), "do", "--", "/bin/sh", "-c", "exit 42"]


@case("status-of-a-signal", 137, needs_message=False)
def status_of_signal(host):
    return [product(), "do", "--", "/bin/sh", "-c", "kill -KILL $$"]


# ---- the run


def perform(name, host, report):
    began = time.monotonic()
    snapshot = Snapshot(host)
    problems = CASES[name](host)
    problems += [f"left behind: {item}" for item in snapshot.leftovers()]
    snapshot.clean()
    report.add(name, problems, time.monotonic() - began)


def main():
    arguments = [value for value in sys.argv[1:] if value != "--list"]
    pattern = arguments[0] if arguments else "*"
    names = [name for name in CASES if fnmatch.fnmatch(name, pattern)]
    if "--list" in sys.argv:
        print("\n".join(names))
        return 0
    if not names:
        sys.exit(f"no case matches {pattern}")
    harness.require_root()
    harness.isolate()
    host, report = Host(), Report()
    try:
        for name in names:
            perform(name, host, report)
    finally:
        host.close()
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
