"""What every case of the life cycle needs: a bundle, the product, and what must be gone."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PRODUCT = os.path.abspath(os.environ.get("ORACLE") or os.environ["PARAVANE"])
CASES = {}


class Failure(Exception):
    pass


class Skip(Exception):
    """This machine has not what the case needs."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def until(what, condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        select.select([], [], [], 0.01)


def waits_for_answer(process):
    """Whether a command stands in recvmsg(2) or poll(2)."""
    with open(f"/proc/{process}/syscall") as file:
        return file.read().split()[0] in ("47", "7")


class Host:
    """A root for containers and a bundle, and what must be gone at the end."""

    def __init__(self, runtime=(PRODUCT,)):
        self.runtime = runtime
        self.scratch = tempfile.mkdtemp(prefix="paravane-lifecycle-")
        self.root = os.path.join(self.scratch, "root")
        self.bundle = os.path.join(self.scratch, "bundle")
        binaries = os.path.join(self.bundle, "rootfs", "bin")
        os.makedirs(binaries)
        self.add_shell(os.path.join(binaries, "busybox"))
        for name in ("sh", "sleep", "true", "cat", "echo"):
            os.symlink("busybox", os.path.join(binaries, name))
        for name in ("proc", "dev", "sys"):
            os.mkdir(os.path.join(self.bundle, "rootfs", name))
        self.configure("sleep", "1000")

    def add_shell(self, path):
        shutil.copy("/bin/busybox", path)

    def configure(self, *arguments, **changes):
        document = {
            "ociVersion": "1.0.2",
            "process": {"user": {"uid": 0, "gid": 0}, "args": list(arguments), "cwd": "/",
                        "env": ["PATH=/bin"]},
            "root": {"path": "rootfs"},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
            "annotations": {"a.b": "c"},
            "linux": {"cgroupsPath": f"/{os.path.basename(self.scratch)}",
                      "namespaces": [{"type": kind} for kind in (
                          "pid", "network", "ipc", "uts", "mount")]},
            **changes,
        }
        with open(os.path.join(self.bundle, "config.json"), "w") as file:
            json.dump(document, file)

    def command(self, *arguments):
        return [*self.runtime, "--root", self.root, *arguments]

    def run(self, *arguments, status=0):
        # A container keeps its standard streams: a pipe of ours would never end.
        with tempfile.TemporaryFile("w+") as output:
            result = subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL,
                                    stdout=output, stderr=output, timeout=40)
            output.seek(0)
            text = output.read()
        if status is not None:
            expect(result.returncode == status, f"{' '.join(arguments)}: status "
                   f"{result.returncode}, expected {status}: {text.strip()[-300:]}")
        return text

    def fails(self, *arguments, words):
        text = self.run(*arguments, status=1)
        expect(words in text, f"{' '.join(arguments)}: no {words!r} in {text!r}")

    def state(self):
        return json.loads(self.run("state", "box"))

    def is_stopped(self):
        return self.state()["status"] == "stopped"

    def create(self, *options):
        self.run("create", "--bundle", self.bundle, *options, "box")

    def start_detached(self):
        self.create()
        self.run("start", "box")

    def groups(self):
        """The control groups that are there, the inner ones first."""
        return [path for path, _, _ in os.walk("/sys/fs/cgroup", topdown=False)
                if f"/{os.path.basename(self.scratch)}" in path]

    def leftovers(self):
        found = self.groups()
        if os.path.isdir(self.root):
            found += [os.path.join(self.root, name) for name in os.listdir(self.root)]
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{number}/cmdline", "rb") as file:
                    if self.root.encode() in file.read():
                        found.append(f"process {number}")
            except OSError:
                pass
        for path in ("/proc/self/mountinfo", "/proc/net/unix"):
            with open(path) as file:
                found += [line.strip() for line in file if self.root in line]
        return found

    def end(self):
        for name in os.listdir(self.root) if os.path.isdir(self.root) else []:
            subprocess.run(self.command("delete", "--force", name), capture_output=True)
        # Runtimes leave those above a container's, and crun also that of one it could not create.
        for path in self.groups():
            with contextlib.suppress(OSError):
                os.rmdir(path)
        shutil.rmtree(self.scratch, ignore_errors=True)


def case(name):
    def add(function):
        CASES[name] = function
        return function
    return add
