"""A systemd of the test's own: process 1 of namespaces of its own, below control groups of its own,
with units of its own and none of the machine's."""

import os
import shutil
import signal
import subprocess
import tempfile

from host import Failure, Skip, expect, until

SYSTEMD = "/lib/systemd/systemd"
GROUPS = "/sys/fs/cgroup"

# Runs as process 1 until it becomes systemd. The layout is that of control groups. What systemd
# would set for the whole machine, /proc/sys, it only reads.
START = f"""
layout=$1 units=$2 console=$3
controllers=$(cut -d: -f2 /proc/self/cgroup | grep -v -e = -e '^$')
umount -l {GROUPS}
mount -t tmpfs -o mode=755 tmpfs /run
if [ $layout = unified ]; then
  mount -t cgroup2 cgroup2 {GROUPS}
else
  mount -t tmpfs -o mode=755 tmpfs {GROUPS}
  for name in $controllers; do
    mkdir {GROUPS}/$name
    mount -t cgroup -o $name cgroup {GROUPS}/$name
  done
  mkdir {GROUPS}/systemd {GROUPS}/unified
  mount -t cgroup -o none,name=systemd cgroup {GROUPS}/systemd
  mount -t cgroup2 cgroup2 {GROUPS}/unified
fi
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount --bind $console /dev/console
exec env -i PATH=$PATH container=paravane-test SYSTEMD_UNIT_PATH=/run/systemd/transient:$units \
  {SYSTEMD} --system --unit=test.target --log-target=console --show-status=no
"""
TARGET = "[Unit]\nDescription=Nothing but what a test starts\nDefaultDependencies=no\n"


class Machine:
    """`layout` is hybrid, where controllers have hierarchies of version 1, or unified."""

    def __init__(self, layout):
        if not os.path.exists(SYSTEMD):
            raise Skip("systemd is not installed")
        self.directory = tempfile.mkdtemp(prefix="paravane-systemd-")
        self.name = os.path.basename(self.directory)
        self.layout = layout
        self.log = open(os.path.join(self.directory, "log"), "w+")
        os.chmod(self.directory, 0o755)
        units = os.path.join(self.directory, "units")
        os.mkdir(units)
        for name in ("test", "basic", "sysinit", "shutdown"):
            self.add_unit(f"{name}.target", TARGET)
        console = os.path.join(self.directory, "console")
        open(console, "w").close()
        for group in self.groups(made=False):
            os.mkdir(group)
            self.inherit_processors(group)
        self.process = 0
        self.launcher = subprocess.Popen(
            ["sh", "-ec", self.entering("") + "exec \"$@\"", "sh", "setpriv", "--pdeathsig", "KILL",
             "unshare", "--pid", "--fork", "--kill-child", "--mount", "--cgroup", "--net", "--uts",
             "--ipc", "--mount-proc", "--propagation", "private", "sh", "-ec", START, "sh", layout,
             units, console], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            until("a systemd that answers", self.is_ready, seconds=30)
        except Failure:
            self.end()
            raise

    def add_unit(self, name, text):
        with open(os.path.join(self.directory, "units", name), "w") as file:
            file.write(text)

    def groups(self, made=True):
        """One in each hierarchy; `made` is those that are there."""
        found = [os.path.join(GROUPS, name, self.name) for name in sorted(os.listdir(GROUPS))
                 if os.path.exists(os.path.join(GROUPS, name, "cgroup.procs"))]
        return [group for group in found if os.path.exists(group) or not made]

    @staticmethod
    def inherit_processors(group):
        for file in ("cpuset.cpus", "cpuset.mems"):
            above = os.path.join(os.path.dirname(group), file)
            if os.path.exists(above):
                with open(above) as source, open(os.path.join(group, file), "w") as target:
                    target.write(source.read())

    def entering(self, below="driver"):
        """Shell words: into the machine's control groups, and in that of version 2, which has
        members or children, into one below."""
        words = ""
        for group in self.groups():
            if os.path.exists(os.path.join(group, "cgroup.events")):
                group = os.path.join(group, below)
                words += f"mkdir -p {group}\n"
            words += f"echo $$ > {group}/cgroup.procs\n"
        return words

    def is_ready(self):
        expect(self.launcher.poll() is None, f"systemd has ended: {self.words()}")
        with open(f"/proc/{self.launcher.pid}/task/{self.launcher.pid}/children") as file:
            self.process = int((file.read().split() or [0])[0])
        if not self.process or not os.path.exists(
                f"/proc/{self.process}/root/run/systemd/private"):
            return False
        return self.ask("is-active", "test.target", check=False).strip() == "active"

    def words(self):
        self.log.seek(0)
        return self.log.read()[-400:]

    def command(self, *arguments):
        """In the machine, beside its systemd."""
        return ["sh", "-ec", self.entering() + "exec \"$@\"", "sh", "nsenter", "--all",
                "--target", str(self.process), "--wd=/", *arguments]

    def run(self, *arguments, check=True):
        result = subprocess.run(self.command(*arguments), capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, timeout=60)
        expect(not check or result.returncode == 0,
               f"{' '.join(arguments)}: status {result.returncode}: {result.stderr[-300:]}")
        return result.stdout

    def ask(self, *arguments, check=True):
        return self.run("systemctl", *arguments, check=check)

    def show(self, unit):
        lines = self.ask("show", unit).splitlines()
        return {line.split("=", 1)[0]: line.split("=", 1)[1] for line in lines if "=" in line}

    def scopes(self):
        """All but systemd's own, with their states."""
        lines = self.ask("list-units", "--all", "--plain", "--no-legend", "*.scope").splitlines()
        return {line.split()[0]: line.split()[2] for line in lines
                if not line.startswith("init.scope")}

    def end(self):
        if self.launcher.poll() is None:
            # The launcher's child is the namespace's first process: with it everything ends.
            if self.process:
                os.kill(self.process, signal.SIGKILL)
            else:
                self.launcher.kill()
        self.launcher.wait(timeout=30)
        for group in self.groups():
            until(f"{group} is empty", lambda: self.is_removed(group))
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def is_removed(group):
        for path, _, _ in os.walk(group, topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                return False
        return True
