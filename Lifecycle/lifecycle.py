"""The life of containers on the command line: OCI runtime specification, and runc's own commands.

    lifecycle.py [--list] [PATTERN]

PARAVANE names the product. With ORACLE=/usr/sbin/runc the cases that name no step of ours run on
runc instead. Expected: right state, right error, nothing left behind.
"""

import fnmatch
import json
import os
import signal
import subprocess
import sys
import time

import faults  # noqa: F401: its cases
import flags  # noqa: F401: its cases
import handed  # noqa: F401: its cases
import linux  # noqa: F401: its cases
import profiles  # noqa: F401: its cases
import propagation  # noqa: F401: its cases
import systemd  # noqa: F401: its cases
import host as hosts
from host import CASES, Failure, Host, Skip, case, expect, until, waits_for_answer


@case("specification/state-machine")
def state_machine(host):
    """Runtime and lifecycle, Operations: each only in the states that it is for."""
    host.fails("state", "box", words="does not exist")
    host.fails("start", "box", words="does not exist")
    host.create("--pid-file", os.path.join(host.scratch, "pid"))
    state = host.state()
    expect(state["status"] == "created" and state["pid"] > 0, str(state))
    expect(state["annotations"] == {"a.b": "c"} and state["bundle"] == host.bundle, str(state))
    with open(os.path.join(host.scratch, "pid")) as file:
        expect(int(file.read()) == state["pid"], "the pid file")
    host.fails("create", "--bundle", host.bundle, "box", words="already exists")
    host.run("start", "box")
    expect(host.state()["status"] == "running", "after start")
    host.fails("start", "box", words="already running")
    host.fails("delete", "box", words="not stopped")
    host.run("kill", "box", "KILL")
    until("its end", host.is_stopped)
    host.fails("kill", "box", "TERM", words="container not running")
    host.fails("start", "box", words="stopped")
    host.run("delete", "box")
    host.fails("delete", "box", words="does not exist")
    host.run("delete", "--force", "box")


@case("specification/the-program-waits-for-start")
def waits(host):
    host.configure("sh", "-c", "echo begun > /mark")
    host.create()
    mark = os.path.join(host.bundle, "rootfs", "mark")
    expect(not os.path.exists(mark), "it ran before start")
    host.run("start", "box")
    until("its end", host.is_stopped)
    expect(os.path.exists(mark), "it did not run")
    host.run("delete", "box")


@case("specification/hooks")
def hooks(host):
    """POSIX-platform hooks: the order, and the state on standard input."""
    log = os.path.join(host.scratch, "log")
    kinds = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
    script = "read -r x || true; echo \"$0 $x\" >> " + log
    host.configure("sleep", "1000", hooks={kind: [{
        "path": "/bin/sh", "args": ["sh", "-c", script, kind]}] for kind in kinds})
    host.start_detached()
    host.run("kill", "box", "KILL")
    until("its end", host.is_stopped)
    host.run("delete", "box")
    with open(log) as file:
        lines = file.read().splitlines()
    expect([line.split()[0] for line in lines] == kinds, str(lines))
    expect(all('"id"' in line and "box" in line for line in lines), str(lines))


@case("specification/a-failing-hook-leaves-nothing")
def failing_hook(host):
    for kind in ("prestart", "createRuntime", "createContainer"):
        host.configure("sleep", "1000", hooks={kind: [{"path": "/bin/false"}]})
        host.fails("create", "--bundle", host.bundle, "box", words="hook")
        host.fails("state", "box", words="does not exist")


@case("specification/a-hook-that-hangs")
def hanging_hook(host):
    host.configure("sleep", "1000", hooks={"prestart": [{
        "path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]})
    host.fails("create", "--bundle", host.bundle, "box", words="hook")


@case("runc/exec")
def execute(host):
    host.start_detached()
    text = host.run("exec", "--env", "A=b", "box", "sh", "-c", "echo $A; exit 5", status=5)
    expect(text == "b\n", repr(text))
    host.run("exec", "box", "nosuch", status=255)
    pid = os.path.join(host.scratch, "exec.pid")
    host.run("exec", "--detach", "--pid-file", pid, "box", "sleep", "1000")
    with open(pid) as file:
        stand_in = int(file.read())
    expect(stand_in in json.loads(host.run("ps", "--format", "json", "box")), "not in its group")
    os.kill(stand_in, signal.SIGKILL)
    until("the program's end", lambda: "sleep 1000\n" not in host.run(
        "exec", "box", "sh", "-c", "for p in /proc/[0-9]*; do [ $p != /proc/1 ] && "
        "tr '\\0' ' ' < $p/cmdline && echo; done; true").replace(" \n", "\n"))


@case("runc/pause")
def pause(host):
    host.start_detached()
    host.run("pause", "box")
    expect(host.state()["status"] == "paused", "state")
    host.run("exec", "box", "true", status=255)
    host.run("resume", "box")
    host.run("exec", "box", "true")
    host.run("pause", "box")
    host.run("kill", "box", "KILL")
    until("the end of a paused one", host.is_stopped)


@case("runc/init-ignores-what-it-does-not-handle")
def init_ignores(host):
    host.start_detached()
    host.run("kill", "box", "TERM")
    host.run("exec", "box", "true")
    expect(host.state()["status"] == "running", "SIGTERM ended process 1")


@case("runc/two-deletes-at-once")
def two_deletes(host):
    for _ in range(5):
        host.start_detached()
        deletes = [subprocess.Popen(host.command("delete", "--force", "box"),
                                    stderr=subprocess.DEVNULL) for _ in range(4)]
        expect([delete.wait(timeout=30) for delete in deletes] == [0] * 4, "a delete failed")
        host.fails("state", "box", words="does not exist")


def steps(count=40, last=0.08):
    """Moments of a command's life: denser at its begin."""
    return [last * (index / count) ** 2 for index in range(1, count + 1)]


def kill_after(host, seconds, *arguments):
    command = subprocess.Popen(host.command(*arguments), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        command.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()


def is_created(host):
    """Creates the container anew when the backend of the killed command has removed it, which it
    may do at any time after the kill, and lets another create in as soon as it can."""
    text = host.run("state", "box", status=None)
    if "does not exist" in text:
        host.run("create", "--bundle", host.bundle, "box", status=None)
        return False
    return json.loads(text)["status"] == "created"


@case("faults/others-while-run-waits")
def others_meanwhile(host):
    """`run` in the foreground keeps nobody from what can be done to a container."""
    for options in ((), ("--keep",)):
        run = subprocess.Popen(host.command("run", *options, "--bundle", host.bundle, "box"),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        until("it runs", lambda: "running" in host.run("state", "box", status=None))
        host.run("pause", "box")
        host.run("resume", "box")
        host.run("update", "--pids-limit", "30", "box")
        host.run("delete", "--force", "box")
        expect(run.wait(20) == 128 + signal.SIGKILL, f"status {run.returncode}")
        host.fails("state", "box", words="does not exist")


@case("faults/create-killed-at-every-step")
def create_killed(host):
    for seconds in steps():
        kill_after(host, seconds, "create", "--bundle", host.bundle, "box")
        until("created", lambda: is_created(host))
        host.run("start", "box")
        host.run("delete", "--force", "box")
        until("nothing left", lambda: not host.leftovers())


@case("faults/start-killed-at-every-step")
def start_killed(host):
    for seconds in steps(20, 0.03):
        host.create()
        kill_after(host, seconds, "start", "box")
        if host.state()["status"] == "created":
            # It may have asked before it was killed, and be obeyed in between.
            host.run("start", "box", status=None)
        expect(host.state()["status"] == "running", "neither created nor running")
        host.run("delete", "--force", "box")


@case("faults/exec-killed-at-every-step")
def exec_killed(host):
    host.start_detached()
    for seconds in steps(20, 0.05):
        kill_after(host, seconds, "exec", "box", "sleep", "1000")
        until("the program's end", lambda: len(json.loads(
            host.run("ps", "--format", "json", "box"))) == 3)
        host.run("exec", "box", "true")


@case("faults/exec-killed-before-the-guest-hears-of-it")
def exec_killed_early(host):
    """The guest learns of the program and of its end at once."""
    if hosts.PRODUCT.endswith("runc"):
        return  # which waits for the container to go on
    host.start_detached()
    for _ in range(5):
        host.run("pause", "box")
        command = subprocess.Popen(
            host.command("exec", "--ignore-paused", "box", "sleep", "1000"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("its request", lambda: waits_for_answer(command.pid))
        command.kill()
        command.wait()
        host.run("resume", "box")
        until("the program's end", lambda: "sleep" not in host.run(
            "exec", "box", "sh", "-c", "for p in /proc/[0-9]*; do [ $p != /proc/1 ] && "
            "cat $p/comm; done; true"))


@case("faults/delete-killed-at-every-step")
def delete_killed(host):
    for seconds in steps(20, 0.05):
        host.start_detached()
        kill_after(host, seconds, "delete", "--force", "box")
        host.run("delete", "--force", "box")
        until("nothing left", lambda: not host.leftovers())


# What a command does to anything but itself.
STEPS = ("openat,openat2,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,"
         "write,fsync,flock,fork,vfork,clone,clone3,connect,sendmsg,recvmsg,kill,pidfd_send_signal,"
         "setns,unshare,mount,umount2")


def killed_at_each_call(host, *arguments, has_come_far=lambda: False):
    """Runs a command again and again, and kills it at the first such call, the second, and so on
    until it comes to its end or, having come far, waits. Between two runs the caller looks at what
    is left."""
    for number in range(1, 1000):
        tracer = subprocess.Popen(
            ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={STEPS}",
             "-e", f"inject={STEPS}:signal=KILL:when={number}", *host.command(*arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(f"call {number}", lambda: tracer.poll() is not None or (
            has_come_far() and is_waiting(tracer)))
        if tracer.poll() != -signal.SIGKILL:
            expect(number > 5, f"only {number} calls")
            if tracer.poll() is None:
                os.kill(traced(tracer), signal.SIGKILL)
                yield number
            expect(tracer.wait(timeout=20) in (0, -signal.SIGKILL), f"status {tracer.returncode}")
            return
        yield number


def traced(tracer):
    """The process that strace has started, 0 before it has."""
    with open(f"/proc/{tracer.pid}/task/{tracer.pid}/children") as file:
        return int((file.read().split() or [0])[0])


def is_waiting(tracer):
    """Whether the traced command is in poll(2)."""
    try:
        with open(f"/proc/{traced(tracer)}/syscall") as file:
            return file.read().split()[0] == "7"
    except OSError:
        return False


@case("faults/create-killed-at-every-call")
def create_killed_at_calls(host):
    for number in killed_at_each_call(host, "create", "--bundle", host.bundle, "box"):
        until(f"created, killed at call {number}", lambda: is_created(host))
        host.run("delete", "--force", "box")
        until(f"nothing left of call {number}", lambda: not host.leftovers())


@case("faults/start-killed-at-every-call")
def start_killed_at_calls(host):
    host.create()
    for number in killed_at_each_call(host, "start", "box"):
        if host.state()["status"] == "created":
            host.run("start", "box")
        expect(host.state()["status"] == "running", f"killed at call {number}: {host.state()}")
        host.run("delete", "--force", "box")
        host.create()


@case("faults/exec-killed-at-every-call")
def exec_killed_at_calls(host):
    if hosts.PRODUCT.endswith("runc"):
        return  # whose programs go on
    host.start_detached()

    def count():
        return len(json.loads(host.run("ps", "--format", "json", "box")))

    for number in killed_at_each_call(
            host, "exec", "box", "sleep", "1000", has_come_far=lambda: count() > 3):
        until(f"the end of the program of call {number}", lambda: count() == 3)
    host.run("exec", "box", "true")


@case("faults/delete-killed-at-every-call")
def delete_killed_at_calls(host):
    host.start_detached()
    for number in killed_at_each_call(host, "delete", "--force", "box"):
        host.run("delete", "--force", "box")
        until(f"nothing left of call {number}", lambda: not host.leftovers())
        host.start_detached()


def main():
    patterns = [word for word in sys.argv[1:] if not word.startswith("--")] or ["*"]
    names = [name for name in CASES if any(
        fnmatch.fnmatch(name, pattern) for pattern in patterns)]
    if "--list" in sys.argv:
        print("\n".join(names))
        return 0
    failed = skipped = 0
    for name in names:
        host, begin = Host(), time.monotonic()
        try:
            CASES[name](host)
            if os.path.isdir(host.root) and os.listdir(host.root):
                host.run("delete", "--force", "box")
            until("nothing left", lambda: not host.leftovers())
            print(f"PASS {name} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"SKIP {name}: {reason}", flush=True)
        except (Failure, subprocess.TimeoutExpired, OSError, ValueError) as error:
            failed += 1
            print(f"FAIL {name}\n     {error} {host.leftovers()[:4]}", flush=True)
        finally:
            host.end()
    print(f"{len(names) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not names else 0


sys.exit(main())
