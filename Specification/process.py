"""config.md, Process: what the program gets, and who it is."""

import array
import fcntl
import os
import socket
import struct
import subprocess
import termios
import time

from box import ABSENT, CAPABILITIES, Failure, expect, lines, test

STATUS = "grep '^{}:' /proc/self/status | cut -f2-"


# ---- The terminal


def on_terminal(box, script, changes, *, rows=33, columns=99):
    """What a container on a terminal prints: the caller gets it through a socket."""
    box.write({"process.args": ["sh", "-c", script], "process.terminal": True, **changes})
    place = socket.socket(socket.AF_UNIX)
    try:
        # A socket's name is short.
        os.chdir("/")
        name = box.path("tty")
        place.bind(name)
        place.listen()
        place.settimeout(20)
        box.run("create", "--bundle", box.bundle, "--console-socket", name, "box")
        connection, _ = place.accept()
        with connection:
            _, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
        terminal = array.array("i", ancillary[0][2])[0]
    finally:
        place.close()
    try:
        box.run("start", "box")
        output = b""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            output += piece
        size = struct.unpack("HHHH", fcntl.ioctl(terminal, termios.TIOCGWINSZ, b"\0" * 8))[:2]
        return output.decode().replace("\r\n", "\n"), size
    finally:
        os.close(terminal)


@test("config/process/terminal")
def terminal(box):
    """terminal (bool, OPTIONAL) specifies whether a terminal is attached to the process: a
    pseudoterminal pair is allocated and duplicated on the process's standard streams."""
    text, _ = on_terminal(box, "tty; tty <&1; tty <&2; echo x > /dev/tty", {})
    expect(text == "/dev/pts/0\n" * 3 + "x\n", repr(text))


@test("config/process/no-terminal")
def no_terminal(box):
    """terminal defaults to false."""
    box.prints("tty; true", "not a tty\n", {"process.terminal": ABSENT})


@test("config/process/console-size")
def console_size(box):
    """consoleSize (object, OPTIONAL) specifies the console size in characters of the terminal."""
    text, size = on_terminal(box, "stty size", {"process.consoleSize": {
        "height": 33, "width": 99}})
    expect(text == "33 99\n" and size == (33, 99), f"{text} {size}")


@test("config/process/console-size-without-a-terminal")
def console_size_ignored(box):
    """Runtimes MUST ignore consoleSize if terminal is false or unset."""
    box.prints("tty; true", "not a tty\n", {"process.consoleSize": {"height": 33, "width": 99}})


# ---- Directory, environment, arguments


@test("config/process/cwd")
def cwd(box):
    """cwd (string, REQUIRED) is the working directory that will be set for the executable."""
    box.prints("pwd; readlink /proc/self/cwd", "/tmp\n/tmp\n", {"process.cwd": "/tmp"})


@test("config/process/cwd-missing")
def cwd_missing(box):
    """cwd (string, REQUIRED)."""
    box.refuses({"process.cwd": ABSENT})


@test("config/process/cwd-relative")
def cwd_relative(box):
    """This value MUST be an absolute path."""
    box.refuses({"process.cwd": "tmp"})


@test("config/process/env")
def env(box):
    """env (array of strings, OPTIONAL) with the same semantics as environ."""
    wanted = ["PATH=/bin", "A=b", "EMPTY=", "TWO=x=y", "SPACE= a\tb ", "lower_1=ü"]
    text = box.output("cat /proc/1/environ | tr '\\0' '\\n'", {"process.env": wanted})
    expect([line for line in text.splitlines() if not line.startswith("HOME=")] == wanted, text)


@test("config/process/env-has-nothing-of-the-runtime's")
def env_alone(box):
    """env: the environment is that of the configuration, not that of the runtime."""
    text = box.output("env", env={**os.environ, "LEAKED": "1"})
    expect("LEAKED" not in text, text)


@test("config/process/args")
def arguments(box):
    """args (array of strings, OPTIONAL) with similar semantics to execvp's argv."""
    words = ["sh", "-c", 'for w; do printf "<%s>" "$w"; done', "sh", "a b", "", "ü\n", "$HOME",
             "-x"]
    box.write({"process.args": words})
    status, text, errors = box.call("run", "--bundle", box.bundle, "box")
    expect((status, text) == (0, "<a b><><ü\n><$HOME><-x>"), f"{text!r} {errors}")


@test("config/process/args-empty")
def arguments_empty(box):
    """At least one entry is REQUIRED."""
    box.refuses({"process.args": []})


@test("config/process/args-missing")
def arguments_missing(box):
    """At least one entry is REQUIRED."""
    box.refuses({"process.args": ABSENT})


@test("config/process/args-by-path")
def arguments_path(box):
    """That entry is used with the same semantics as execvp's file: it is searched in PATH."""
    os.mkdir(box.inside("tools"))
    with open(box.inside("tools", "special"), "w") as file:
        file.write("#!/bin/sh\necho special\n")
    os.chmod(box.inside("tools", "special"), 0o755)
    box.write({"process.args": ["special"], "process.env": ["PATH=/nowhere:/tools:/bin"]})
    expect(box.call("run", "--bundle", box.bundle, "box")[1] == "special\n", "not found")


@test("config/process/args-by-a-relative-path")
def arguments_relative(box):
    """That entry is used with the same semantics as execvp's file: with a slash it is a path, from
    the working directory on."""
    box.write({"process.args": ["./sh", "-c", "echo fine"], "process.cwd": "/bin"})
    expect(box.call("run", "--bundle", box.bundle, "box")[1] == "fine\n", "not found")


@test("config/process/args-without-a-program")
def arguments_wrong(box):
    """Runtimes MUST generate an error when invalid values are encountered: a program that isn't
    there, or can't be executed."""
    for program in ("nosuch", "/bin/nosuch", "/tmp"):
        box.write({"process.args": [program]})
        box.error("run", "--bundle", box.bundle, "box")


# ---- Limits


def limit(kind, word, soft=11, hard=12):
    @test(f"config/posix-process/{kind.lower()}")
    def limited(box):
        """rlimits: rlim.rlim_cur MUST match the configured value of soft, rlim.rlim_max that of
        hard."""
        text = box.output(f"grep '^{word} ' /proc/self/limits", {"process.rlimits": [
            {"type": kind, "soft": soft, "hard": hard}]})
        expect(text[len(word):].split()[:2] == [str(soft), str(hard)], text)


for _kind, _word in (("CORE", "Max core file size"), ("CPU", "Max cpu time"),
                     ("LOCKS", "Max file locks"), ("MEMLOCK", "Max locked memory"),
                     ("MSGQUEUE", "Max msgqueue size"), ("NOFILE", "Max open files"),
                     ("NPROC", "Max processes"), ("RSS", "Max resident set"),
                     ("RTTIME", "Max realtime timeout"), ("SIGPENDING", "Max pending signals")):
    limit(f"RLIMIT_{_kind}", _word)
for _kind, _word in (("AS", "Max address space"), ("DATA", "Max data size"),
                     ("FSIZE", "Max file size"), ("STACK", "Max stack size")):
    limit(f"RLIMIT_{_kind}", _word, 1 << 29, 1 << 30)
# A root without CAP_SYS_RESOURCE can't raise these.
for _kind, _word in (("NICE", "Max nice priority"), ("RTPRIO", "Max realtime priority")):
    limit(f"RLIMIT_{_kind}", _word, 0, 0)


@test("config/posix-process/an-unknown-limit")
def limit_unknown(box):
    """The runtime MUST generate an error for any values which cannot be mapped to a relevant kernel
    interface."""
    box.refuses({"process.rlimits": [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}]})


@test("config/posix-process/a-limit-twice")
def limit_twice(box):
    """If rlimits contains duplicated entries with same type, the runtime MUST generate an
    error."""
    entry = {"type": "RLIMIT_CORE", "soft": 1, "hard": 1}
    box.refuses({"process.rlimits": [entry, entry]})


@test("config/posix-process/soft-above-hard")
def limit_wrong(box):
    """For each entry in rlimits, a getrlimit(3) on type MUST succeed and match: a soft limit above
    the hard one can't."""
    box.refuses({"process.rlimits": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]})


# ---- Privileges


def capability_set(field, word):
    @test(f"config/linux-process/capabilities-{field}")
    def set_of(box):
        """capabilities (object, OPTIONAL) is an object containing arrays that specifies the sets of
        capabilities for the process."""
        names = ["CAP_KILL", "CAP_NET_BIND_SERVICE"]
        sets = {name: CAPABILITIES for name in ("bounding", "permitted", "inheritable")}
        sets.update({"effective": ["CAP_CHOWN"], "ambient": ["CAP_FOWNER"], field: names})
        if field == "permitted":
            sets.update(effective=names, ambient=[])
        if field == "inheritable":
            sets["ambient"] = []
        if field == "bounding":
            sets.update(permitted=names, inheritable=names, effective=names, ambient=[])
        # Of a user, as an exec(2) of root has other rules.
        text = box.output("grep ^Cap /proc/self/status", {
            "process.capabilities": sets, "process.user": {"uid": 1000, "gid": 1000}})
        found = dict(line.split(":\t") for line in text.splitlines())
        bits = 1 << 5 | 1 << 10
        if field in ("ambient", "bounding"):
            expect(int(found[word], 16) == bits, text)
        elif field == "inheritable":
            expect(int(found[word], 16) == bits, text)
        else:  # An exec(2) by a user leaves those that are ambient.
            expect(int(found[word], 16) & ~int(found["CapAmb"], 16) == 0, text)


for _field, _word in (("bounding", "CapBnd"), ("effective", "CapEff"),
                      ("inheritable", "CapInh"), ("permitted", "CapPrm"), ("ambient", "CapAmb")):
    capability_set(_field, _word)


@test("config/linux-process/capabilities-of-root")
def capabilities_root(box):
    """capabilities: a program of root has those of the bounding set, and no others."""
    names = ["CAP_KILL", "CAP_CHOWN"]
    text = box.output("grep '^Cap[BEP]' /proc/self/status | cut -f2", {"process.capabilities": {
        name: names for name in ("bounding", "effective", "permitted")}})
    expect({int(line, 16) for line in text.split()} == {1 << 5 | 1}, text)


@test("config/linux-process/capabilities-are-in-force")
def capabilities_work(box):
    """bounding: what is not kept for the process it can't do."""
    names = [name for name in CAPABILITIES if name != "CAP_CHOWN"]
    script = "touch /tmp/x; busybox chown 5 /tmp/x 2>/dev/null && echo done || echo refused"
    box.prints(script, "done\n")
    box.prints(script, "refused\n", {"process.capabilities": {
        name: names for name in ("bounding", "effective", "permitted")}})


@test("config/linux-process/an-unknown-capability")
def capability_unknown(box):
    """Any value which cannot be mapped to a relevant kernel interface, or cannot be granted
    otherwise, MUST be logged as a warning by the runtime."""
    box.write({"process.args": ["true"], "process.capabilities": {
        name: ["CAP_KILL", "CAP_NOSUCH"] for name in ("bounding", "effective", "permitted")}})
    status, text, errors = box.call("run", "--bundle", box.bundle, "box")
    expect(status == 0 and "CAP_NOSUCH" in text + errors, f"{status} {text}{errors}")


@test("config/linux-process/no-new-privileges")
def no_new_privileges(box):
    """noNewPrivileges (bool, OPTIONAL) setting noNewPrivileges to true prevents the process from
    gaining additional privileges."""
    box.prints(STATUS.format("NoNewPrivs"), "1\n", {"process.noNewPrivileges": True})
    box.prints(STATUS.format("NoNewPrivs"), "0\n", {"process.noNewPrivileges": False})


@test("config/linux-process/oom-score-adj")
def oom_score(box):
    """If oomScoreAdj is set, the runtime MUST set oom_score_adj to the given value."""
    process = box.begin({"process.oomScoreAdj": 501})["pid"]
    expect(lines(f"/proc/{process}/oom_score_adj") == ["501"], "on the host")
    text = box.run("exec", "box", "cat", "/proc/1/oom_score_adj")
    expect(text == "501\n", text)


@test("config/linux-process/no-oom-score-adj")
def no_oom_score(box):
    """If oomScoreAdj is not set, the runtime MUST NOT change the value of oom_score_adj."""
    process = box.begin()["pid"]
    expect(lines(f"/proc/{process}/oom_score_adj") == lines("/proc/self/oom_score_adj"), "changed")


@test("config/linux-process/an-apparmor-profile-that-can-not-be-applied")
def apparmor(box):
    """If the runtime cannot apply a property as specified in the configuration, it MUST generate an
    error: apparmorProfile on a host without AppArmor."""
    if os.path.isdir("/sys/kernel/security/apparmor"):
        raise Failure("the host has AppArmor")
    box.refuses({"process.apparmorProfile": "acme_secure_profile"})


@test("config/linux-process/an-selinux-label-that-can-not-be-applied")
def selinux(box):
    """If the runtime cannot apply a property as specified in the configuration, it MUST generate an
    error: selinuxLabel on a host without SELinux."""
    box.refuses({"process.selinuxLabel": "system_u:system_r:svirt_lxc_net_t:s0:c124,c675"})


@test("config/linux-process/scheduler")
def scheduler(box):
    """scheduler (object, OPTIONAL) is an object describing the scheduler properties for the
    process."""
    process = box.begin({"process.scheduler": {"policy": "SCHED_BATCH", "nice": 7}})["pid"]
    expect(os.sched_getscheduler(process) == os.SCHED_BATCH, "policy")
    expect(os.getpriority(os.PRIO_PROCESS, process) == 7, "nice")


@test("config/linux-process/an-unknown-scheduler")
def scheduler_unknown(box):
    """policy (string, REQUIRED) represents the scheduling policy; runtimes MUST generate an error
    when invalid values are encountered."""
    box.refuses({"process.scheduler": {"policy": "SCHED_NOSUCH"}})


@test("config/linux-process/io-priority")
def io_priority(box):
    """ioPriority (object, OPTIONAL) configures the I/O priority settings for the container's
    processes within the process group."""
    process = box.begin({"process.ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 0}})
    text = subprocess.run(["ionice", "-p", str(process["pid"])], capture_output=True, text=True)
    expect(text.stdout.strip() == "idle", text.stdout)


@test("config/linux-process/exec-cpu-affinity")
def cpu_affinity(box):
    """execCPUAffinity (object, OPTIONAL) specifies CPU affinity used to execute the process: final
    is a list of CPUs the process will run on after the transition to container's cgroup."""
    box.begin({"process.execCPUAffinity": {"initial": "0", "final": "1"}})
    text = box.run("exec", "box", "sh", "-c", "taskset -pc $$")
    expect(text.split()[-1] == "1", text)


# ---- User


@test("config/posix-platform-user/uid")
def uid(box):
    """uid (int, REQUIRED) specifies the user ID in the container namespace."""
    box.prints("id -u", "1234\n", {"process.user": {"uid": 1234, "gid": 0}})


@test("config/posix-platform-user/gid")
def gid(box):
    """gid (int, REQUIRED) specifies the group ID in the container namespace."""
    box.prints("id -g", "1234\n", {"process.user": {"uid": 0, "gid": 1234}})


@test("config/posix-platform-user/umask")
def umask(box):
    """umask (int, OPTIONAL) specifies the umask of the user."""
    box.prints("umask", "0027\n", {"process.user": {"uid": 0, "gid": 0, "umask": 0o027}})


@test("config/posix-platform-user/no-umask")
def no_umask(box):
    """If unspecified, the umask should not be changed from the calling process' umask."""
    old = os.umask(0o022)
    os.umask(old)
    box.prints("umask", f"{old:04o}\n")


@test("config/posix-platform-user/additional-gids")
def additional_gids(box):
    """additionalGids (array of ints, OPTIONAL) specifies additional group IDs in the container
    namespace to be added to the process."""
    text = box.output(STATUS.format("Groups"), {"process.user": {
        "uid": 1000, "gid": 1000, "additionalGids": [5, 6, 70000]}})
    expect([word for word in text.split() if word != "1000"] == ["5", "6", "70000"], text)


@test("config/posix-platform-user/no-additional-gids")
def no_additional_gids(box):
    """additionalGids (array of ints, OPTIONAL): those of the runtime are not the container's."""
    text = box.output(STATUS.format("Groups"), {"process.user": {"uid": 1000, "gid": 1000}})
    expect(set(text.split()) <= {"1000"}, text)


@test("config/posix-platform-user/owns-its-streams")
def streams(box):
    """uid: the program can open its standard streams again by their names, as who it is."""
    text, _ = on_terminal(box, "echo x > /dev/stdout && echo y > /dev/tty", {
        "process.user": {"uid": 1000, "gid": 1000}})
    expect(text == "x\ny\n", text)
