#!/usr/bin/python3
"""Measures the life of containers: Paravane beside runc and crun, round by round.

    containers.py [--rounds N] [--write] [--check]

PARAVANE names the product, else the release build. Every round does the same in each runtime, in
the other order every second time; the table shows medians. --write puts it into the page
docs/performance.md.
"""

import argparse
import json
import os
import pathlib
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from runtimes import WITHOUT_UNIFIED_GROUPS

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
BEGIN, END = "<!-- containers:begin -->", "<!-- containers:end -->"
BUSYBOX = "/bin/busybox"
CROWD = 100
STEPS = ("create", "start", "end", "delete")


class Runtime:
    """A runtime of runc's command line, as an engine uses it: one call for each step."""

    def __init__(self, name, program, directory, prefix=()):
        self.name, self.program, self.prefix = name, program, prefix
        self.directory = directory / name
        self.state = directory / "states" / name
        self.group = f"bench-{os.getpid()}-{name}"
        self.directory.mkdir()

    def bundle(self, identifier, *words):
        bundle = self.directory / identifier
        binaries = bundle / "rootfs" / "bin"
        binaries.mkdir(parents=True)
        # One file for all: whoever maps it shares it with the others.
        os.link(self.directory.parent / "busybox", binaries / "busybox")
        for name in ("true", "sleep"):
            (binaries / name).symlink_to("busybox")
        for name in ("proc", "dev"):
            (bundle / "rootfs" / name).mkdir()
        (bundle / "config.json").write_text(json.dumps({
            "ociVersion": "1.0.2", "root": {"path": "rootfs"},
            "process": {"user": {"uid": 0, "gid": 0}, "args": words, "cwd": "/",
                        "env": ["PATH=/bin"]},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                       {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
            "linux": {"cgroupsPath": f"/{self.group}/{identifier}", "namespaces": [
                {"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]}}))
        return str(bundle)

    def begin(self, *words):
        return subprocess.Popen(
            [*self.prefix, self.program, "--root", str(self.state), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def call(self, *words):
        """How many milliseconds it took."""
        before = time.perf_counter()
        status = self.begin(*words).wait()
        if status:
            raise RuntimeError(f"{self.name}: {words[0]}: status {status}")
        return (time.perf_counter() - before) * 1e3

    def life(self):
        """Milliseconds of each step of a container that runs `true`."""
        bundle = self.bundle("life", "true")
        number = self.directory / "pid"
        took = [self.call("create", "--bundle", bundle, "--pid-file", str(number), "life")]
        process = os.pidfd_open(int(number.read_text()))
        took.append(self.call("start", "life"))
        before = time.perf_counter()
        select.select([process], [], [])
        took.append((time.perf_counter() - before) * 1e3)
        os.close(process)
        took.append(self.call("delete", "life"))
        shutil.rmtree(bundle)
        return took

    def executions(self, count):
        bundle = self.bundle("busy", "sleep", "1000")
        self.call("run", "--detach", "--bundle", bundle, "busy")
        took = [self.call("exec", "busy", "true") for _ in range(count)]
        self.call("delete", "--force", "busy")
        shutil.rmtree(bundle)
        return took

    def crowd(self):
        """Starts a hundred containers at once; milliseconds, and the MiB of one of them."""
        names = [f"crowd{number}" for number in range(CROWD)]
        bundles = [self.bundle(name, "sleep", "1000") for name in names]
        before = time.perf_counter()
        commands = [self.begin("run", "--detach", "--bundle", bundle, name)
                    for name, bundle in zip(names, bundles)]
        failed = sum(command.wait() != 0 for command in commands)
        took = (time.perf_counter() - before) * 1e3
        size = sum(self.proportional_kilobytes()) / 1024 / CROWD
        for command in [self.begin("delete", "--force", name) for name in names]:
            command.wait()
        for bundle in bundles:
            shutil.rmtree(bundle)
        if failed:
            raise RuntimeError(f"{self.name}: {failed} of {CROWD} were not started")
        return took, size

    def proportional_kilobytes(self):
        """Of each process in the containers' groups, and of those that keep them."""
        for directory in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (directory / "cmdline").read_bytes()
                if str(self.state).encode() in words or self.group in (
                        directory / "cgroup").read_text():
                    rollup = (directory / "smaps_rollup").read_text()
                    yield int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.M)[1])
            except OSError:
                pass  # It has ended meanwhile.

    def end(self):
        for name in os.listdir("/sys/fs/cgroup"):
            try:
                os.rmdir(f"/sys/fs/cgroup/{name}/{self.group}")
            except OSError:
                pass  # No hierarchy, or none of ours in it.


def native_mebibytes(busybox):
    """The PSS of one of a hundred programs without any container."""
    programs = [subprocess.Popen([busybox, "sleep", "1000"]) for _ in range(CROWD)]
    try:
        total = 0
        for program in programs:
            rollup = pathlib.Path(f"/proc/{program.pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.M)[1])
        return total / 1024 / CROWD
    finally:
        for program in programs:
            program.kill()
            program.wait()


def measure(runtimes, rounds, busybox):
    """For each runtime and row, all that was measured."""
    samples = {runtime.name: {} for runtime in runtimes}

    def add(runtime, row, *values):
        samples[runtime.name].setdefault(row, []).extend(values)

    program = native_mebibytes(busybox)
    for number in range(rounds):
        for runtime in runtimes[::-1 if number % 2 else 1]:
            for _ in range(5):
                steps = runtime.life()
                add(runtime, "life", sum(steps))
                for step, took in zip(STEPS, steps):
                    add(runtime, step, took)
            add(runtime, "exec", *runtime.executions(5))
            if number < 3:
                took, size = runtime.crowd()
                add(runtime, "crowd", took)
                add(runtime, "size", size - program)
        print(f"round {number + 1} of {rounds}", flush=True)
    return {name: {row: statistics.median(values) for row, values in rows.items()}
            for name, rows in samples.items()}


# Title, row, unit, and what of runc's and crun's it may be, or an absolute limit.
ROWS = (
    ("create, start, end and delete of true", "life", "ms", (1.0, 1.5)),
    *((f"of that {step}", step, "ms", None) for step in STEPS),
    ("exec of true", "exec", "ms", (1.0, 1.5)),
    (f"{CROWD} containers at once, until all run", "crowd", "ms", None),
    (f"one idle container of {CROWD}, beyond its program", "size", "MiB of PSS", 4.0),
)


def aim(limit):
    if limit is None:
        return ""
    return f"≤ {limit:g}" if isinstance(limit, float) else "≤ runc, ≤ 1.5 crun"


def is_met(medians, row, limit):
    own = medians["paravane"][row]
    if isinstance(limit, float):
        return own <= limit
    others = [medians.get(name, {}).get(row) for name in ("runc", "crun")]
    return all(other is None or own <= other * factor for other, factor in zip(others, limit))


def table(medians):
    yield f"| | {' | '.join(medians)} | aim | met |"
    yield f"| --- |{' ---: |' * (len(medians) + 2)}"
    for title, row, unit, limit in ROWS:
        cells = [f"{max(values[row], 0):.1f}" for values in medians.values()]
        verdict = "" if limit is None else "yes" if is_met(medians, row, limit) else "**no**"
        yield f"| {title}, {unit} | {' | '.join(cells)} | {aim(limit)} | {verdict} |"


def write(lines):
    text = PAGE.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"cannot write the table: {PAGE.name} has no lines {BEGIN} and {END}")
    PAGE.write_text("\n".join([before + BEGIN, *lines, END + after]))


def found(directory):
    product = os.environ.get("PARAVANE", str(HERE.parent / ".build/release/paravane"))
    yield Runtime("paravane", os.path.abspath(product), directory)
    for name, prefix in (("runc", ()), ("crun", WITHOUT_UNIFIED_GROUPS)):
        if program := shutil.which(name):
            has_both = os.path.isdir("/sys/fs/cgroup/unified")
            yield Runtime(name, program, directory, prefix if has_both else ())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true", help="fail if a limit is not met")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paravane-bench-") as name:
        directory = pathlib.Path(name)
        shutil.copy(BUSYBOX, directory / "busybox")
        (directory / "states").mkdir()
        # As /run is, where engines have them.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(directory / "states")], check=True)
        runtimes = list(found(directory))
        try:
            medians = measure(runtimes, options.rounds, directory / "busybox")
        finally:
            for runtime in runtimes:
                runtime.end()
            subprocess.run(["umount", str(directory / "states")], check=True)
    lines = list(table(medians))
    print("\n".join(lines))
    if options.write:
        write(lines)
    if options.check and not all(
            limit is None or is_met(medians, row, limit) for _, row, _, limit in ROWS):
        sys.exit("a limit is not met")


if __name__ == "__main__":
    main()
