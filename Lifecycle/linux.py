"""The Linux section of config.json, field by field: what programs see of it, or who is named."""

import ctypes
import json
import os
import stat
import subprocess
import threading

import host as hosts
from host import case, expect, until

CGROUP = {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}


def amend(host, *arguments, linux=None, process=None, mounts=(), **changes):
    """A configuration with further members of `linux` and `process`, and further mounts."""
    host.configure(*arguments, **changes)
    path = os.path.join(host.bundle, "config.json")
    with open(path) as file:
        document = json.load(file)
    document["linux"].update(linux or {})
    document["process"].update(process or {})
    document["mounts"] += [
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}, *mounts]
    with open(path, "w") as file:
        json.dump(document, file)


def install(host, *tools):
    for tool in tools:
        os.symlink("busybox", os.path.join(host.bundle, "rootfs", "bin", tool))


def output(host, script, status=0, **parts):
    """What a shell script in a container prints; warnings of the runtime are not its."""
    amend(host, "sh", "-c", script, **parts)
    result = subprocess.run(host.command("run", "--bundle", host.bundle, "box"), timeout=60,
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    expect(result.returncode == status, f"status {result.returncode}: {result.stderr}")
    return result.stdout


def refuses(host, words, **parts):
    amend(host, "true", **parts)
    host.fails("create", "--bundle", host.bundle, "box", words=words)
    host.fails("state", "box", words="does not exist")


@case("linux/control-group-files")
def group_files(host):
    """The guest's /sys/fs/cgroup is the container's group, as version 2 whatever the host has."""
    install(host, "grep", "nproc", "ls", "mkdir")
    text = output(host, """
        cd /sys/fs/cgroup
        for f in memory.max cpu.max pids.max cgroup.procs cpuset.cpus.effective; do
          echo $f=$(cat $f); done
        [ $(cat memory.current) -gt 4096 ] && [ $(cat pids.current) -ge 2 ] && echo counted
        grep -c . memory.stat cpu.stat memory.events
        grep MemTotal /proc/meminfo; nproc
        cat /proc/self/cgroup; grep cgroup2 /proc/mounts
        mkdir new || echo no group; echo 1 2>&1 > memory.max || echo no limit
        """, linux={"resources": {
            "memory": {"limit": 64 << 20}, "pids": {"limit": 50},
            "cpu": {"quota": 150000, "period": 100000, "cpus": "0"}}}, mounts=[CGROUP])
    for line in ("memory.max=67108864", "cpu.max=150000 100000", "pids.max=50", "cgroup.procs=1",
                 "cpuset.cpus.effective=0", "counted", "\n1\n", "0::/\n", "no group", "no limit"):
        expect(line in text, f"no {line!r} in {text}")
    expect("MemTotal:          65536 kB" in text, text)
    expect("cgroup /sys/fs/cgroup cgroup2 ro" in text, text)
    counts = [line.split(":")[1] for line in text.splitlines() if ".stat:" in line]
    expect(len(counts) == 2 and all(int(count) > 4 for count in counts), text)


@case("linux/control-group-files-follow-an-update")
def group_update(host):
    amend(host, "sleep", "1000", mounts=[CGROUP],
          linux={"resources": {"memory": {"limit": 64 << 20}}})
    host.start_detached()
    host.run("update", "--memory", str(96 << 20), "--pids-limit", "77", "box")
    text = host.run("exec", "box", "sh", "-c",
                    "cd /sys/fs/cgroup; cat memory.max pids.max; cat /proc/meminfo")
    expect(text.startswith(f"{96 << 20}\n77\n"), text)
    expect("MemTotal:          98304 kB" in text, text)


@case("linux/free-memory-is-what-the-limit-leaves")
def free_memory(host):
    install(host, "awk")
    text = output(host, "awk '/MemFree|MemAvailable/ {print ($2 < 65536 && $2 > 0)}' /proc/meminfo",
                  linux={"resources": {"memory": {"limit": 64 << 20}}})
    expect(text == "1\n1\n", text)


@case("linux/sysctl")
def sysctl(host):
    """Those of the network are set in the container's namespace, where sockets are."""
    install(host, "hostname", "nc")
    text = output(host, """
        cd /proc/sys
        cat kernel/shmmax net/ipv4/ip_unprivileged_port_start kernel/domainname fs/mqueue/msg_max
        cat net/ipv4/ping_group_range
        """, linux={"sysctl": {
            "kernel.shmmax": "12345", "net.ipv4.ip_unprivileged_port_start": "0",
            "kernel.domainname": "far.away", "fs.mqueue.msg_max": "20",
            "net.ipv4.ping_group_range": "0 2147483647"}})
    expect(text.replace("\t", " ") == "12345\n0\nfar.away\n20\n0 2147483647\n", text)
    # The host decides who may listen there.
    amend(host, "sleep", "1000", process={"user": {"uid": 1000, "gid": 1000}, "capabilities": {}},
          linux={"sysctl": {"net.ipv4.ip_unprivileged_port_start": "0"}})
    host.start_detached()
    pid = host.state()["pid"]
    inside = subprocess.run(
        ["nsenter", "-t", str(pid), "-n", "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"],
        capture_output=True, text=True, check=True).stdout
    expect(inside == "0\n", inside)
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
        expect(file.read() != "0\n", "the host's own was set")


@case("linux/sysctls-that-are-not-the-container's")
def foreign_sysctl(host):
    refuses(host, "vm.swappiness", linux={"sysctl": {"vm.swappiness": "1"}})
    refuses(host, "kernel.pid_max", linux={"sysctl": {"kernel.pid_max": "1"}})
    if hosts.PRODUCT.endswith("runc"):
        return
    refuses(host, "net/../vm", linux={"sysctl": {"net/../vm.swappiness": "1"}})
    refuses(host, "is not a name", linux={"sysctl": {"net..ipv4": "1"}})
    refuses(host, "host's own network", linux={
        "sysctl": {"net.ipv4.ip_forward": "1"},
        "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")]})
    refuses(host, "cannot set 'net/no/such'", linux={"sysctl": {"net.no.such": "1"}})


@case("linux/devices")
def devices(host):
    install(host, "ls", "head", "wc", "stat")
    parts = dict(linux={"resources": {"devices": [{"allow": True, "access": "rwm"}]}, "devices": [
        {"type": "c", "path": "/dev/extra/nothing", "major": 1, "minor": 3, "fileMode": 0o640,
         "uid": 5, "gid": 6},
        {"type": "c", "path": "/dev/zero", "major": 1, "minor": 5, "fileMode": 0o600}]})
    text = output(host, """
        stat -c '%F %t:%T %a %u:%g' /dev/extra/nothing /dev/zero /dev/null /dev/full
        echo gone > /dev/extra/nothing; head -c 5 /dev/zero | wc -c
        """, **parts)
    expect(text == "character special file 1:3 640 5:6\ncharacter special file 1:5 600 0:0\n"
           "character special file 1:3 666 0:0\ncharacter special file 1:7 666 0:0\n5\n", text)
    if not hosts.PRODUCT.endswith("runc"):
        # The host's devices are out of reach: each is named.
        amend(host, "true", linux={"devices": [
            {"type": "b", "path": "/dev/sda", "major": 8, "minor": 0}]})
        text = host.run("run", "--bundle", host.bundle, "box")
        expect("'/dev/sda' (b 8:0) is left out" in text, text)


@case("linux/devices-that-are-bound")
def bound_devices(host):
    """Rootless engines bind the host's device files into /dev, since they can't make any."""
    install(host, "ls", "head", "wc", "stat")
    bind = {"type": "bind", "options": ["bind"]}
    mounts = [{**bind, "source": "/dev/null", "destination": "/dev/nothing"},
              {**bind, "source": "/dev/zero", "destination": "/dev/zero"}]
    text = output(host, """
        stat -c '%F %t:%T %a' /dev/nothing /dev/zero
        echo gone > /dev/nothing; head -c 5 /dev/zero | wc -c
        """, mounts=mounts)
    expect(text == "character special file 1:3 666\ncharacter special file 1:5 666\n5\n", text)
    if not hosts.PRODUCT.endswith("runc"):
        node = os.path.join(host.scratch, "disk")
        os.mknod(node, 0o600 | stat.S_IFBLK, os.makedev(259, 3))
        amend(host, "sh", "-c", "ls /dev", mounts=[
            {**bind, "source": node, "destination": "/dev/disk"}])
        text = host.run("run", "--bundle", host.bundle, "box")
        expect("'/dev/disk' (b 259:3) is left out" in text and "\ndisk" not in text, text)


@case("linux/files-that-are-bound")
def bound_files(host):
    """Also where the guest kernel has the directory: as lxcfs binds its /proc/meminfo."""
    install(host, "ls", "stat", "rm", "grep")
    path = os.path.join(host.scratch, "file")
    with open(path, "w") as file:
        file.write("text\n")
    bind = {"type": "bind", "source": path}
    mounts = [{**bind, "destination": "/proc/meminfo", "options": ["bind", "ro"]},
              {**bind, "destination": "/dev/conf", "options": ["bind"]},
              {**bind, "destination": "/dev/new/conf", "options": ["bind", "ro"]}]
    text = output(host, """
        cat /proc/meminfo /dev/conf /dev/new/conf; stat -c '%F %s' /dev/conf
        ls /dev | grep conf; cd /dev; cat conf/ 2>/dev/null; cat ./conf
        echo more >> /dev/conf; cat /dev/new/conf
        (echo x > /proc/meminfo) 2>/dev/null || echo refused
        (echo x > /dev/new/conf) 2>/dev/null || echo refused
        rm /dev/conf 2>/dev/null || echo stays
        """, mounts=mounts)
    expect(text == "text\n" * 3 + "regular file 5\nconf\ntext\ntext\nmore\nrefused\nrefused\n"
           "stays\n", text)


@case("linux/personality")
def personality(host):
    if hosts.PRODUCT.endswith("runc"):
        return  # from 1.2 on
    install(host, "uname")
    text = output(host, "uname -m", linux={"personality": {"domain": "LINUX32"}})
    expect(text == "i686\n", text)
    text = output(host, "uname -m", linux={"personality": {"domain": "LINUX"}})
    expect(text == "x86_64\n", text)
    refuses(host, "ersonality", linux={"personality": {"domain": "SOLARIS"}})


@case("linux/umask-and-oom-score")
def umask(host):
    text = output(host, "umask; cat /proc/self/oom_score_adj",
                  process={"user": {"uid": 0, "gid": 0, "umask": 0o027}})
    expect(text.startswith("0027\n"), text)
    amend(host, "sleep", "1000", process={"oomScoreAdj": 500})
    host.start_detached()
    with open(f"/proc/{host.state()['pid']}/oom_score_adj") as file:
        expect(file.read() == "500\n", "on the host")


@case("linux/scheduler-and-io-priority")
def scheduler(host):
    """The host schedules the processes of the guest, so it is told."""
    if hosts.PRODUCT.endswith("runc"):
        return  # from 1.2 on
    amend(host, "sleep", "1000", process={
        "scheduler": {"policy": "SCHED_BATCH", "nice": 7},
        "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 0}})
    host.start_detached()
    members = json.loads(host.run("ps", "--format", "json", "box"))
    for member in members:
        expect(os.sched_getscheduler(member) == os.SCHED_BATCH, f"policy of {member}")
        expect(os.getpriority(os.PRIO_PROCESS, member) == 7, f"nice value of {member}")
        text = subprocess.run(["ionice", "-p", str(member)], capture_output=True, text=True).stdout
        expect(text.strip() == "idle", text)
    host.run("delete", "--force", "box")
    refuses(host, "SCHED_DEADLINE", process={"scheduler": {"policy": "SCHED_DEADLINE"}})
    refuses(host, "scheduler.flags", process={
        "scheduler": {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_RESET_ON_FORK"]}})
    refuses(host, "ioPriority.priority", process={
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8}})


@case("linux/mount-options")
def mount_options(host):
    for name in ("data", "data/below"):
        os.mkdir(os.path.join(host.scratch, name))
    source = os.path.join(host.scratch, "data")
    for options, expected in (
            (["rbind", "rro"], "refused\n"), (["rbind", "rw", "rslave"], "written\n"),
            (["bind", "ro", "rprivate", "rnosuid"], "refused\n")):
        text = output(host, "echo x 2>/dev/null > /data/below/file && echo written || echo refused",
                      mounts=[{"destination": "/data", "type": "bind", "source": source,
                               "options": options}])
        expect(text == expected, f"{options}: {text}")


@case("linux/what-is-refused-is-named")
def refused(host):
    if hosts.PRODUCT.endswith("runc"):
        return
    data = {"destination": "/data", "type": "bind", "source": "/tmp"}
    for word in ("shared", "rshared"):
        refuses(host, f"'{word}' is not supported", mounts=[{**data, "options": ["rbind", word]}])
    for word in ("idmap", "ridmap"):
        refuses(host, "uidMappings: is missing", mounts=[{**data, "options": ["rbind", word]}])
    mapping = [{"containerID": 0, "hostID": 1000, "size": 10}]
    refuses(host, "gidMappings", mounts=[{**data, "options": ["bind"], "uidMappings": mapping}])
    refuses(host, "uidMappings: is not supported but for a bind", mounts=[{
        "destination": "/data", "type": "tmpfs", "source": "x", "uidMappings": mapping,
        "gidMappings": mapping}])
    refuses(host, "linux.intelRdt", linux={"intelRdt": {"closID": "a"}})
    refuses(host, "linux.timeOffsets", linux={"timeOffsets": {"monotonic": {"secs": 5}}})
    for words, offset in (("nanosecs: must be less", {"nanosecs": 10 ** 9}),
                          ("cannot make the time namespace", {"secs": -(1 << 62)})):
        refuses(host, words, linux={"namespaces": [{"type": "time"}],
                                    "timeOffsets": {"boottime": offset}})
    refuses(host, "cpu.realtimeRuntime", linux={"resources": {"cpu": {"realtimeRuntime": 950}}})
    refuses(host, "linux.netDevices", linux={"netDevices": {"eth0": {"name": "x"}}})
    refuses(host, "rootfsPropagation", linux={"rootfsPropagation": "shared"})
    refuses(host, "linux.uidMappings: is missing", linux={"namespaces": [{"type": "user"}]})
    users = {"namespaces": [{"type": "user"}], "gidMappings": mapping}
    for words, found in (("has no user 0", {"containerID": 1, "hostID": 1000, "size": 10}),
                         ("size: must not be 0", {**mapping[0], "size": 0}),
                         ("hostID: is missing", {"containerID": 0, "size": 1}),
                         ("beyond the last id", {**mapping[0], "size": 0xffffffff})):
        refuses(host, words, linux={**users, "uidMappings": [found]})
    refuses(host, "process.user.uid: 10 is not in linux.uidMappings",
            linux={**users, "uidMappings": mapping}, process={"user": {"uid": 10, "gid": 0}})
    # Labels protect the host from a container's processes, which here never see it: where the host
    # has the module, they are passed over with a warning.
    for place, field, mark in (("process", "apparmorProfile", "/sys/module/apparmor"),
                               ("process", "selinuxLabel", "/sys/fs/selinux/enforce"),
                               ("linux", "mountLabel", "/sys/fs/selinux/enforce")):
        if os.path.exists(mark):
            amend(host, "true", **{place: {field: "l"}})
            text = host.run("run", "--bundle", host.bundle, "box")
            expect(f"{place}.{field}: is not supported and has no effect" in text, text)
        else:
            refuses(host, f"{place}.{field}: can not be applied", **{place: {field: "l"}})


@case("linux/out-of-memory")
def out_of_memory(host):
    """The host ends what uses up the group's memory, and `events` says so before the end."""
    amend(host, "sh", "-c", "read -r go < /go; x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done",
          linux={"resources": {"memory": {"limit": 64 << 20, "swap": 64 << 20}}})
    os.mkfifo(os.path.join(host.bundle, "rootfs", "go"))
    host.start_detached()
    events = subprocess.Popen(host.command("events", "--interval", "200ms", "box"), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        expect(json.loads(events.stdout.readline())["type"] == "stats", "no statistics")
        # When it has said that, it is listening.
        with open(os.path.join(host.bundle, "rootfs", "go"), "w") as go:
            go.write("\n")
        until("the end of the container", host.is_stopped)
        try:
            lines, _ = events.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            expect(hosts.PRODUCT.endswith("runc"), "events has not ended with the container")
            events.kill()
            lines, _ = events.communicate()
        kinds = [json.loads(line)["type"] for line in lines.splitlines()]
    finally:
        events.kill()
        events.wait()
    expect("oom" in kinds, f"no word of it: {kinds}")


@case("runc/features")
def features(host):
    document = json.loads(host.run("features"))
    expect(document["linux"]["seccomp"]["enabled"], "seccomp")
    for action in ("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_TRAP", "SCMP_ACT_LOG"):
        expect(action in document["linux"]["seccomp"]["actions"], action)
    expect("SCMP_CMP_MASKED_EQ" in document["linux"]["seccomp"]["operators"], "operators")
    expect("rro" in document["mountOptions"] and "createRuntime" in document["hooks"], "lists")
    if not hosts.PRODUCT.endswith("runc"):
        expect("SCMP_ACT_NOTIFY" not in document["linux"]["seccomp"]["actions"], "NOTIFY")
        expect("shared" not in document["mountOptions"], "shared")


@case("linux/sync-beside-a-fifo")
def sync_beside_a_fifo(host):
    """To open a FIFO waits for the other end: sync(2) may not, whatever is mounted."""
    install(host, "sync")
    fifo = os.path.join(host.scratch, "fifo")
    os.mkfifo(fifo)
    text = output(host, "sync; sync; echo synced", mounts=[
        {"destination": "/fifo", "type": "bind", "source": fifo, "options": ["bind"]}])
    expect(text == "synced\n", repr(text))


@case("linux/recursive-bind-of-what-somebody-moves")
def moving_mounts(host):
    """Who shares a volume may put a link above a mount on it: no other directory is shown then."""
    volume, outside = (os.path.join(host.scratch, name) for name in ("volume", "outside"))
    for directory in (volume, outside):
        os.makedirs(os.path.join(directory, *(["a"] if directory == volume else []), "data"))
    first, second = os.path.join(volume, "a"), os.path.join(volume, "b")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{first}/data"], check=True)
    os.symlink(outside, second)
    shown = 0
    exchange = ctypes.CDLL(None).renameat2

    def move(end):
        names = os.fsencode(first), os.fsencode(second)
        while not end.is_set():
            exchange(-100, names[0], -100, names[1], 2)  # AT_FDCWD, RENAME_EXCHANGE

    try:
        amend(host, "sleep", "1000", mounts=[
            {"destination": "/vol", "type": "bind", "source": volume, "options": ["rbind"]}])
        for _ in range(10):
            end = threading.Event()
            mover = threading.Thread(target=move, args=[end])
            mover.start()
            # Time enough for a move between the look at a mount and its copy.
            tracer = subprocess.Popen(
                ["strace", "-f", "-o", "/dev/null", "-e", "inject=open_tree:delay_enter=20000",
                 *host.command("create", "--bundle", host.bundle, "box")],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                until("it is created", lambda: '"created"' in host.run("state", "box", status=None))
            finally:
                end.set()
                mover.join()
            init = host.state()["pid"]
            with open(f"/proc/{init}/task/{init}/children") as file:
                guest = file.read().split()[0]
            with open(f"/proc/{guest}/mountinfo") as file:
                text = file.read()
            expect("/outside/data" not in text, f"another directory is mounted: {text}")
            shown += "/data " in text
            host.run("delete", "--force", "box")
            tracer.wait(timeout=40)
        expect(shown, "the mount was never there")
    finally:
        mounted = second if os.path.islink(first) else first
        subprocess.run(["umount", "-l", f"{mounted}/data"], check=True)
