"""Podman, as root: every way to use it that its page names."""

import json
import os
import re
import select
import signal
import socket
import subprocess

import image
from engine import (
    IMAGE, PRODUCT, Engine, Page, Skip, case, expect, group_file, on_terminal, processes_with,
    said_by, until)


class Podman(Engine):
    name, programs = "podman", ("podman", "conmon")

    def __init__(self):
        super().__init__()
        # Not by --runtime-flag: the command that podman gives conmon for the end leaves it out.
        command = f"{PRODUCT} --root {self.path('containers')}"
        self.write("runtime", f"#!/bin/sh\nexec {command} \"$@\"\n")
        os.chmod(self.path("runtime"), 0o755)
        self.write("containers.conf", f"""
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=10000:10000"]
[network]
network_config_dir = "{self.path('networks')}"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "paravane"
infra_image = "localhost/paravane-pause:latest"
""" + Page("podman", self.path("runtime")).block("toml"))
        self.environment = {"CONTAINERS_CONF": self.path("containers.conf")}
        self.command = ["podman", "--root", self.path("root"), "--runroot", self.path("runroot"),
                        "--tmpdir", self.path("tmp"), "--storage-driver", "overlay"]
        image.write(self.path("image.tar"))
        self.run("load", "-i", self.path("image.tar"))

    def reset(self):
        self.run("rm", "-f", "-t", "0", "-a", status=None)

    def end(self):
        self.reset()
        self.run("pod", "rm", "-f", "-t", "0", "-a", status=None)
        super().end()


SMALL = ("--network", "none")


@case(Podman, "run")
def podman_run(engine):
    output = engine.run("run", "--rm", *SMALL, IMAGE, "sh", "-c", "uname -r; exit 7", status=7)
    expect("paravane" in output, f"not our kernel: {output}")


@case(Podman, "page")
def podman_page(engine):
    output = engine.run_page(Page("podman", PRODUCT).block("sh"))
    expect("paravane" in output, output)


@case(Podman, "rm")
def podman_rm(engine):
    """Nothing stays behind --rm: no container, no state of ours, no control group."""
    engine.run("run", "--rm", "--name", "brief", *SMALL, IMAGE, "true")
    expect(engine.run("ps", "-aq") == "", "podman still has it")
    until("no state", lambda: os.listdir(engine.path("containers")) == [])


@case(Podman, "attach")
def podman_attach(engine):
    engine.run("run", "-d", "-i", "--name", "box", *SMALL, IMAGE, "sh", "-c",
               "read x; echo got $x; exit 6")
    output = engine.run("attach", "box", input="typed\n")
    expect(output.strip() == "got typed", repr(output))
    expect(engine.run("wait", "box") == "6\n", "its status")


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
    expect("sleep 1000" in engine.run("top", "web", "-ef"), "ps(1) in the container")
    # Podman's own, which reads the procfs where the container's process is.
    listed = engine.run("top", "web", "huser", "comm", "args").splitlines()
    expect(any(line.split() == ["root", "sleep", "sleep", "1000"] for line in listed), str(listed))
    listed = engine.run("top", "web")
    expect("sleep 1000" in listed and "paravane: init of" in listed, listed)
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
    run_on_terminal(engine)


def run_on_terminal(engine):
    output, status = on_terminal(
        [*engine.command, "run", "--rm", "-it", *SMALL, IMAGE, "sh", "-c",
         "tty; read x; until stty size | grep 33; do usleep 9999; done 2>&1; echo got $x; exit 3"],
        engine.environment, [(b"/dev/pts/0", b"typed\n")])
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
    quota = group_file(process, "cpu", "cpu.cfs_quota_us") or group_file(
        process, "cpu", "cpu.max").split()[0]
    expect(quota == "50000", f"cpu {quota}")
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
    engine.run("pod", "create", "--name", "two", "--network", "none", "--hostname", "shared")
    engine.run("run", "-d", "--pod", "two", "--name", "server", IMAGE, "sh", "-c",
               "while :; do echo through the pod | nc -l -p 8080; done")
    until("the connection", lambda: engine.run(
        "run", "--rm", "--pod", "two", IMAGE, "nc", "127.0.0.1", "8080", status=None)
        == "through the pod\n")
    expect(engine.run("exec", "server", "hostname") == "shared\n", "the pod's name")
    pods = json.loads(engine.run("pod", "inspect", "two"))
    expect([container["State"] for container in pods["Containers"]] == ["running"] * 2, str(pods))
    engine.run("pod", "stop", "-t", "0", "two")
    engine.run("pod", "rm", "two")


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
        until("the published port", lambda: said_by(18099) == "from the bridge\n")
    finally:
        engine.run("rm", "-f", "-t", "0", "web", status=None)
        engine.run("network", "rm", "-f", "paravane-test", status=None)


@case(Podman, "host-network")
def podman_host_network(engine):
    with open("/proc/self/net/dev") as file:
        names = sorted(line.split(":")[0].strip() for line in file if ":" in line)
    expect(len(names) > 1, f"nothing to tell the host's by: {names}")
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
    """A pod of two containers that share a volume and the pod's own network."""
    engine.write("pod.yaml", f"""
apiVersion: v1
kind: Pod
metadata:
  name: pair
spec:
  restartPolicy: Never
  volumes:
  - name: shared
    emptyDir: {{}}
  containers:
  - name: writer
    image: {IMAGE}
    command:
    - sh
    - -c
    - echo by the writer > /shared/note; nc -l -p 8080 < /shared/note; sleep 1000
    volumeMounts: [{{name: shared, mountPath: /shared}}]
  - name: reader
    image: {IMAGE}
    command: ["sh", "-c", "until nc 127.0.0.1 8080; do sleep 0.1; done; sleep 1000"]
    volumeMounts: [{{name: shared, mountPath: /shared}}]
    resources: {{limits: {{memory: 64Mi}}}}
""")
    engine.run("kube", "play", engine.path("pod.yaml"))
    until("the note", lambda: "by the writer" in engine.run("logs", "pair-reader", status=None))
    kinds = engine.run("ps", "--pod", "--format", "{{.PodName}} {{.Names}}")
    expect(kinds.count("pair ") == 3, kinds)
    engine.run("kube", "down", engine.path("pod.yaml"))
    expect("pair" not in engine.run("pod", "ls"), "the pod is still there")


@case(Podman, "slirp")
def podman_slirp(engine):
    """A network by a process in user space: the container reaches it through its tap device."""
    if not os.path.exists("/dev/net/tun"):
        raise Skip("this machine has no /dev/net/tun")
    output = engine.run("run", "--rm", "--network", "slirp4netns", IMAGE, "sh", "-c",
                        "grep -c tap0 /proc/net/dev; cat /etc/resolv.conf")
    expect(output.startswith("1\n") and "nameserver 10.0.2.3" in output, output)


@case(Podman, "statistics")
def podman_statistics(engine):
    engine.run("run", "-d", "--name", "busy", "--memory", "64m", *SMALL, IMAGE, "sleep", "1000")
    line = json.loads(engine.run("stats", "--no-stream", "--format", "json", "busy"))[0]
    expect("67.11MB" in line["mem_usage"] or "64MiB" in line["mem_usage"], str(line))
    output = engine.run("exec", "busy", "sh", "-c", "cat /sys/fs/cgroup/memory.max")
    expect(output == f"{64 << 20}\n", output)


@case(Podman, "sdnotify")
def podman_notify(engine):
    """Who waits for a service hears from conmon as soon as it runs."""
    path = engine.path("notify.socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        server.settimeout(20)
        engine.call(["env", f"NOTIFY_SOCKET={path}", *engine.command, "run", "-d", "--name",
                     "service", "--sdnotify", "conmon", *SMALL, IMAGE, "sleep", "1000"])
        heard = ""
        while "READY=1" not in heard or "MAINPID=" not in heard:
            heard += server.recv(4096).decode() + "\n"
    conmon = engine.run("inspect", "-f", "{{.State.ConmonPid}}", "service").strip()
    expect(f"MAINPID={conmon}\n" in heard, f"{heard}, conmon is {conmon}")


# Says that it is ready, as sd_notify(3) does.
NOTIFY_C = r"""
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int count, char **arguments) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *path = getenv("NOTIFY_SOCKET");
  if (!path) return 2;
  strcpy(address.sun_path, path);
  int file = socket(AF_UNIX, SOCK_DGRAM, 0);
  for (int index = 1; index < count; index++)
    if (sendto(file, arguments[index], strlen(arguments[index]), 0, (struct sockaddr *)&address,
               sizeof address) < 0) return 1;
  pause();
}
"""


@case(Podman, "sdnotify-container")
def podman_notify_container(engine):
    """The container says itself when it is ready, to a socket that conmon has for it."""
    host, path = engine.path("service"), engine.path("notify.container")
    os.mkdir(host)
    subprocess.run(["gcc", "-static", "-O1", "-o", os.path.join(host, "notify"),
                    engine.write("notify.c", NOTIFY_C)], check=True)
    script = ("while [ ! -e /service/go ]; do sleep 0.02; done; "
              "exec /service/notify 'STATUS=warm' 'READY=1'")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        server.settimeout(20)
        engine.call(["env", f"NOTIFY_SOCKET={path}", *engine.command, "run", "-d", "--name",
                     "service", "--sdnotify", "container", "-v", f"{host}:/service", *SMALL, IMAGE,
                     "sh", "-c", script])
        conmon = engine.run("inspect", "-f", "{{.State.ConmonPid}}", "service").strip()
        expect(server.recv(4096).decode().strip() == f"MAINPID={conmon}", "not conmon")
        engine.run("exec", "service", "test", "-S", "/run/notify/notify.sock")
        expect(not select.select([server], [], [], 0)[0], "ready before it was")
        open(os.path.join(host, "go"), "w").close()
        expect(server.recv(4096).decode().strip() == "READY=1", "not ready")
        # Where nobody is to hear of it, nothing comes through.
        engine.call(["env", f"NOTIFY_SOCKET={path}", *engine.command, "run", "--rm", "--sdnotify",
                     "ignore", *SMALL, IMAGE, "sh", "-c", "test -z $NOTIFY_SOCKET"])
        expect(not select.select([server], [], [], 0)[0], "more was said")


@case(Podman, "conmon-killed")
def podman_conmon_killed(engine):
    """Nobody tells Podman of the end then, but it finds it. It forgets to delete what is left at
    the runtime, as it does with runc: that is the state of a container that has stopped."""
    engine.run("run", "-d", "--name", "lonely", *SMALL, IMAGE, "sleep", "1000")
    identifier, conmon, process = engine.run(
        "inspect", "-f", "{{.Id}} {{.State.ConmonPid}} {{.State.Pid}}", "lonely").split()
    os.kill(int(conmon), signal.SIGKILL)
    until("conmon's end", lambda: not os.path.exists(f"/proc/{conmon}"))
    expect(os.path.exists(f"/proc/{process}"), "the container has ended with it")
    engine.run("exec", "lonely", "true")
    engine.run("rm", "-f", "-t", "0", "lonely")
    until("its processes' end", lambda: not processes_with(identifier))
    runtime = [engine.path("runtime")]
    state = json.loads(engine.call([*runtime, "state", identifier]))
    expect(state["status"] == "stopped", str(state))
    engine.call([*runtime, "delete", identifier])
    expect(os.listdir(engine.path("containers")) == [], "its state is still there")
    found = [path for path, _, _ in os.walk("/sys/fs/cgroup") if identifier in path]
    expect(found == [], f"control groups: {found}")


@case(Podman, "users")
def podman_users(engine):
    """A user namespace of the container's own: its root is nobody's on the host."""
    shared = engine.path("mapped")
    os.mkdir(shared)
    os.chown(shared, 200000, 200000)
    script = "cat /proc/self/uid_map; stat -c %u:%g / /shared /etc/passwd; touch /shared/new"
    mapping = ("--uidmap", "0:200000:5000", "--gidmap", "0:200000:5000")
    output = engine.run("run", "--name", "mapped", *mapping, "-v", f"{shared}:/shared", *SMALL,
                        IMAGE, "sh", "-c", script)
    expect(output.split() == ["0", "200000", "5000", *["0:0"] * 3], output)
    made = os.stat(os.path.join(shared, "new"))
    expect((made.st_uid, made.st_gid) == (200000, 200000), str(made))
    engine.run("run", "-d", "--name", "first", *mapping, *SMALL, IMAGE, "sleep", "1000")
    output = engine.run("run", "--rm", "--userns", "container:first", *SMALL, IMAGE, "sh", "-c",
                        "cat /proc/self/uid_map; stat -c %u /")
    expect(output.split() == ["0", "200000", "5000", "0"], output)
    output = engine.run("exec", "--user", "7", "first", "sh", "-c",
                        "id -u; touch /tmp/x && stat -c %u /tmp/x")
    expect(output == "7\n7\n", output)


@case(Podman, "users-auto")
def podman_users_auto(engine):
    """Ids that are free, of those that belong to the user "containers"; for a pod's, too."""
    given = engine.write("subordinates", "containers:700000:200000\n")
    for name in ("/etc/subuid", "/etc/subgid"):
        if not os.path.exists(name):
            raise Skip(f"this machine has no {name}")
        subprocess.run(["mount", "--bind", given, name], check=True)
    try:
        script = "cat /proc/self/uid_map; touch /tmp/x; stat -c %u /tmp/x /etc/passwd"
        expected = ["0", "700000", "1024", "0", "0"]
        output = engine.run("run", "--rm", "--userns", "auto", *SMALL, IMAGE, "sh", "-c", script)
        expect(output.split() == expected, output)
        engine.run("pod", "create", "--name", "mapped", "--userns", "auto")
        output = engine.run("run", "--rm", "--pod", "mapped", IMAGE, "sh", "-c", script)
        expect(output.split() == expected, output)
        engine.run("pod", "rm", "-f", "-t", "0", "mapped")
    finally:
        for name in ("/etc/subuid", "/etc/subgid"):
            subprocess.run(["umount", name], check=False)


@case(Podman, "devices")
def podman_devices(engine):
    """Those that the guest kernel has, by any name; the host's are left out, whoever asks."""
    output = engine.run("run", "--rm", *SMALL, "--device", "/dev/null:/dev/nothing", IMAGE, "sh",
                        "-c", "stat -c %F /dev/nothing; echo x > /dev/nothing && echo fine")
    expect(output == "character special file\nfine\n", output)
    output = engine.run("run", "--rm", *SMALL, "--privileged", "--device", "/dev/loop-control",
                        IMAGE, "sh", "-c", "ls /dev; grep CapEff /proc/self/status")
    expect("null\n" in output and "loop-control" not in output, output)


@case(Podman, "pod-namespaces")
def podman_pod_namespaces(engine):
    """A pod's /dev/shm is for all of its containers; its processes are not, and that is said."""
    engine.run("pod", "create", "--name", "shared")
    engine.run("run", "-d", "--pod", "shared", "--name", "one", IMAGE, "sh", "-c",
               "echo note > /dev/shm/note; sleep 1000")
    until("the note", lambda: engine.run(
        "exec", "one", "cat", "/dev/shm/note", status=None) == "note\n")
    expect(engine.run("run", "--rm", "--pod", "shared", IMAGE, "cat", "/dev/shm/note") == "note\n",
           "/dev/shm")
    engine.run("pod", "rm", "-f", "-t", "0", "shared")
    engine.run("pod", "create", "--name", "seen", "--share", "pid")
    text = engine.errors("run", "--rm", "--pod", "seen", IMAGE, "ps", status=126)
    expect(".path: is not supported: processes of another container" in text
           and text.count("\n") == 1, text)
    engine.run("pod", "rm", "-f", "-t", "0", "seen")
