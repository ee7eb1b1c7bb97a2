"""One container of one runtime: its configuration, what it printed, and what was refused."""

import atexit
import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Lifecycle"))

from host import Failure, Host, expect, until  # noqa: E402,F401: the cases take them from here

TESTS = {}
SHELL = os.path.join(tempfile.mkdtemp(prefix="paravane-specification-"), "busybox")
shutil.copy("/bin/busybox", SHELL)
atexit.register(shutil.rmtree, os.path.dirname(SHELL))
ABSENT = object()
APPLETS = ("chmod cut dd env find grep hostname id ip ls mkdir mount nc nice printf pwd rm stat "
           "stty taskset tee touch tr tty umount uname usleep wc").split()
CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL",
                "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"]
# What `runc spec` writes, as far as it takes part in what is tested.
CONFIGURATION = {
    "ociVersion": "1.0.2",
    "process": {
        "user": {"uid": 0, "gid": 0}, "args": ["sleep", "1000"], "env": ["PATH=/bin"], "cwd": "/",
        "capabilities": {name: CAPABILITIES for name in ("bounding", "effective", "permitted")},
        "noNewPrivileges": False,
    },
    "root": {"path": "rootfs"},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": [
            "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs",
         "options": ["nosuid", "noexec", "nodev", "ro"]},
    ],
    "linux": {
        "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
    },
}
NAMESPACES = CONFIGURATION["linux"]["namespaces"]


def test(name, text=None):
    """A test named DOCUMENT/SECTION/WHAT; its text is the requirement."""
    def add(function):
        function.__doc__ = text or function.__doc__
        expect(name not in TESTS and name.count("/") == 2 and function.__doc__, name)
        TESTS[name] = function
        return function
    return add


def without(kind, *more):
    """The usual namespaces but one, and others in its place."""
    return [entry for entry in NAMESPACES if entry["type"] != kind] + list(more)


def lines(path):
    with open(path) as file:
        return file.read().splitlines()


class Box(Host):
    """A bundle and a root of containers for one test."""

    def __init__(self, runtime):
        super().__init__(runtime)
        for applet in APPLETS:
            os.symlink("busybox", self.inside("bin", applet))
        os.mkdir(self.inside("tmp"))
        self.write()

    def add_shell(self, path):
        """A name of the one that the suite has copied, as there are many boxes."""
        os.link(SHELL, path)

    def inside(self, *parts):
        """A file of the container's root, on the host."""
        return os.path.join(self.bundle, "rootfs", *parts)

    def path(self, *parts):
        return os.path.join(self.scratch, *parts)

    def write(self, changes=(), bundle=None):
        """The usual configuration, changed: `process.cwd` is replaced, `mounts+` is appended to."""
        document = copy.deepcopy(CONFIGURATION)
        document["linux"]["cgroupsPath"] = f"/{os.path.basename(self.scratch)}"
        for name, value in dict(changes).items():
            *parents, last = name.split(".")
            place = document
            for parent in parents:
                place = place.setdefault(parent, {})
            if last.endswith("+"):
                place[last[:-1]] = place.get(last[:-1], []) + value
            elif value is ABSENT:
                place.pop(last, None)
            else:
                place[last] = value
        with open(os.path.join(bundle or self.bundle, "config.json"), "w") as file:
            json.dump(document, file)

    def call(self, *arguments, files=(), **options):
        """The status, the output and the errors of a command, which a container may keep open."""
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            options.setdefault("stdin", subprocess.DEVNULL)
            result = subprocess.run(self.command(*arguments), stdout=output, stderr=errors,
                                    timeout=40, pass_fds=files, **options)
            texts = []
            for file in (output, errors):
                file.seek(0)
                texts.append(file.read())
        return result.returncode, *texts

    def output(self, script, changes=(), status=0, options=(), **call):
        """What a shell script in a container prints."""
        self.write({"process.args": ["sh", "-c", script], **dict(changes)})
        result, text, errors = self.call("run", "--bundle", self.bundle, *options, "box", **call)
        expect(result == status, f"status {result}: {text[-200:]}{errors.strip()[-300:]}")
        return text

    def prints(self, script, expected, changes=(), **more):
        text = self.output(script, changes, **more)
        expect(text == expected, f"{text!r} instead of {expected!r}")

    def error(self, *arguments):
        """The words of a command that fails."""
        status, text, errors = self.call(*arguments)
        expect(status != 0, f"{' '.join(arguments)}: no error: {text}{errors}")
        return text + errors

    def refuses(self, changes):
        """Generates an error: for `create`, else for `start`."""
        self.write(changes)
        status, _, errors = self.call("create", "--bundle", self.bundle, "box")
        if status == 0:
            self.error("start", "box")
            return "start"
        self.is_missing()
        return errors

    def is_missing(self, name="box"):
        status, text, _ = self.call("state", name)
        expect(status != 0, f"there is a container: {text}")

    def begin(self, changes=()):
        """A container that runs in the background; its state."""
        self.write(changes)
        self.start_detached()
        return self.state()

    def finish(self):
        self.run("kill", "box", "KILL")
        until("the container's end", self.is_stopped)

    def mounted(self, path, changes=(), options=()):
        """The file system type, the mount's options and the file system's own, inside."""
        text = self.output(f"grep ' {path} ' /proc/self/mountinfo", changes, options=options)
        before, after = text.splitlines()[-1].split(" - ")
        kind, _, own = after.split()
        return kind, before.split()[5].split(","), own.split(",")

    def group(self, process, controller, *names):
        """The first of the files that the control group of a process has, in either version."""
        for line in lines(f"/proc/{process}/cgroup"):
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            top = os.path.join("/sys/fs/cgroup", controllers)
            for name in names:
                file = f"{top}{path}/{name}"
                if os.path.exists(file):
                    return " ".join(lines(file))
        raise Failure(f"no {' or '.join(names)}")
