"""Lets sandboxes connect, and checks what the policy forbids and what the audit log tells.

    connections.py [--list] [PATTERN]

The driver and what it starts live in a network namespace with nothing but a loopback device.
"""

import contextlib
import errno
import fnmatch
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import jsonschema

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CASES = {}
LIMIT = 60
PYTHON = os.path.realpath("/usr/bin/python3")


def product():
    builds = [os.path.join(ROOT, ".build", kind, "paravane") for kind in ("release", "debug")]
    path = os.environ.get("PARAVANE") or next(filter(os.path.exists, builds), builds[0])
    return os.path.realpath(path)


def isolate():
    if os.environ.get("PARAVANE_TEST_NETWORK"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ["PARAVANE_TEST_NETWORK"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private",
                          sys.executable] + sys.argv)


class Failure(Exception):
    pass


def expect(condition, words):
    if not condition:
        raise Failure(words)


def equal(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r}, expected {wanted!r}")


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


# ---- What the cases are made of

# In front of each program of a sandbox: connects, serves and says what came of it.
PRELUDE = """
import errno, os, socket, sys
def attempt(body):
    try:
        return body() or "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
def tcp(address, family=socket.AF_INET):
    s = socket.socket(family)
    s.connect(address)
    return s
def say(*words):
    print(*words, flush=True)
"""


class Sandbox:
    """`paravane do` with a Python program, a policy and an audit log."""

    def __init__(self, program, policy=None, audit=True, arguments=(), network="host", **options):
        self.directory = tempfile.mkdtemp(prefix="connections-")
        self.log = os.path.join(self.directory, "audit.jsonl")
        command = [product(), "do", "--network", network, *arguments]
        if audit:
            command += ["--audit", self.log]
        if policy:
            command += ["--policy", self.write("policy.yaml", policy)]
        command += ["--", PYTHON, "-c", PRELUDE + program]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, **options)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def line(self):
        """The next line that the program says."""
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            raise Failure(f"the program says nothing: {self.process.stderr.read()[:500]}")
        return line.strip()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def finish(self, status=0):
        """Waits for the end; returns what the program said since."""
        try:
            output, errors = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure(f"still runs: {self.process.communicate()[1][:500]}")
        equal(self.process.returncode, status, f"the exit status ({errors.strip()[:500]})")
        return output.split("\n")[:-1]

    def events(self):
        return read_log(self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory)


def read_log(path):
    """The lines of an audit log, each of which satisfies the schema."""
    with open(os.path.join(ROOT, "docs/protocol/audit.schema.json")) as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    events = []
    with open(path) as file:
        for line in file:
            expect(line.endswith("\n"), f"a line without an end: {line!r}")
            event = json.loads(line)
            for error in validator.iter_errors(event):
                raise Failure(f"{error.message}: {line}")
            events.append(event)
    return events


def only(events, **wanted):
    """The one event with these fields."""
    found = [e for e in events if all(e.get(name) == value for name, value in wanted.items())]
    equal(len(found), 1, f"events with {wanted} in {json.dumps(events)[:2000]}")
    return found[0]


@contextlib.contextmanager
def server(handle=None, address="127.0.0.1", family=socket.AF_INET):
    """A TCP server outside; gives its port and the list of peers that it saw."""
    listener = socket.create_server((address, 0), family=family, backlog=128)
    peers = []

    def serve():
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            peers.append(peer)
            with connection:
                if handle:
                    handle(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], peers
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def receive(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


# ---- Policy


@case
def a_denied_connect_is_refused():
    with server() as (port, peers):
        policy = f"""
default: allow
rules:
- name: no web
  event: connect
  address: 127.0.0.0/8
  port: {port}
  action: deny
  reason: "the web is \\"closed\\""
"""
        addresses = f"(('127.0.0.1', {port}), ('127.1.2.3', {port}), ('0.0.0.0', {port}))"
        program = f"""
for address in {addresses}: say(attempt(lambda: tcp(address)))
say(attempt(lambda: tcp(('::ffff:127.0.0.1', {port}), socket.AF_INET6)))
"""
        with Sandbox(program, policy) as sandbox:
            equal(sandbox.finish(), ["ECONNREFUSED"] * 4, "the answers")
            events = sandbox.events()
        equal(peers, [], "who came to the server")
    equal([e["event"] for e in events], ["denied"] * 4, "the events")
    equal([e["remote"]["address"] for e in events],
          ["127.0.0.1", "127.1.2.3", "127.0.0.1", "127.0.0.1"], "the addresses")
    for event in events:
        equal(event["rule"], "no web", "the rule")
        equal(event["explanation"], 'the web is "closed"', "the reason")
        equal(event["program"], PYTHON, "the program")
        equal((event["attempt"], event["user"], event["error"], event["verdict"]),
              ("connect", 0, "ECONNREFUSED", "deny"), "the event")


@case
def each_denial_has_its_errno():
    policy = """
default: deny
rules:
- {event: connect, port: 81, action: deny, errno: EHOSTUNREACH}
- {event: connect, port: 82, action: deny, errno: ETIMEDOUT}
- {event: bind, port: 9000, action: deny, errno: EADDRINUSE}
"""
    program = """
say(attempt(lambda: tcp(('127.0.0.1', 81))), attempt(lambda: tcp(('127.0.0.1', 82))),
    attempt(lambda: tcp(('127.0.0.1', 83))))
s = socket.socket()
say(attempt(lambda: s.bind(('127.0.0.1', 9000))), attempt(lambda: s.bind(('127.0.0.1', 9001))))
say(attempt(lambda: s.listen()))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
say(attempt(lambda: u.sendto(b'x', ('127.0.0.1', 9))), attempt(lambda: u.connect(('127.0.0.1', 9))))
"""
    with Sandbox(program, policy) as sandbox:
        equal(sandbox.finish(), [
            "EHOSTUNREACH ETIMEDOUT ECONNREFUSED", "EADDRINUSE EACCES", "EACCES",
            "EPERM ECONNREFUSED"], "the answers")
        events = sandbox.events()
    equal([(e["event"], e["attempt"], e["error"]) for e in events], [
        ("denied", "connect", "EHOSTUNREACH"), ("denied", "connect", "ETIMEDOUT"),
        ("denied", "connect", "ECONNREFUSED"), ("denied", "bind", "EADDRINUSE"),
        ("denied", "bind", "EACCES"), ("denied", "bind", "EACCES"), ("denied", "send", "EPERM"),
        ("denied", "connect", "ECONNREFUSED")], "the events")


@case
def a_denied_peer_is_reset():
    policy = """
default: allow
rules:
- {name: no strangers, event: accept, address: 127.0.0.2, action: deny}
"""
    program = """
l = socket.create_server(('127.0.0.1', 0))
say(l.getsockname()[1])
c, peer = l.accept()
say(peer[0])
c.sendall(b'hello')
"""
    with Sandbox(program, policy) as sandbox:
        port = int(sandbox.line())
        stranger = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
        # Only its accept resets the stranger: a friend comes later.
        with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.3", 0)) as friend:
            equal(receive(friend, 5), b"hello", "what the friend got")
        with stranger:
            try:
                equal(stranger.recv(1), None, "what the stranger got")
            except ConnectionResetError:
                pass
        equal(sandbox.finish(), ["127.0.0.3"], "who was accepted")
        events = sandbox.events()
    denied = only(events, event="denied")
    equal((denied["remote"]["address"], denied["local"]["port"], denied["rule"]),
          ("127.0.0.2", port, "no strangers"), "the denied peer")
    equal(only(events, event="accept")["remote"]["address"], "127.0.0.3", "the accepted peer")


@case
def programs_and_users_are_told_apart():
    with server() as (port, _):
        policy = f"""
default: deny
rules:
- {{name: nobody, program: {PYTHON}, user: 65534, action: allow}}
- {{name: other, program: /usr/bin/curl, action: allow}}
"""
        program = f"""
say(attempt(lambda: tcp(('127.0.0.1', {port})) and None))
os.setuid(65534)
say(attempt(lambda: tcp(('127.0.0.1', {port})) and None))
"""
        with Sandbox(program, policy) as sandbox:
            equal(sandbox.finish(), ["ECONNREFUSED", "ok"], "the answers")
            events = sandbox.events()
        equal(only(events, event="connect")["user"], 65534, "the user")
        equal(only(events, event="denied")["reason"], "default", "the reason")


@case
def a_marked_connection_passes():
    with server() as (port, peers):
        policy = f"""
default: deny
rules:
- {{name: later, event: connect, port: {port}, action: audit, reason: to be closed}}
- {{name: names, event: send, port: 53, action: audit}}
"""
        program = f"""
say(attempt(lambda: tcp(('127.0.0.1', {port})) and None))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
say(attempt(lambda: u.sendto(b'x', ('127.0.0.1', 53)) and None))
"""
        with Sandbox(program, policy) as sandbox:
            equal(sandbox.finish(), ["ok", "ok"], "the answers")
            events = sandbox.events()
        equal(len(peers), 1, "who came to the server")
        connect = only(events, event="connect")
        equal((connect["verdict"], connect["rule"]), ("audit", "later"), "the verdict")
        equal(only(events, event="send")["rule"], "names", "the rule of the datagram")


@case
def a_policy_with_a_mistake_starts_nothing():
    with Sandbox("say('started')", "default: deny\nrules:\n- {port: 99999, action: deny}\n",
                 audit=False) as sandbox:
        errors = sandbox.process.stderr.read()
        equal(sandbox.finish(status=78), [], "the output")
    expect(re.fullmatch(r"paravane: cannot use the policy: \S+/policy.yaml:3: rules\[0\].port: "
                        r"must be a port or FIRST-LAST, from 0 to 65535\n", errors), errors)


@contextlib.contextmanager
def nameserver(records):
    """Answers for the machine's names: {name: [IPv4 addresses]}, for a second each."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
        file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
        file.flush()
        subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
        service.bind(("127.0.0.1", 53))

        def serve():
            while True:
                try:
                    question, peer = service.recvfrom(512)
                except OSError:
                    return
                if not question:
                    return
                service.sendto(answer_to(question, records), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            subprocess.run(["umount", "/etc/resolv.conf"], check=True)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                end.sendto(b"", ("127.0.0.1", 53))
            thread.join()


def answer_to(question, records):
    labels, position = [], 12
    while question[position]:
        labels.append(question[position + 1:position + 1 + question[position]].decode().lower())
        position += 1 + question[position]
    kind, = struct.unpack_from(">H", question, position + 1)
    addresses = records.get(".".join(labels), []) if kind == 1 else []
    answers = b"".join(struct.pack(">HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(a)
                       for a in addresses)
    header = question[:2] + struct.pack(">HHHHH", 0x8180, 1, len(addresses), 0, 0)
    return header + question[12:position + 5] + answers


@case
def hosts_are_looked_up():
    with server(address="0.0.0.0") as (port, _), nameserver({"api.example": ["127.0.0.7", "127.0.0.8"]}):
        policy = f"""
default: deny
rules:
- {{name: api, host: api.example, port: {port}, action: allow}}
- {{name: gone, host: gone.example, action: allow}}
"""
        program = f"""
for last in (7, 8, 9): say(attempt(lambda: tcp((f'127.0.0.{{last}}', {port})) and None))
"""
        with Sandbox(program, policy) as sandbox:
            equal(sandbox.finish(), ["ok", "ok", "ECONNREFUSED"], "the answers")
            events = sandbox.events()
    equal([e["rule"] for e in events if e["event"] == "connect"], ["api", "api"], "the rules")


# ---- Audit


@case
def bytes_are_the_host_kernels():
    def answer(connection):
        receive(connection, 100_000)
        connection.sendall(b"y" * 70_000)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    with server(answer) as (port, peers):
        program = f"""
s = tcp(('127.0.0.1', {port}))
say(s.getsockname()[1])
s.sendall(b'x' * 100000)
count = 0
while True:
    data = s.recv(65536)
    if not data: break
    count += len(data)
say(count)
s.close()
sys.stdin.read()
"""
        with Sandbox(program) as sandbox:
            own = int(sandbox.line())
            equal(sandbox.line(), "70000", "the bytes that came")
            wait_for(lambda: any(e["event"] == "close" for e in sandbox.events()))
            sandbox.process.stdin.close()
            sandbox.process.stdin = None
            sandbox.finish()
            events = sandbox.events()
    connect = only(events, event="connect")
    close = only(events, event="close")
    equal(connect["local"], {"address": "127.0.0.1", "port": own}, "the own end")
    equal(connect["remote"], {"address": "127.0.0.1", "port": port}, "the other end")
    equal(close["connection"], connect["connection"], "the connection")
    equal(close["cause"], "closed", "the cause")
    equal(close["bytesSent"], 100_000, "the bytes sent")
    # The other end's FIN counts as one byte.
    equal(close["bytesReceived"], 70_001, "the bytes received")
    expect(0 < close["durationNanoseconds"] < LIMIT * 10**9, "the duration")
    expect(connect["time"] < close["time"], "the times")
    equal((connect["verdict"], connect["reason"]), ("allow", "no-policy"), "the verdict")


def wait_for(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        expect(time.monotonic() < deadline, "the time is up")
        time.sleep(0.02)


@case
def a_server_is_told_of():
    program = """
l = socket.socket()
l.bind(('127.0.0.1', 0))
l.listen(7)
say(l.getsockname()[1])
c, peer = l.accept()
say(peer[1])
c.sendall(c.recv(10) * 2)
"""
    with Sandbox(program) as sandbox:
        port = int(sandbox.line())
        with socket.create_connection(("127.0.0.1", port)) as client:
            own = client.getsockname()[1]
            client.sendall(b"12345")
            equal(receive(client, 10), b"1234512345", "the answer")
        equal(sandbox.finish(), [str(own)], "the peer")
        events = sandbox.events()
    equal([e["event"] for e in events[:3]], ["bind", "listen", "accept"], "the events")
    bind, listen, accept = events[:3]
    here = {"address": "127.0.0.1", "port": port}
    equal((bind["local"], listen["local"], accept["local"]), (here, here, here), "the own end")
    equal(accept["remote"], {"address": "127.0.0.1", "port": own}, "the peer")
    equal(bind["connection"], listen["connection"], "the listener")
    close = only(events, event="close", connection=accept["connection"])
    equal(close["bytesSent"], 10, "the bytes sent")
    expect(close["bytesReceived"] in (5, 6), "the bytes received")
    equal(only(events, event="close", connection=listen["connection"])["cause"], "closed",
          "the listener's end")


@case
def a_failed_connect_is_told_of():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    program = f"say(attempt(lambda: tcp(('127.0.0.1', {port}))))"
    with Sandbox(program) as sandbox:
        equal(sandbox.finish(), ["ECONNREFUSED"], "the answer")
        events = sandbox.events()
    event = only(events, event="connect")
    # The refusal comes at once or is heard of later.
    expect(event.get("error") in (None, "ECONNREFUSED"), f"the error {event.get('error')}")


@case
def ends_are_told_of_when_the_sandbox_is_killed():
    with server(lambda connection: connection.recv(1)) as (port, _):
        program = f"""
c = tcp(('127.0.0.1', {port}))
say('connected')
import signal
signal.pause()
"""
        with Sandbox(program) as sandbox:
            equal(sandbox.line(), "connected", "the program")
            sandbox.process.send_signal(signal.SIGTERM)
            sandbox.finish(status=128 + signal.SIGTERM)
            events = sandbox.events()
    close = only(events, event="close")
    equal(close["connection"], only(events, event="connect")["connection"], "the connection")


@case
def a_thousand_connections_are_told_of():
    with server() as (port, peers):
        program = f"""
for _ in range(1000): tcp(('127.0.0.1', {port})).close()
"""
        with Sandbox(program) as sandbox:
            sandbox.finish()
            events = sandbox.events()
    made = {e["connection"] for e in events if e["event"] == "connect"}
    ended = [e["connection"] for e in events if e["event"] == "close"]
    equal((len(made), len(ended), set(ended) == made), (1000, 1000, True), "the connections")


@case
def the_log_may_be_a_descriptor():
    reading, writing = os.pipe()
    program = "say(attempt(lambda: socket.create_server(('127.0.0.1', 0)) and None))"
    with Sandbox(program, audit=False, arguments=["--audit", f"fd:{writing}"],
                 pass_fds=[writing]) as sandbox:
        os.close(writing)
        equal(sandbox.finish(), ["ok"], "the answer")
    with os.fdopen(reading) as file:
        equal([json.loads(line)["event"] for line in file], ["bind", "listen", "close"],
              "the events")


@case
def a_log_that_cannot_be_written():
    with Sandbox("say('started')", audit=False,
                 arguments=["--audit", "/no/such/directory/log"]) as sandbox:
        errors = sandbox.process.stderr.read()
        equal(sandbox.finish(status=125), [], "the output")
    equal(errors, "paravane: cannot write the audit log to '/no/such/directory/log': no such "
          "file or directory\n", "the message")
    with Sandbox("say('started')", audit=False, arguments=["--audit", "fd:77"]) as sandbox:
        errors = sandbox.process.stderr.read()
        equal(sandbox.finish(status=125), [], "the output")
    equal(errors, "paravane: cannot write the audit log to 'fd:77': bad file descriptor\n",
          "the message")


@case
def a_full_log_stops_nothing():
    program = "say(attempt(lambda: socket.create_server(('127.0.0.1', 0)) and None))"
    with Sandbox(program, audit=False, arguments=["--audit", "/dev/full"]) as sandbox:
        equal(sandbox.finish(), ["ok"], "the answer")


def main(arguments):
    if "--list" in arguments:
        print("\n".join(sorted(CASES)))
        return 0
    isolate()
    patterns = arguments or ["*"]
    failed = 0
    names = [n for n in sorted(CASES) if any(fnmatch.fnmatch(n, p) for p in patterns)]
    for name in names:
        start = time.monotonic()
        try:
            CASES[name]()
            print(f"PASS {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAIL {name} ({time.monotonic() - start:.1f} s)\n     {failure}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
