"""Sandboxes that connect, servers for them, and the runner of suites made of such cases."""

import contextlib
import fnmatch
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import jsonschema
from prometheus_client.openmetrics import parser as openmetrics

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(ROOT, "Attack"))

import harness  # noqa: E402
from harness import product  # noqa: E402

CASES = {}
LIMIT = 60
PYTHON = os.path.realpath("/usr/bin/python3")


def isolate():
    if os.environ.get("PARAVANE_TEST_NETWORK"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ["PARAVANE_TEST_NETWORK"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private",
                          sys.executable] + sys.argv)


class Failure(Exception):
    pass


def expect(condition, words):
    if not condition:
        raise Failure(words)


def equal(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r}, expected {wanted!r}")


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


# ---- What the cases are made of

# In front of each program of a sandbox: connects, serves and says what came of it.
PRELUDE = """
import errno, os, socket, sys
def attempt(body):
    try:
        return body() or "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
def tcp(address, family=socket.AF_INET):
    s = socket.socket(family)
    s.connect(address)
    return s
def say(*words):
    print(*words, flush=True)
"""


class Sandbox:
    """`paravane do` with a Python program, a policy and an audit log."""

    def __init__(self, program, policy=None, audit=True, arguments=(), network="host", **options):
        self.directory = tempfile.mkdtemp(prefix="connections-")
        self.log = os.path.join(self.directory, "audit.jsonl")
        command = [product(), "do", "--network", network, *arguments]
        if audit:
            command += ["--audit", self.log]
        if policy:
            command += ["--policy", self.write("policy.yaml", policy)]
        command += ["--", PYTHON, "-c", PRELUDE + program]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, **options)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def line(self):
        """The next line that the program says."""
        # Byte by byte: what a buffer holds already, select does not see.
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
            byte = os.read(self.process.stdout.fileno(), 1) if ready else b""
            if not byte:
                self.process.kill()
                raise Failure(f"the program says nothing: {self.process.stderr.read()[:500]}")
            line += byte
        return line.decode().strip()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def finish(self, status=0):
        """Waits for the end; returns what the program said since."""
        try:
            output, errors = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure(f"still runs: {self.process.communicate()[1][:500]}")
        equal(self.process.returncode, status, f"the exit status ({errors.strip()[:500]})")
        return output.split("\n")[:-1]

    def events(self):
        return read_log(self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory)


def read_log(path):
    """The lines of an audit log, each of which satisfies the schema."""
    with open(os.path.join(ROOT, "docs/protocol/audit.schema.json")) as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    events = []
    with open(path) as file:
        for line in file:
            expect(line.endswith("\n"), f"a line without an end: {line!r}")
            event = json.loads(line)
            for error in validator.iter_errors(event):
                raise Failure(f"{error.message}: {line}")
            events.append(event)
    return events


def only(events, **wanted):
    """The one event with these fields."""
    found = [e for e in events if all(e.get(name) == value for name, value in wanted.items())]
    equal(len(found), 1, f"events with {wanted} in {json.dumps(events)[:2000]}")
    return found[0]


@contextlib.contextmanager
def server(handle=None, address="127.0.0.1", family=socket.AF_INET):
    """A TCP server outside; gives its port and the list of peers that it saw."""
    listener = socket.create_server((address, 0), family=family, backlog=128)
    peers = []

    def serve():
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            peers.append(peer)
            with connection:
                if handle:
                    # The sandbox may end first.
                    with contextlib.suppress(ConnectionError):
                        handle(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], peers
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def receive(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def wait_for(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        expect(time.monotonic() < deadline, "the time is up")
        time.sleep(0.02)


class Container(Sandbox):
    """`paravane run` of a bundle with this machine's programs, in the test's network."""

    options = ()

    def __init__(self, program, policy=None, annotation=None, audit=True, volumes=(), linux=()):
        """`volumes` are pairs of a directory and its place; `linux` is more for config.json."""
        self.directory = tempfile.mkdtemp(prefix="connections-")
        self.log = os.path.join(self.directory, "audit.jsonl")
        self.root = os.path.join(self.directory, "root")
        self.volumes, self.linux = volumes, linux
        logging = ["--audit", self.log] if audit else []
        command = [product(), "--root", self.root, *logging, "run", *self.options,
                   "--bundle", self.bundle(program, annotation)]
        if policy:
            command += ["--policy", self.write("policy.yaml", policy)]
        self.process = subprocess.Popen(command + ["web"], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def bundle(self, program, annotation):
        files = os.path.join(self.directory, "rootfs")
        for name in ("proc", "dev", "tmp", "usr", "etc"):
            os.makedirs(os.path.join(files, name))
        for name in ("bin", "lib", "lib64"):
            os.symlink(f"usr/{name}", os.path.join(files, name))
        configuration = {
            "ociVersion": "1.0.2",
            "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/usr/bin"],
                        "args": [PYTHON, "-c", PRELUDE + program]},
            "root": {"path": "rootfs"},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}] + [
                {"destination": f"/{name}", "type": "bind", "source": f"/{name}",
                 "options": ["rbind", "ro"]} for name in ("usr", "etc")] + [
                {"destination": place, "type": "bind", "source": source, "options": ["rbind"]}
                for source, place in self.volumes],
            "linux": {"namespaces": [{"type": t} for t in ("pid", "mount", "ipc", "uts")],
                      **dict(self.linux)},
        }
        if annotation:
            configuration["annotations"] = {"dev.paravane.policy": annotation}
        self.write("config.json", json.dumps(configuration))
        return self.directory

    def command(self, *arguments, status=0):
        """Another command about the container; what it prints."""
        done = subprocess.run([product(), "--root", self.root, *arguments], capture_output=True,
                              text=True, timeout=LIMIT)
        equal(done.returncode, status, f"{arguments} ({done.stderr[:500]})")
        return done.stdout if status == 0 else done.stderr


def listed(container):
    """The open connections of a container."""
    return json.loads(container.command("connections", "web", "--format", "json"))


def closes(sandbox):
    return [event for event in sandbox.events() if event["event"] == "close"]


def families(text):
    """By name and labels: what a scraper reads."""
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in openmetrics.text_string_to_metric_families(text)
            for sample in family.samples}


# Connects to two ports until its input ends; says how often what came of it.
LOAD = """
import collections, select
counts = collections.Counter()
say('started')
while not select.select([sys.stdin], [], [], 0)[0]:
    for port in ({open}, {closed}):
        counts[port, attempt(lambda: tcp(('127.0.0.1', port)).close())] += 1
say(sorted(counts.items()))
"""


class Driver:
    """What a snapshot needs to know of a suite that keeps nothing of its own."""

    scratch = "/nowhere"

    def owned_pids(self):
        return []


class Snapshot(harness.Snapshot):
    """Without control groups of others: these cases name none themselves."""

    def differences(self):
        return [line for line in super().differences()
                if "control group" not in line or "paravane" in line]


@contextlib.contextmanager
def nothing_left():
    """What a case makes on this host is gone at its end; if not, the case has failed. To be used in
    the surroundings that `harness.isolate` makes."""
    snapshot = Snapshot(Driver())
    try:
        yield
        equal(snapshot.leftovers(), [], "what is left behind")
    finally:
        snapshot.clean()


def run(arguments, around=contextlib.nullcontext):
    """Runs the cases that the arguments name, each in a context of its own; the exit status."""
    if "--list" in arguments:
        print("\n".join(sorted(CASES)))
        return 0
    patterns = arguments or ["*"]
    failed = 0
    names = [n for n in sorted(CASES) if any(fnmatch.fnmatch(n, p) for p in patterns)]
    for name in names:
        start = time.monotonic()
        try:
            with around():
                note = CASES[name]()
            print(f"PASS {name} ({time.monotonic() - start:.1f} s)", flush=True)
            if note:
                print(f"     {note}", flush=True)
        except (Failure, subprocess.TimeoutExpired) as failure:
            failed += 1
            print(f"FAIL {name} ({time.monotonic() - start:.1f} s)\n     {failure}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed or not names else 0
