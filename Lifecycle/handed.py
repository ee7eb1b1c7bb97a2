"""What an engine hands over to a container, and what it gets back: files, sockets, terminals."""

import array
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import termios

import host as hosts
from host import Host, case, expect, until, waits_for_answer


# Of Debian 12.
IS_OLD_RUNC = hosts.PRODUCT.endswith("runc")


def listen(path):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen(1)
    server.settimeout(20)
    return server


def received(server):
    """What was said, and the descriptors that came with it."""
    peer, _ = server.accept()
    with peer:
        peer.settimeout(20)
        data, ancillary, _, _ = peer.recvmsg(4096, socket.CMSG_SPACE(16))
    files = array.array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            files.frombytes(content[:len(content) - len(content) % files.itemsize])
    return data, list(files)


def run_with_files(host, files, *arguments, environment=(), status=0):
    """Runs the product with open files from 3 on; what it and its container print."""
    def put_in_place():
        # Not onto each other: first out of the way.
        moved = [fcntl.fcntl(file, fcntl.F_DUPFD, 100) for file in files]
        for number, file in enumerate(moved):
            os.dup2(file, 3 + number)
    result = subprocess.run(
        host.command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=40, close_fds=False, preexec_fn=put_in_place,
        env={**os.environ, **dict(environment)})
    expect(result.returncode == status, f"{arguments[0]}: status {result.returncode}: "
           f"{result.stderr.strip()[-300:]}")
    return result.stdout


def note(host, text):
    """An open file with a text."""
    path = os.path.join(host.scratch, "note")
    with open(path, "w") as file:
        file.write(text)
    return os.open(path, os.O_RDONLY)


def show_files(host, tools=()):
    for tool in ("ls", "stty", "tty", "readlink", *tools):
        os.symlink("busybox", os.path.join(host.bundle, "rootfs", "bin", tool))


@case("handed/preserved-files")
def preserved(host):
    """--preserve-fds: they are the program's from 3 on, and no others are."""
    show_files(host)
    host.configure("sh", "-c", "cat <&3; cat <&4; [ -e /proc/self/fd/5 ] && echo more; true")
    first, second = note(host, "first\n"), note(host, "second\n")
    # Both names are one file by now; each descriptor has a position of its own.
    text = run_with_files(host, [first, second, first], "run", "--bundle", host.bundle,
                          "--preserve-fds", "2", "box")
    expect(text == "second\nsecond\n", repr(text))
    host.configure("sleep", "1000")
    host.start_detached()
    text = run_with_files(host, [note(host, "third\n")], "exec", "--preserve-fds", "1", "box",
                          "sh", "-c", "cat <&3; [ -e /proc/self/fd/4 ] && echo more; true")
    expect(text == "third\n", repr(text))
    for file in (first, second):
        os.close(file)


@case("handed/preserved-files-that-are-not-there")
def preserved_missing(host):
    host.fails("create", "--bundle", host.bundle, "--preserve-fds", "40", "box", words="descriptor")
    host.fails("state", "box", words="does not exist")


@case("handed/listeners")
def listeners(host):
    """LISTEN_FDS, sd_listen_fds(3): the sockets are there, and the program's variables say so."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    show_files(host)
    host.configure("sh", "-c", "echo ${LISTEN_FDS:-none} ${LISTEN_PID:-0} $$ $LISTEN_FDNAMES; "
                   "readlink /proc/self/fd/3; [ -e /proc/self/fd/4 ] && echo more; true")

    def run(owner):
        set_owner = f"{owner} exec \"$@\""
        command = Host.command(host, "run", "--bundle", host.bundle, "box")
        host.command = lambda *arguments: ["sh", "-c", set_owner, "sh", *command]
        try:
            return run_with_files(
                host, [server.fileno()], "run",
                environment={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}.items())
        finally:
            del host.command

    text = run("LISTEN_PID=$$")
    names = "" if hosts.PRODUCT.endswith("runc") else " web"
    expect(text.startswith(f"1 1 1{names}\nsocket:[") and "more" not in text, repr(text))
    # Those of somebody else, who forgot to unset them.
    text = run("LISTEN_PID=1")
    expect(text.startswith("none 0 1") and "socket" not in text, repr(text))
    if not hosts.PRODUCT.endswith("runc"):
        text = run("unset LISTEN_PID;")
        expect(text.startswith("1 1 1 web\nsocket:["), repr(text))


@case("handed/console-socket")
def console(host):
    """The terminal's other side goes to the engine: what it types arrives, its size is seen."""
    show_files(host)
    path = os.path.join(host.scratch, "console")
    with listen(path) as server:
        script = "[ -t 0 ] && echo is one; read x; echo got $x; while read x; do stty size; done"
        host.configure(process={
            "terminal": True, "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"],
            "args": ["sh", "-c", script], "consoleSize": {"height": 11, "width": 22}})
        host.create("--console-socket", path)
        name, (master,) = received(server)
    expect(name.startswith(b"/dev/pts/"), f"its name: {name}")
    host.run("start", "box")
    read_until(master, b"is one")
    os.write(master, b"words\n")
    read_until(master, b"got words")
    os.write(master, b"\n")
    read_until(master, b"11 22")
    # Each change arrives, whatever the other threads of the backend do.
    for rows in range(30, 50):
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 77, 0, 0))
        until_seen(master, f"{rows} 77".encode())
    os.write(master, b"\x04")
    until("its end", host.is_stopped)
    os.close(master)


def read_until(file, words, seconds=20):
    text = b""
    while words not in text:
        expect(select.select([file], [], [], seconds)[0], f"no {words} after {text}")
        text += os.read(file, 4096)
    return text


def until_seen(file, words):
    """Asks until the answer has these words."""
    for _ in range(200):
        os.write(file, b"\n")
        text = b""
        while b"77\r" not in text and b"22\r" not in text:
            expect(select.select([file], [], [], 20)[0], f"no answer: {text}")
            text += os.read(file, 4096)
        if words in text:
            return
    expect(False, f"never {words}")


@case("handed/console-socket-of-exec")
def exec_console(host):
    show_files(host)
    host.start_detached()
    path = os.path.join(host.scratch, "console")
    pid = os.path.join(host.scratch, "pid")
    with listen(path) as server:
        host.run("exec", "--tty", "--detach", "--console-socket", path, "--pid-file", pid, "box",
                 "sh", "-c", "[ -t 0 ] && read line && echo got $line")
        _, (master,) = received(server)
    os.write(master, b"words\n")
    read_until(master, b"got words")
    os.close(master)


@case("handed/pidfd-socket")
def pidfd(host):
    """A pidfd of the container's process, by which its end can be waited for."""
    path = os.path.join(host.scratch, "pidfd")
    with listen(path) as server:
        host.create("--pidfd-socket", path)
        _, (file,) = received(server)
    host.run("start", "box")
    signal.pidfd_send_signal(file, 0)
    expect(not select.select([file], [], [], 0)[0], "it has ended already")
    with open(f"/proc/self/fdinfo/{file}") as information:
        expect(f"Pid:\t{host.state()['pid']}\n" in information.read(), "another process")
    signal.pidfd_send_signal(file, signal.SIGKILL)
    expect(select.select([file], [], [], 20)[0], "no end")
    os.close(file)
    with listen(path + "2") as server:
        host.run("delete", "box")
        host.start_detached()
        host.run("exec", "--detach", "--pidfd-socket", path + "2", "box", "sleep", "1000")
        _, (file,) = received(server)
    signal.pidfd_send_signal(file, signal.SIGKILL)
    expect(select.select([file], [], [], 20)[0], "no end of exec")
    os.close(file)


@case("handed/sockets-that-are-not-there")
def missing_sockets(host):
    """An engine that is gone again: an error, and nothing left of the container."""
    host.configure("sleep", "1000")
    gone = os.path.join(host.scratch, "gone")
    host.fails("create", "--bundle", host.bundle, "--pidfd-socket", gone, "box", words="pidfd")
    host.fails("state", "box", words="does not exist")
    terminal = {"terminal": True, "user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["true"]}
    host.configure("true", process=terminal)
    host.fails("create", "--bundle", host.bundle, "--console-socket", gone, "box", words="terminal")
    host.fails("state", "box", words="does not exist")
    host.fails("create", "--bundle", host.bundle, "box", words="--console-socket")


@case("handed/pid-file")
def pid_file(host):
    """It is there, and whole, when create returns; where it can't be, there is no container."""
    path = os.path.join(host.scratch, "pid")
    host.create("--pid-file", path)
    with open(path) as file:
        expect(int(file.read()) == host.state()["pid"], "the number")
    host.run("delete", "--force", "box")
    host.fails("create", "--bundle", host.bundle, "--pid-file", "/nonexistent/pid", "box",
               words="/nonexistent/pid")
    host.fails("state", "box", words="does not exist")


# Says that it is ready, as sd_notify(3) does, by sendmsg(2) or over a connected socket.
NOTIFY_C = r"""
#include <stdio.h>
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
  int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  for (int index = 1; index < count; index++) {
    struct iovec part = {arguments[index], strlen(arguments[index])};
    struct msghdr message = {.msg_name = &address, .msg_iov = &part, .msg_iovlen = 1,
                             .msg_namelen = sizeof(sa_family_t) + strlen(path)};
    if (index % 2 == 0) {
      int result = connect(file, (struct sockaddr *)&address, message.msg_namelen);
      if (result) return perror("connect"), 1;
      message.msg_name = NULL, message.msg_namelen = 0;
    }
    if (sendmsg(file, &message, MSG_NOSIGNAL) != (ssize_t)part.iov_len) return perror("send"), 1;
  }
  pause();
}
"""


def add_notifier(host):
    source = os.path.join(host.scratch, "notify.c")
    with open(source, "w") as file:
        file.write(NOTIFY_C)
    subprocess.run(["gcc", "-static", "-O1", "-o", os.path.join(
        host.bundle, "rootfs", "bin", "notify"), source], check=True)


class Manager:
    """Who waits for services: its socket, and the product as it is called from there."""

    def __init__(self, host):
        self.host = host
        self.path = os.path.join(host.scratch, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)
        add_notifier(host)

    def call(self, *arguments):
        return subprocess.Popen(
            self.host.command("--log", os.path.join(self.host.scratch, "log"), *arguments),
            env={**os.environ, "NOTIFY_SOCKET": self.path}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ends(self, process, status=0):
        expect(process.wait(20) == status, f"status {process.returncode}, not {status}: "
               f"{self.log()}")

    def log(self):
        with open(os.path.join(self.host.scratch, "log")) as file:
            return file.read()

    def create(self):
        self.ends(self.call("create", "--bundle", self.host.bundle, "box"))

    def hears_nothing(self):
        return not select.select([self.socket], [], [], 0)[0]

    def hears_readiness(self, process=None):
        """Of the container's process, or another one."""
        expect(self.socket.recv(4096) == b"READY=1\n", "no word of readiness")
        process = process or self.host.state()["pid"]
        expect(self.socket.recv(4096) == f"MAINPID={process}\n".encode(), "not its process")


@case("handed/notify-socket")
def notify(host):
    """NOTIFY_SOCKET: `start` waits until the program is ready, and tells who it is."""
    if IS_OLD_RUNC:
        return  # which sends no barrier, and starts first
    manager = Manager(host)
    host.configure("sh", "-c", "while [ ! -e /go ]; do sleep 0.01; done; "
                   "exec notify 'STATUS=warming up' MAINPID=1 READY=1 STATUS=up")
    manager.create()
    start = manager.call("start", "box")
    until("it runs", lambda: host.state()["status"] == "running")
    expect(start.poll() is None and manager.hears_nothing(), "it did not wait")
    # Nobody who does something else waits for that.
    host.run("exec", "box", "true")
    host.run("pause", "box")
    host.run("resume", "box")
    expect(start.poll() is None and manager.hears_nothing(), "it did not wait")
    open(os.path.join(host.bundle, "rootfs", "go"), "w").close()
    manager.hears_readiness()
    data, descriptors, _, _ = socket.recv_fds(manager.socket, 4096, 1)
    expect(data == b"BARRIER=1" and len(descriptors) == 1, f"{data}: {descriptors}")
    until("it waits for the manager", lambda: waits_for_answer(start.pid))
    expect(start.poll() is None, "it did not wait for the manager")
    os.close(descriptors[0])
    manager.ends(start)
    expect(manager.hears_nothing(), "more was said")


@case("handed/notify-socket-ends")
def notify_ends(host):
    """Whoever ends before it is ready is no service; nor is one whose `start` was killed."""
    manager = Manager(host)
    host.configure("sh", "-c", "while [ ! -e /go ]; do sleep 0.01; done; exit 3")
    manager.create()
    start = manager.call("start", "box")
    until("it runs", lambda: host.state()["status"] == "running")
    expect(start.poll() is None, "it did not wait")
    open(os.path.join(host.bundle, "rootfs", "go"), "w").close()
    manager.ends(start)
    until("its end", host.is_stopped)
    host.run("delete", "box")
    host.configure("sleep", "1000")
    manager.create()
    start = manager.call("start", "box")
    until("it runs", lambda: host.state()["status"] == "running")
    start.kill()
    start.wait()
    expect(host.state()["status"] == "running", "it has ended")
    host.run("delete", "--force", "box")
    expect(manager.hears_nothing(), "something was said")


@case("handed/notify-socket-unheard")
def notify_unheard(host):
    """A manager that isn't there is no reason to start, and none that isn't named is waited for."""
    if IS_OLD_RUNC:
        return  # which sends no barrier, and starts first
    manager = Manager(host)
    host.configure("notify", "READY=1")
    manager.create()
    os.rename(manager.path, manager.path + ".gone")
    manager.ends(manager.call("start", "box"), status=1)
    expect("NOTIFY_SOCKET" in manager.log(), manager.log())
    expect(host.state()["status"] == "created", "it was started")
    host.run("start", "box")
    host.run("delete", "--force", "box")
    os.rename(manager.path + ".gone", manager.path)
    # Without one there is no socket for it.
    host.configure("sh", "-c", "[ -z $NOTIFY_SOCKET ] && "
                   "exec env NOTIFY_SOCKET=/run/notify/notify.sock notify x")
    os.symlink("busybox", os.path.join(host.bundle, "rootfs", "bin", "env"))
    host.run("run", "--bundle", host.bundle, "box", status=1)
    expect(manager.hears_nothing(), "something was said")


@case("handed/notify-socket-run")
def notify_run(host):
    """`run` waits when it is detached; otherwise it is the service itself."""
    if IS_OLD_RUNC:
        return  # which sends no barrier, and starts first
    manager = Manager(host)
    host.configure("notify", "READY=1")
    run = manager.call("run", "--detach", "--bundle", host.bundle, "box")
    manager.hears_readiness()
    expect(manager.socket.recv(4096) == b"BARRIER=1", "no barrier")
    manager.ends(run)
    host.run("delete", "--force", "box")
    run = manager.call("run", "--bundle", host.bundle, "box")
    manager.hears_readiness(run.pid)
    host.run("delete", "--force", "box")
    run.wait(20)
    # Its end is no reason to wait.
    host.configure("true")
    manager.ends(manager.call("run", "--bundle", host.bundle, "box"))
    expect(manager.hears_nothing(), "something was said")
