"""Unix sockets of the host that containers reach on volumes, where the policy lets them."""

import contextlib
import errno
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading

from sandboxes import (
    LIMIT, PYTHON, ROOT, Container, Sandbox, case, closes, equal, expect, families, harness, listed,
    only, wait_for)


class HostSocket:
    """A unix socket outside that answers each connection; notes who came and what was said."""

    def __init__(self, path, kind=socket.SOCK_STREAM, handle=None):
        self.peers, self.received = [], []
        self.socket = socket.socket(socket.AF_UNIX, kind)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.handle = handle or (lambda connection, data: connection.sendall(data.upper()))
        if kind != socket.SOCK_DGRAM:
            self.socket.listen(8)
            self.thread = threading.Thread(target=self.serve, daemon=True)
            self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(ConnectionError):
                self.peers.append(struct.unpack("iII", connection.getsockopt(
                    socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1:])
                data = connection.recv(65536)
                self.received.append(data)
                self.handle(connection, data)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@contextlib.contextmanager
def host_sockets(*names, **options):
    """A directory with sockets of the host; gives its path and the sockets."""
    with tempfile.TemporaryDirectory(prefix="sockets-", dir="/var/tmp") as directory:
        os.chmod(directory, 0o755)
        sockets = [HostSocket(os.path.join(directory, name), **options) for name in names]
        try:
            yield directory, sockets
        finally:
            for one in sockets:
                one.close()


# Connects to a path, and what else the cases on sockets of the host do.
UNIX = """
import select, struct, threading
def unix(path, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_UNIX, kind)
    s.settimeout(30)
    s.connect(path)
    return s
"""


@case
def sockets_of_the_host_need_a_rule():
    allowing = """
default: allow
rules:
- {name: the open one, path: /vol/open, action: allow}
- {name: the marked one, path: /vol/marked, action: audit}
- {name: the closed one, path: /vol/closed, action: deny, errno: EACCES, reason: not yours}
"""
    program = UNIX + """
for name in ('open', 'marked', 'closed', 'other', 'missing'):
    say(attempt(lambda: unix('/vol/' + name) and None))
"""
    with host_sockets("open", "marked", "closed", "other") as (directory, (opened, *others)):
        volume = ["--volume", f"{directory}:/vol"]
        for policy, answers in (
                (None, ["ECONNREFUSED"] * 4), ("default: allow", ["ECONNREFUSED"] * 4),
                (allowing, ["ok", "ok", "EACCES", "ECONNREFUSED"])):
            with Sandbox(program, policy, arguments=volume) as sandbox:
                equal(sandbox.finish(), answers + ["ENOENT"], f"the answers with {policy!r}")
                events = [e for e in sandbox.events() if e["event"] != "close"]
            equal([e["remote"] for e in events],
                  [{"path": f"/vol/{name}"} for name in ("open", "marked", "closed", "other")],
                  "the paths")
            equal([e["protocol"] for e in events], ["unix"] * 4, "the protocols")
        equal([e["verdict"] for e in events], ["allow", "audit", "deny", "deny"], "the verdicts")
        equal([e.get("rule") for e in events],
              ["the open one", "the marked one", "the closed one", None], "the rules")
        equal(events[2]["explanation"], "not yours", "the reason")
        equal([len(s.peers) for s in others], [1, 0, 0], "who came to the others")
        equal(len(opened.peers), 1, "who came to the open one")
    for event in (read for read in events[2:]):
        equal((event["event"], event["attempt"]), ("denied", "connect"), "the event")


@case
def a_socket_of_the_host_is_a_socket():
    policy = "default: deny\nrules:\n- {path: /vol/, action: allow}\n"
    program = UNIX + """
s = unix('/vol/stream')
watch = select.epoll()
late = socket.socket(socket.AF_UNIX)
watch.register(late, select.EPOLLIN)
say(s.getpeername(), repr(s.getsockname()), *struct.unpack('iii', s.getsockopt(1, 17, 12)))
s.sendall(b'x' * 1000)
say(len(s.recv(4000, socket.MSG_WAITALL)), s.recv(10), attempt(lambda: s.connect('/vol/stream')))
late.connect('/vol/stream')
late.send(b'y')
say(*[(f == late.fileno(), e & select.EPOLLIN) for f, e in watch.poll(30)], late.recv(9))
os.setresuid(1234, 1234, 1234)
t = unix('/vol/stream')
t.settimeout(None)
t.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 1000))
say(attempt(lambda: t.recv(1)))
t.shutdown(socket.SHUT_WR)
say(t.recv(1), attempt(lambda: t.send(b'z')))
"""
    with host_sockets("stream") as (directory, (stream,)):
        with Sandbox(program, policy, arguments=["--volume", f"{directory}:/vol"]) as sandbox:
            equal(sandbox.finish(), [
                "/vol/stream '' 0 0 0", "1000 b'' EISCONN", "(True, 1) b'Y'", "EAGAIN",
                "b'' EPIPE"], "the answers")
        equal(stream.peers, [(0, 0), (0, 0), (1234, 0)], "who came")


@case
def records_and_datagrams_reach_the_host():
    policy = "default: deny\nrules:\n- {protocol: unix, action: allow}\n"
    program = UNIX + """
s = unix('/vol/records', socket.SOCK_SEQPACKET)
s.send(b'one')
say(s.recvmsg(2)[::2], s.recv(9))
d = unix('/vol/datagrams', socket.SOCK_DGRAM)
say(d.send(b'hello'), d.sendmsg([b'a', b'b']), attempt(lambda: d.sendto(b'c', '/vol/datagrams')))
d.connect('/vol/datagrams')
say(d.send(b'again'))
say(attempt(lambda: unix('/vol/datagrams')))
"""
    with host_sockets("records", kind=socket.SOCK_SEQPACKET) as (directory, _):
        datagrams = HostSocket(os.path.join(directory, "datagrams"), socket.SOCK_DGRAM)
        datagrams.socket.settimeout(LIMIT)
        with Sandbox(program, policy, arguments=["--volume", f"{directory}:/vol"]) as sandbox:
            equal(sandbox.finish(), ["(b'ON', 32) b''", "5 2 ECONNREFUSED", "5", "EPROTOTYPE"],
                  "the answers")
        equal([datagrams.socket.recv(99) for _ in range(3)], [b"hello", b"ab", b"again"],
              "what arrived")
        datagrams.close()


@case
def descriptors_do_not_cross():
    def answer(connection, data):
        with open("/etc/hostname") as file:
            socket.send_fds(connection, [b"secret"], [file.fileno()])
        connection.sendall(b"!")

    policy = "default: deny\nrules:\n- {path: /vol/door, action: allow}\n"
    program = UNIX + """
def descriptors():
    return len(os.listdir('/proc/self/fd'))
for how in (lambda s: socket.recv_fds(s, 6, 4)[:2], lambda s: s.recv(6),
            lambda s: os.read(s.fileno(), 6), lambda s: s.recvmsg(6, 4096)[:2]):
    s = unix('/vol/door')
    s.settimeout(None)
    say(attempt(lambda: socket.send_fds(s, [b'x'], [0])))
    before = descriptors()
    s.send(b'give')
    say(how(s), s.recv(9), descriptors() - before)
"""
    with host_sockets("door", handle=answer) as (directory, (door,)):
        with Sandbox(program, policy, arguments=["--volume", f"{directory}:/vol"]) as sandbox:
            equal(sandbox.finish(), [
                "EPERM", "(b'secret', []) b'!' 0", "EPERM", "b'secret' b'!' 0",
                "EPERM", "b'secret' b'!' 0", "EPERM", "(b'secret', []) b'!' 0"], "the answers")
        equal(door.received, [b"give"] * 4, "what arrived")


@case
def sockets_of_the_sandbox_stay_inside():
    """A listener on a volume is a file there to everybody else; a stale one asks nobody else."""
    policy = "default: allow\nrules:\n- {protocol: unix, action: allow}\n"
    program = UNIX + """
s = socket.socket(socket.AF_UNIX)
s.bind('/vol/inner')
s.listen()
say('listens')
sys.stdin.readline()
c = unix('/vol/inner')
a, _ = s.accept()
a.send(b'inside')
say(c.recv(9), c.getpeername())
s.close()
say(attempt(lambda: unix('/vol/inner')))
"""
    with host_sockets() as (directory, _):
        path = os.path.join(directory, "inner")
        volume = ["--volume", f"{directory}:/vol"]
        with Sandbox(program, policy, arguments=volume) as sandbox:
            equal(sandbox.line(), "listens", "the program")
            with socket.socket(socket.AF_UNIX) as client:
                equal(client.connect_ex(path), errno.ECONNREFUSED, "a program of the host")
            other = UNIX + "say(attempt(lambda: unix('/vol/inner')))"
            with Sandbox(other, policy, arguments=volume) as second:
                equal(second.finish(), ["ECONNREFUSED"], "another sandbox")
            sandbox.tell("")
            equal(sandbox.finish(), ["b'inside' /vol/inner", "ECONNREFUSED"], "inside")


@case
def a_listener_without_room_is_waited_for():
    policy = "default: deny\nrules:\n- {path: /vol/, action: allow}\n"
    program = UNIX + """
def ask(blocking):
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(blocking)
    s.connect('/vol/busy')
    return s
held = []
while True:
    answer = attempt(lambda: held.append(ask(False)))
    if answer != 'ok': break
say(answer)
s = ask(True)
say('connected')
"""
    with tempfile.TemporaryDirectory(prefix="sockets-", dir="/var/tmp") as directory:
        with socket.socket(socket.AF_UNIX) as busy:
            busy.bind(os.path.join(directory, "busy"))
            busy.listen(1)
            with Sandbox(program, policy, arguments=["--volume", f"{directory}:/vol"]) as sandbox:
                equal(sandbox.line(), "EAGAIN", "one that does not wait")
                busy.accept()
                equal(sandbox.finish(), ["connected"], "one that waits")
                equal({e["event"] for e in sandbox.events()}, {"connect", "close"}, "the events")


# ---- Ends, lists and kills


def held(connection, data):
    """Keeps a connection until its other end is over."""
    while connection.recv(4096):
        pass


# Lets programs of a container reach all that is on its volume.
REACH = "default: allow\nrules:\n- {name: sockets, path: /vol/, action: allow}\n"
# No more of the door; what else there is stays.
CLOSED = REACH.replace("rules:\n", "rules:\n- {name: shut, path: /vol/door, action: deny}\n")


@case
def ends_at_sockets_of_the_host_are_told_of():
    program = UNIX + """
import time
start = time.monotonic_ns()
first, second, third = unix('/vol/door'), unix('/vol/other'), unix('/vol/box', socket.SOCK_DGRAM)
shared = socket.socketpair()
socket.send_fds(shared[0], [b'x'], [third.fileno()])
third.close()
second.close()
say('closed')
sys.stdin.readline()
say(time.monotonic_ns() - start)
first.close()
sys.stdin.readline()
"""
    with host_sockets("door", "other", handle=held) as (directory, _):
        box = HostSocket(os.path.join(directory, "box"), socket.SOCK_DGRAM)
        with Sandbox(program, REACH, arguments=["--volume", f"{directory}:/vol"]) as sandbox:
            equal(sandbox.line(), "closed", "the program")
            wait_for(lambda: closes(sandbox))
            equal([e["remote"]["path"] for e in closes(sandbox)], ["/vol/other"],
                  "what has ended while the others are open, one of them in a message")
            sandbox.tell("")
            held_for = int(sandbox.line())
            wait_for(lambda: len(closes(sandbox)) == 2)
            first = closes(sandbox)[1]
            equal(first["remote"]["path"], "/vol/door", "what has ended then")
            expect(held_for <= first["durationNanoseconds"] < held_for + LIMIT * 10**9,
                   f"the duration: {first['durationNanoseconds']}, at least {held_for}")
            sandbox.tell("")
            sandbox.finish()
            events = sandbox.events()
        box.close()
    connects = {e["connection"]: e["remote"] for e in events if e["event"] == "connect"}
    ends = [e for e in events if e["event"] == "close"]
    equal({e["connection"]: e["remote"] for e in ends}, connects, "what was made and has ended")
    equal(len(ends), 3, "the ends")
    for end in ends:
        equal((end["cause"], end["protocol"], end["rule"], "bytesSent" in end),
              ("closed", "unix", "sockets", False), "an end")


@case
def many_quick_connections_to_the_host_leave_nothing():
    program = UNIX + """
for _ in range(500):
    with socket.socket(socket.AF_UNIX) as s: s.connect('/vol/door')
say('done')
sys.stdin.readline()
"""
    with host_sockets("door") as (directory, _):
        with Container(program, REACH, volumes=[(directory, "/vol")]) as container:
            equal(container.line(), "done", "the program")
            equal(listed(container), [], "what is open")
            container.tell("")
            container.finish()
            events = container.events()
    made = {e["connection"] for e in events if e["event"] == "connect"}
    ended = [e["connection"] for e in events if e["event"] == "close"]
    equal((len(made), len(ended), set(ended) == made), (500, 500, True), "the connections")
    equal({e["cause"] for e in events if e["event"] == "close"}, {"closed"}, "the causes")


@case
def a_killed_sandbox_tells_of_its_sockets_of_the_host():
    program = UNIX + """
import signal
s = unix('/vol/door')
say('connected')
signal.pause()
"""
    with host_sockets("door", handle=held) as (directory, _):
        with Sandbox(program, REACH, arguments=["--volume", f"{directory}:/vol"]) as sandbox:
            equal(sandbox.line(), "connected", "the program")
            sandbox.process.send_signal(signal.SIGTERM)
            sandbox.finish(status=128 + signal.SIGTERM)
            close = only(sandbox.events(), event="close")
        with Container(program, REACH, volumes=[(directory, "/vol")]) as container:
            equal(container.line(), "connected", "the program")
            container.command("kill", "web", "KILL")
            container.finish(status=128 + signal.SIGKILL)
            other = only(container.events(), event="close")
    equal((close["cause"], other["cause"]), ("closed", "closed"), "the causes")


@case
def sockets_of_the_host_are_listed():
    program = UNIX + """
s = unix('/vol/door')
say(os.getpid())
sys.stdin.readline()
s.close()
say('closed')
sys.stdin.readline()
"""
    with host_sockets("door", handle=held) as (directory, _):
        for audit in (True, False):
            with Container(program, REACH, audit=audit, volumes=[(directory, "/vol")]) as container:
                process = int(container.line())
                found, = listed(container)
                equal([found.get(name) for name in (
                    "role", "protocol", "state", "local", "remote", "pid", "program", "rule",
                    "bytesSent")], [
                        "outgoing", "unix", "established", None, {"path": "/vol/door"}, process,
                        PYTHON, "sockets", None], "the connection")
                row = container.command("connections").split("\n")[1].split()
                equal(row[:6], ["web", "unix", "outgoing", "-", "/vol/door", "established"],
                      "the table")
                count = "paravane_connections", (("container", "web"),)
                equal(families(container.command("metrics"))[count], 1, "what is counted")
                container.tell("")
                equal(container.line(), "closed", "the program")
                equal(listed(container), [], "what is open when it has ended")
                equal(families(container.command("metrics"))[count], 0, "what is counted then")
                container.tell("")
                container.finish()


@case
def a_policy_ends_sockets_of_the_host():
    """Wherever in the container they are: here in a child that got one by a message."""
    program = UNIX + """
door, other = unix('/vol/door'), unix('/vol/other')
door.send(b'1'), other.send(b'2')
here, there = socket.socketpair()
if os.fork() == 0:
    got = socket.socket(fileno=socket.recv_fds(there, 1, 1)[1][0])
    here.close(), door.close(), got.settimeout(30)
    say(got.recv(9), attempt(lambda: got.send(b'x') and None), got.recv(9))
    os._exit(0)
socket.send_fds(here, [b'x'], [door.fileno()])
door.close()
say('passed')
os.wait()
sys.stdin.readline()
say(attempt(lambda: unix('/vol/door')), other.send(b'3'))
"""
    with host_sockets("door", "other", handle=held) as (directory, (door, other)):
        for audit in (True, False):
            with Container(program, REACH, audit=audit, volumes=[(directory, "/vol")]) as container:
                equal(container.line(), "passed", "the program")
                path = container.write("policy.yaml", CLOSED)
                wait_for(lambda: door.received and other.received)
                equal(container.command("policy", "set", "web", path, "--kill"),
                      "ended 1 connection\n", "the answer")
                equal([c["remote"]["path"] for c in listed(container)], ["/vol/other"],
                      "what is open then")
                container.tell("")
                equal(container.finish(), ["b'' EPIPE b''", "ECONNREFUSED 1"], "the programs")
                events = container.events() if audit else []
            if audit:
                close = only(events, event="close", cause="policy")
                equal((close["remote"]["path"], close["rule"]), ("/vol/door", "sockets"), "the end")
                equal(only(events, event="denied")["rule"], "shut", "the rule")
                equal(only(events, event="close", cause="closed")["remote"]["path"], "/vol/other",
                      "the other's end")
            door.received.clear(), other.received.clear()


class Hostile(Container):
    """A container whose program goes past its kernel: Attack/hostsockets.c."""

    def __init__(self, mode, directory, **options):
        self.mode = mode
        super().__init__(f"os.execv('/tmp/hostsockets', ['hostsockets', {mode!r}])", REACH,
                         volumes=[(directory, "/vol")], **options)

    def bundle(self, program, annotation):
        directory = super().bundle(program, annotation)
        built = os.path.join(ROOT, ".build", "attack")
        harness.build_programs(os.path.join(ROOT, "Attack"), built)
        shutil.copy(os.path.join(built, "hostsockets"), os.path.join(directory, "rootfs", "tmp"))
        return directory


def has_thread_descriptors():
    """Of PIDFD_THREAD, since Linux 6.9; pidfd_open(2)."""
    try:
        os.close(os.pidfd_open(os.getpid(), os.O_EXCL))
    except OSError:
        return False
    return True


def a_policy_ends(mode):
    def run():
        if mode == "thread" and not has_thread_descriptors():
            return "left out: the host's kernel lets nobody take descriptors of a thread"
        ends = []

        def handle(connection, data):
            held(connection, data)
            ends.append(data)

        with host_sockets("door", handle=handle) as (directory, _):
            with Hostile(mode, directory) as container:
                equal(container.line(), "hidden", "the program")
                path = container.write("policy.yaml", CLOSED)
                equal(container.command("policy", "set", "web", path, "--kill"),
                      "ended 1 connection\n", "the answer")
                wait_for(lambda: ends)
                equal(container.command("state", "web").count('"running"'), 1, "the container")
                container.tell("")
                equal(container.finish(), ["done"], "the program")
                equal(only(container.events(), event="close")["cause"], "policy", "the end")

    run.__name__ = f"a_policy_ends_{mode}_sockets_of_the_host"
    case(run)


# In a process that has a table of descriptors of its own; in one thread with such a table; in a
# process that starts another one and ends, again and again.
a_policy_ends("hidden")
a_policy_ends("thread")
a_policy_ends("moving")


@case
def users_of_a_container_reach_sockets_of_the_host():
    """With ids of its own, for the host and for who listens; and without a procfs in the bundle."""
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    linux = {"uidMappings": mapping, "gidMappings": mapping, "namespaces": [
        {"type": kind} for kind in ("pid", "ipc", "uts", "mount", "user")]}
    program = UNIX + """
s = unix('/vol/door')
s.send(b'root')
say(s.recv(9))
s.close()
os.setresgid(5, 5, 5), os.setresuid(7, 7, 7)
s = unix('/vol/sub/door')
s.send(b'user')
say(s.recv(9), attempt(lambda: unix('/vol/sub/shut')))
sys.stdin.readline()
say(s.recv(9), attempt(lambda: s.send(b'x') and None))
"""

    def handle(connection, data):
        connection.sendall(data.upper())
        held(connection, data)

    with tempfile.TemporaryDirectory(prefix="sockets-", dir="/var/tmp") as upper, \
            host_sockets("door", "shut", handle=handle) as (directory, (door, shut)):
        os.chmod(upper, 0o755)
        os.chmod(os.path.join(directory, "shut"), 0o600)
        # A mount below the volume is shown as well, and is one.
        below = os.path.join(upper, "sub")
        os.mkdir(below)
        subprocess.run(["mount", "--bind", directory, below], check=True)
        os.symlink("sub/door", os.path.join(upper, "door"))
        try:
            with Container(program, REACH, volumes=[(upper, "/vol")], linux=linux) as container:
                os.chmod(container.directory, 0o755)
                equal(container.line(), "b'ROOT'", "the answer to root")
                equal(container.line(), "b'USER' EACCES", "the answers to a user")
                path = container.write("policy.yaml", "default: allow\n")
                equal(container.command("policy", "set", "web", path, "--kill"),
                      "ended 1 connection\n", "the answer")
                container.tell("")
                equal(container.finish(), ["b'' EPIPE"], "the program")
                equal([e["cause"] for e in closes(container)], ["closed", "policy"], "the ends")
        finally:
            subprocess.run(["umount", below], check=True)
        equal(door.peers, [(100000, 100000), (100007, 100005)], "who came")
        equal(shut.peers, [], "who came where only the host's root may")


@case
def volumes_below_dev_have_their_paths():
    """The host has no path for them, and would name their sockets as if they lay in the root."""
    program = UNIX + """
try:
    s = unix('/dev/vol/run/door')
    s.send(b'x')
    say(s.recv(9))
except OSError as error: say(errno.errorcode[error.errno])
sys.stdin.readline()
"""
    with tempfile.TemporaryDirectory(prefix="sockets-", dir="/var/tmp") as upper:
        os.chmod(upper, 0o755)
        os.mkdir(os.path.join(upper, "run"))
        with contextlib.closing(HostSocket(os.path.join(upper, "run", "door"))):
            for path, answer in (("/dev/vol/run/door", "b'X'"), ("/run/door", "ECONNREFUSED")):
                policy = f"default: allow\nrules:\n- {{path: {path}, action: allow}}\n"
                with Container(program, policy, volumes=[(upper, "/dev/vol")]) as container:
                    equal(container.line(), answer, path)
                    container.tell("")
                    container.finish()
                    event = only([e for e in container.events() if "remote" in e
                                  and e["event"] in ("connect", "denied")])
                    equal(event["remote"]["path"], "/dev/vol/run/door", "the path in the log")
