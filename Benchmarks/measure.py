"""One measurement of one row in one runtime."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from material import environment

TIME_LIMIT = 300


class Failure(Exception):
    """Why a row has no number; its text stands in the table."""


def start(words, volume, one_cpu=False, **options):
    def prepare():
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # A shell's background jobs ignore it.
        if one_cpu:
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    return subprocess.Popen(words, cwd=volume, env=environment(volume), start_new_session=True,
                            text=True, preexec_fn=prepare, stderr=subprocess.PIPE, **options)


def end(process):
    """Ends a run that took too long, with all that it started and that stayed in its session."""
    os.killpg(process.pid, signal.SIGKILL)
    try:
        process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        pass  # A container outlives the command that ran it, and holds our pipe.


def output_of(words, volume, one_cpu=False):
    process = start(words, volume, one_cpu, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        output, errors = process.communicate(timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        end(process)
        raise Failure(f"still running after {TIME_LIMIT} s") from None
    if process.returncode:
        message = (errors.strip().splitlines() or [""])[-1]
        raise Failure(f"status {process.returncode} {message}".strip())
    return output


def nanoseconds(row, runtime, volume, batch_us):
    """A micro or command row: timed by micro itself, inside the sandbox."""
    words = [f"{volume}/micro", "--directory", str(volume), "--child", f"{volume}/child",
             "--batches", str(row.batches), "--batch-us", str(batch_us)]
    if row.kind == "micro":
        words += ["--row", row.name]
    else:
        words += ["--command", row.prepare, *row.command]
    with runtime.words(words, volume) as command:
        output = output_of(command, volume, row.one_cpu)
    try:
        return float(output.splitlines()[-1])
    except (IndexError, ValueError):
        raise Failure("it printed no number") from None


def start_milliseconds(runtime, volume):
    with runtime.words(["/bin/true"], volume) as command:
        before = time.perf_counter()
        output_of(command, volume)
        return (time.perf_counter() - before) * 1e3


def idle_mebibytes(runtime, volume):
    """The PSS of cat(1) waiting for input, and of every host process that keeps it running."""
    with runtime.words(["/bin/cat"], volume) as command:
        process = start(command, volume, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            process.stdin.write("ready\n")
            process.stdin.flush()
            if process.stdout.readline() != "ready\n":
                raise Failure("cat did not answer")
            return sum(proportional_bytes(pid) for pid in family(process.pid)) / 2**20
        finally:
            process.communicate()


def family(ancestor):
    """A process, its descendants, and whoever else is in its session."""
    parents, sessions = {}, {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has ended meanwhile.
        parents[int(entry.name)], sessions[int(entry.name)] = int(fields[1]), int(fields[3])
    found = {pid for pid, session in sessions.items() if session == ancestor} | {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def proportional_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024


def per_second(row, runtime, volume, batch_us):
    """How many things of `row.count` a command does in a second."""
    return row.count * 1e9 / nanoseconds(row, runtime, volume, batch_us)


def fio_per_second(row, runtime, volume):
    with runtime.words(list(row.command), volume) as command:
        output = output_of(command, volume)
    job = json.loads(output[output.index("{"):])["jobs"][0]  # Notes may stand in front.
    return max(job["read"]["bw_bytes"], job["write"]["bw_bytes"]) / row.count
