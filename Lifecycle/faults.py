"""What goes wrong around a container: the right error, the right state, nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import tempfile

import host as hosts
from host import case, expect, until
from linux import amend

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


def hook(*arguments, **more):
    return [{"path": arguments[0], "args": list(arguments), **more}]


@case("faults/a-hook-that-is-not-there")
def missing_hook(host):
    for kind in KINDS:
        host.configure("sleep", "1000", hooks={kind: hook("/nonexistent/hook")})
        fails_at(host, kind, "/nonexistent/hook")


@case("faults/a-hook-that-hangs")
def hanging_hook(host):
    for kind in KINDS:
        # Those of startContainer are programs of the container.
        path = "/bin/sleep"
        host.configure("sleep", "1000", hooks={kind: hook(path, "1000", timeout=1)})
        fails_at(host, kind, path)


def fails_at(host, kind, words):
    """A hook of this kind fails: what the specification's Lifecycle says must follow."""
    if kind in ("prestart", "createRuntime", "createContainer"):
        host.fails("create", "--bundle", host.bundle, "box", words=words)
        host.fails("state", "box", words="does not exist")
        expect(not host.leftovers(), f"{kind}: {host.leftovers()[:3]}")
        return
    host.create()
    if kind == "poststop":
        host.run("start", "box")
        text = host.run("delete", "--force", "box")
        expect(words in text, f"{kind}: no word of it: {text!r}")
    else:
        host.fails("start", "box", words=words)
        until(f"its end after {kind}", host.is_stopped)
        host.run("delete", "box")
    until(f"nothing left of {kind}", lambda: not host.leftovers())


@case("faults/the-command-killed-in-a-hook")
def killed_in_hook(host):
    for kind in ("prestart", "createContainer"):
        mark = os.path.join(host.scratch, f"in-{kind}")
        host.configure("sleep", "1000", hooks={kind: hook(
            "/bin/sh", "-c", f"echo $$ > {mark}.new; mv {mark}.new {mark}; exec sleep 1000")})
        command = subprocess.Popen(
            host.command("create", "--bundle", host.bundle, "box"), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(f"the hook {kind}", lambda: os.path.exists(mark))
        with open(mark) as file:
            process = int(file.read())
        command.kill()
        command.wait()
        until(f"nothing left of {kind}", lambda: not host.leftovers())
        if kind == "prestart":  # the other had a number of the container's own
            until("the hook's end", lambda: not os.path.exists(f"/proc/{process}"))
        host.configure("sleep", "1000")
        host.start_detached()
        host.run("delete", "--force", "box")


@case("faults/full-run-directory")
def full(host):
    """However much room is left for the state: a container, or an error and nothing."""
    os.mkdir(host.root)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", host.root], check=True)
    outcomes = set()
    try:
        for pages in range(8):
            filler = os.path.join(host.root, ".filler")
            with open(filler, "wb") as file:
                for _ in range(32 - pages):
                    try:
                        os.write(file.fileno(), bytes(4096))
                    except OSError:
                        break
            text = host.run("create", "--bundle", host.bundle, "box", status=None)
            if os.listdir(host.root) == [".filler"]:
                expect("no space left on device" in text.lower(), f"{pages}: {text}")
                outcomes.add("refused")
            else:
                outcomes.add("created")
                expect(host.state()["status"] == "created", f"{pages}: {text}")
                host.run("start", "box")
                host.run("delete", "--force", "box")
            os.remove(filler)
            expect(os.listdir(host.root) == [], f"{pages}: {os.listdir(host.root)}")
        expect(outcomes == {"refused", "created"}, f"always {outcomes}")
    finally:
        subprocess.run(["umount", "-l", host.root], check=True)


@case("faults/control-groups-that-cannot-be-written")
def unwritable(host):
    """A limit that can't be set is no limit: there is no container then, but one without."""
    script = ("for m in $(grep -o ' /sys/fs/cgroup[^ ]* ' /proc/self/mountinfo); do "
              "mount -o remount,bind,ro $m; done; exec \"$@\"")
    def create():
        with tempfile.TemporaryFile("w+") as output:
            status = subprocess.run(
                ["unshare", "-m", "sh", "-c", script, "sh",
                 *host.command("create", "--bundle", host.bundle, "box")],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=40).returncode
            output.seek(0)
            return status, output.read()
    for resources in ({"memory": {"limit": 64 << 20}}, {"pids": {"limit": 50}}):
        amend(host, "sleep", "1000", linux={"resources": resources})
        status, text = create()
        expect(status == 1 and "read-only file system" in text.lower(), f"{status}: {text}")
        host.fails("state", "box", words="does not exist")
        expect(not host.leftovers(), str(host.leftovers()[:3]))
    if hosts.PRODUCT.endswith("runc"):
        return
    host.configure("sleep", "1000")
    expect(create() == (0, ""), "without a limit")
    host.run("start", "box")
    host.run("exec", "box", "true")
    host.run("kill", "box", "KILL")
    until("its end", host.is_stopped)
    host.run("delete", "box")
    expect(not host.leftovers(), str(host.leftovers()[:3]))


@case("faults/console-socket-that-nobody-reads")
def unread_console(host):
    path = os.path.join(host.scratch, "console")
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen(0)
    script = "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"
    host.configure(process={
        "terminal": True, "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"],
        "args": ["sh", "-c", script]})
    host.create("--console-socket", path)
    # Its terminal fills up; it can be used like any other.
    host.run("start", "box")
    expect(host.state()["status"] == "running", "state")
    host.run("exec", "box", "true")
    host.run("delete", "--force", "box")
    # Now nobody even accepts.
    if not hosts.PRODUCT.endswith("runc"):
        host.fails("create", "--bundle", host.bundle, "--console-socket", path, "box",
                   words="cannot send a terminal")
        host.fails("state", "box", words="does not exist")
    server.close()


@case("faults/a-container-with-users-of-its-own")
def users(host):
    """Its backend has no rights on the host, and a keeper that has: whichever is killed, the
    container can be deleted, and nothing of it is left."""
    if hosts.PRODUCT.endswith("runc"):
        return
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    for path in (host.scratch, host.bundle, os.path.join(host.bundle, "rootfs")):
        os.chmod(path, 0o755)
    parts = {"linux": {"uidMappings": mapping, "gidMappings": mapping, "namespaces": [
        {"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "user")]}}
    amend(host, "nosuch", **parts)
    host.fails("create", "--bundle", host.bundle, "box", words="not found")
    expect(not host.leftovers(), f"of a container that was not created: {host.leftovers()[:3]}")
    amend(host, "sleep", "1000", **parts)
    for victim, when in (("backend", "running"), ("backend", "created"), ("keeper", "running"),
                         ("keeper", "created")):
        host.create()
        with open(os.path.join(host.root, "box", "state.json")) as file:
            process = json.load(file)["backend"]["pid"]
        with open(f"/proc/{process}/status") as file:
            expect("Uid:\t100000\t" in file.read(), "the backend is root on the host")
        if victim == "keeper":
            with open(f"/proc/{process}/task/{process}/children") as file:
                process = int(file.read())
        if when == "running":
            host.run("start", "box")
        os.kill(process, 9)
        if victim == "keeper" and when == "created":
            host.fails("start", "box", words="cannot start 'box'")
        elif victim == "keeper":
            expect(host.run("exec", "box", "echo", "fine") == "fine\n", "exec without a keeper")
        else:
            until("the end with the backend", host.is_stopped)
        host.run("delete", "--force", "box")
        until(f"nothing left of a {when} container without its {victim}",
              lambda: not host.leftovers())


@case("faults/exec-of-a-guest-that-does-not-answer")
def silent_guest(host):
    """The command ends when it is told to, and the backend keeps nothing of the program."""
    if hosts.PRODUCT.endswith("runc"):
        return
    host.start_detached()
    init = host.state()["pid"]
    with open(os.path.join(host.root, "box", "state.json")) as file:
        backend = json.load(file)["backend"]["pid"]
    with open(f"/proc/{init}/task/{init}/children") as file:
        guests = [int(pid) for pid in file.read().split()]
    expect(guests, "init has no children")

    def waits(process):
        """Whether it takes no signal any more, and sleeps in poll(2)."""
        with open(f"/proc/{process.pid}/status") as file:
            blocked = next(int(line.split()[1], 16) for line in file if line[:7] == "SigBlk:")
        with open(f"/proc/{process.pid}/syscall") as file:
            call = file.read().split()[0]
        return blocked >> signal.SIGTERM - 1 & 1 and call in ("7", "47", "271")

    def descriptors():
        return len(os.listdir(f"/proc/{backend}/fd"))

    before = descriptors()
    for guest in guests:
        os.kill(guest, signal.SIGSTOP)
    for how in (signal.SIGTERM, signal.SIGKILL) * 5:
        process = subprocess.Popen(host.command("exec", "box", "true"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            until("it waits", lambda: waits(process))
            until("the backend has it", lambda: descriptors() > before)
            process.send_signal(how)
            _, errors = process.communicate(timeout=15)
        finally:
            process.kill()
        if how == signal.SIGTERM:
            expect(process.returncode > 0 and "interrupted" in errors.lower(),
                   f"{process.returncode}: {errors}")
        until("nothing left of it", lambda: descriptors() <= before)
    for guest in guests:
        os.kill(guest, signal.SIGCONT)
    host.run("exec", "box", "true")
    host.run("kill", "box", "KILL")
    until("its end", host.is_stopped)
    host.run("delete", "box")
    expect(not host.leftovers(), str(host.leftovers()[:3]))
