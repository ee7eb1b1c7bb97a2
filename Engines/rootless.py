"""Podman of a user without privileges: everything of a container is in his own user namespace."""

import json
import os
import shutil
import subprocess

import image
from engine import IMAGE, PRODUCT, Engine, Page, Skip, case, expect, said_by, until
from podman import run_on_terminal

# A user of nobody's, with subordinate users of its own.
USER, FIRST, COUNT = 4242, 3_000_000, 65536

# The machine's files stay as they are: all this is in a mount namespace of the tests.
PREPARE = f"""
mount --bind "$1" /mnt
cd /mnt
mkdir -p home run
for file in passwd group; do cp /etc/$file $file; done
echo 'rootless:x:{USER}:{USER}::/mnt/home:/bin/sh' >> passwd
echo 'rootless:x:{USER}:' >> group
for file in subuid subgid; do
  echo 'rootless:{FIRST}:{COUNT}' > $file
  [ -e /etc/$file ] || touch /etc/$file
done
for file in passwd group subuid subgid; do mount --bind $file /etc/$file; done
if [ -e /dev/net/tun ]; then
  mknod -m 666 tun c 10 200
  mount --bind tun /dev/net/tun
fi
chown {USER}:{USER} home run
chmod 700 home run
chmod 711 .
echo ready
exec sleep infinity
"""


class RootlessPodman(Engine):
    name, programs = "rootless", (
        "podman", "conmon", "newuidmap", "nsenter", "setpriv", "slirp4netns")

    def __init__(self):
        super().__init__()
        self.write("prepare", PREPARE)
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "sh", "-e",
             self.path("prepare"), self.directory],
            stdout=subprocess.PIPE, text=True)
        expect(self.holder.stdout.readline() == "ready\n", "the user's files")
        # Where the user may read them, whatever directory they were built in.
        for name in (PRODUCT, os.path.join(os.path.dirname(PRODUCT), "KernelImage")):
            shutil.copy(name, self.directory)
        self.write("home/containers.conf", f"""
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "paravane"
infra_image = "localhost/paravane-pause:latest"
""" + Page("podman", "/mnt/paravane").block("toml"))
        self.command = [*self.as_user, "podman", "--storage-driver", "vfs"]
        image.write(self.path("image.tar"))
        self.run("load", "-i", "/mnt/image.tar")

    @property
    def as_user(self):
        return ["nsenter", "--mount", "--target", str(self.holder.pid), "--wdns=/mnt/home",
                "setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups",
                "env", "-i", "HOME=/mnt/home", "XDG_RUNTIME_DIR=/mnt/run", "USER=rootless",
                "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "CONTAINERS_CONF=/mnt/home/containers.conf"]

    def shell(self, script, status=0):
        return self.call([*self.as_user, "sh", "-c", f"exec 2>&1; {script}"], status)

    def reset(self):
        self.run("rm", "-f", "-t", "0", "-a", status=None)

    def end(self):
        self.reset()
        self.run("pod", "rm", "-f", "-t", "0", "-a", status=None)
        # The process that keeps the user namespace has no other end.
        path = self.path("run/libpod/tmp/pause.pid")
        if os.path.exists(path):
            with open(path) as file:
                os.kill(int(file.read()), 9)
        self.holder.kill()
        self.holder.wait()
        super().end()


SMALL = ("--network", "none")


@case(RootlessPodman, "run")
def rootless_run(engine):
    output = engine.run("run", "--rm", *SMALL, IMAGE, "sh", "-c", "uname -r; id -u; exit 7",
                        status=7)
    expect("paravane" in output and output.endswith("\n0\n"), output)
    output = engine.run("run", "--rm", *SMALL, "--user", "1000:1000", "--cap-drop", "all", IMAGE,
                        "sh", "-c", "id -u; grep CapEff /proc/self/status")
    expect(output.split() == ["1000", "CapEff:", "0" * 16], output)
    engine.run("run", "--rm", *SMALL, IMAGE, "nosuch", status=127)
    # The states are the user's.
    until("no state", lambda: os.listdir(engine.path("run/paravane")) == [])


@case(RootlessPodman, "detached")
def rootless_detached(engine):
    engine.run("run", "-d", "--name", "web", *SMALL, IMAGE, "sh", "-c", "echo begun; sleep 1000")
    until("the log", lambda: engine.run("logs", "web") == "begun\n")
    expect(engine.run("exec", "web", "sh", "-c", "id -u; exit 4", status=4) == "0\n", "exec")
    process = int(engine.run("inspect", "-f", "{{.State.Pid}}", "web"))
    with open(f"/proc/{process}/uid_map") as file:
        expect(file.readline().split() == ["0", str(USER), "1"], "not in the user's namespace")
    expect("sleep 1000" in engine.run("top", "web", "-ef"), "top")
    engine.run("stop", "-t", "1", "web")
    expect(engine.run("inspect", "-f", "{{.State.ExitCode}}", "web") == "137\n", "exit code")
    engine.run("start", "web")
    engine.run("rm", "-f", "-t", "0", "web")


@case(RootlessPodman, "terminal")
def rootless_terminal(engine):
    run_on_terminal(engine)


@case(RootlessPodman, "volumes")
def rootless_volumes(engine):
    """The user's files are root's inside, and other users' are subordinate users'."""
    engine.shell("mkdir -p v; echo text > v/from-host")
    output = engine.run("run", "--rm", *SMALL, "-v", "/mnt/home/v:/v", IMAGE, "sh", "-c",
                        "cat /v/from-host; echo back > /v/back; chown 1000:1000 /v/back; "
                        "stat -c %u /v/from-host /v/back")
    expect(output == "text\n0\n1000\n", output)
    owners = [os.stat(engine.path("home/v", name)).st_uid for name in ("from-host", "back")]
    expect(owners == [USER, FIRST + 999], str(owners))
    engine.run("run", "--rm", *SMALL, "-v", "/mnt/home/v:/v:ro", IMAGE, "touch", "/v/no", status=1)
    # What the host forbids the user is forbidden inside.
    output = engine.run("run", "--rm", *SMALL, "-v", "/etc/shadow:/v", IMAGE, "cat", "/v", status=1)
    expect(output == "", output)


@case(RootlessPodman, "users")
def rootless_users(engine):
    """A user namespace in the user's: with keep-id he is himself inside, too, and nobody's root."""
    engine.shell("mkdir -p kept; touch kept/from-host")
    output = engine.run("run", "--rm", *SMALL, "--userns", "keep-id", "-v", "/mnt/home/kept:/kept",
                        IMAGE, "sh", "-c", "id -u; touch /kept/new; stat -c %u /kept/*")
    expect(output == f"{USER}\n" * 3, output)
    expect(os.stat(engine.path("home/kept/new")).st_uid == USER, "the file's owner")
    # As a user of the image, as nobody of the host, and as anybody that is free.
    for word, text in (("keep-id:uid=1000,gid=1000", "0 1 1000 1000 0 1"), ("nomap", "0 1 65536 0"),
                       ("auto", "0 1 1024 0")):
        output = engine.run("run", "--rm", *SMALL, "--userns", word, IMAGE, "sh", "-c",
                            "cat /proc/self/uid_map; touch /tmp/x; stat -c %u /tmp/x")
        expect(text in " ".join(output.split()), f"{word}: {output}")
    output = engine.run("run", "--rm", *SMALL, "--uidmap", "0:1:1000", "--gidmap", "0:1:1000",
                        "-v", "/mnt/home/kept:/kept", IMAGE, "sh", "-c",
                        "id -u; stat -c %u /kept/new; touch /kept/no 2>/dev/null || echo refused")
    expect(output == "0\n65534\nrefused\n", output)


@case(RootlessPodman, "top")
def rootless_top(engine):
    """Podman looks at a procfs of the sandbox, in its mount namespace."""
    for name, options in (("plain", ()), ("kept", ("--userns", "keep-id"))):
        engine.run("run", "-d", "--name", name, *SMALL, *options, IMAGE, "sleep", "1000")
        expect("sleep 1000" in engine.run("top", name), name)


@case(RootlessPodman, "devices")
def rootless_devices(engine):
    """Those that the guest kernel has, by any name; the host's are left out, whoever asks."""
    output = engine.run("run", "--rm", *SMALL, "--device", "/dev/null:/dev/nothing", IMAGE, "sh",
                        "-c", "stat -c %F /dev/nothing; echo x > /dev/nothing && echo fine")
    expect(output == "character special file\nfine\n", output)
    output = engine.run("run", "--rm", *SMALL, "--device", "/dev/loop-control", IMAGE, "sh", "-c",
                        "ls /dev/loop-control 2>/dev/null || echo none")
    expect(output == "none\n", output)
    output = engine.run("run", "--rm", *SMALL, "--privileged", IMAGE, "sh", "-c",
                        "ls /dev; grep CapEff /proc/self/status")
    expect("null\n" in output and "loop-control" not in output and "000001ffffffffff" in output,
           output)


@case(RootlessPodman, "networks")
def rootless_networks(engine):
    with open("/proc/self/net/dev") as file:
        names = sorted(line.split(":")[0].strip() for line in file if ":" in line)
    devices = "grep : /proc/net/dev | cut -d: -f1"
    output = engine.run("run", "--rm", "--network", "host", IMAGE, "sh", "-c", devices)
    expect(sorted(output.split()) == names, output)
    if not os.path.exists("/dev/net/tun"):
        raise Skip("this machine has no /dev/net/tun")
    engine.run("run", "-d", "--name", "web", "--network", "slirp4netns", "-p",
               "127.0.0.1:18097:8080", IMAGE, "sh", "-c",
               "while :; do echo from the user | nc -l -p 8080; done")
    expect("tap0" in engine.run("exec", "web", "sh", "-c", devices), "its device")
    until("the published port", lambda: said_by(18097) == "from the user\n")


@case(RootlessPodman, "pod")
def rootless_pod(engine):
    engine.run("pod", "create", "--name", "two", *SMALL, "--hostname", "shared")
    engine.run("run", "-d", "--pod", "two", "--name", "server", IMAGE, "sh", "-c",
               "while :; do echo through the pod | nc -l -p 8080; done")
    until("the connection", lambda: engine.run(
        "run", "--rm", "--pod", "two", IMAGE, "nc", "127.0.0.1", "8080", status=None)
        == "through the pod\n")
    engine.run("pod", "rm", "-f", "-t", "0", "two")


@case(RootlessPodman, "build")
def rootless_build(engine):
    engine.write("home/build/Containerfile", f"FROM {IMAGE}\nRUN uname -r > /built\n")
    engine.run("build", "-q", *SMALL, "--isolation", "oci", "--runtime", "/mnt/paravane",
               "-t", "localhost/built", "/mnt/home/build", limit=120)
    output = engine.run("run", "--rm", *SMALL, "localhost/built", "cat", "/built")
    expect("paravane" in output, f"RUN was not ours: {output}")


@case(RootlessPodman, "without-an-engine")
def rootless_alone(engine):
    """Root of a user namespace will do, but not for the host's own tree; others are told."""
    text = engine.shell("/mnt/paravane do -- true", status=125)
    expect(text.count("\n") == 1 and "unshare --map-root-user" in text, text)
    alone = "unshare --map-root-user /mnt/paravane"
    text = engine.shell(f"{alone} do -- true", status=125)
    expect(text.count("\n") == 1 and "in a user namespace" in text, text)
    engine.shell(f"mkdir -p bundle/rootfs/bin bundle/rootfs/proc; cd bundle; {alone} spec; "
                 "cp /bin/busybox rootfs/bin/sh")
    with open(engine.path("home/bundle/config.json")) as file:
        configuration = json.load(file)
    configuration["process"].update(terminal=False, args=["sh", "-c", "uname -r; echo $$"])
    engine.write("home/bundle/config.json", json.dumps(configuration))
    text = engine.shell(f"cd bundle; {alone} run alone; {alone} list -q")
    expect("paravane\n1\n" in text and "alone" not in text, text)
    expect("user 0 of a user namespace" in engine.shell(f"{alone} doctor"), "doctor")
    text = engine.shell("mkdir -p .config/containers; cp containers.conf .config/containers; "
                        "/mnt/paravane doctor", status=125)
    expect("ok      podman knows paravane: /mnt/home/.config/containers/" in text, text)
    expect(f"missing root: this is user {USER}" in text, text)
