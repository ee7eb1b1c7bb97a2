"""containerd by ctr, through its runc shim."""

import os
import re
import signal
import subprocess

import image
from engine import IMAGE, PRODUCT, Engine, Page, case, expect, on_terminal, processes_with, until


class Containerd(Engine):
    name, programs = "containerd", ("containerd", "ctr")

    def __init__(self):
        super().__init__()
        self.prepare()
        self.write("config.toml", self.configuration())
        self.command = ["ctr", "-a", self.path("socket")]
        self.start()
        self.load()

    def configuration(self):
        return f"""
version = 2
root = "{self.path('root')}"
state = "{self.path('state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{self.path('socket')}"
"""

    def prepare(self):
        """Before it starts."""

    def load(self):
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


@case(Containerd, "run")
def containerd_run(engine):
    output = engine.run("run", "--rm", *engine.runtime, IMAGE, "one", "sh", "-c",
                        "uname -r; exit 3", status=3)
    expect("paravane" in output, f"not our kernel: {output}")
    message = engine.errors("run", "--rm", *engine.runtime, IMAGE, "none", "nosuch", status=1)
    expect("executable file not found" in message, message)


@case(Containerd, "page")
def containerd_page(engine):
    output = engine.run_page(Page("containerd", PRODUCT).block("sh"))
    expect("paravane" in output, output)


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
    expect("RUNNING" in engine.run("task", "ls"), "resume")
    statistics = engine.run("task", "metrics", "task")
    for name in ("memory.usage_in_bytes", "cpuacct.usage", "pids.current"):
        number = re.search(rf"{re.escape(name)}\s+(\d+)", statistics)
        expect(number and int(number[1]) > 0, f"no {name}: {statistics}")
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
    for number in (signal.SIGTERM, signal.SIGKILL):
        engine.stop_daemon(engine.daemon, number)
        engine.start()
        expect(re.search(r"lasting\s+\d+\s+RUNNING", engine.run("task", "ls")), "task ls")
        engine.run("task", "exec", "--exec-id", "x", "lasting", "true")
    engine.run("task", "kill", "-s", "9", "lasting")
    until("the end", lambda: "STOPPED" in engine.run("task", "ls"))


@case(Containerd, "shim-killed")
def containerd_shim_killed(engine):
    """containerd notices, and cleans up with the runtime's `delete --force`."""
    engine.run("run", "-d", *engine.runtime, IMAGE, "lonely", "sleep", "1000")
    process = int(re.search(r"lonely\s+(\d+)\s+RUNNING", engine.run("task", "ls"))[1])
    shim, = [number for number in processes_with(f"-id lonely -address {engine.path('socket')}")]
    os.kill(shim, signal.SIGKILL)
    until("the container's end", lambda: not os.path.exists(f"/proc/{process}"))
    until("the task's end", lambda: "RUNNING" not in engine.run("task", "ls"))
    until("its processes' end", lambda: not processes_with(engine.path("state")))
    engine.run("task", "delete", "lonely", status=None)
    engine.run("container", "rm", "lonely")
    expect("lonely" not in engine.run("container", "ls"), "it is still there")
