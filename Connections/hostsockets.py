"""Unix sockets of the host that containers reach on volumes, where the policy lets them."""

import contextlib
import errno
import os
import socket
import struct
import tempfile
import threading

from sandboxes import LIMIT, Sandbox, case, equal


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
                events = sandbox.events()
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
                equal({e["event"] for e in sandbox.events()}, {"connect"}, "the events")
