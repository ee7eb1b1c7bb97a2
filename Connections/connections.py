"""Lets sandboxes connect, and checks what the policy forbids and what the audit log tells.

    connections.py [--list] [PATTERN]

The driver and what it starts live in a network namespace with nothing but a loopback device.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from sandboxes import (
    LIMIT, LOAD, PYTHON, ROOT, Container, Failure, Sandbox, case, closes, equal, expect, families,
    harness, isolate, only, product, receive, run, server, wait_for)

import directions  # noqa: F401
import hostsockets  # noqa: F401
import news  # noqa: F401


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
        mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        users = {"uidMappings": mapping, "gidMappings": mapping, "namespaces": [
            {"type": kind} for kind in ("pid", "ipc", "uts", "mount", "user")]}
        for make in (Sandbox, Container, lambda *parts: Container(*parts, linux=users)):
            with make(program, policy) as sandbox:
                if make != Sandbox:
                    os.chmod(sandbox.directory, 0o755)
                equal(sandbox.finish(), ["ok", "ok", "ECONNREFUSED"], "the answers")
                events = sandbox.events()
            equal([e["rule"] for e in events if e["event"] == "connect"], ["api", "api"],
                  "the rules")


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


# ---- Containers that run


@case
def a_policy_is_set_without_a_gap():
    with server() as (port, peers), server() as (closed, strangers):
        def policy(name):
            rules = [f"- {{name: other {i}, address: 10.{i // 250}.{i % 250}.0/24, action: deny}}"
                     for i in range(500)]
            return "\n".join(["default: deny", "rules:"] + rules + [
                f"- {{name: {name}, event: connect, port: {port}, action: allow}}", ""])

        program = LOAD.format(open=port, closed=closed)
        with Container(program, policy("rule 0")) as container:
            equal(container.line(), "started", "the program")
            path = os.path.join(container.directory, "changing.yaml")
            container.write("changing.yaml", policy("rule 0"))
            stop = threading.Event()
            written = []

            def change():
                while not stop.wait(0.01):
                    written.append(container.write("next.yaml", policy(f"rule {len(written) + 1}")))
                    os.replace(written[-1], path)

            writer = threading.Thread(target=change)
            writer.start()
            sets = 0
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                container.command("policy", "set", "web", path)
                sets += 1
            stop.set()
            writer.join()
            counts = dict(eval(container.process.communicate("\n", timeout=LIMIT)[0]))
            events = container.events()
    made = counts.pop((port, "ok"), 0)
    refused = counts.pop((closed, "ECONNREFUSED"), 0)
    equal(counts, {}, "other outcomes")
    expect(made > 50 and refused > 50 and sets > 20 and len(written) > 100,
           f"{made} made, {refused} refused, {sets} policies set of {len(written)}")
    equal((len(peers), strangers), (made, []), "who came")
    rules = {e["rule"] for e in events if e["event"] == "connect"}
    expect(len(rules) > 10, f"connections by {len(rules)} policies")


@case
def a_policy_ends_what_it_forbids():
    with server(lambda c: (c.sendall(b"hello"), c.recv(1))) as (port, _):
        program = f"""
c, d = tcp(('127.0.0.1', {port})), None
say(c.recv(5))
say(attempt(lambda: c.recv(1)), attempt(lambda: tcp(('127.0.0.1', {port}))))
"""
        policy = f"default: allow\nrules:\n- {{name: over, port: {port}, action: deny}}\n"
        with Container(program) as container:
            equal(container.line(), "b'hello'", "the program")
            path = container.write("policy.yaml", policy)
            equal(container.command("policy", "set", "web", path, "--kill"),
                  "ended 1 connection\n", "the answer")
            answer = container.finish()
            expect(answer in (["ECONNABORTED ECONNREFUSED"], ["ECONNRESET ECONNREFUSED"]),
                   f"the program got {answer}")
            events = container.events()
    close = only(events, event="close", cause="policy")
    equal(close["connection"], only(events, event="connect")["connection"], "the connection")
    equal(only(events, event="denied")["rule"], "over", "the rule")


@case
def a_policy_ends_what_the_host_kernel_does_not():
    """A backend in a user namespace has no say in a network that is another's."""
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    linux = {"uidMappings": mapping, "gidMappings": mapping, "namespaces": [
        {"type": kind} for kind in ("pid", "ipc", "uts", "mount", "user")]}
    ends = []

    def handle(connection):
        connection.sendall(b"hello")
        try:
            ends.append(connection.recv(1))
        except ConnectionResetError:
            ends.append("reset")

    with server(handle) as (port, _):
        program = f"""
import threading
c = tcp(('127.0.0.1', {port}))
say(c.recv(5))
l = socket.create_server(('127.0.0.1', 0))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(('127.0.0.1', 9))
answers = []
threads = [threading.Thread(target=lambda body=body: answers.append(attempt(body)))
           for body in (lambda: l.accept() and None, lambda: c.recv(1))]
for t in threads: t.start()
say('waits')
for t in threads: t.join()
sys.stdin.readline()
say(*sorted(answers), attempt(lambda: u.send(b'x') and None),
    attempt(lambda: tcp(('127.0.0.1', {port}))))
"""
        for audit in (True, False):
            with Container(program, audit=audit, linux=linux) as container:
                equal(container.line(), "b'hello'", "the program")
                equal(container.line(), "waits", "the program")
                path = container.write("policy.yaml", "default: deny\n")
                equal(container.command("policy", "set", "web", path, "--kill"),
                      "ended 3 connections\n", "the answer")
                container.tell("")
                # Who waits for bytes is told EPIPE by newer kernels.
                answer, = container.finish()
                expect(answer in ("ECONNRESET EINVAL EDESTADDRREQ ECONNREFUSED",
                                  "EINVAL EPIPE EDESTADDRREQ ECONNREFUSED"),
                       f"the program got {answer}")
                wait_for(lambda: ends)
                equal(ends.pop(), "reset", "what the server got")
                if not audit:
                    continue
                ended = closes(container)
                equal(sorted((e["protocol"], e["cause"]) for e in ended),
                      [("tcp", "policy"), ("tcp", "policy"), ("udp", "policy")], "the ends")
                stream, = [e for e in ended if e["protocol"] == "tcp" and "remote" in e]
                equal((stream["bytesSent"], stream["bytesReceived"]), (0, 5), "the bytes")


@case
def a_bad_policy_changes_nothing():
    with server() as (port, _):
        program = f"""
say('started')
sys.stdin.readline()
say(attempt(lambda: tcp(('127.0.0.1', {port})).close()))
"""
        with Container(program, "default: deny\n") as container:
            equal(container.line(), "started", "the program")
            path = container.write("bad.yaml", "default: allow\nrules:\n- {action: deni}\n")
            message = container.command("policy", "set", "web", path, status=78)
            expect(message.endswith("bad.yaml:3: rules[0].action: must be allow, deny or audit\n"),
                   message)
            good = container.write("good.yaml", "default: allow\n")
            equal(container.command("policy", "set", "nobody", good, status=125),
                  "paravane: cannot set the policy of container 'nobody': container does not "
                  "exist\n", "the message")
            container.tell("")
            equal(container.finish(), ["ECONNREFUSED"], "the answer")


@case
def an_annotation_names_a_policy():
    program = "say(attempt(lambda: socket.create_server(('127.0.0.1', 0)) and None))"
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "policy.yaml")
        with open(path, "w") as file:
            file.write("default: deny\n")
        with Container(program, annotation=path) as container:
            equal(container.finish(), ["EACCES"], "the answer")
        # Whoever runs the machine has the last word.
        with Container(program, policy="default: allow\n", annotation=path) as container:
            equal(container.finish(), ["ok"], "the answer")


@case
def open_connections_are_listed():
    with server(lambda c: (c.sendall(b"hello"), c.recv(1))) as (port, _):
        program = f"""
c = tcp(('127.0.0.1', {port}))
say(c.recv(5))
sys.stdin.readline()
c.close()
say('closed')
sys.stdin.readline()
"""
        with Container(program) as container:
            equal(container.line(), "b'hello'", "the program")
            listed = json.loads(container.command("connections", "web", "--format", "json"))
            equal(len(listed), 1, "the connections")
            found = listed[0]
            equal((found["container"], found["role"], found["state"], found["program"]),
                  ("web", "outgoing", "established", PYTHON), "the connection")
            equal(found["remote"], {"address": "127.0.0.1", "port": port}, "the other end")
            equal((found["bytesSent"], found["bytesReceived"]), (0, 5), "the bytes")
            table = container.command("connections").split("\n")
            equal(table[1].split()[:5], ["web", "tcp", "outgoing",
                  f"127.0.0.1:{found['local']['port']}", f"127.0.0.1:{port}"], "the table")
            container.tell("")
            equal(container.line(), "closed", "the program")
            wait_for(lambda: container.command("connections", "web", "-f", "json") == "[]\n")
            container.tell("")
            container.finish()
            expect("does not" in container.command("connections", "web", status=125),
                   "a container that has ended is told of")


@case
def numbers_are_told():
    def answer(connection):
        receive(connection, 1000)
        connection.sendall(b"y" * 500)

    with server(answer) as (port, _):
        policy = "default: allow\nrules:\n- {port: 9, action: deny}\n"
        program = f"""
c = tcp(('127.0.0.1', {port}))
c.sendall(b'x' * 1000)
while c.recv(1000): pass
for _ in range(3): attempt(lambda: tcp(('127.0.0.1', 9)))
say('done')
sys.stdin.readline()
"""
        with Container(program, policy) as container:
            equal(container.line(), "done", "the program")
            numbers = families(container.command("metrics"))

            def number(name, **labels):
                return numbers[name, tuple(sorted({"container": "web", **labels}.items()))]

            attempts = "paravane_connection_attempts_total"
            equal(number(attempts, event="connect", outcome="passed"), 1, "what passed")
            equal(number(attempts, event="connect", outcome="denied"), 3, "what was denied")
            equal(number("paravane_connections"), 1, "what is open")
            equal(number("paravane_connection_bytes_total", direction="sent"), 1000, "sent")
            expect(number("paravane_connection_bytes_total", direction="received") in (500, 501),
                   "received")
            equal(number("paravane_brokered_calls_total", operation="connect"), 4, "the calls")
            times = {dict(labels)["operation"]: value for (name, labels), value in numbers.items()
                     if name == "paravane_brokered_call_seconds_count"}
            calls = {dict(labels)["operation"]: value for (name, labels), value in numbers.items()
                     if name == "paravane_brokered_calls_total"}
            equal((times, times["connect"]), (calls, 4), "the calls that were timed")
            expect(0 < number("paravane_brokered_call_seconds_sum", operation="connect") < LIMIT,
                   "how long the calls took")
            equal(number("paravane_brokered_call_seconds_bucket", operation="connect", le="+Inf"),
                  4, "the last bucket")
            kinds = {dict(labels)["kind"]: value for (name, labels), value in numbers.items()
                     if name == "paravane_guest_calls_total"}
            equal(sorted(kinds), ["data", "files", "futex", "memory", "other", "processes",
                                  "signals", "sockets", "time", "waiting"], "the kinds of calls")
            # Four sockets that connect, one of which sends and receives to the end.
            expect(kinds["sockets"] >= 4 * 2 + 3, f"calls on sockets: {kinds}")
            # More than an interpreter needs to start, and less than it could do in this time.
            expect(100 < kinds["files"] < 1e6, f"calls on files: {kinds}")
            again = families(container.command("metrics"))
            for key, value in numbers.items():
                if key[0].endswith("_total"):
                    expect(again[key] >= value, f"{key} went down from {value} to {again[key]}")
            equal(number("paravane_kernel_panics_total"), 0, "panics")
            expect(number("paravane_kernel_memory_bytes") > 65536, "the kernel's memory")
            expect(number("paravane_backend_memory_bytes") > 65536, "the backend's memory")
            with socket.create_server(("127.0.0.1", 0)) as unused:
                address = "127.0.0.1:%d" % unused.getsockname()[1]
            service = subprocess.Popen([product(), "--root", container.root, "metrics", "--listen",
                                        address])
            try:
                equal(families(fetch(address, "/metrics", 200)).keys(), numbers.keys(),
                      "what is served")
                fetch(address, "/other", 404)
            finally:
                service.kill()
                service.wait()
            container.tell("")
            container.finish()
            equal(container.command("metrics"), "# EOF\n", "numbers of nobody")


class Panicking(Container):
    """A container whose program is an attack that ends its kernel; it stays until it is deleted."""

    options = ("--keep",)

    def bundle(self, program, annotation):
        directory = super().bundle(program, annotation)
        built = os.path.join(ROOT, ".build", "attack")
        harness.build_programs(os.path.join(ROOT, "Attack"), built)
        shutil.copy(os.path.join(built, "doorbell"), os.path.join(directory, "rootfs", "tmp"))
        return directory


@case
def a_panic_is_told_of():
    with Panicking("os.execv('/tmp/doorbell', ['doorbell', 'panic'])") as container:
        container.finish(status=125)
        panics = ("paravane_kernel_panics_total", (("container", "web"),))
        equal(families(container.command("metrics")), {panics: 1}, "the numbers")
        container.command("delete", "web")
        equal(container.command("metrics"), "# EOF\n", "numbers of nobody")


def fetch(address, path, status):
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            connection = http.client.HTTPConnection(address, timeout=LIMIT)
            connection.request("GET", path)
            answer = connection.getresponse()
            equal(answer.status, status, f"the status of {path}")
            return answer.read().decode()
        except ConnectionRefusedError:
            expect(time.monotonic() < deadline, "nobody listens")
            time.sleep(0.02)


def main(arguments):
    if "--list" not in arguments:
        isolate()
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
