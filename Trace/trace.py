"""Compares what `--strace` shows with strace(1), and what `--debug` says of unknown calls.

    trace.py [--list] [PATTERN]
"""

import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIMIT_SECONDS = 30
CASES = {}


def product():
    """$PARAVANE, else the release or the debug build of this checkout."""
    builds = [os.path.join(ROOT, ".build", kind, "paravane") for kind in ("release", "debug")]
    path = os.environ.get("PARAVANE") or next(filter(os.path.exists, builds), builds[0])
    return os.path.realpath(path)


def case(body):
    CASES[body.__name__.replace("_", "-")] = body
    return body


def run(directory, *command):
    return subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, timeout=LIMIT_SECONDS,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def sandbox(directory, *options, command=("./calls",), before=()):
    return run(directory, product(), *before, "do", "--volume", f"{directory}:{directory}",
               "--cwd", directory, *options, "--", *command)


def lines(trace):
    """Each task's calls with unfinished ones put together, from the write of "begin"."""
    open_calls, tasks = {}, {}
    for line in trace.split("\n"):
        if not (match := re.match(r"(\d+) +(.*)", line)):
            continue
        task, text = match.groups()
        tasks.setdefault(task, [])
        if text.endswith("<unfinished ...>"):
            open_calls[task] = text[:-len("<unfinished ...>")].rstrip(" ")
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
            begin = open_calls.pop(task)
            text = begin + (" " if begin.endswith(",") else "") + resumed[1]
        tasks[task].append(text)
    first = list(tasks)[0]
    main = tasks[first]
    start = next(index for index, text in enumerate(main) if '"begin\\n"' in text)
    names = {task: f"TASK{index}" for index, task in enumerate(tasks)}
    return [alike(text, names)
            for task, texts in tasks.items() for text in (main[start:] if task == first else texts)]


def alike(text, names):
    """Without what differs from run to run: times, addresses, process ids, padding."""
    text = re.sub(r" <\d+\.\d{6}>$", "", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", text)
    text = re.sub(r"\) += ", ") = ", text)
    text = text.replace(" (core dumped)", "")
    for task, name in names.items():
        text = re.sub(rf"(?<=si_pid=){task}\b", name, text)
        if re.match(r"(getpid|gettid|tgkill|clone|wait4)\(", text):
            text = re.sub(rf"(?<=\w\(){task}\b|(?<=\) = ){task}$", name, text)
            text = re.sub(rf"^(tgkill\(\w+, ){task}\b", rf"\g<1>{name}", text)
    return text


@case
def calls_are_shown_as_by_strace(directory):
    native = run(directory, "strace", "-f", "-T", "-o", "native", "./calls")
    ours = sandbox(directory, f"--strace={directory}/ours")
    if native.stdout != ours.stdout or ours.stdout != b"begin\n":
        return [f"output differs: {native.stdout} and {ours.stdout}, {ours.stderr}"]
    expected = lines(open(f"{directory}/native").read())
    found = lines(open(f"{directory}/ours").read())
    wrong = [f"strace(1) shows {one}" for one in expected if one not in found]
    wrong += [f"--strace shows {one}" for one in found if one not in expected]
    def names(texts):
        return [re.match(r"\w+|\+|-", text)[0] for text in texts]
    if names(expected) != names(found):
        wrong.append(f"order: {names(expected)} and {names(found)}")
    return wrong


@case
def nothing_a_program_says_controls_a_terminal(directory):
    errors = sandbox(directory, "--strace").stderr
    bad = sorted({byte for byte in errors if byte != 10 and not 32 <= byte < 127})
    problems = [f"bytes {bad} on standard error"] if bad else []
    if rb'"/missing\33[31m\n\r\7\233"' not in errors:
        problems.append(f"the hostile path is not shown: {errors[-2000:]}")
    return problems


@case
def results_and_times_stand_in_each_line(directory):
    sandbox(directory, f"--strace={directory}/times")
    problems = []
    for line in open(f"{directory}/times"):
        is_call = re.match(r"\d+ +(\w+\(|<\.\.\. )", line) and "unfinished" not in line
        if is_call and not re.search(r"\) += (\?|.+ <\d+\.\d{6}>)$|^\d+ +execve.* = 0$", line):
            problems.append(line)
    return problems


@case
def the_program_outlives_a_trace_that_nobody_reads(directory):
    result = sandbox(directory, "--strace=/dev/full", command=("echo", "done"))
    is_right = result.returncode == 0 and result.stdout == b"done\n"
    return [] if is_right else [f"{result}"]


@case
def an_unknown_call_is_logged_once_by_number_and_name(directory):
    script = ("import ctypes; c = ctypes.CDLL(None)\n"
              "for _ in range(3): c.syscall(425, 1, 0); c.syscall(500); c.syscall(70000)\n"
              "for _ in range(2): c.syscall(80000)")
    errors = sandbox(directory, before=("--debug",), command=("python3", "-c", script)).stderr
    told = re.findall(r"system call is not implemented: (.*)", errors.decode())
    expected = ["425 io_uring_setup", "500", "70000"]
    missing = [one for one in expected if told.count(one) != 1]
    return [f"told {told}"] if missing or "80000" in told else []


def main():
    arguments = sys.argv[1:]
    if arguments == ["--list"]:
        print("\n".join(CASES))
        return 0
    pattern = arguments[0] if arguments else ""
    failures = 0
    with tempfile.TemporaryDirectory(prefix="paravane-trace-") as directory:
        subprocess.run(["gcc", "-w", "-O1", "-static", "-o", f"{directory}/calls",
                        os.path.join(ROOT, "Trace/calls.c")], check=True)
        for name, body in CASES.items():
            if pattern not in name and not fnmatch.fnmatch(name, pattern):
                continue
            start = time.monotonic()
            problems = body(directory)
            failures += bool(problems)
            print(f"{'FAIL' if problems else 'PASS'} {name} ({time.monotonic() - start:.1f} s)")
            for problem in problems:
                print(f"    {problem.rstrip()}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
