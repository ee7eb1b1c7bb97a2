"""Docker, with a daemon of its own."""

import json
import os
import signal
import subprocess

import image
from engine import (
    IMAGE, PRODUCT, Engine, Page, case, expect, on_terminal, said_by, until)


class Docker(Engine):
    name, programs = "docker", ("dockerd", "docker", "containerd")

    def __init__(self):
        super().__init__()
        self.write("daemon.json", json.dumps({
            "data-root": self.path("data"), "exec-root": self.path("exec"),
            "hosts": [f"unix://{self.path('socket')}"], "pidfile": self.path("pid"),
            "live-restore": True, "default-runtime": "paravane",
            **json.loads(Page("docker", PRODUCT).block("json"))}))
        self.command = ["docker", "-H", f"unix://{self.path('socket')}"]
        self.start()
        image.write(self.path("image.tar"))
        self.run("load", "-i", self.path("image.tar"))

    def start(self):
        self.daemon = self.start_daemon(
            ["dockerd", "--config-file", self.path("daemon.json")],
            lambda: subprocess.run([*self.command, "version"], capture_output=True).returncode == 0)

    def end(self):
        names = self.run("ps", "-aq", status=None).split()
        if names:
            self.run("rm", "-f", *names, status=None)
        super().end()


SMALL = ("--network", "none")


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
    expect("sleep 1000" in engine.run("top", "web"), "top")
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
    engine.run("run", "-d", "--name", "ever", "--restart", "always", *SMALL, IMAGE, "sleep", "1000")
    first = engine.run("inspect", "-f", "{{.State.Pid}}", "ever")
    os.kill(int(first), signal.SIGKILL)
    until("another life", lambda: engine.run(
        "inspect", "-f", "{{.RestartCount}} {{.State.Status}}", "ever") == "1 running\n")
    engine.run("exec", "ever", "true")
    engine.run("stop", "-t", "0", "ever")
    expect(engine.run("inspect", "-f", "{{.State.Running}}", "ever") == "false\n", "a third life")


@case(Docker, "page")
def docker_page(engine):
    output = engine.run_page(Page("docker", PRODUCT).block("sh"))
    expect("paravane" in output, output)


@case(Docker, "bridge-and-names")
def docker_bridge(engine):
    """As compose would have it: two containers of one network, one calls the other by name."""
    engine.run("network", "create", "yard")
    engine.run("run", "-d", "--name", "api", "--network", "yard", "--network-alias", "service",
               "-p", "127.0.0.1:18098:80", IMAGE, "sh", "-c",
               "while :; do echo from the api | nc -l -p 80; done")
    for name in ("api", "service"):
        output = engine.run("run", "--rm", "--network", "yard", IMAGE, "sh", "-c",
                            f"grep -c 127.0.0.11 /etc/resolv.conf; nc {name} 80")
        expect(output == "1\nfrom the api\n", repr(output))
    until("the published port", lambda: said_by(18098) == "from the api\n")
    engine.run("rm", "-f", "api")
    engine.run("network", "rm", "yard")


@case(Docker, "default-bridge")
def docker_default_bridge(engine):
    output = engine.run("run", "--rm", IMAGE, "ip", "-4", "addr", "show", "eth0")
    expect("inet 172." in output, output)


@case(Docker, "terminal")
def docker_terminal(engine):
    output, status = on_terminal(
        [*engine.command, "run", "--rm", "-it", *SMALL, IMAGE, "sh", "-c",
         "tty; read x; until stty size | grep 33; do usleep 9999; done; echo got $x; exit 3"], {},
        [(b"/dev/pts/0", b"typed\n")])
    expect("got typed" in output and "33 99" in output and status == 3, f"{status}: {output}")


@case(Docker, "volumes-and-copies")
def docker_volumes(engine):
    engine.run("run", "-d", "--name", "box", "-v", "kept:/kept", *SMALL, IMAGE, "sleep", "1000")
    engine.run("exec", "box", "sh", "-c", "echo text > /kept/file; echo other > /tmp/other")
    output = engine.run("run", "--rm", "-v", "kept:/seen:ro", *SMALL, IMAGE, "sh", "-c",
                        "cat /seen/file; touch /seen/no || echo refused")
    expect(output == "text\nrefused\n", output)
    engine.run("cp", "box:/tmp/other", engine.path("other"))
    with open(engine.path("other")) as file:
        expect(file.read() == "other\n", "cp")
    engine.run("commit", "box", "localhost/committed")
    output = engine.run("run", "--rm", *SMALL, "localhost/committed", "cat", "/tmp/other")
    expect(output == "other\n", "commit")
    engine.run("rm", "-f", "-v", "box")


@case(Docker, "restart-of-docker")
def docker_daemon_restart(engine):
    """A container goes on while its engine is away, and is its engine's again."""
    engine.run("run", "-d", "--name", "lasting", *SMALL, IMAGE, "sleep", "1000")
    first = engine.run("inspect", "-f", "{{.State.Pid}}", "lasting")
    for number in (signal.SIGTERM, signal.SIGKILL):
        engine.stop_daemon(engine.daemon, number)
        expect(os.path.exists(f"/proc/{first.strip()}"), "it ended with the engine")
        engine.start()
        expect(engine.run("inspect", "-f", "{{.State.Pid}}", "lasting") == first, "another process")
        engine.run("exec", "lasting", "true")
    engine.run("stop", "-t", "0", "lasting")
    expect(engine.run("inspect", "-f", "{{.State.Status}}", "lasting") == "exited\n", "stop")
