"""config-linux.md without devices and control groups."""

import os
import subprocess

from box import NAMESPACES, expect, test, without

KINDS = {"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts",
         "cgroup": "cgroup", "user": "user", "time": "time"}


# ---- Default file systems


def default_file_system(path, kind):
    @test(f"config-linux/default-filesystems/{path.replace('/', '-')[1:]}")
    def there(box):
        """The following filesystems SHOULD be made available in each container's filesystem: /proc,
        /sys, /dev/pts, /dev/shm."""
        expect(box.mounted(path)[0] == kind, str(box.mounted(path)))


for _path, _kind in (("/proc", "proc"), ("/sys", "sysfs"), ("/dev/pts", "devpts"),
                     ("/dev/shm", "tmpfs")):
    default_file_system(_path, _kind)


# ---- Namespaces


@test("config-linux/namespaces/pid")
def pid_namespace(box):
    """pid: processes inside the container will only be able to see other processes inside the same
    container."""
    text = box.output("echo $$; cd /proc; echo [0-9]*")
    expect(text.split()[0] == "1" and set(text.split()) <= {"1", "2"}, text)


@test("config-linux/namespaces/network")
def network_namespace(box):
    """network: the container will have its own network stack."""
    box.prints("cd /sys/class/net && ls", "lo\n")


@test("config-linux/namespaces/mount")
def mount_namespace(box):
    """mount: the container will have an isolated mount table."""
    box.begin({"mounts+": [{"destination": "/special", "type": "tmpfs", "source": "x"}]})
    expect(not os.listdir(box.inside("special")), "not there")
    with open("/proc/self/mountinfo") as file:
        expect(box.scratch not in file.read(), "the host has its mounts")


@test("config-linux/namespaces/ipc")
def ipc_namespace(box):
    """ipc: processes inside the container will only be able to communicate to other processes
    inside the same container via system level IPC."""
    segment = subprocess.run(["ipcmk", "-M", "4096"], capture_output=True, text=True, check=True)
    number = segment.stdout.split()[-1]
    try:
        text = box.output("cat /proc/sysvipc/shm 2>/dev/null; true")
        expect(f" {number} " not in text, text)
    finally:
        subprocess.run(["ipcrm", "-m", number], check=True)


@test("config-linux/namespaces/uts")
def uts_namespace(box):
    """uts: the container will be able to have its own hostname and domain name."""
    box.prints("hostname changed && hostname", "changed\n", {
        "hostname": "first", "process.capabilities": {name: ["CAP_SYS_ADMIN"] for name in (
            "bounding", "effective", "permitted")}})
    expect(os.uname().nodename != "changed", "the host's changed")


@test("config-linux/namespaces/cgroup")
def cgroup_namespace(box):
    """cgroup: the container will have an isolated view of the cgroup hierarchy."""
    text = box.output("cat /proc/self/cgroup", {"linux.namespaces": [
        *NAMESPACES, {"type": "cgroup"}]})
    expect(os.path.basename(box.scratch) not in text and ":/" in text, text)


MAPPING = [{"containerID": 0, "hostID": 100000, "size": 65536}]


@test("config-linux/namespaces/user")
def user_namespace(box):
    """user: the container will be able to remap user and group IDs from the host to local users and
    groups within the container."""
    os.chown(box.inside("tmp"), 100005, 100005)
    for path in (box.scratch, box.bundle, box.inside()):
        os.chmod(path, 0o755)
    text = box.output("stat -c %u /tmp; cat /proc/self/uid_map", {
        "linux.namespaces": [*NAMESPACES, {"type": "user"}], "linux.uidMappings": MAPPING,
        "linux.gidMappings": MAPPING})
    expect(text.split() == ["5", "0", "100000", "65536"], text)


def mapped(box, **changes):
    """The changes for a container with users of its own, whose root has the bundle."""
    for path in (box.scratch, box.bundle, box.inside(), box.inside("tmp")):
        os.chmod(path, 0o755)
        os.chown(path, 100000, 100000)
    return {"linux.namespaces": [*NAMESPACES, {"type": "user"}], "linux.uidMappings": MAPPING,
            "linux.gidMappings": MAPPING, **changes}


@test("config-linux/user-namespace-mappings/files-on-the-host")
def mapped_files(box):
    """hostID (uint32, REQUIRED) - is the starting uid/gid on the host to be mapped to
    containerID."""
    box.output("cd /tmp && touch a && mkdir d && ln -s x l && mkfifo f && touch b && chown 5:6 b",
               mapped(box))
    for name, owner in (("a", 0), ("d", 0), ("l", 0), ("f", 0), ("b", 5)):
        status = os.lstat(box.inside("tmp", name))
        group = 6 if owner else 0
        expect((status.st_uid, status.st_gid) == (100000 + owner, 100000 + group), name)


@test("config-linux/user-namespace-mappings/files-of-others")
def foreign_files(box):
    """size (uint32, REQUIRED) - is the number of ids to be mapped: of a file of another user
    nothing may be done that is its owner's, and none becomes its owner."""
    changes = mapped(box)
    for name, mode in (("secret", 0o600), ("readable", 0o644)):
        path = box.inside("tmp", name)
        with open(path, "w") as file:
            file.write("x\n")
        os.chmod(path, mode)
    text = box.output("""cd /tmp; exec 2>&1; stat -c %u:%g secret readable; cat readable
        cat secret; echo y > readable; chmod 777 readable; chown 0 readable; touch own
        chown 65536 own; chown 0:65536 own; chown 65535:65535 own; stat -c %u:%g own""", changes)
    what = [line.split(": ")[-1] for line in text.splitlines()]
    expect(what == ["65534:65534"] * 2 + [
        "x", "Permission denied", "Permission denied", "Operation not permitted",
        "Operation not permitted", "Invalid argument", "Invalid argument", "65535:65535"], text)


@test("config-linux/user-namespace-mappings/what-is-made-for-it")
def mapped_mounts(box):
    """containerID (uint32, REQUIRED) - is the starting uid/gid in the container."""
    text = box.output("stat -c %u:%g /made/below /made /special /dev/shm; echo x > /made/x", mapped(
        box, **{"mounts+": [
            {"destination": "/made/below", "type": "tmpfs", "source": "x"},
            {"destination": "/special", "type": "tmpfs", "source": "x", "options": [
                "uid=5", "gid=6", "mode=755"]}]}))
    expect(text.split() == ["0:0", "0:0", "5:6", "0:0"], text)
    expect(os.stat(box.inside("made")).st_uid == 100000, "the mount point")


@test("config-linux/user-namespace-mappings/of-the-process")
def mapped_user(box):
    """The container's user is one of those that are mapped: uid 5 is 100005 for the host."""
    text = box.output("touch /tmp/new; id -u; id -g", mapped(
        box, **{"process.user": {"uid": 5, "gid": 6}, "mounts+": [
            {"destination": "/tmp", "type": "tmpfs", "source": "x", "options": ["mode=1777"]}]}))
    expect(text == "5\n6\n", text)
    box.refuses(mapped(box, **{"process.user": {"uid": 70000, "gid": 0}}))


@test("config-linux/user-namespace-mappings/processes-on-the-host")
def mapped_processes(box):
    """The user namespace is the processes' own: nobody of the host's users is in it."""
    process = box.begin(mapped(box))["pid"]
    expect(os.readlink(f"/proc/{process}/ns/user") != os.readlink("/proc/self/ns/user"),
           "the host's")
    with open(f"/proc/{process}/status") as file:
        users = [line.split()[1:] for line in file if line.startswith(("Uid:", "Gid:"))]
    expect(users == [["100000"] * 4] * 2, str(users))


@test("config-linux/user-namespace-mappings/ports-of-root")
def mapped_ports(box):
    """Who is root of the namespace is it of the container's network, too."""
    text = box.output("nc -l -p 80 & i=0; until echo x | nc -w 9 127.0.0.1 80; do "
                      "i=$((i + 1)); [ $i -lt 99 ] || break; usleep 20000; done; wait", mapped(box))
    expect(text == "x\n", text)


@test("config-linux/user-namespace-mappings/missing")
def no_mapping(box):
    """uidMappings: a new user namespace without any has no user that the program could be."""
    box.refuses({"linux.namespaces": [*NAMESPACES, {"type": "user"}]})


@test("config-linux/user-namespace-mappings/without-the-namespace")
def mapping_without(box):
    """The user namespace mappings are those from the host to the container: of a namespace."""
    box.refuses({"linux.uidMappings": MAPPING, "linux.gidMappings": MAPPING})


@test("config-linux/user-namespace-mappings/overlapping")
def overlapping(box):
    """If the runtime cannot apply a property as specified in the configuration, it MUST generate an
    error: user_namespaces(7), "The ranges ... cannot overlap"."""
    changes = mapped(box)
    changes["linux.uidMappings"] = [*MAPPING, {"containerID": 65535, "hostID": 300000, "size": 2}]
    box.refuses(changes)


def clocks(box):
    """A program in the container that says what its clocks show, and waits by them."""
    subprocess.run(["cc", "-O1", "-static", "-o", box.inside("bin", "clocks"), CLOCKS], check=True)


CLOCKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clocks.c")


@test("config-linux/offset-for-time-namespace/clocks")
def offset_clocks(box):
    """secs (int64, OPTIONAL), nanosecs (uint32, OPTIONAL) - is the offset of clock (in seconds, in
    nanoseconds) in the container: however the clock is asked, and whatever waits for it."""
    clocks(box)
    changes = {"linux.namespaces": [*NAMESPACES, {"type": "time"}], "linux.timeOffsets": {
        "monotonic": {"secs": 1 << 28, "nanosecs": 5}, "boottime": {"secs": 1 << 30}},
        "process.args": ["clocks", str(1 << 28), str(1 << 30)]}
    box.write(changes)
    status, text, errors = box.call("run", "--bundle", box.bundle, "box")
    expect(status == 0, text + errors)
    text = box.output("cat /proc/self/timens_offsets", changes | {
        "process.args": ["cat", "/proc/self/timens_offsets"]})
    expect(text.split() == ["monotonic", str(1 << 28), "5", "boottime", str(1 << 30), "0"], text)


@test("config-linux/offset-for-time-namespace/without-the-namespace")
def offset_without(box):
    """timeOffsets (object, OPTIONAL) sets the offset for Time Namespace: without one it would be
    the host's."""
    box.refuses({"linux.timeOffsets": {"boottime": {"secs": 5, "nanosecs": 0}}})


@test("config-linux/namespaces/time")
def time_namespace(box):
    """time: the container will be able to have its own clocks."""
    text = box.output("cut -d. -f1 /proc/uptime", {
        "linux.namespaces": [*NAMESPACES, {"type": "time"}],
        "linux.timeOffsets": {"boottime": {"secs": 1 << 30, "nanosecs": 0}}})
    expect(int(text) >= 1 << 30, text)


@test("config-linux/namespaces/all-at-once")
def all_namespaces(box):
    """If path is not specified, the runtime MUST create a new container namespace of type type."""
    process = box.begin()["pid"]
    for entry in NAMESPACES:
        kind = KINDS[entry["type"]]
        expect(os.readlink(f"/proc/{process}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}"),
               f"{kind} is the host's")


class Holder:
    """A process in namespaces of its own, which can be joined by their files."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            ["unshare", *options, "sh", "-c", "echo ready; read x"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        expect(self.process.stdout.readline() == "ready\n", "no namespaces")
        return self

    def __exit__(self, *_):
        self.process.communicate("x\n")

    def path(self, kind):
        return f"/proc/{self.process.pid}/ns/{KINDS[kind]}"


def joined(kind, option):
    @test(f"config-linux/namespaces/path-of-{kind}")
    def is_in_it(box):
        """The runtime MUST place the container process in the namespace associated with that
        path."""
        with Holder(option) as holder:
            process = box.begin({"linux.namespaces": without(kind, {
                "type": kind, "path": holder.path(kind)})})["pid"]
            expect(os.readlink(f"/proc/{process}/ns/{KINDS[kind]}")
                   == os.readlink(holder.path(kind)), "another one")


joined("network", "-n")
joined("ipc", "-i")
joined("time", "-T")


@test("config-linux/namespaces/path-of-uts")
def joined_uts(box):
    """The runtime MUST place the container process in the namespace associated with that path."""
    with Holder("-u", "sh", "-c", "hostname held; exec \"$@\"", "sh") as holder:
        box.prints("hostname", "held\n", {"linux.namespaces": without("uts", {
            "type": "uts", "path": holder.path("uts")})})


@test("config-linux/namespaces/path-of-user")
def joined_users(box):
    """The runtime MUST place the container process in the namespace associated with that path."""
    own = [{"containerID": 0, "hostID": 0, "size": 1}]
    with Holder("-Ur") as holder:
        process = box.begin({
            "linux.namespaces": without("user", {"type": "user", "path": holder.path("user")}),
            "linux.uidMappings": own, "linux.gidMappings": own})["pid"]
        expect(os.readlink(f"/proc/{process}/ns/user") == os.readlink(holder.path("user")),
               "another one")


@test("config-linux/namespaces/path-of-pid")
def joined_pid(box):
    """The runtime MUST place the container process in the namespace associated with that path."""
    first = box.begin()["pid"]
    box.write({
        "process.args": ["cat", "/proc/1/cmdline"],
        "linux.namespaces": without("pid", {"type": "pid", "path": f"/proc/{first}/ns/pid"}),
        "linux.cgroupsPath": f"/{os.path.basename(box.scratch)}-2"})
    status, text, errors = box.call("run", "--bundle", box.bundle, "other")
    expect(status == 0 and text == "sleep\0" + "1000\0", text + errors)


@test("config-linux/namespaces/path-relative")
def relative_path(box):
    """This value MUST be an absolute path in the runtime mount namespace."""
    box.refuses({"linux.namespaces": without("network", {
        "type": "network", "path": "proc/self/ns/net"})})


def wrong_path(kind, other):
    @test(f"config-linux/namespaces/path-of-{kind}-leads-to-{other}")
    def refused(box):
        """The runtime MUST generate an error if path is not associated with a namespace of type
        type."""
        box.refuses({"linux.namespaces": without(kind, {
            "type": kind, "path": f"/proc/self/ns/{KINDS[other]}"})})


wrong_path("network", "uts")
wrong_path("uts", "network")
wrong_path("ipc", "network")
wrong_path("pid", "network")
wrong_path("user", "network")
wrong_path("time", "network")


@test("config-linux/namespaces/path-leads-to-a-file")
def no_namespace(box):
    """The runtime MUST generate an error if path is not associated with a namespace of type
    type."""
    box.refuses({"linux.namespaces": without("network", {
        "type": "network", "path": "/etc/passwd"})})


@test("config-linux/namespaces/path-leads-nowhere")
def no_path(box):
    """The runtime MUST generate an error if path is not associated with a namespace of type
    type."""
    box.refuses({"linux.namespaces": without("ipc", {
        "type": "ipc", "path": "/nowhere/ipc"})})


@test("config-linux/namespaces/twice")
def twice(box):
    """If a namespaces field contains duplicated namespaces with same type, the runtime MUST
    generate an error."""
    box.refuses({"linux.namespaces": [*NAMESPACES, {"type": "network"}]})


@test("config-linux/namespaces/an-unknown-type")
def unknown(box):
    """type (string, REQUIRED): runtimes MUST generate an error when invalid values are
    encountered."""
    box.refuses({"linux.namespaces": [*NAMESPACES, {"type": "nosuch"}]})


@test("config-linux/namespaces/none-of-the-network")
def inherited_network(box):
    """If a namespace type is not specified in the namespaces array, the container MUST inherit the
    runtime namespace of that type."""
    process = box.begin({"linux.namespaces": without("network")})["pid"]
    expect(os.readlink(f"/proc/{process}/ns/net") == os.readlink("/proc/self/ns/net"), "a new one")


@test("config-linux/namespaces/none-of-uts")
def inherited_uts(box):
    """If a namespace type is not specified in the namespaces array, the container MUST inherit the
    runtime namespace of that type."""
    box.prints("hostname", os.uname().nodename + "\n", {"linux.namespaces": without("uts")})


@test("config-linux/namespaces/none-of-ipc")
def inherited_ipc(box):
    """If a namespace type is not specified in the namespaces array, the container MUST inherit the
    runtime namespace of that type."""
    process = box.begin({"linux.namespaces": without("ipc")})["pid"]
    expect(os.readlink(f"/proc/{process}/ns/ipc") == os.readlink("/proc/self/ns/ipc"), "a new one")


@test("config-linux/namespaces/none-of-pid")
def inherited_pid(box):
    """If a namespace type is not specified in the namespaces array, the container MUST inherit the
    runtime namespace of that type."""
    text = box.output("echo $$", {"linux.namespaces": without("pid")})
    expect(int(text) > 2, text)


# ---- sysctl


@test("config-linux/sysctl/of-the-network")
def sysctl_network(box):
    """sysctl (object, OPTIONAL) allows kernel parameters to be modified at runtime for the
    container."""
    box.prints("cat /proc/sys/net/ipv4/ip_unprivileged_port_start", "17\n", {
        "linux.sysctl": {"net.ipv4.ip_unprivileged_port_start": "17"}})


@test("config-linux/sysctl/of-ipc")
def sysctl_ipc(box):
    """sysctl (object, OPTIONAL) allows kernel parameters to be modified at runtime for the
    container."""
    box.prints("cat /proc/sys/kernel/shmmni /proc/sys/fs/mqueue/msg_max", "17\n18\n", {
        "linux.sysctl": {"kernel.shmmni": "17", "fs.mqueue.msg_max": "18"}})


@test("config-linux/sysctl/of-the-host")
def sysctl_host(box):
    """sysctl modifies parameters for the container: runtimes MUST generate an error for one that is
    the host's."""
    box.refuses({"linux.sysctl": {"vm.swappiness": "60"}})


@test("config-linux/sysctl/one-that-is-not-there")
def sysctl_missing(box):
    """If the runtime cannot apply a property as specified in the configuration, it MUST generate an
    error."""
    box.refuses({"linux.sysctl": {"net.no.such": "1"}})


# ---- seccomp


def profile(*rules, default="SCMP_ACT_ALLOW", **more):
    return {"process.noNewPrivileges": True, "linux.seccomp": {
        "defaultAction": default, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": list(rules),
        **more}}


REFUSED = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}
MAKE = "mkdir /d 2>&1 || true"


@test("config-linux/seccomp/errno-by-default")
def seccomp_default_errno(box):
    """errnoRet (uint, OPTIONAL): if not specified its default value is EPERM."""
    text = box.output(MAKE, profile(REFUSED))
    expect("Operation not permitted" in text, text)


@test("config-linux/seccomp/errno")
def seccomp_errno(box):
    """errnoRet (uint, OPTIONAL): the errno return code to use."""
    text = box.output(MAKE, profile({**REFUSED, "errnoRet": 28}))
    expect("No space left" in text, text)


@test("config-linux/seccomp/default-errno")
def seccomp_default_errno_value(box):
    """defaultErrnoRet (uint, OPTIONAL): the errno return code to use."""
    with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h") as file:
        names = [line.split()[1][5:] for line in file if line.startswith("#define __NR_")
                 and int(line.split()[2]) <= 334]
    text = box.output(MAKE, profile(
        {"names": [name for name in names if name not in ("mkdir", "mkdirat")],
         "action": "SCMP_ACT_ALLOW"}, default="SCMP_ACT_ERRNO", defaultErrnoRet=28))
    expect("No space left" in text, text)


@test("config-linux/seccomp/errno-of-an-action-without")
def seccomp_no_errno(box):
    """When the action doesn't support an errno, the runtime MUST print an error and fail."""
    box.refuses(profile({"names": ["mkdir"], "action": "SCMP_ACT_KILL", "errnoRet": 28}))


@test("config-linux/seccomp/default-errno-of-an-action-without")
def seccomp_no_default_errno(box):
    """When the action doesn't support an errno, the runtime MUST print an error and fail."""
    box.refuses(profile(REFUSED, defaultErrnoRet=28))


@test("config-linux/seccomp/arguments")
def seccomp_arguments(box):
    """args (array of objects, OPTIONAL) - the specific syscall in seccomp."""
    rule = {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "args": [
        {"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]}
    text = box.output("trap '' USR1 USR2; kill -USR1 $$ 2>&1; kill -USR2 $$ 2>&1 && echo sent",
                      profile(rule))
    expect("No space left" in text and text.endswith("sent\n"), text)


@test("config-linux/seccomp/kill")
def seccomp_kill(box):
    """SCMP_ACT_KILL_PROCESS: a valid value of action."""
    box.prints("mkdir /d; echo $?", "159\n", profile(
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}))


@test("config-linux/seccomp/no-names")
def seccomp_no_names(box):
    """names MUST contain at least one entry."""
    box.refuses(profile({"names": [], "action": "SCMP_ACT_ERRNO"}))


@test("config-linux/seccomp/unknown-names")
def seccomp_unknown_names(box):
    """names: system calls of other kernels are not an error."""
    box.prints("echo fine", "fine\n", profile({**REFUSED, "names": ["nosuchcall", "mkdir"]}))


@test("config-linux/seccomp/no-default-action")
def seccomp_no_default(box):
    """defaultAction (string, REQUIRED)."""
    box.refuses({"linux.seccomp": {"syscalls": []}})


def wrong_profile(name, changes):
    @test(f"config-linux/seccomp/{name}",
          "Runtimes MUST generate an error when invalid or unsupported values are encountered: "
          f"{name.replace('-', ' ')}.")
    def refused(box):
        box.refuses(changes)


wrong_profile("an-unknown-action", profile({"names": ["mkdir"], "action": "SCMP_ACT_NOSUCH"}))
wrong_profile("an-unknown-default-action", profile(default="SCMP_ACT_NOSUCH"))
wrong_profile("an-unknown-architecture", profile(REFUSED, architectures=["SCMP_ARCH_NOSUCH"]))
wrong_profile("an-unknown-flag", profile(REFUSED, flags=["SECCOMP_FILTER_FLAG_NOSUCH"]))
wrong_profile("an-unknown-operator", profile({**REFUSED, "args": [
    {"index": 0, "value": 1, "op": "SCMP_CMP_NOSUCH"}]}))
wrong_profile("metadata-without-a-listener", profile(REFUSED, listenerMetadata="x"))


@test("config-linux/seccomp/flags")
def seccomp_flags(box):
    """flags (array of strings, OPTIONAL) - list of flags to use with seccomp(2)."""
    box.prints("grep ^Seccomp: /proc/self/status | cut -f2", "2\n", profile(
        REFUSED, flags=["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]))


@test("config-linux/seccomp/notify-without-a-listener")
def seccomp_notify(box):
    """listenerPath: if sending to this socket fails, the runtime MUST generate an error: where the
    action SCMP_ACT_NOTIFY is used."""
    box.refuses(profile({"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"},
                        listenerPath=box.path("nobody")))


@test("config-linux/seccomp/a-listener-that-nobody-needs")
def seccomp_listener(box):
    """If the SCMP_ACT_NOTIFY action is not used this value is ignored."""
    box.prints("echo fine", "fine\n", profile(REFUSED, listenerPath=box.path("nobody")))


# ---- The rest


def propagation(word):
    @test(f"config-linux/rootfs-mount-propagation/{word}")
    def taken(box):
        """rootfsPropagation (string, OPTIONAL): its value is either shared, slave, private or
        unbindable."""
        box.prints("echo fine", "fine\n", {"linux.rootfsPropagation": word})


for _word in ("shared", "slave", "private", "unbindable"):
    propagation(_word)


@test("config-linux/rootfs-mount-propagation/unknown")
def propagation_unknown(box):
    """Its value is either shared, slave, private or unbindable."""
    box.refuses({"linux.rootfsPropagation": "nosuch"})


@test("config-linux/masked-paths/files")
def masked_file(box):
    """maskedPaths (array of strings, OPTIONAL) will mask over the provided paths inside the
    container so that they cannot be read."""
    with open(box.inside("secret"), "w") as file:
        file.write("secret\n")
    box.prints("cat /secret /proc/kcore; true", "", {
        "linux.maskedPaths": ["/secret", "/proc/kcore"]})


@test("config-linux/masked-paths/directories")
def masked_directory(box):
    """maskedPaths (array of strings, OPTIONAL) will mask over the provided paths inside the
    container so that they cannot be read."""
    os.makedirs(box.inside("private", "below"))
    box.prints("ls /private; ls /proc/acpi 2>/dev/null; touch /private/x 2>/dev/null || "
               "echo refused", "refused\n", {"linux.maskedPaths": ["/private", "/proc/acpi"]})


@test("config-linux/masked-paths/missing-ones")
def masked_missing(box):
    """maskedPaths: what isn't there need not be masked."""
    box.prints("echo fine", "fine\n", {"linux.maskedPaths": ["/proc/nowhere", "/no/where"]})


@test("config-linux/masked-paths/relative")
def masked_relative(box):
    """The values MUST be absolute paths in the container namespace."""
    box.refuses({"linux.maskedPaths": ["etc"]})


@test("config-linux/readonly-paths/files")
def protected(box):
    """readonlyPaths (array of strings, OPTIONAL) will set the provided paths as readonly inside the
    container."""
    os.makedirs(box.inside("kept", "below"))
    box.prints("for f in /kept/x /kept/below/x /proc/sys/kernel/hostname; do "
               "echo x 2>/dev/null > $f || echo refused; done; echo x > /free && echo written",
               "refused\n" * 3 + "written\n", {"linux.readonlyPaths": ["/kept", "/proc/sys"]})


@test("config-linux/readonly-paths/missing-ones")
def protected_missing(box):
    """readonlyPaths: what isn't there need not be protected."""
    box.prints("echo fine", "fine\n", {"linux.readonlyPaths": ["/proc/nowhere", "/no/where"]})


@test("config-linux/readonly-paths/relative")
def protected_relative(box):
    """The values MUST be absolute paths in the container namespace."""
    box.refuses({"linux.readonlyPaths": ["etc"]})


@test("config-linux/mount-label/that-can-not-be-applied")
def mount_label(box):
    """If the runtime cannot apply a property as specified in the configuration, it MUST generate an
    error: mountLabel on a host without SELinux."""
    box.refuses({"linux.mountLabel": "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811"})


@test("config-linux/personality/linux32")
def personality(box):
    """LINUX32 will set the uname system call to show a 32 bit CPU type, such as i686."""
    box.prints("uname -m", "i686\n", {"linux.personality": {"domain": "LINUX32"}})


@test("config-linux/personality/linux")
def personality_plain(box):
    """domain (string, REQUIRED) - the execution domain: LINUX, LINUX32."""
    box.prints("uname -m", os.uname().machine + "\n", {"linux.personality": {"domain": "LINUX"}})


@test("config-linux/personality/unknown")
def personality_unknown(box):
    """The valid list of constants is LINUX, LINUX32."""
    box.refuses({"linux.personality": {"domain": "NOSUCH"}})


@test("config-linux/personality/flags")
def personality_flags(box):
    """flags (array of strings, OPTIONAL): currently no flag values are supported."""
    box.refuses({"linux.personality": {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}})


@test("config-linux/intel-rdt/without-resctrl")
def intel_rdt(box):
    """If no mounted resctrl pseudo-filesystem is available in the runtime mount namespace, the
    runtime MUST generate an error."""
    box.refuses({"linux.intelRdt": {"closID": "guaranteed_group", "schemata": "L3:0=7f0;1=1f"}})


@test("config-linux/network-devices/move")
def network_devices(box):
    """netDevices (object, OPTIONAL): the runtime MUST check that moving the network interface to
    the container namespace is possible, and MUST generate an error if not: for one that is not
    there."""
    box.refuses({"linux.netDevices": {"nosuch0": {}}})


@test("config-linux/memory-policy/unknown-mode")
def memory_policy(box):
    """memoryPolicy (object, OPTIONAL): mode (string, REQUIRED): runtimes MUST generate an error
    when invalid values are encountered."""
    box.refuses({"linux.memoryPolicy": {"mode": "MPOL_NOSUCH", "nodes": "0"}})
