"""Containers in units of a real systemd: what it says of them, and what runc's look like."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading

import host as hosts
from host import Host, Skip, case, expect, until
from machine import Machine

LAYOUTS = ("hybrid", "unified")
# What differs from one unit to the next, and what runc says of devices.
PASSING = ("Timestamp", "Device", "InvocationID", "ControlGroupId", "CPUUsageNSec", "Description",
           "MemoryCurrent", "TasksCurrent", "DropInPaths", "NeedDaemonReload", "CollectMode")
LIMITS = {
    "memory": {"limit": 64 << 20}, "pids": {"limit": 77},
    "cpu": {"shares": 512, "quota": 25500, "period": 100000, "cpus": "0"}}
FILES = ("memory.limit_in_bytes", "pids.max", "cpu.shares", "cpu.cfs_quota_us",
         "cpu.cfs_period_us", "cpuset.cpus", "cpuset.mems")
ANNOTATIONS = {"org.systemd.property.TimeoutStopSec": "uint16 7",
               "org.systemd.property.After": "['test.target']",
               "org.systemd.property.RuntimeMaxUSec": "uint64 3600000000"}


class Guest(Host):
    """A host whose commands run beside the machine's systemd."""

    def __init__(self, machine, program=hosts.PRODUCT):
        self.machine = machine
        super().__init__((*machine.command(program), "--systemd-cgroup"))
        self.unit = f"{os.path.basename(self.scratch)}-box.scope"

    def configure(self, *arguments, slice="", path=None, linux=None, **changes):
        super().configure(*arguments, **changes)
        place = os.path.join(self.bundle, "config.json")
        with open(place) as file:
            document = json.load(file)
        document["linux"].update(linux or {})
        name = f"{slice}:{os.path.basename(self.scratch)}:box"
        document["linux"]["cgroupsPath"] = name if path is None else path
        with open(place, "w") as file:
            json.dump(document, file)

    def facts(self):
        return self.machine.show(self.unit)

    def members(self, unit=None):
        """Who is in the unit, as the kernel has it in systemd's own hierarchy."""
        place = self.machine.show(unit or self.unit)["ControlGroup"]
        tree = "" if self.machine.layout == "unified" else "/systemd"
        return self.machine.run("cat", f"/sys/fs/cgroup{tree}{place}/cgroup.procs").split()

    def nothing_is_left(self, what="nothing left"):
        until(what, lambda: not self.leftovers() and self.unit not in self.machine.scopes())

    def told(self):
        """What systemd and the kernel say of the container."""
        unit = {name: value for name, value in self.facts().items()
                if not any(word in name for word in PASSING)}
        groups = self.machine.run("cat", f"/proc/{self.state()['pid']}/cgroup").splitlines()
        # Of devices a sandbox reaches none, so there is nothing to forbid in that hierarchy.
        groups = [line.split(":", 1)[1] for line in groups if ":devices:" not in line]
        return unit, groups, self.files()

    def files(self):
        found = {}
        for path, _, names in os.walk(f"/proc/{self.machine.process}/root/sys/fs/cgroup"):
            for name in (FILES if path.endswith(self.unit) else ()):
                if name in names:
                    with open(os.path.join(path, name)) as file:
                        found[name] = file.read().strip()
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def machine_case(name, *layouts):
    def add(function):
        for layout in layouts or LAYOUTS:
            def run(_, layout=layout):
                if hosts.PRODUCT.endswith("runc"):
                    return  # which is started beside ours
                machine = Machine(layout)
                try:
                    with Guest(machine) as guest:
                        function(machine, guest)
                        guest.run("delete", "--force", "box")
                        guest.nothing_is_left()
                finally:
                    machine.end()
            case(f"systemd/{name}" + ("" if layouts else f"-{layout}"))(run)
        return function
    return add


@machine_case("a-unit-as-runc-makes-it", "hybrid")
def as_runc(machine, guest):
    expect("ok      systemd: version" in guest.run("doctor", status=None), "doctor's word")
    answers = []
    for program in (hosts.PRODUCT, "/usr/sbin/runc"):
        with Guest(machine, program) as guest:
            guest.configure("sleep", "1000", slice="machine-x.slice", annotations=ANNOTATIONS,
                            linux={"resources": LIMITS})
            guest.start_detached()
            before = guest.told()
            guest.run("update", "--memory", "100000000", "--pids-limit", "88", "--cpu-quota",
                      "50000", "--cpu-share", "256", "box")
            own = os.path.basename(guest.scratch)
            answers.append(json.dumps([before, guest.told()]).replace(own, "OWN"))
            guest.run("delete", "--force", "box")
            guest.nothing_is_left()
    ours, theirs = (json.loads(answer) for answer in answers)
    for when, mine, its in zip(("created", "updated"), ours, theirs):
        different = {name: (mine[0].get(name), its[0].get(name)) for name in {*mine[0], *its[0]}
                     if mine[0].get(name) != its[0].get(name)}
        expect(not different, f"{when}: {different}")
        expect(mine[1:] == its[1:], f"{when}: {mine[1:]} and {its[1:]}")
    facts = ours[1][0]
    expect(facts["TasksMax"] == "88" and facts["MemoryLimit"] == "100000000"
           and facts["TimeoutStopUSec"] == "7s" and "test.target" in facts["After"]
           and facts["CPUQuotaPerSecUSec"] == "500ms" and facts["Delegate"] == "yes", str(facts))


@machine_case("a-life")
def life(machine, guest):
    guest.create()
    facts = guest.facts()
    expect(facts["ActiveState"] == "active" and facts["Slice"] == "system.slice"
           and facts["ControlGroup"] == f"/system.slice/{guest.unit}"
           and facts["Description"] == "paravane container box", str(facts))
    expect(str(guest.state()["pid"]) in guest.members(), f"init is not among {guest.members()}")
    guest.run("start", "box")
    expect(guest.run("exec", "box", "echo", "fine") == "fine\n", "exec")
    if machine.layout == "hybrid":
        guest.run("pause", "box")
        expect(guest.state()["status"] == "paused", "not paused")
        guest.run("resume", "box")
        expect(len(guest.members()) >= 2, str(guest.members()))
        machine.ask("daemon-reload")
        limits = guest.files()["pids.max"], guest.facts()["TasksMax"]
        expect(limits == ("4224", "4224"), f"other limits: {limits}")
    guest.run("kill", "box", "KILL")
    until("its end", guest.is_stopped)
    guest.run("delete", "box")
    expect(guest.unit not in machine.scopes(), "the unit is there after delete")
    guest.nothing_is_left()
    # Systemd may end it, too.
    guest.start_detached()
    machine.ask("kill", "--signal=KILL", guest.unit)
    until("the end that systemd wanted", guest.is_stopped)
    guest.run("delete", "box")
    guest.nothing_is_left()


@machine_case("names", "unified")
def names(machine, guest):
    own = os.path.basename(guest.scratch)
    for slice, place in (("-.slice", ""), ("a.slice", "/a.slice"),
                         ("a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice")):
        guest.configure("sleep", "1000", slice=slice)
        guest.create()
        expect(guest.facts()["ControlGroup"] == f"{place}/{guest.unit}", str(guest.facts()))
        guest.run("delete", "--force", "box")
    guest.configure("sleep", "1000", path="")
    guest.create()
    expect(machine.scopes() == {"paravane-box.scope": "active"}, str(machine.scopes()))
    guest.run("delete", "--force", "box")
    expect(not machine.scopes(), str(machine.scopes()))
    for path, words in ((f":{own}:a.slice", "is a slice"), ("/a/b", "SLICE:PREFIX:NAME"),
                        (f"a:{own}:box", "SLICE:PREFIX:NAME"),
                        (f"a--b.slice:{own}:box", "SLICE:PREFIX:NAME")):
        guest.configure("sleep", "1000", path=path)
        guest.fails("create", "--bundle", guest.bundle, "box", words=words)
    for name, value, words in (
            ("TimeoutStopUSec", "uint64 x", "is no value"), ("A1", "true", "is no value"),
            ("NoSuchThing", "true", "NoSuchThing"), ("TimeoutStopUSec", "'text'", "systemd unit")):
        guest.configure("sleep", "1000", annotations={f"org.systemd.property.{name}": value})
        guest.fails("create", "--bundle", guest.bundle, "box", words=words)
        guest.nothing_is_left(f"nothing left of {name}")
    # There is nothing in this layout that could be limited; the unit was there by then.
    guest.configure("sleep", "1000", linux={"resources": LIMITS})
    guest.fails("create", "--bundle", guest.bundle, "box", words="cannot limit")
    guest.nothing_is_left("nothing left of a limit that can't be set")


@machine_case("a-name-that-is-taken")
def taken(machine, guest):
    """By another's unit, which is not touched, and by one that has failed, which gives way."""
    other = subprocess.Popen(
        machine.command("systemd-run", "--scope", "--quiet", f"--unit={guest.unit}",
                        "--slice=system.slice", "sleep", "1000"), stdin=subprocess.DEVNULL)
    until("the other's unit", lambda: machine.scopes().get(guest.unit) == "active")
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    for path in (guest.scratch, guest.bundle, os.path.join(guest.bundle, "rootfs")):
        os.chmod(path, 0o755)
    users = {"uidMappings": mapping, "gidMappings": mapping, "namespaces": [
        {"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "user")]}
    for linux in ({}, users):
        guest.configure("sleep", "1000", linux=linux)
        members = guest.members()
        guest.fails("create", "--bundle", guest.bundle, "box", words="already")
        guest.fails("state", "box", words="does not exist")
        expect(guest.members() == members and other.poll() is None, "the other's unit was touched")
    machine.ask("kill", "--signal=KILL", guest.unit)
    other.wait()
    until("the end of the other's unit", lambda: guest.unit not in machine.scopes())
    failing = subprocess.Popen(
        machine.command("systemd-run", "--scope", "--quiet", f"--unit={guest.unit}",
                        "--property=RuntimeMaxSec=100ms", "sleep", "1000"),
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    failing.wait(timeout=30)
    until("a failed unit", lambda: machine.scopes().get(guest.unit) == "failed")
    guest.configure("sleep", "1000", linux=users)
    guest.start_detached()
    expect(guest.facts()["ActiveState"] == "active", "the failed unit is in the way")


@machine_case("everything-killed")
def killed(machine, guest):
    """Without anybody who could clean up systemd does: a scope ends with its last process."""
    for victims in (("backend",), ("process",), ("process", "backend")):
        guest.start_detached()
        with open(os.path.join(guest.root, "box", "state.json")) as file:
            state = json.load(file)
        machine.run("kill", "-KILL", *(str(state[victim]["pid"]) for victim in victims))
        until("the end", guest.is_stopped)
        until(f"no unit without {victims}", lambda: guest.unit not in machine.scopes())
        guest.run("delete", "box")
        guest.nothing_is_left()


def steps(count, last):
    return [last * (index / count) ** 2 for index in range(1, count + 1)]


def kill_after(guest, seconds, *arguments, with_backend=False):
    """Kills the command, which nsenter(1) waits for, and with `with_backend` its first child."""
    command = subprocess.Popen(guest.command(*arguments), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        command.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        own = children(command.pid)
        backends = [child for process in own for child in children(process)[:1]]
        # A backend that was killed has nobody who cleans up after it but init and systemd.
        for process in (*(backends if with_backend else ()), *own, command.pid):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        command.wait()


def children(process):
    try:
        with open(f"/proc/{process}/task/{process}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


@machine_case("create-killed-at-every-step", "hybrid")
def create_killed(machine, guest):
    for number, seconds in enumerate(steps(24, 0.2)):
        kill_after(guest, seconds, "create", "--bundle", guest.bundle, "box",
                   with_backend=number % 2 == 1)
        text = guest.run("state", "box", status=None)
        if "does not exist" in text:
            until(f"no unit of a create that was killed after {seconds} s",
                  lambda: guest.unit not in machine.scopes())
            # What is left of the files goes with the next create, as soon as nobody uses them.
            until("another create", lambda: "cannot create" not in guest.run(
                "create", "--bundle", guest.bundle, "box", status=None))
        guest.run("delete", "--force", "box")
        guest.nothing_is_left()


@machine_case("delete-killed-at-every-step", "unified")
def delete_killed(machine, guest):
    for seconds in steps(10, 0.15):
        guest.start_detached()
        kill_after(guest, seconds, "delete", "--force", "box")
        guest.run("delete", "--force", "box")
        guest.nothing_is_left()


BUS = """<busconfig><type>system</type><listen>systemd:</listen><auth>EXTERNAL</auth>
<policy context="default">
<allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/>
<allow receive_sender="*"/></policy></busconfig>
"""


@machine_case("by-the-bus", "hybrid")
def by_bus(machine, guest):
    """Where systemd's own socket is not to be had."""
    if not shutil.which("dbus-daemon"):
        raise Skip("dbus-daemon is not installed")
    configuration = os.path.join(guest.scratch, "bus.conf")
    with open(configuration, "w") as file:
        file.write(BUS)
    machine.add_unit("dbus.socket", "[Unit]\nDefaultDependencies=no\n"
                     "[Socket]\nListenStream=/run/dbus/system_bus_socket\n")
    machine.add_unit("dbus.service", "[Unit]\nDefaultDependencies=no\nRequires=dbus.socket\n"
                     "[Service]\nExecStart=/usr/bin/dbus-daemon --address=systemd: --nofork "
                     f"--nopidfile --config-file={configuration}\n")
    machine.ask("daemon-reload")
    machine.ask("start", "dbus.service")
    until("systemd on the bus", lambda: "org.freedesktop.systemd1" in machine.run(
        "busctl", "--no-pager", "list", "--acquired", check=False))
    machine.run("mount", "--bind", "/dev/null", "/run/systemd/private")
    guest.start_detached()
    guest.run("update", "--pids-limit", "98", "box")
    machine.run("umount", "/run/systemd/private")
    expect(guest.facts()["TasksMax"] == "98" and guest.facts()["ActiveState"] == "active",
           "what was asked by the bus")
    machine.run("mount", "--bind", "/dev/null", "/run/systemd/private")
    guest.run("delete", "--force", "box")
    machine.run("umount", "/run/systemd/private")
    expect(guest.unit not in machine.scopes(), "it is there after delete")
    machine.ask("stop", "dbus.service", "dbus.socket")


# What a peer may say instead of an answer, after it has let the caller in, and in what words the
# command complains.
OKAY = b"DATA\r\nOK " + b"0" * 32 + b"\r\n"
LIES = {
    "nothing": (b"", "closed"), "a refusal": (b"REJECTED EXTERNAL\r\n", "does not accept"),
    "no line": (b"x" * 5000, "damaged"), "no text": (b"\xff\x00\r\n", "damaged"),
    "more than a line": (OKAY + b"l\2\1\1", "damaged"),
    "half a message": (OKAY, b"l\2\1\1", "closed"),
    "another byte order": (OKAY, b"B\2\1\1" + bytes(12), "damaged"),
    "a huge header": (OKAY, b"l\2\1\1" + bytes(8) + b"\xff\xff\xff\x7f", "damaged"),
    "a huge body": (OKAY, b"l\2\1\1" + b"\xff\xff\xff\x7f" + bytes(8), "damaged"),
    "an empty header": (OKAY, b"l\2\1\1" + bytes(12), "damaged"),
}


@case("systemd/a-peer-that-lies")
def liar(host):
    """Whatever it says: one line, soon, and nothing left."""
    if hosts.PRODUCT.endswith("runc"):
        return
    place = os.path.join(host.scratch, "run")
    os.mkdir(place)
    os.mkdir(os.path.join(place, "system"))
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(os.path.join(place, "private"))
    server.listen(8)
    for name, (*pieces, words) in LIES.items():
        thread = threading.Thread(target=lie, args=(server, pieces))
        thread.start()
        with open(os.path.join(host.bundle, "config.json")) as file:
            document = json.load(file)
        document["linux"]["cgroupsPath"] = f":{os.path.basename(host.scratch)}:box"
        with open(os.path.join(host.bundle, "config.json"), "w") as file:
            json.dump(document, file)
        result = subprocess.run(
            ["unshare", "--mount", "sh", "-ec", "mount -t tmpfs none /run\nmkdir /run/systemd\n"
             "mount --bind \"$1\" /run/systemd\nshift\nexec \"$@\"", "sh", place, hosts.PRODUCT,
             "--systemd-cgroup", "--root", host.root, "create", "--bundle", host.bundle, "box"],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
        thread.join(timeout=20)
        expect(result.returncode == 1 and words in result.stderr
               and result.stderr.count("\n") == 1, f"{name}: {result.returncode} {result.stderr!r}")
        expect(not host.leftovers(), f"{name}: {host.leftovers()[:3]}")
    server.close()


def lie(server, pieces):
    peer = server.accept()[0]
    with peer:
        peer.settimeout(10)
        for piece in pieces:
            peer.recv(4096)
            peer.sendall(piece)
        # What was not read would turn the end into a reset.
        if select.select([peer], [], [], 0.2)[0]:
            peer.recv(4096)


@machine_case("podman", "hybrid")
def podman(machine, guest):
    """An engine that asks systemd itself, for conmon, and lets the runtime ask for the rest."""
    if not shutil.which("podman"):
        raise Skip("podman is not installed")
    write_image(guest)
    configuration = os.path.join(guest.scratch, "containers.conf")
    with open(configuration, "w") as file:
        file.write(f"""[engine]
cgroup_manager = "systemd"
events_logger = "file"
[engine.runtimes]
paravane = ["{hosts.PRODUCT}"]
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=10000:10000"]
""")
    scratch = {name: os.path.join(guest.scratch, name) for name in ("store", "state", "tmp")}

    def run(*arguments):
        return machine.run(
            "env", f"CONTAINERS_CONF={configuration}", "podman", "--storage-driver", "vfs",
            "--root", scratch["store"], "--runroot", scratch["state"], "--tmpdir", scratch["tmp"],
            "--runtime", "paravane", *arguments)

    run("load", "--quiet", "--input", os.path.join(guest.scratch, "image.tar"))
    name = run("run", "--detach", "--network", "none", "--memory", "64m", "--pids-limit", "50",
               "localhost/paravane-test", "sleep", "1000").strip()
    facts = machine.show(f"libpod-{name}.scope")
    expect((facts["ActiveState"], facts["Slice"], facts["MemoryLimit"], facts["TasksMax"])
           == ("active", "machine.slice", str(64 << 20), "50"), str(facts))
    expect(run("exec", name, "echo", "fine") == "fine\n", "exec")
    expect("67.11MB" in run("stats", "--no-stream", name), "stats")
    run("pause", name)
    run("unpause", name)
    run("rm", "--force", "--time", "0", name)
    until("no units", lambda: not machine.scopes())


class User(Guest):
    """Root of a user namespace of nobody's, whose own systemd is a service of the machine's."""

    name, number = "nobody", 65534
    service = "user.service"

    def __init__(self, machine):
        self.place = os.path.join(machine.directory, "user")
        os.mkdir(self.place)
        programs = [shutil.copy(os.path.join(os.path.dirname(hosts.PRODUCT), name), self.place)
                    for name in (os.path.basename(hosts.PRODUCT), "KernelImage")]
        os.chown(self.place, self.number, self.number)
        # A procfs that hides something lets no user mount another.
        machine.run("umount", "/proc/sys")
        machine.add_unit(self.service, f"""[Unit]
DefaultDependencies=no
[Service]
User={self.name}
Delegate=yes
Environment=XDG_RUNTIME_DIR={self.place}
Environment=SYSTEMD_UNIT_PATH={self.place}/systemd/transient:{machine.directory}/units
ExecStart=/lib/systemd/systemd --user --unit=test.target --log-target=console
""")
        machine.ask("daemon-reload")
        machine.ask("start", self.service)
        until("the user's systemd", lambda: os.path.exists(
            os.path.join(self.place, "systemd", "private")))
        # systemd lets a user move processes about in what it has delegated, and no others.
        group = next(group for group in machine.groups() if os.path.exists(
            os.path.join(group, "system.slice", self.service)))
        driver = os.path.join(group, "system.slice", self.service, "driver")
        os.mkdir(driver)
        for name in (driver, os.path.join(driver, "cgroup.procs")):
            os.chown(name, self.number, self.number)
        self.as_user = [
            "sh", "-ec", f"echo $$ > {driver}/cgroup.procs\nexec \"$@\"", "sh", "nsenter", "--all",
            "--target", str(machine.process), "--wd=/", "setpriv", f"--reuid={self.number}",
            f"--regid={self.number}", "--clear-groups", "env", f"XDG_RUNTIME_DIR={self.place}"]
        super().__init__(machine)
        self.runtime = (*self.as_user, "unshare", "--map-root-user", "--mount", programs[0],
                        "--systemd-cgroup")
        os.mkdir(self.root)
        for path, _, _ in os.walk(self.scratch):
            os.chown(path, self.number, self.number)

    def facts(self):
        result = subprocess.run([*self.as_user, "systemctl", "--user", "show", self.unit],
                                capture_output=True, text=True, timeout=30, check=True)
        return dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)


@machine_case("of-a-user", "unified")
def of_user(machine, _):
    with User(machine) as user:
        text = user.run("doctor", status=None)
        expect("ok      systemd: version" in text, text)
        user.create()
        facts = user.facts()
        place = f"/system.slice/{user.service}/user.slice/{user.unit}"
        expect((facts["ActiveState"], facts["ControlGroup"]) == ("active", place), str(facts))
        process = user.state()["pid"]
        expect(f"0::{place}" in machine.run("cat", f"/proc/{process}/cgroup"), "another group")
        user.run("start", "box")
        expect(user.run("exec", "box", "echo", "fine") == "fine\n", "exec")
        user.run("delete", "--force", "box")
        expect(user.facts()["LoadState"] == "not-found", "the unit is there after delete")
        expect(not user.leftovers(), str(user.leftovers()[:3]))


@machine_case("containerd", "hybrid")
def containerd(machine, guest):
    """Its shim passes the flag on, and reads statistics where the process is."""
    if not shutil.which("ctr"):
        raise Skip("containerd is not installed")
    place = os.path.join(guest.scratch, "containerd")
    os.mkdir(place)
    configuration = os.path.join(place, "config.toml")
    with open(configuration, "w") as file:
        file.write(f"""version = 2
root = "{place}/root"
state = "{place}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{place}/socket"
""")
    write_image(guest)
    with open(os.path.join(place, "log"), "w") as log:
        daemon = subprocess.Popen(machine.command("containerd", "-c", configuration), stdout=log,
                                  stderr=log, stdin=subprocess.DEVNULL)

    def run(*arguments, **more):
        return machine.run("ctr", "-a", f"{place}/socket", *arguments, **more)

    try:
        until("containerd", lambda: "Server" in run("version", check=False))
        run("image", "import", os.path.join(guest.scratch, "image.tar"))
        run("run", "--detach", "--runtime", "io.containerd.runc.v2", "--runc-binary",
            hosts.PRODUCT, "--runc-systemd-cgroup", "--cgroup", "kubepods-pod1.slice:cri:box",
            "--memory-limit", str(64 << 20), "localhost/paravane-test:latest", "box", "sleep",
            "1000")
        facts = machine.show("cri-box.scope")
        expect((facts["ActiveState"], facts["Slice"], facts["MemoryLimit"])
               == ("active", "kubepods-pod1.slice", str(64 << 20)), str(facts))
        expect(run("task", "exec", "--exec-id", "x", "box", "echo", "fine") == "fine\n", "exec")
        expect("memory" in run("task", "metrics", "box"), "metrics")
        run("task", "pause", "box")
        run("task", "resume", "box")
        run("task", "rm", "--force", "box")
        expect("cri-box.scope" not in machine.scopes(), str(machine.scopes()))
    finally:
        for process in children(daemon.pid) or [daemon.pid]:
            os.kill(process, signal.SIGKILL)
        daemon.wait(timeout=30)


def write_image(guest):
    """Of the host's busybox, for engines."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Engines"))
    import image
    image.write(os.path.join(guest.scratch, "image.tar"))
