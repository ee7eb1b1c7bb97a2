"""runc's flags, command by command: each is accepted, and does what it says."""

import json
import os
import subprocess

import host as hosts
from host import case, expect, until
from linux import install


def shell(host, *options, script, status=0):
    return host.run("exec", *options, "box", "sh", "-c", script, status=status)


@case("flags/exec")
def execute(host):
    install(host, "grep", "id", "pwd", "mkdir")
    host.start_detached()
    expect(shell(host, "--cwd", "/bin", script="pwd") == "/bin\n", "--cwd")
    expect(shell(host, "-e", "A=1", "--env", "B=2", script="echo $A$B") == "12\n", "--env")
    text = shell(host, "--user", "7:8", "-g", "9", "--additional-gids", "10", script="""
        grep -E '^(Uid|Gid|Groups):' /proc/self/status""")
    expect(text.split() == "Uid: 7 7 7 7 Gid: 8 8 8 8 Groups: 8 9 10".split() or
           text.split() == "Uid: 7 7 7 7 Gid: 8 8 8 8 Groups: 9 10".split(), text)
    text = shell(host, "-u", "7", script="grep Gid /proc/self/status")
    expect(text.split() == ["Gid:", "0", "0", "0", "0"], text)
    text = shell(host, "--no-new-privs", script="grep NoNewPrivs /proc/self/status")
    expect(text.split() == ["NoNewPrivs:", "1"], text)
    host.run("exec", "--no-new-privs", "--ignore-paused", "box", "--", "true")
    for words, missing in ((("--user", "x"), "UID"), (("--cap", "CAP_NO_SUCH"), "CAP_NO_SUCH")):
        text = host.run("exec", *words, "box", "true", status=None)
        expect(missing in text or hosts.PRODUCT.endswith("runc"), f"{words}: {text}")


@case("flags/exec-capabilities")
def capabilities(host):
    install(host, "grep")
    host.configure("sleep", "1000", process={
        "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"], "args": ["sleep", "1000"],
        "capabilities": {name: ["CAP_CHOWN"] for name in ("bounding", "effective", "permitted")}})
    host.start_detached()
    look = "grep -E '^Cap(Eff|Prm|Bnd)' /proc/self/status"
    expect(shell(host, script=look).split()[1::2] == ["0" * 15 + "1"] * 3, "the container's own")
    text = shell(host, "--cap", "CAP_KILL", "-c", "CAP_SETUID", script=look)
    expect(text.split()[1::2] == [f"{1 << 0 | 1 << 5 | 1 << 7:016x}"] * 3, text)


@case("flags/exec-process")
def process_file(host):
    """The file says everything; what stands beside it is ignored."""
    install(host, "id", "pwd")
    host.start_detached()
    path = os.path.join(host.scratch, "process.json")
    with open(path, "w") as file:
        json.dump({"args": ["sh", "-c", "id -u; pwd; umask; echo $A; exit 9"], "cwd": "/bin",
                   "user": {"uid": 5, "gid": 6, "umask": 0o077}, "env": ["A=b", "PATH=/bin"]}, file)
    for option in ("--process", "-p"):
        expect(host.run("exec", option, path, "box", status=9) == "5\n/bin\n0077\nb\n", option)
    with open(path, "w") as file:
        file.write('{"args": 7}')
    expect("args" in host.run("exec", "--process", path, "box", status=255), "a wrong file")


@case("flags/exec-that-is-refused")
def exec_refused(host):
    """What would need another group than the container's, and labels, are named."""
    if hosts.PRODUCT.endswith("runc"):
        return
    host.start_detached()
    text = host.run("exec", "--cgroup", "sub", "box", "true", status=255)
    expect("--cgroup" in text and "not supported" in text, text)
    host.run("exec", "--cgroup", "/", "box", "true")
    for option, word in (("--apparmor", "apparmorProfile"), ("--process-label", "selinuxLabel")):
        text = host.run("exec", option, "x", "box", "true", status=None)
        expect(word in text and ("has no effect" in text or "can not be applied" in text), text)
    path = os.path.join(host.scratch, "process.json")
    with open(path, "w") as file:
        json.dump({"args": ["true"], "cwd": "/", "env": ["PATH=/bin"], "unknown": 1}, file)
    log = os.path.join(host.scratch, "log")
    text = host.run("--log", log, "exec", "--process", path, "box")
    expect(text == "", f"an engine would show its user: {text}")
    with open(log) as file:
        text = file.read()
    expect("process.unknown: is not supported and has no effect" in text, text)


@case("flags/exec-has-a-treatment-of-its-own")
def exec_treatment(host):
    """Scheduling, priorities, processors and what is killed for want of memory: of the program that
    joins, on the host and inside, and not of the container."""
    modern = not hosts.PRODUCT.endswith("runc")
    host.start_detached()
    path = os.path.join(host.scratch, "process.json")
    more = {"scheduler": {"policy": "SCHED_BATCH", "nice": 3}, "execCPUAffinity": {"final": "1"},
            "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 0}} if modern else {}
    with open(path, "w") as file:
        json.dump({"args": ["sh", "-c", "cat /proc/self/oom_score_adj; exec sleep 1000"],
                   "cwd": "/", "env": ["PATH=/bin"], "oomScoreAdj": 107, **more}, file)
    stand_in = subprocess.Popen(host.command("exec", "--process", path, "box"), text=True,
                                stdout=subprocess.PIPE)
    expect(stand_in.stdout.readline() == "107\n", "inside")
    found = []
    for process in json.loads(host.run("ps", "--format", "json", "box")):
        with open(f"/proc/{process}/oom_score_adj") as file:
            if file.read() == "107\n":
                found.append(process)
    expect(found, "on the host")
    if modern:
        process = found[-1]
        expect(os.sched_getscheduler(process) == os.SCHED_BATCH, "policy")
        expect(os.getpriority(os.PRIO_PROCESS, process) == 3, "nice")
        expect(os.sched_getaffinity(process) == {1}, "processors")
        text = subprocess.run(["ionice", "-p", str(process)], capture_output=True, text=True)
        expect(text.stdout.strip() == "idle", text.stdout)
    host.run("kill", "box", "KILL")
    stand_in.communicate()


@case("flags/ignore-paused")
def ignore_paused(host):
    host.start_detached()
    host.run("pause", "box")
    expect("paused" in host.run("exec", "box", "true", status=255), "no word of the pause")
    command = subprocess.Popen(host.command("exec", "--ignore-paused", "box", "true"))
    host.run("resume", "box")
    expect(command.wait(timeout=20) == 0, "it did not go on")


@case("flags/create-and-run")
def create_and_run(host):
    """Those that mean something of Linux that the guest has by itself are accepted."""
    pid = os.path.join(host.scratch, "pid")
    guests_own = ["--no-pivot", "--no-new-keyring"]
    host.run("create", "-b", host.bundle, *guests_own, "--pid-file", pid, "box")
    host.run("delete", "-f", "box")
    host.configure("sh", "-c", "exit 3")
    host.run("run", "--bundle", host.bundle, "--no-subreaper", *guests_own, "--pid-file", pid,
             "box", status=3)
    host.fails("state", "box", words="does not exist")
    host.configure("sleep", "1000")
    host.run("run", "-d", "-b", host.bundle, "box")
    expect(host.state()["status"] == "running", "-d")
    host.run("delete", "--force", "box")
    if hosts.PRODUCT.endswith("runc"):
        return  # from 1.2 on
    host.configure("sh", "-c", "exit 4")
    host.run("run", "--keep", "--bundle", host.bundle, "box", status=4)
    expect(host.is_stopped(), "--keep")
    host.run("delete", "box")


@case("flags/kill")
def kill(host):
    host.configure("sh", "-c", """
        for s in USR1 USR2 HUP TERM; do trap "echo $s >> /heard" $s; done
        echo up >> /heard; while :; do sleep 0.02; done""")
    host.start_detached()
    path = os.path.join(host.bundle, "rootfs", "heard")
    def heard():
        with open(path) as file:
            return file.read().split()
    until("it listens", lambda: os.path.exists(path) and heard() == ["up"])
    for signal, name in (("10", "USR1"), ("SIGUSR2", "USR2"), ("HUP", "HUP"), ("sighup", "HUP")):
        host.run("kill", "box", signal)
        until(signal, lambda: heard()[-1:] == [name])
    host.run("kill", "box")  # TERM
    until("TERM", lambda: heard()[-1:] == ["TERM"])
    for wrong in ("NOSUCH", "0x1", "99"):
        host.run("kill", "box", wrong, status=1)
    host.run("kill", "--all", "box", "KILL")
    until("its end", host.is_stopped)
    host.fails("kill", "box", "KILL", words="container not running")
    host.run("kill", "-a", "box", "KILL")


@case("flags/list-state-and-ps")
def listing(host):
    host.start_detached()
    number = host.state()["pid"]
    expect(host.run("list", "-q") == "box\n", "-q")
    entry = json.loads(host.run("list", "--format", "json"))[0]
    expect((entry["id"], entry["pid"], entry["status"], entry["bundle"]) ==
           ("box", number, "running", host.bundle), str(entry))
    lines = host.run("list").splitlines()
    expect(lines[0].split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], lines[0])
    expect(lines[1].split()[:3] == ["box", str(number), "running"], lines[1])
    expect(number in json.loads(host.run("ps", "-f", "json", "box")), "ps -f json")
    lines = host.run("ps", "box", "-e", "-o", "pid,comm").splitlines()
    expect(lines[0].split()[0] == "PID" and str(number) in [line.split()[0] for line in lines],
           str(lines))


@case("flags/global")
def global_flags(host):
    """Errors go to the log, in the form that containerd's shim reads, and to standard error."""
    log = os.path.join(host.scratch, "log.json")
    host.run("--log", log, "--log-format", "json", "--debug", "--rootless", "auto", "start", "box",
             status=1)
    with open(log) as file:
        entries = [json.loads(line) for line in file]
    expect(entries[-1]["level"] == "error" and "does not exist" in entries[-1]["msg"] and
           "time" in entries[-1], str(entries[-1:]))
    log = os.path.join(host.scratch, "log.text")
    host.run("--log", log, "start", "box", status=1)
    with open(log) as file:
        expect("level=error" in file.read(), "the text format")
    expect("spec: 1." in host.run("--version"), "--version")
    text = subprocess.run([hosts.PRODUCT, "-v"], capture_output=True, text=True).stdout
    expect("spec: 1." in text, "-v")


@case("flags/update")
def update(host):
    host.start_detached()
    def limit(controller, file):
        name = os.path.basename(host.scratch)
        with open(f"/sys/fs/cgroup/{controller}/{name}/{file}") as text:
            return text.read().strip()
    host.run("update", "--cpu-share", "512", "--cpu-period", "50000", "--cpu-quota", "25000",
             "--cpuset-cpus", "0", "--cpuset-mems", "0", "--memory", str(64 << 20),
             "--memory-reservation", str(32 << 20), "--memory-swap", str(64 << 20),
             "--pids-limit", "55", "box")
    if not os.path.isdir("/sys/fs/cgroup/memory"):
        return  # version 2 has these in other files, which linux/control-group-files reads
    for controller, file, expected in (
            ("cpu", "cpu.shares", "512"), ("cpu", "cpu.cfs_quota_us", "25000"),
            ("cpu", "cpu.cfs_period_us", "50000"), ("cpuset", "cpuset.cpus", "0"),
            ("memory", "memory.limit_in_bytes", str(64 << 20)), ("pids", "pids.max", "55"),
            ("memory", "memory.soft_limit_in_bytes", str(32 << 20))):
        expect(limit(controller, file) == expected, f"{file}: {limit(controller, file)}")
    path = os.path.join(host.scratch, "resources.json")
    with open(path, "w") as file:
        json.dump({"pids": {"limit": 66}, "memory": {"limit": 96 << 20, "swap": 96 << 20}}, file)
    host.run("update", "-r", path, "box")
    expect((limit("pids", "pids.max"), limit("memory", "memory.limit_in_bytes")) ==
           ("66", str(96 << 20)), "-r FILE")
    with open(path, "w") as file:
        json.dump({"pids": {"limit": 67}}, file)
    with open(path) as file:
        subprocess.run(host.command("update", "--resources=-", "box"), stdin=file, check=True)
    expect(limit("pids", "pids.max") == "67", "-r -")
    if not hosts.PRODUCT.endswith("runc"):
        host.fails("update", "--l3-cache-schema", "x", "box", words="not supported")


@case("flags/the-others")
def others(host):
    where = os.path.join(host.scratch, "new")
    os.mkdir(where)
    host.run("spec", "--bundle", where)
    with open(os.path.join(where, "config.json")) as file:
        expect(json.load(file)["process"]["args"] == ["sh"], "spec")
    host.run("spec", "-b", where, status=1)
    host.start_detached()
    statistics = json.loads(host.run("events", "--stats", "box"))
    expect(statistics["type"] == "stats" and statistics["data"]["pids"]["current"] > 0, "--stats")
    if not hosts.PRODUCT.endswith("runc"):
        for command in ("checkpoint", "restore"):
            host.fails(command, "box", words="not supported")
