"""Breaks what sandboxes stand on: peers, networks, disks, limits, and the backend itself.

    faults.py [--list] [PATTERN]

Expected of each fault: the program gets the error that Linux would give it, or the sandbox ends with
words that say why; nobody hangs; and no process, mount, control group or file is left behind. What a
case measures, it says; docs/reliability.md has the figures.
"""

import contextlib
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path += [os.path.join(ROOT, name) for name in ("Attack", "Connections")]

import harness  # noqa: E402
import sandboxes  # noqa: E402
from sandboxes import (  # noqa: E402
    LIMIT, LOAD, Container, Sandbox, case, equal, expect, families, only, receive, server, wait_for)

STALL_SECONDS = 5


# ---- What is left, and what is used


def parts(sandbox):
    """The processes of a sandbox of `do`, by what they are."""
    command = sandbox.process.pid
    backend, = harness.children(command)
    init, = harness.children(backend)
    return {"command": command, "backend": backend, "init": init, "program": harness.children(init)[0]}


def container_backend(container):
    init = json.loads(container.command("state", "web"))["pid"]
    backend, = set(harness.children(container.process.pid)) - {init}
    return backend


def living():
    return {p.pid for p in harness.tree(os.getpid()).values() if p.state != "Z"}


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pids):
    """The bytes that these processes have for themselves, or their share of what they share."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total * 1024


def mebibytes(count):
    return f"{count / 2**20:.1f} MiB"


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# ---- The network


@case
def peers_that_reset():
    """500 connections, each reset by its peer while data is on its way."""

    def answer(connection):
        receive(connection, 1)
        connection.sendall(b"y" * 10)
        reset(connection)

    with server(answer) as (port, _):
        program = f"""
import collections, threading
counts = collections.Counter()
def talk():
    c = tcp(('127.0.0.1', {port}))
    c.sendall(b'x')
    while c.recv(4) or True: c.send(b'x' * 1000)
def loop():
    for _ in range(125): counts[attempt(talk)] += 1
before = len(os.listdir('/proc/self/fd'))
threads = [threading.Thread(target=loop) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
say(sum(counts.values()), sorted(counts) in (['ECONNRESET'], ['ECONNRESET', 'EPIPE'], ['EPIPE']))
say(len(os.listdir('/proc/self/fd')) - before)
say('done')
sys.stdin.readline()
"""
        with Sandbox(program) as sandbox:
            equal([sandbox.line(), sandbox.line(), sandbox.line()], ["500 True", "0", "done"],
                  "the outcomes")
            found = parts(sandbox)
            open_files = (descriptors(found["backend"]), descriptors(found["program"]))
            expect(max(open_files) < 64, f"descriptors of backend and guest: {open_files}")
            wait_for(lambda: sum(e["event"] == "close" for e in sandbox.events()) == 500)
            sandbox.tell("")
            sandbox.finish()


@contextlib.contextmanager
def echo_server(address="127.0.0.1"):
    """Any number of connections at once; gives its port."""
    listener = socket.create_server((address, 0), backlog=1024)

    def serve(connection):
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(4096):
                connection.sendall(data)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                threading.Thread(target=serve, args=[connection], daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@contextlib.contextmanager
def network_namespace(name):
    """One with a way to this one: 10.99.0.2 there, 10.99.0.1 here."""
    commands = f"""
ip netns add {name}
ip link add outside type veth peer name inside netns {name}
ip address add 10.99.0.1/24 dev outside
ip link set outside up
ip -n {name} address add 10.99.0.2/24 dev inside
ip -n {name} link set inside up
ip -n {name} link set lo up
"""
    subprocess.run(["sh", "-ec", commands], check=True)
    try:
        yield f"/run/netns/{name}"
    finally:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)
        subprocess.run(["ip", "link", "delete", "outside"], capture_output=True)
        # The directory of names is a mount of its own.
        subprocess.run(["umount", "/run/netns"], check=True)
        os.rmdir("/run/netns")


def has_device(name):
    return os.path.exists(f"/sys/class/net/{name}") or subprocess.run(
        ["ip", "link", "show", name], capture_output=True).returncode == 0


@case
def a_network_deleted_under_load():
    """Its name goes and then its only device; the sandbox goes on, and the namespace goes with it."""
    program = """
import threading
l = socket.create_server(('127.0.0.1', 0))
def serve():
    while True:
        c = l.accept()[0]
        c.sendall(b'hello')
        c.close()
threading.Thread(target=serve, daemon=True).start()
far = tcp(('10.99.0.1', PORT))
far.settimeout(30)
count = 0
def load():
    global count
    while True:
        with tcp(l.getsockname()) as c: assert c.recv(5) == b'hello'
        count += 1
threading.Thread(target=load, daemon=True).start()
while True:
    command = sys.stdin.readline().strip()
    if not command: break
    if command == 'local': say(count)
    if command == 'far': say(attempt(lambda: (far.sendall(b'x'), far.recv(1)) and None))
    if command == 'new': say(attempt(lambda: tcp(('10.99.0.1', PORT)).close()))
"""
    with network_namespace("faults") as path:
        with echo_server("10.99.0.1") as port, \
                Sandbox(program.replace("PORT", str(port)), network=path) as sandbox:

            def ask(word):
                sandbox.tell(word)
                return sandbox.line()

            def works_locally():
                before = int(ask("local"))
                wait_for(lambda: int(ask("local")) > before + 20)

            works_locally()
            equal(ask("far"), "ok", "a connection out of the namespace")
            subprocess.run(["ip", "netns", "delete", "faults"], check=True)
            expect(not os.path.exists(path), "the name is still there")
            works_locally()
            equal(ask("far"), "ok", "the same connection without the name")
            subprocess.run(["ip", "link", "delete", "outside"], check=True)
            equal(ask("new"), "ENETUNREACH", "a connection without a device")
            works_locally()
            sandbox.tell("")
            sandbox.finish()
    # A namespace that something holds keeps its devices, and those their other ends.
    with network_namespace("faults") as path:
        with Sandbox("say('started'); sys.stdin.readline()", network=path) as sandbox:
            equal(sandbox.line(), "started", "the program")
            subprocess.run(["ip", "netns", "delete", "faults"], check=True)
            sandbox.tell("")
            sandbox.finish()
        wait_for(lambda: not has_device("outside"))


@case
def a_network_that_is_not_there():
    with Sandbox("say('started')", network="/run/netns/nowhere", audit=False) as sandbox:
        errors = sandbox.process.stderr.read()
        equal(sandbox.finish(status=125), [], "the output")
    equal(errors, "paravane: cannot join the network namespace '/run/netns/nowhere': no such file "
          "or directory\n", "the message")


# ---- The parts of a sandbox

# Two loads: one of direct calls, one of calls to the backend.
TWO_LOADS = """
import threading
counts = [0, 0]
def talk():
    with tcp(('127.0.0.1', PORT)) as c:
        while True:
            c.sendall(b'x')
            assert c.recv(1) == b'x'
            counts[0] += 1
def connect():
    while True:
        tcp(('127.0.0.1', PORT)).close()
        counts[1] += 1
for target in (talk, connect): threading.Thread(target=target, daemon=True).start()
while counts[0] < 10 or counts[1] < 10: pass
say('loaded')
while sys.stdin.readline().strip(): say(*counts)
"""


@case
def a_backend_that_stalls():
    """Stopped under load, it holds up who asks it, and nobody else; then all goes on."""
    with echo_server() as port, Sandbox(TWO_LOADS.replace("PORT", str(port))) as sandbox:

        def numbers():
            sandbox.tell("numbers")
            return [int(word) for word in sandbox.line().split()]

        equal(sandbox.line(), "loaded", "the program")
        backend = parts(sandbox)["backend"]
        os.kill(backend, signal.SIGSTOP)
        wait_for(lambda: harness.Process(backend).state == "T")
        # A call that was served already may still come back.
        numbers()
        begin = time.monotonic()
        first = numbers()
        threading.Event().wait(STALL_SECONDS)
        last = numbers()
        stalled = time.monotonic() - begin
        os.kill(backend, signal.SIGCONT)
        expect(last[0] > first[0] + 100, f"direct calls stood still: {first}, {last}")
        expect(last[1] <= first[1] + 1, f"calls to the backend went on: {first}, {last}")
        begin = time.monotonic()
        wait_for(lambda: numbers()[1] > last[1] + 100)
        after = time.monotonic() - begin
        sandbox.tell("")
        sandbox.finish()
    return (f"{(last[0] - first[0]) / stalled:.0f} round trips/s during {stalled:.1f} s, "
            f"100 connections {after * 1000:.0f} ms after")


@case
def a_backend_that_stalls_again_and_again():
    """Stopped in the middle of whatever it does, also of handing a descriptor over."""
    with echo_server() as port, Sandbox(TWO_LOADS.replace("PORT", str(port))) as sandbox:
        equal(sandbox.line(), "loaded", "the program")
        backend = parts(sandbox)["backend"]
        for _ in range(1000):
            os.kill(backend, signal.SIGSTOP)
            wait_for(lambda: harness.Process(backend).state == "T")
            os.kill(backend, signal.SIGCONT)
            select.select([], [], [], 0.001)
        sandbox.tell("numbers")
        made = int(sandbox.line().split()[1])
        sandbox.tell("")
        _, errors = sandbox.process.communicate(timeout=LIMIT)
        equal((sandbox.process.returncode, errors), (0, ""), "status and messages")
    return f"{made} connections across 1000 stops"


def killed(part, status, words):
    with echo_server() as port, Sandbox(TWO_LOADS.replace("PORT", str(port))) as sandbox:
        equal(sandbox.line(), "loaded", "the program")
        pids = parts(sandbox)
        begin = time.monotonic()
        os.kill(pids[part], signal.SIGKILL)
        output, errors = sandbox.process.communicate(timeout=LIMIT)
        wait_for(lambda: not living() & set(pids.values()))
        seconds = time.monotonic() - begin
        equal(sandbox.process.returncode, status, f"the status ({errors})")
        expect(words in errors and errors.count("\n") <= 1, f"the message: {errors!r}")
        expect(seconds < 5, f"it took {seconds:.1f} s")
    return f"all gone after {seconds * 1000:.0f} ms: {errors.strip()!r}"


@case
def a_backend_that_is_killed():
    return killed("backend", 125, "its backend was killed from outside (signal 9)\n")


@case
def an_init_that_is_killed():
    return killed("init", 125, "paravane: sandbox ended: ")


@case
def a_program_that_is_killed():
    return killed("program", 137, "killed from outside")


@case
def a_command_that_is_killed():
    return killed("command", -signal.SIGKILL, "")


@case
def a_containers_backend_that_is_killed():
    with echo_server() as port, Container(TWO_LOADS.replace("PORT", str(port))) as container:
        equal(container.line(), "loaded", "the program")
        os.kill(container_backend(container), signal.SIGKILL)
        _, errors = container.process.communicate(timeout=LIMIT)
        equal((container.process.returncode, errors), (
            125, "paravane: sandbox ended: its backend was killed from outside (signal 9)\n"),
            "status and message")
        equal(os.listdir(container.root), [], "the containers")


# ---- Limits


@case
def the_programs_limit_of_descriptors():
    """At the limit accept and its like fail with EMFILE, and what waits is served afterwards."""
    program = """
import resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
l = socket.create_server(('127.0.0.1', 0), backlog=200)
say(l.getsockname()[1])
sys.stdin.readline()
total, held = 0, []
def accept(): held.append(l.accept()[0])
def fill():
    while True:
        answer = attempt(accept)
        if answer != 'ok' or total + len(held) == 150: return answer
words = []
while total < 150:
    answer = fill()
    if not words:
        words = [answer, len(held) in range(50, 62), attempt(lambda: socket.socket() and None),
                 attempt(lambda: os.open('/etc/passwd', os.O_RDONLY)), attempt(lambda: os.pipe()),
                 attempt(lambda: os.memfd_create('x')), attempt(lambda: os.dup(0))]
    for c in held: c.sendall(b'served'), c.close()
    total += len(held)
    held.clear()
say(*words)
"""
    with Sandbox(program) as sandbox:
        port = int(sandbox.line())
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
        sandbox.tell("")
        equal({receive(client, 6) for client in clients}, {b"served"}, "what the clients got")
        for client in clients:
            client.close()
        equal(sandbox.finish(), ["EMFILE True" + " EMFILE" * 5], "the answers")


@case
def the_hosts_limit_of_descriptors():
    """All programs of a sandbox share one table of the host: what is too much is an error too."""
    program = """
import select, tempfile
makers = [lambda: socket.socket(), lambda: os.open('/etc/passwd', os.O_RDONLY), os.pipe,
          lambda: select.epoll(), lambda: tempfile.TemporaryFile()]
def fill(make):
    held = []
    try:
        while True: held.append(make())
    except OSError as error:
        answer = errno.errorcode[error.errno]
    count = len(held)
    for h in held:
        if isinstance(h, tuple): os.close(h[0]), os.close(h[1])
        elif isinstance(h, int): os.close(h)
        else: h.close()
    return answer in ('EMFILE', 'ENFILE'), count > 50
say(*[fill(make) for make in makers])
# Half of it by another process.
reading, writing = os.pipe()
if os.fork() == 0:
    held = [socket.socket() for _ in range(100)]
    os.write(writing, b'x')
    sys.stdin.readline()
    os._exit(0)
os.read(reading, 1)
def socket_answer():
    held = []
    while len(held) < 1000:
        answer = attempt(lambda: held.append(socket.socket()))
        if answer != 'ok': return answer in ('EMFILE', 'ENFILE'), len(held) < 150
say(socket_answer())
say(attempt(lambda: tcp(('127.0.0.1', PORT)).close()))
"""

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    with echo_server() as port:
        with Sandbox(program.replace("PORT", str(port)), preexec_fn=limit) as sandbox:
            equal(sandbox.line(), " ".join(["(True, True)"] * 5), "by kind")
            equal(sandbox.line(), "(True, True)", "by two processes")
            equal(sandbox.line(), "ok", "a connection afterwards")
            sandbox.tell("")
            sandbox.finish()


# ---- Disks


@contextlib.contextmanager
def small_disk(options="size=2m,nr_inodes=64"):
    directory = tempfile.mkdtemp(prefix="faults-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "small", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)
        os.rmdir(directory)


@case
def a_full_disk_under_a_volume():
    program = """
import mmap
os.chdir('/data')
f = open('file', 'wb', buffering=0)
def fill():
    while True: f.write(b'x' * 50000)
say(attempt(fill), os.fstat(f.fileno()).st_size > 1500000)
say(attempt(lambda: os.fsync(f.fileno())), attempt(lambda: f.write(b'y')),
    attempt(lambda: os.posix_fallocate(f.fileno(), 0, 1 << 24)))
f = open('file', 'rb+', buffering=0)
hole = os.open('hole', os.O_RDWR | os.O_CREAT)
os.truncate(hole, 1 << 20)
say(attempt(lambda: os.pwrite(hole, b'x', 4096)), attempt(lambda: os.rename('hole', 'moved')),
    attempt(lambda: os.sendfile(hole, f.fileno(), 0, 4096)),
    attempt(lambda: os.copy_file_range(f.fileno(), hole, 4096, 0, 0)))
if os.fork() == 0:
    mmap.mmap(hole, 1 << 20)[0] = 1
    os._exit(0)
say(os.WTERMSIG(os.wait()[1]))
def many():
    for i in range(1000): os.mkdir(f'd{i}')
say(attempt(many), attempt(lambda: os.open('new', os.O_CREAT) and None),
    attempt(lambda: os.symlink('a', 'b')), attempt(lambda: os.mkfifo('fifo')))
os.rmdir('d0')
os.truncate('file', 0)
say(attempt(lambda: os.pwrite(hole, b'x' * 4096, 0) and None), attempt(lambda: os.mkdir('again')))
"""
    with small_disk() as directory:
        with Sandbox(program, arguments=["--volume", f"{directory}:/data"]) as sandbox:
            equal(sandbox.finish(), [
                "ENOSPC True", "ok ENOSPC ENOSPC", "ENOSPC ok ENOSPC ENOSPC",
                str(int(signal.SIGBUS)), "ENOSPC ENOSPC ENOSPC ENOSPC", "ok ok"], "the answers")


@case
def a_full_disk_under_an_audit_log():
    """Connections go on; the log says how many lines it lacks."""
    program = """
for line in sys.stdin:
    for _ in range(int(line)): tcp(('127.0.0.1', PORT)).close()
    say('made')
"""
    with small_disk("size=64k") as directory, echo_server() as port:
        log = os.path.join(directory, "log")
        filler = os.path.join(directory, "filler")
        with open(filler, "w") as file:
            file.write("x" * 40_000)
        with Sandbox(program.replace("PORT", str(port)), audit=False,
                     arguments=["--audit", log]) as sandbox:
            sandbox.tell("200")
            equal(sandbox.line(), "made", "the program")
            expect(os.statvfs(directory).f_bavail == 0, "the disk is not full")
            os.unlink(filler)
            sandbox.tell("1")
            equal(sandbox.line(), "made", "the program")
            sandbox.process.stdin.close()
            sandbox.process.stdin = None
            sandbox.finish()
        with open(log) as file:
            lines = file.read().splitlines()
    at = next(index for index, line in enumerate(lines) if '"lost"' in line)
    lost = json.loads(lines[at])["count"]
    # The line that did not fit is one of the lost.
    whole = [json.loads(line) for line in lines[:at - 1] + lines[at + 1:]]
    equal(len(whole) + lost, 2 * 201, "lines written and lost")
    expect(lines[at - 1] == "" or lines[at - 1].startswith('{"time"'), lines[at - 1])
    return f"{at - 1} lines written, {lost} lost"


# ---- Numbers


@case
def a_policy_set_100_times_a_second():
    """Each attempt is judged by one policy or the next, and none of them stays behind."""
    with server() as (port, peers), server() as (closed, strangers):
        def policy(name):
            rules = [f"- {{name: other {i}, address: 10.0.{i}.0/24, action: deny}}"
                     for i in range(200)]
            return "\n".join(["default: deny", "rules:"] + rules + [
                f"- {{name: {name}, event: connect, port: {port}, action: allow}}", ""])

        with Container(LOAD.format(open=port, closed=closed), policy("first")) as container:
            equal(container.line(), "started", "the program")
            paths = [container.write(f"{i}.yaml", policy(f"rule {i}")) for i in range(2)]
            backend = "paravane_backend_memory_bytes", (("container", "web"),)
            numbers = []

            def settle(count):
                """A hundred a second, from two sides, or as many as this machine gets done."""
                begin = time.monotonic()
                failures = []

                def set_half(path):
                    for index in range(count // 2):
                        threading.Event().wait(max(0, begin + index / 50 - time.monotonic()))
                        try:
                            container.command("policy", "set", "web", path)
                        except (sandboxes.Failure, subprocess.TimeoutExpired) as failure:
                            failures.append(str(failure))

                setters = [threading.Thread(target=set_half, args=[path]) for path in paths]
                for setter in setters:
                    setter.start()
                for setter in setters:
                    setter.join()
                equal(failures, [], "policies that could not be set")
                numbers.append(families(container.command("metrics"))[backend])
                return count / (time.monotonic() - begin)

            settle(50)
            rate = settle(200)
            counts = dict(eval(container.process.communicate("\n", timeout=LIMIT)[0]))
            # So many that the schema would take longer than the test.
            with open(container.log) as file:
                events = [json.loads(line) for line in file]
    made = counts.pop((port, "ok"), 0)
    refused = counts.pop((closed, "ECONNREFUSED"), 0)
    equal(counts, {}, "other outcomes")
    equal((len(peers), strangers), (made, []), "who came")
    expect(made > 100 and refused > 100, f"{made} made, {refused} refused")
    equal({e["rule"] for e in events if e["event"] == "connect"} >= {"rule 0", "rule 1"}, True,
          "connections by both")
    growth = numbers[1] - numbers[0]
    expect(growth < 4 << 20, f"200 policies took {mebibytes(growth)} of the backend")
    return (f"{rate:.0f} policies/s, {made} connections, {refused} refused, "
            f"the backend grew by {mebibytes(max(0, growth))}")


CONNECTIONS = 10_000
# So few that the backend hears of them while it is busy with what it missed.
LATE = 1000


@case
def ten_thousand_connections():
    """Most of them end at once while nobody listens, the rest while the backend catches up."""
    program = f"""
import resource, select
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
l = socket.create_server(('127.0.0.1', 0), backlog=4096)
say(l.getsockname()[1])
held, ready = {{}}, select.epoll()
while len(held) < {CONNECTIONS}:
    c = l.accept()[0]
    held[c.fileno()] = c
    ready.register(c, select.EPOLLIN)
say('open')
rest = {CONNECTIONS}
while rest:
    for number, _ in ready.poll(maxevents=1000):
        held[number].sendall(held[number].recv(1))
        rest -= 1
say('answered')
ending = list(held.values())
for part in ending[:-{LATE}], ending[-{LATE}:]:
    sys.stdin.readline()
    for c in part: c.close()
    say('closed')
sys.stdin.readline()
"""
    with Container(program) as container:
        port = int(container.line())
        before = families(container.command("metrics"))
        begin = time.monotonic()
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
        equal(container.line(), "open", "the program")
        opened = time.monotonic() - begin
        for client in clients:
            client.send(b"x")
        equal({client.recv(1) for client in clients}, {b"x"}, "the answers")
        equal(container.line(), "answered", "the program")
        full = families(container.command("metrics"))
        label = (("container", "web"),)
        equal(full["paravane_connections", label], CONNECTIONS + 1, "what is open")
        equal(container.command("connections", "web").count("\n"), CONNECTIONS + 2, "the table")
        backend = container_backend(container)
        os.kill(backend, signal.SIGSTOP)
        wait_for(lambda: harness.Process(backend).state == "T")
        begin = time.monotonic()
        container.tell("")
        equal(container.line(), "closed", "the program")
        closed = time.monotonic() - begin
        for client in clients[:-LATE]:
            client.close()
        os.kill(backend, signal.SIGCONT)
        container.tell("")
        for client in clients[-LATE:]:
            client.close()
        equal(container.line(), "closed", "the program")
        wait_for(lambda: families(container.command("metrics"))["paravane_connections", label] == 1)
        container.tell("")
        container.finish()

    def grown(name):
        return mebibytes(full[name, label] - before[name, label])

    return (f"opened in {opened:.1f} s, closed in {closed:.1f} s; kernel "
            f"+{grown('paravane_kernel_memory_bytes')}, backend "
            f"+{grown('paravane_backend_memory_bytes')}")


SANDBOXES = 100


@case
def a_hundred_sandboxes():
    """All of them run at once, each with its own word from the same server."""
    with socket.create_server(("127.0.0.1", 0), backlog=SANDBOXES) as listener, \
            contextlib.ExitStack() as stack:
        port = listener.getsockname()[1]
        script = f"exec 3<>/dev/tcp/127.0.0.1/{port}; read -r word <&3; echo got $word"
        begin = time.monotonic()
        processes = [subprocess.Popen(
            [sandboxes.product(), "do", "--", "bash", "-c", script], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(SANDBOXES)]
        connections = []
        for _ in processes:
            ready, _, _ = select.select([listener], [], [], LIMIT)
            expect(ready, f"{len(connections)} of {SANDBOXES} sandboxes run")
            connections.append(stack.enter_context(listener.accept()[0]))
        started = time.monotonic() - begin
        below = harness.tree(os.getpid())
        used = memory(below)
        begin = time.monotonic()
        for index, connection in enumerate(connections):
            connection.sendall(f"{index}\n".encode())
        outcomes = [(process.communicate(timeout=LIMIT), process.returncode)
                    for process in processes]
        ended = time.monotonic() - begin
    equal([o for o in outcomes if o[0][1] or o[1]], [], "what failed")
    equal(sorted(o[0][0] for o in outcomes), sorted(f"got {i}\n" for i in range(SANDBOXES)),
          "what they got")
    return (f"started in {started:.1f} s, ended in {ended:.1f} s; {len(below)} processes, "
            f"{mebibytes(used / SANDBOXES)} each")


def main(arguments):
    if "--list" in arguments:
        return sandboxes.run(arguments)
    harness.require_root()
    sandboxes.isolate()
    harness.isolate()
    return sandboxes.run(arguments, sandboxes.nothing_left)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
