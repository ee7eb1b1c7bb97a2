"""The ways to run a command: natively, in a sandbox of Paravane, in a container of others."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from material import ENVIRONMENT, environment

OTHERS = ("runc", "crun", "runsc")
# crun 1.8 refuses to start where it sees controllers of cgroup v1 beside a tree of v2.
WITHOUT_UNIFIED_GROUPS = ("unshare", "--mount", "sh", "-c",
                          'umount /sys/fs/cgroup/unified && exec "$@"', "sh")
CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
                "CAP_SETGID", "CAP_SETUID"]


class Native:
    name = "native"

    @contextlib.contextmanager
    def words(self, command, volume, shares_network=False):
        yield list(command)


class Paravane:
    name = "paravane"

    def __init__(self, program, options=()):
        self.program = program
        self.options = options

    @contextlib.contextmanager
    def words(self, command, volume, shares_network=False):
        words = [self.program, "do", "--volume", f"{volume}:{volume}", "--cwd", str(volume)]
        words += [option.format(volume=volume) for option in self.options]
        for key, value in environment(volume).items():
            words += ["--env", f"{key}={value}"]
        yield [*words, "--", *command]


class OCIRuntime:
    """A runtime with runc's command line, on the host's root under an overlay, as Paravane's is."""

    def __init__(self, name, state, prefix=()):
        self.name = name
        self.prefix = prefix
        self.state = pathlib.Path(state)
        self.count = 0

    @contextlib.contextmanager
    def words(self, command, volume, shares_network=False):
        self.count += 1
        identifier = f"bench-{os.getpid()}-{self.name}-{self.count}"
        bundle = self.state / identifier
        bundle.mkdir()
        (bundle / "config.json").write_text(
            json.dumps(self.configuration(command, volume, shares_network)))
        try:
            yield [*self.prefix, self.name, "--root", str(self.state / "containers"), "run",
                   "--bundle", str(bundle), identifier]
        finally:
            subprocess.run([*self.prefix, self.name, "--root", str(self.state / "containers"),
                            "delete", "--force", identifier], capture_output=True)
            shutil.rmtree(bundle)

    def configuration(self, command, volume, shares_network):
        kinds = ("pid", "ipc", "uts", "mount", *(() if shares_network else ("network",)))
        variables = [f"{key}={value}" for key, value in environment(volume).items()]
        sets = ("bounding", "effective", "permitted")
        return {
            "ociVersion": "1.0.2",
            "process": {
                "args": list(command), "cwd": str(volume), "env": variables,
                "user": {"uid": 0, "gid": 0}, "noNewPrivileges": True,
                "capabilities": {name: CAPABILITIES for name in sets},
            },
            "root": {"path": str(self.state / "root")},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                 "options": ["nosuid", "strictatime", "mode=755"]},
                {"destination": "/dev/shm", "type": "tmpfs", "source": "shm"},
                {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
                {"destination": str(volume), "type": "bind", "source": str(volume),
                 "options": ["rbind", "rw"]},
            ],
            "linux": {"namespaces": [{"type": kind} for kind in kinds]},
        }


@contextlib.contextmanager
def other_runtimes(volume):
    """Those on PATH that run `true`, on an overlay of the root that is unmounted at the end."""
    names = [name for name in OTHERS if shutil.which(name)]
    with contextlib.ExitStack() as mounts:
        state = mounts.enter_context(tempfile.TemporaryDirectory(prefix="paravane-bench-"))
        if names:
            try:
                mount_root(pathlib.Path(state), mounts)
            except subprocess.CalledProcessError:
                print("no overlay of the root can be mounted: the other runtimes are left out")
                names = []
        yield [runtime for name in names if (runtime := started(name, state, volume))]


def mount_root(state, mounts):
    # An overlay refuses an upper directory inside its lower one, so that is a mount of its own.
    mount(["-t", "tmpfs", "tmpfs", str(state)], state, mounts)
    for name in ("upper", "work", "root"):
        (state / name).mkdir()
    options = f"lowerdir=/,upperdir={state}/upper,workdir={state}/work"
    mount(["-t", "overlay", "overlay", "-o", options, str(state / "root")], state / "root", mounts)


def mount(arguments, target, mounts):
    subprocess.run(["mount", *arguments], check=True, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    mounts.callback(subprocess.run, ["umount", str(target)], env=ENVIRONMENT)


def started(name, state, volume):
    """The runtime, as it runs `true` here; None if it does not."""
    reasons = []
    for prefix in ((), WITHOUT_UNIFIED_GROUPS):
        runtime = OCIRuntime(name, state, prefix)
        reason = reason_not_to_start(runtime, volume)
        if reason is None:
            return runtime
        reasons.append(reason)
    print(f"{name} is left out, it cannot run /bin/true: {reasons[0]}")
    return None


def reason_not_to_start(runtime, volume):
    with runtime.words(["/bin/true"], volume) as words:
        result = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if result.returncode:
        return (result.stderr.strip().splitlines() or ["no message"])[-1]
    return None
