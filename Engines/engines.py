"""Runs container engines on the product, each with directories and sockets of its own.

    engines.py [--list] [PATTERN]

PARAVANE names the product. Needs root and the engines (scripts/install-packages.sh installs them);
no registry is asked: the image is made of the host's busybox (image.py).
"""

import fnmatch
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

import image

PRODUCT = os.path.abspath(os.environ["PARAVANE"])
IMAGE = "localhost/paravane-test:latest"
CASES = {}


class Failure(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


class Engine:
    """One engine: how to call it, and a scratch directory that ends with it."""

    name, programs = "", ()

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix=f"paravane-{self.name}-")
        self.daemons = []

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def run(self, *arguments, status=0, input=None, limit=60):
        """Its output; the status must be the expected one."""
        result = subprocess.run(
            [*self.command, *arguments], input=input, capture_output=True, text=True, timeout=limit,
            cwd=self.directory, env={**os.environ, **self.environment})
        if status is not None:
            expect(result.returncode == status,
                   f"{' '.join(arguments)}: status {result.returncode}, expected {status}: "
                   f"{(result.stderr or result.stdout).strip()[-400:]}")
        return result.stdout

    def errors(self, *arguments, status):
        result = subprocess.run([*self.command, *arguments], capture_output=True, text=True,
                                timeout=60, env={**os.environ, **self.environment})
        expect(result.returncode == status,
               f"{' '.join(arguments)}: status {result.returncode}, expected {status}")
        return result.stderr

    def start_daemon(self, command, is_ready):
        log = open(self.path("daemon.log"), "a")
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
        self.daemons.append(daemon)
        deadline = time.monotonic() + 60
        while not is_ready():
            expect(daemon.poll() is None, f"{command[0]} has ended")
            expect(time.monotonic() < deadline, f"{command[0]} is not ready")
            select.select([], [], [], 0.1)
        return daemon

    def stop_daemon(self, daemon):
        daemon.terminate()
        daemon.wait(timeout=30)
        self.daemons.remove(daemon)

    def end(self):
        for daemon in list(self.daemons):
            self.stop_daemon(daemon)
        with open("/proc/self/mountinfo") as file:
            points = [line.split()[4] for line in file]
        for point in reversed(points):
            if point.startswith(self.directory):
                subprocess.run(["umount", "-l", point], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


class Podman(Engine):
    name, programs = "podman", ("podman", "conmon")

    def __init__(self):
        super().__init__()
        self.write("containers.conf", f"""
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=10000:10000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "paravane"
infra_image = "localhost/paravane-pause:latest"
[engine.runtimes]
paravane = ["{self.path('runtime')}"]
""")
        # Not by --runtime-flag: the command that podman gives conmon for the end leaves it out.
        self.write("runtime", f"#!/bin/sh\nexec {PRODUCT} --root {self.path('containers')} \"$@\"\n")
        os.chmod(self.path("runtime"), 0o755)
        self.environment = {"CONTAINERS_CONF": self.path("containers.conf")}
        self.command = ["podman", "--root", self.path("root"), "--runroot", self.path("runroot"),
                        "--tmpdir", self.path("tmp"), "--storage-driver", "overlay"]
        image.write(self.path("image.tar"))
        self.run("load", "-i", self.path("image.tar"))

    def end(self):
        self.run("rm", "-f", "-t", "0", "-a", status=None)
        self.run("pod", "rm", "-f", "-t", "0", "-a", status=None)
        super().end()


class Containerd(Engine):
    name, programs, environment = "containerd", ("containerd", "ctr"), {}

    def __init__(self):
        super().__init__()
        self.write("config.toml", f"""
version = 2
root = "{self.path('root')}"
state = "{self.path('state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{self.path('socket')}"
""")
        self.command = ["ctr", "-a", self.path("socket")]
        self.start()
        image.write(self.path("image.tar"))
        self.run("image", "import", self.path("image.tar"))

    def start(self):
        self.daemon = self.start_daemon(
            ["containerd", "-c", self.path("config.toml")],
            lambda: subprocess.run([*self.command, "version"], capture_output=True).returncode == 0)

    runtime = ("--runtime", "io.containerd.runc.v2", "--runc-binary", PRODUCT)

    def end(self):
        for task in self.run("task", "ls", "-q", status=None).split():
            self.run("task", "rm", "-f", task, status=None)
        super().end()


class Docker(Engine):
    name, programs, environment = "docker", ("dockerd", "docker", "containerd"), {}

    def __init__(self):
        super().__init__()
        self.write("daemon.json", json.dumps({
            "data-root": self.path("data"), "exec-root": self.path("exec"),
            "hosts": [f"unix://{self.path('socket')}"], "pidfile": self.path("pid"),
            "bridge": "none", "iptables": False, "ip-forward": False, "ip-masq": False,
            "runtimes": {"paravane": {"path": PRODUCT}}, "default-runtime": "paravane",
        }))
        self.command = ["docker", "-H", f"unix://{self.path('socket')}"]
        self.start_daemon(
            ["dockerd", "--config-file", self.path("daemon.json")],
            lambda: subprocess.run([*self.command, "version"], capture_output=True).returncode == 0)
        image.write(self.path("image.tar"))
        self.run("load", "-i", self.path("image.tar"))

    def end(self):
        names = self.run("ps", "-aq", status=None).split()
        if names:
            self.run("rm", "-f", *names, status=None)
        super().end()


ENGINES = [Podman, Containerd, Docker]


def case(engine, name):
    def add(function):
        CASES[f"{engine.name}/{name}"] = (engine, function)
        return function
    return add


def until(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        select.select([], [], [], 0.05)


def on_terminal(command, environment, typed, seconds=30):
    """Runs a command on a terminal of 33 rows and 99 columns; its output and its status."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(environment)
        os.execvp(command[0], command)
    subprocess.run(["stty", "rows", "33", "cols", "99"], stdin=terminal, check=True)
    output, deadline = b"", time.monotonic() + seconds
    typed = list(typed)
    while time.monotonic() < deadline:
        if typed and typed[0][0] in output:
            os.write(terminal, typed.pop(0)[1])
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            output += piece
    else:
        os.kill(process, 9)
    os.close(terminal)
    return output.decode(), os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def group_file(member, controller, file):
    """A file of the control group of a process, whatever the version."""
    with open(f"/proc/{member}/cgroup") as groups:
        for line in groups:
            _, controllers, path = line.strip().split(":", 2)
            if controller in controllers.split(","):
                directory = f"/sys/fs/cgroup/{controllers}{path}"
            elif controllers == "" and os.path.exists(f"/sys/fs/cgroup{path}/{file}"):
                directory = f"/sys/fs/cgroup{path}"
            else:
                continue
            if os.path.exists(f"{directory}/{file}"):
                with open(f"{directory}/{file}") as value:
                    return value.read().strip()
    return None


# ---- Podman


SMALL = ("--network", "none")


@case(Podman, "run")
def podman_run(engine):
    output = engine.run("run", "--rm", *SMALL, IMAGE, "sh", "-c", "uname -r; exit 7", status=7)
    expect("paravane" in output, f"not our kernel: {output}")


@case(Podman, "seccomp")
def podman_seccomp(engine):
    """Podman's default profile is applied, and can be left out or replaced."""
    look = "grep ^Seccomp: /proc/self/status; unshare -U true 2>&1; mkdir /d; echo made $?"
    output = engine.run("run", "--rm", *SMALL, IMAGE, "sh", "-c", look)
    expect("Seccomp:\t2" in output and "made 0" in output, output)
    output = engine.run("run", "--rm", "--security-opt", "seccomp=unconfined", *SMALL, IMAGE, "sh",
                        "-c", look)
    expect("Seccomp:\t0" in output, output)
    profile = engine.write("profile.json", json.dumps({
        "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}))
    output = engine.run("run", "--rm", "--security-opt", f"seccomp={profile}", *SMALL, IMAGE, "sh",
                        "-c", look + "; mkdir /e 2>&1; true")
    expect("made 1" in output and "No space left" in output, output)


@case(Podman, "stdin")
def podman_stdin(engine):
    output = engine.run("run", "--rm", "-i", *SMALL, IMAGE, "cat", input="through\n")
    expect(output == "through\n", repr(output))


@case(Podman, "detached")
def podman_detached(engine):
    engine.run("run", "-d", "--name", "web", *SMALL, IMAGE, "sh", "-c", "echo begun; sleep 1000")
    until("the log", lambda: engine.run("logs", "web") == "begun\n")
    output = engine.run("exec", "--user", "1000", "-w", "/tmp", "-e", "A=b", "web", "sh", "-c",
                        "id -u; pwd; echo $A; exit 4", status=4)
    expect(output == "1000\n/tmp\nb\n", repr(output))
    expect(engine.run("exec", "-i", "web", "cat", input="in\n") == "in\n", "exec -i")
    expect("sleep 1000" in engine.run("top", "web", "-ef"), "top")
    statistics = json.loads(engine.run("stats", "--no-stream", "--format", "json", "web"))
    expect(statistics[0]["pids"] not in ("", "0"), str(statistics))
    engine.run("exec", "web", "nosuch", status=127)
    engine.run("kill", "web")
    expect(engine.run("wait", "web") == "137\n", "wait")


@case(Podman, "stop")
def podman_stop(engine):
    engine.run("run", "-d", "--name", "deaf", *SMALL, IMAGE, "sleep", "1000")
    engine.run("stop", "-t", "1", "deaf")
    state = json.loads(engine.run("inspect", "deaf"))[0]["State"]
    expect((state["Status"], state["ExitCode"]) == ("exited", 137), str(state))
    engine.run("run", "-d", "--name", "polite", *SMALL, IMAGE, "sh", "-c",
               "trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done")
    until("the trap", lambda: "up" in engine.run("logs", "polite"))
    engine.run("stop", "-t", "20", "polite")
    state = json.loads(engine.run("inspect", "polite"))[0]["State"]
    expect(state["ExitCode"] == 9, str(state))
    engine.run("start", "polite")
    engine.run("rm", "-f", "-t", "0", "polite")


@case(Podman, "pause")
def podman_pause(engine):
    engine.run("run", "-d", "--name", "frozen", *SMALL, IMAGE, "sleep", "1000")
    engine.run("pause", "frozen")
    expect("Paused" in engine.run("ps", "-a"), "ps")
    expect(engine.errors("exec", "frozen", "true", status=255) != "", "exec in a paused container")
    engine.run("unpause", "frozen")
    engine.run("exec", "frozen", "true")


@case(Podman, "terminal")
def podman_terminal(engine):
    output, status = on_terminal(
        [*engine.command, "run", "--rm", "-it", *SMALL, IMAGE, "sh", "-c",
         "tty; read x; stty size; echo got $x; exit 3"], engine.environment,
        [(b"/dev/pts/0", b"typed\n")])
    expect("got typed" in output and "33 99" in output, output)
    expect(status == 3, f"status {status}")


@case(Podman, "exec-terminal")
def podman_exec_terminal(engine):
    engine.run("run", "-d", "--name", "box", *SMALL, IMAGE, "sleep", "1000")
    output, status = on_terminal(
        [*engine.command, "exec", "-it", "box", "sh", "-c", "tty; read x; echo got $x; exit 3"],
        engine.environment, [(b"/dev/pts/", b"typed\n")])
    expect("got typed" in output, output)
    expect(status == 3, f"status {status}")


@case(Podman, "volumes")
def podman_volumes(engine):
    os.mkdir(engine.path("shared"))
    engine.write("shared/from-host", "text")
    shared = engine.path("shared")
    engine.run("run", "--rm", *SMALL, "-v", f"{shared}:/v", IMAGE, "sh", "-c",
               "cat /v/from-host; echo back > /v/from-guest")
    with open(engine.path("shared", "from-guest")) as file:
        expect(file.read() == "back\n", "a file of the guest")
    engine.run("run", "--rm", *SMALL, "-v", f"{shared}:/v:ro", IMAGE, "touch", "/v/no", status=1)
    output = engine.run("run", "--rm", *SMALL, "--tmpfs", "/scratch", IMAGE, "sh", "-c",
                        "grep ' /scratch ' /proc/mounts")
    expect("tmpfs" in output, output)


@case(Podman, "privileges")
def podman_privileges(engine):
    output = engine.run("run", "--rm", *SMALL, "--user", "1000:1000", "--cap-drop", "all", IMAGE,
                        "sh", "-c", "id -u; grep CapEff /proc/self/status")
    expect(re.fullmatch(r"1000\nCapEff:\s0{16}\n", output), repr(output))


@case(Podman, "limits")
def podman_limits(engine):
    engine.run("run", "-d", "--name", "small", *SMALL, "--memory", "64m", "--cpus", "0.5",
               "--pids-limit", "77", IMAGE, "sleep", "1000")
    process = json.loads(engine.run("inspect", "small"))[0]["State"]["Pid"]
    memory = group_file(process, "memory", "memory.limit_in_bytes") or group_file(
        process, "memory", "memory.max")
    expect(memory == str(64 << 20), f"memory {memory}")
    expect(group_file(process, "pids", "pids.max") == "77", "pids")
    engine.run("run", "--rm", *SMALL, "--memory", "32m", "--memory-swap", "32m", IMAGE, "sh", "-c",
               "dd if=/dev/zero of=/dev/null bs=64M count=1", status=137)


@case(Podman, "copy")
def podman_copy(engine):
    engine.run("run", "-d", "--name", "box", *SMALL, IMAGE, "sleep", "1000")
    engine.run("cp", engine.write("there", "text\n"), "box:/tmp/there")
    expect(engine.run("exec", "box", "cat", "/tmp/there") == "text\n", "cp into it")
    engine.run("cp", "box:/etc/passwd", engine.path("back"))
    with open(engine.path("back")) as file:
        expect(file.read().startswith("root:"), "cp out of it")


@case(Podman, "commit-and-build")
def podman_build(engine):
    engine.run("run", "--name", "changed", *SMALL, IMAGE, "sh", "-c", "echo new > /added")
    engine.run("commit", "-q", "changed", "localhost/committed")
    output = engine.run("run", "--rm", *SMALL, "localhost/committed", "cat", "/added")
    expect(output == "new\n", repr(output))
    engine.write("Containerfile", f"FROM {IMAGE}\nRUN uname -r > /built\n")
    engine.run("build", "-q", "--network", "none", "--isolation", "oci", "--runtime", PRODUCT,
               "-t", "localhost/built", engine.directory, limit=120)
    output = engine.run("run", "--rm", *SMALL, "localhost/built", "cat", "/built")
    expect("paravane" in output, f"RUN was not ours: {output}")


@case(Podman, "errors")
def podman_errors(engine):
    engine.run("run", "--rm", *SMALL, IMAGE, "nosuch", status=127)
    engine.run("run", "--rm", *SMALL, IMAGE, "/etc", status=126)


@case(Podman, "pod")
def podman_pod(engine):
    engine.run("pod", "create", "--name", "two", "--network", "none")
    engine.run("run", "-d", "--pod", "two", "--name", "server", IMAGE, "sh", "-c",
               "echo through the pod | nc -l -p 8080")
    until("the connection", lambda: engine.run(
        "run", "--rm", "--pod", "two", IMAGE, "nc", "127.0.0.1", "8080", status=None)
        == "through the pod\n")


@case(Podman, "bridge-and-ports")
def podman_ports(engine):
    """A network of Podman's own: the container listens in it, the host reaches it by a port."""
    engine.run("network", "create", "--subnet", "10.213.7.0/24", "paravane-test")
    try:
        engine.run("run", "-d", "--name", "web", "--network", "paravane-test", "-p",
                   "127.0.0.1:18099:8080", IMAGE, "sh", "-c",
                   "while :; do echo from the bridge | nc -l -p 8080; done")
        address = engine.run("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}"
                             "{{end}}", "web").strip()
        expect(address.startswith("10.213.7."), address)
        output = engine.run("run", "--rm", "--network", "paravane-test", IMAGE, "nc", address,
                            "8080")
        expect(output == "from the bridge\n", output)
        until("the published port", lambda: subprocess.run(
            ["busybox", "nc", "127.0.0.1", "18099"], capture_output=True, text=True,
            timeout=20).stdout == "from the bridge\n")
    finally:
        engine.run("rm", "-f", "-t", "0", "web", status=None)
        engine.run("network", "rm", "-f", "paravane-test", status=None)


@case(Podman, "host-network")
def podman_host_network(engine):
    with open("/proc/net/dev") as file:
        names = sorted(line.split(":")[0].strip() for line in file if ":" in line)
    output = engine.run("run", "--rm", "--network", "host", IMAGE, "sh", "-c",
                        "grep : /proc/net/dev | cut -d: -f1")
    expect(sorted(output.split()) == names, output)
    output = engine.run("run", "--rm", *SMALL, IMAGE, "sh", "-c",
                        "grep : /proc/net/dev | cut -d: -f1")
    expect(output.split() == ["lo"], output)


@case(Podman, "healthcheck")
def podman_healthcheck(engine):
    engine.run("run", "-d", "--name", "patient", "--health-cmd", "test -e /tmp/well",
               "--health-interval", "disable", "--health-retries", "1", *SMALL, IMAGE, "sleep",
               "1000")
    engine.run("healthcheck", "run", "patient", status=1)
    engine.run("exec", "patient", "touch", "/tmp/well")
    engine.run("healthcheck", "run", "patient")
    state = json.loads(engine.run("inspect", "patient"))[0]["State"]
    health = state.get("Health") or state.get("Healthcheck")
    expect(health["Status"] == "healthy", str(health))


@case(Podman, "kube-play")
def podman_kube_play(engine):
    """A pod of two containers that share a volume and the pod's network."""
    engine.write("pod.yaml", f"""
apiVersion: v1
kind: Pod
metadata:
  name: pair
spec:
  hostNetwork: true
  restartPolicy: Never
  volumes:
  - name: shared
    emptyDir: {{}}
  containers:
  - name: writer
    image: {IMAGE}
    command: ["sh", "-c", "echo by the writer > /shared/note; sleep 1000"]
    volumeMounts: [{{name: shared, mountPath: /shared}}]
  - name: reader
    image: {IMAGE}
    command: ["sh", "-c", "until cat /shared/note; do sleep 0.1; done; sleep 1000"]
    volumeMounts: [{{name: shared, mountPath: /shared}}]
    resources: {{limits: {{memory: 64Mi}}}}
""")
    engine.run("play", "kube", engine.path("pod.yaml"))
    until("the note", lambda: "by the writer" in engine.run("logs", "pair-reader", status=None))
    kinds = engine.run("ps", "--pod", "--format", "{{.PodName}} {{.Names}}")
    expect(kinds.count("pair ") == 3, kinds)
    engine.run("play", "kube", "--down", engine.path("pod.yaml"))
    expect("pair" not in engine.run("pod", "ls"), "the pod is still there")


@case(Podman, "statistics")
def podman_statistics(engine):
    engine.run("run", "-d", "--name", "busy", "--memory", "64m", *SMALL, IMAGE, "sleep", "1000")
    line = json.loads(engine.run("stats", "--no-stream", "--format", "json", "busy"))[0]
    expect("67.11MB" in line["mem_usage"] or "64MiB" in line["mem_usage"], str(line))
    output = engine.run("exec", "busy", "sh", "-c", "cat /sys/fs/cgroup/memory.max")
    expect(output == f"{64 << 20}\n", output)


# ---- containerd


@case(Containerd, "run")
def containerd_run(engine):
    output = engine.run("run", "--rm", *engine.runtime, IMAGE, "one", "sh", "-c",
                        "uname -r; exit 3", status=3)
    expect("paravane" in output, f"not our kernel: {output}")
    message = engine.errors("run", "--rm", *engine.runtime, IMAGE, "none", "nosuch", status=1)
    expect("executable file not found" in message, message)


@case(Containerd, "task")
def containerd_task(engine):
    engine.run("run", "-d", *engine.runtime, IMAGE, "task", "sleep", "1000")
    expect(re.search(r"task\s+\d+\s+RUNNING", engine.run("task", "ls")), "task ls")
    output = engine.run("task", "exec", "--exec-id", "x", "task", "sh", "-c", "id -u; exit 5",
                        status=5)
    expect(output == "0\n", repr(output))
    expect(len(engine.run("task", "ps", "task").splitlines()) > 2, "task ps")
    engine.run("task", "pause", "task")
    expect("PAUSED" in engine.run("task", "ls"), "pause")
    engine.run("task", "resume", "task")
    expect("memory.usage_in_bytes" in engine.run("task", "metrics", "task"), "metrics")
    engine.run("task", "kill", "-s", "9", "task")
    until("the end", lambda: "STOPPED" in engine.run("task", "ls"))
    engine.run("task", "delete", "task", status=None)
    engine.run("container", "rm", "task")


@case(Containerd, "terminal")
def containerd_terminal(engine):
    output, status = on_terminal(
        [*engine.command, "run", "--rm", "-t", *engine.runtime, IMAGE, "term", "sh", "-c",
         "tty; read x; echo got $x; exit 3"], {}, [(b"/dev/pts/0", b"typed\n")])
    expect("got typed" in output and status == 3, f"status {status}: {output}")


@case(Containerd, "restart-of-containerd")
def containerd_restart(engine):
    engine.run("run", "-d", *engine.runtime, IMAGE, "lasting", "sleep", "1000")
    engine.stop_daemon(engine.daemon)
    engine.start()
    expect(re.search(r"lasting\s+\d+\s+RUNNING", engine.run("task", "ls")), "task ls")
    engine.run("task", "exec", "--exec-id", "x", "lasting", "true")
    engine.run("task", "kill", "-s", "9", "lasting")
    until("the end", lambda: "STOPPED" in engine.run("task", "ls"))


# ---- Docker


@case(Docker, "run")
def docker_run(engine):
    output = engine.run("run", "--rm", *SMALL, IMAGE, "sh", "-c", "uname -r; exit 3", status=3)
    expect("paravane" in output, f"not our kernel: {output}")
    engine.run("run", "--rm", *SMALL, IMAGE, "nosuch", status=127)


@case(Docker, "detached")
def docker_detached(engine):
    engine.run("run", "-d", "--name", "web", *SMALL, "--memory", "64m", IMAGE, "sh", "-c",
               "echo begun; sleep 1000")
    until("the log", lambda: engine.run("logs", "web") == "begun\n")
    engine.run("exec", "web", "sh", "-c", "exit 4", status=4)
    expect("64MiB" in engine.run("stats", "--no-stream", "web"), "stats")
    expect("sleep 1000" in engine.run("exec", "web", "ps"), "ps")
    engine.run("top", "web")
    engine.run("pause", "web")
    engine.run("unpause", "web")
    engine.run("stop", "-t", "1", "web")
    expect(engine.run("inspect", "-f", "{{.State.ExitCode}}", "web") == "137\n", "exit code")


@case(Docker, "seccomp")
def docker_seccomp(engine):
    """Docker's default profile lets the usual through and refuses what it always does."""
    look = "grep ^Seccomp: /proc/self/status; mkdir /d && echo made; unshare -m true || echo not"
    output = engine.run("run", "--rm", *SMALL, IMAGE, "sh", "-c", look)
    expect("Seccomp:\t2" in output and "made" in output and "not" in output, output)
    output = engine.run("run", "--rm", "--security-opt", "seccomp=unconfined", *SMALL, IMAGE, "sh",
                        "-c", look)
    expect("Seccomp:\t0" in output, output)


@case(Docker, "out-of-memory")
def docker_out_of_memory(engine):
    """The container ends, and Docker knows why."""
    engine.run("run", "--name", "hog", "-m", "64m", "--memory-swap", "64m", *SMALL, IMAGE, "sh",
               "-c", "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", status=137)
    until("the reason", lambda: engine.run(
        "inspect", "-f", "{{.State.ExitCode}} {{.State.OOMKilled}}", "hog") == "137 true\n")


@case(Docker, "restart-policy")
def docker_restart(engine):
    engine.run("run", "-d", "--name", "again", "--restart", "on-failure:2", *SMALL, IMAGE, "sh",
               "-c", "echo try; exit 1")
    until("three tries", lambda: engine.run("logs", "again") == "try\n" * 3)


def main():
    patterns = [word for word in sys.argv[1:] if not word.startswith("--")] or ["*"]
    names = [name for name in CASES if any(
        fnmatch.fnmatch(name, pattern) for pattern in patterns)]
    if "--list" in sys.argv:
        print("\n".join(names))
        return 0
    failed = 0
    for kind in ENGINES:
        own = [name for name in names if CASES[name][0] is kind]
        if not own:
            continue
        missing = [program for program in kind.programs if not shutil.which(program)]
        if missing:
            print(f"FAIL {kind.name}: {', '.join(missing)} is not installed")
            failed += len(own)
            continue
        engine = kind()
        try:
            for name in own:
                begin = time.monotonic()
                try:
                    CASES[name][1](engine)
                    print(f"PASS {name} ({time.monotonic() - begin:.1f} s)", flush=True)
                except (Failure, subprocess.TimeoutExpired, OSError) as error:
                    failed += 1
                    print(f"FAIL {name}\n     {error}", flush=True)
                if kind is Podman:
                    engine.run("rm", "-f", "-t", "0", "-a", status=None)
        finally:
            engine.end()
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed or not names else 0


sys.exit(main())
