"""What the host mounts below a volume's source while a container runs: mount propagation."""

import os
import subprocess

import host as hosts
from host import Host, case, expect, until
from linux import amend

TOOLS = ("ls", "touch")


class Slave(Host):
    """A host whose volumes propagate: the runtime is in a mount namespace of the case's own."""

    def __init__(self, of):
        holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdout.readline()
        self.holder, self.scratch, self.root, self.bundle = (
            holder, of.scratch, of.root, of.bundle)
        self.runtime = (*self.inside, *of.runtime)
        self.volume = os.path.join(of.scratch, "volume")
        os.mkdir(self.volume)
        for tool in TOOLS:
            os.symlink("busybox", os.path.join(of.bundle, "rootfs", "bin", tool))

    @property
    def inside(self):
        return "nsenter", "--mount", "--target", str(self.holder.pid)

    def __enter__(self):
        self.on_host(f"mount -t tmpfs volume {self.volume}; mount --make-shared {self.volume}; "
                     f"cd {self.volume}; mkdir -p early/in later kernel devices last; "
                     "mount -t tmpfs early early; mkdir early/in")
        return self

    def __exit__(self, *_):
        self.run("delete", "--force", "box")
        # With it goes the namespace, and all that is mounted there.
        self.holder.stdin.close()
        self.holder.wait()

    def on_host(self, script):
        subprocess.run([*self.inside, "sh", "-ec", script], check=True, timeout=20)

    def mount(self, name, text, options="rw"):
        """A file system below the volume, with a file in it."""
        place = os.path.join(self.volume, name)
        self.on_host(f"mount -t tmpfs later {place}; echo {text} > {place}/file; "
                     f"mount -o remount,{options} {place}")

    def begin(self, *volumes, **linux):
        amend(self, "sleep", "1000", linux=linux, mounts=[
            {"destination": f"/{name}", "type": "bind", "source": self.volume, "options": options}
            for name, options in volumes])
        self.start_detached()

    def shows(self, script, text):
        return self.run("exec", "box", "sh", "-c", f"{script}; true") == text


@case("linux/mounts-that-come-later")
def later(of):
    """slave, rslave, and a bind that says nothing: what the host mounts below shows, and goes."""
    with Slave(of) as host:
        host.begin(("all", ["rbind", "rslave"]), ("one", ["bind", "slave"]), ("default", ["rbind"]),
                   ("none", ["rbind", "rprivate"]))
        host.mount("early/in", "below")
        host.mount("later", "came")
        for name in ("all", "one", "default"):
            until(f"the mount in {name}", lambda: host.shows(f"cat /{name}/later/file", "came\n"))
        for name, text in (("all", "below\n"), ("default", "below\n"), ("one", ""), ("none", "")):
            expect(host.shows(f"cat /{name}/early/in/file 2>/dev/null", text), f"{name}: early")
        expect(host.shows("ls /none/later", ""), "it came to a private one")
        # A mount on a later one, and what is written there.
        host.on_host(f"mkdir {host.volume}/later/more")
        host.mount("later/more", "still")
        until("a mount on it", lambda: host.shows("cat /all/later/more/file", "still\n"))
        host.run("exec", "box", "sh", "-c", "echo written > /all/later/new")
        host.on_host(f"grep -q written {host.volume}/later/new")
        # It goes with the host's, and the next one comes.
        host.on_host(f"umount {host.volume}/later/more; umount {host.volume}/later")
        until("its end", lambda: host.shows("ls /all/later; ls /one/later", ""))
        host.mount("later", "again")
        until("the next", lambda: host.shows("cat /all/later/file /one/later/file", "again\n" * 2))
        # One on the volume itself covers it.
        host.mount("", "over")
        until("the whole", lambda: host.shows("ls /all; ls /one", "file\nfile\n"))
        expect(host.shows("cat /none/file 2>/dev/null", ""), "it came to a private one")


@case("linux/mounts-that-come-later-by-default")
def by_default(of):
    """rootfsPropagation is what binds have that don't say it."""
    for word, text in (("rslave", "came\n"), ("private", "came\n"), ("rprivate", "")):
        with Slave(Host(of.runtime)) as host:
            try:
                host.begin(("data", ["rbind"]), ("other", ["rbind", "rslave"]),
                           rootfsPropagation=word)
                host.mount("later", "came")
                until("the mount", lambda: word == "rprivate" or host.shows(
                    "cat /data/later/file", "came\n"))
                host.mount("last", "came")
                until("the last", lambda: word == "rprivate" or host.shows(
                    "cat /data/last/file", "came\n"))
                expect(host.shows("cat /data/later/file 2>/dev/null", text), word)
            finally:
                host.end()


@case("linux/mounts-that-are-left-out")
def left_out(of):
    """No view of the host's kernel comes, no device, and nothing that a volume forbids."""
    if hosts.PRODUCT.endswith("runc"):
        return
    with Slave(of) as host:
        host.begin(("data", ["rbind", "rslave"]), ("closed", ["rbind", "ro", "noexec", "rslave"]))
        for kind in ("proc", "sysfs", "devtmpfs"):
            host.on_host(f"mount -t {kind} {kind} {host.volume}/kernel")
        host.mount("devices", "x", options="dev,suid,exec")
        host.on_host(f"cd {host.volume}/devices; mknod -m 666 null c 1 3; cp /bin/busybox true")
        host.mount("later", "x", options="ro,noexec")
        host.mount("last", "came")
        until("the last", lambda: host.shows("cat /data/last/file", "came\n"))
        expect(host.shows("ls /data/kernel", ""), "the host's kernel")
        expect(host.shows("ls /closed/kernel", ""), "the host's kernel")
        expect(host.shows("echo x 2>/dev/null > /data/devices/null && echo open", ""), "a device")
        expect(host.shows("/data/devices/true true && echo runs", "runs\n"), "a program")
        expect(host.shows("/closed/devices/true true 2>/dev/null && echo runs", ""), "noexec")
        expect(host.shows("touch /closed/last/x 2>/dev/null && echo wrote", ""), "ro")
        expect(host.shows("touch /data/later/x 2>/dev/null && echo wrote", ""), "the host's ro")
        expect(host.shows("touch /data/last/x && echo wrote", "wrote\n"), "rw")
