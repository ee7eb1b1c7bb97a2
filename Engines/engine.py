"""What the cases of every engine need: the engine itself, the product, and ways to look at both."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

PRODUCT = os.path.abspath(os.environ["PARAVANE"])
IMAGE = "localhost/paravane-test:latest"
PAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "engines")
CASES = {}


class Failure(Exception):
    pass


class Skip(Exception):
    """This machine has not what the case needs."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def case(engine, name):
    def add(function):
        CASES[f"{engine.name}/{name}"] = (engine, function)
        return function
    return add


def until(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        select.select([], [], [], 0.05)


class Engine:
    """One engine: how to call it, and a scratch directory that ends with it."""

    name, programs, environment = "", (), {}

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix=f"paravane-{self.name}-")
        self.daemons = []

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def run(self, *arguments, status=0, input=None, limit=60):
        """Its output; the status must be the expected one."""
        return self.call([*self.command, *arguments], status, input, limit)

    def call(self, command, status=0, input=None, limit=60):
        result = subprocess.run(
            command, input=input, capture_output=True, text=True, timeout=limit,
            cwd=self.directory, env={**os.environ, **self.environment})
        if status is not None:
            expect(result.returncode == status,
                   f"{' '.join(command[-6:])}: status {result.returncode}, expected {status}: "
                   f"{(result.stderr or result.stdout).strip()[-400:]}")
        return result.stdout

    def errors(self, *arguments, status):
        result = subprocess.run([*self.command, *arguments], capture_output=True, text=True,
                                timeout=60, env={**os.environ, **self.environment})
        expect(result.returncode == status,
               f"{' '.join(arguments)}: status {result.returncode}, expected {status}")
        return result.stderr

    def run_page(self, block):
        """The lines of a page, in a shell that finds this engine under its own name."""
        name = os.path.basename(self.command[0])
        self.write(f"bin/{name}", f"#!/bin/sh\nexec {shutil.which(name)} "
                   f"{' '.join(self.command[1:])} \"$@\"\n")
        os.chmod(self.path("bin", name), 0o755)
        path = f"{self.path('bin')}:{os.environ['PATH']}"
        return self.call(["env", f"PATH={path}", "sh", "-ec", block])

    def start_daemon(self, command, is_ready):
        log = open(self.path("daemon.log"), "a")
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
        self.daemons.append(daemon)
        deadline = time.monotonic() + 60
        while not is_ready():
            expect(daemon.poll() is None, f"{command[0]} has ended")
            expect(time.monotonic() < deadline, f"{command[0]} is not ready")
            select.select([], [], [], 0.1)
        return daemon

    def stop_daemon(self, daemon, number=signal.SIGTERM):
        daemon.send_signal(number)
        daemon.wait(timeout=30)
        self.daemons.remove(daemon)

    def reset(self):
        """Between two cases."""

    def end(self):
        for daemon in list(self.daemons):
            self.stop_daemon(daemon)
        with open("/proc/self/mountinfo") as file:
            points = [line.split()[4] for line in file]
        for point in reversed(points):
            if point.startswith(self.directory):
                subprocess.run(["umount", "-l", point], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


class Page:
    """The blocks of a page in docs/engines, which users copy: the tests use these and no others."""

    used = set()

    def __init__(self, name, runtime):
        self.name, self.runtime = name, runtime

    def block(self, language, index=0):
        """One block, with the product where the page has the installed command."""
        blocks = [(number, text) for number, (kind, text) in enumerate(Page.blocks(self.name))
                  if kind == language]
        expect(len(blocks) > index, f"docs/engines/{self.name}.md has no such block: {language}")
        number, text = blocks[index]
        Page.used.add((self.name, number))
        return text.replace("/usr/local/bin/paravane", self.runtime)

    @staticmethod
    def blocks(name):
        with open(os.path.join(PAGES, f"{name}.md")) as file:
            return re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.M | re.S)

    @staticmethod
    def unused():
        names = sorted(name[:-3] for name in os.listdir(PAGES) if name.endswith(".md"))
        return [f"docs/engines/{name}.md, block {number + 1} ({kind})" for name in names
                for number, (kind, _) in enumerate(Page.blocks(name))
                if (name, number) not in Page.used]


def on_terminal(command, environment, typed, seconds=30):
    """Runs a command on a terminal of 33 rows and 99 columns; its output and its status."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(environment)
        os.execvp(command[0], command)
    subprocess.run(["stty", "rows", "33", "cols", "99"], stdin=terminal, check=True)
    output, deadline = b"", time.monotonic() + seconds
    typed = list(typed)
    while time.monotonic() < deadline:
        if typed and typed[0][0] in output:
            os.write(terminal, typed.pop(0)[1])
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            output += piece
    else:
        os.kill(process, 9)
    os.close(terminal)
    return output.decode(), os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def group_file(member, controller, file):
    """A file of the control group of a process, whatever the version."""
    with open(f"/proc/{member}/cgroup") as groups:
        for line in groups:
            _, controllers, path = line.strip().split(":", 2)
            if controller in controllers.split(","):
                directory = f"/sys/fs/cgroup/{controllers}{path}"
            elif controllers == "" and os.path.exists(f"/sys/fs/cgroup{path}/{file}"):
                directory = f"/sys/fs/cgroup{path}"
            else:
                continue
            if os.path.exists(f"{directory}/{file}"):
                with open(f"{directory}/{file}") as value:
                    return value.read().strip()
    return None


def processes_with(words):
    """The processes that have these words in their command lines, but this one and its parents."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                if words.encode() in file.read().replace(b"\0", b" "):
                    found.append(int(number))
        except OSError:
            pass
    return found


def said_by(port):
    """What a server of the host's address answers."""
    return subprocess.run(["busybox", "nc", "127.0.0.1", str(port)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=20).stdout
