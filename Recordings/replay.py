"""Makes the recorded calls of engines again, on the product and on runc, and compares.

    replay.py [--list] [PATTERN]

PARAVANE names the product. Each call is made when the container is in the state that it was in when
the engine made it. Compared are the statuses, what commands and programs print, and how programs
end; and runc must answer as it did when the calls were recorded (record.py).
"""

import array
import ctypes
import fnmatch
import glob
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "Lifecycle"), os.path.join(HERE, "..", "Engines")]

import image  # noqa: E402
from host import PRODUCT, Failure, expect, until  # noqa: E402

CALLS = os.path.join(HERE, "calls")
# By these engines tell errors apart.
PHRASES = ("executable file not found", "does not exist", "container not running",
           "no such process", "permission denied")
PR_SET_CHILD_SUBREAPER = 36


class Console:
    """A socket that gets a terminal, and what is written there."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen()
        self.socket.settimeout(20)
        self.output = b""
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        try:
            connection, _ = self.socket.accept()
            with connection:
                _, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
            terminal = array.array("i", ancillary[0][2])[0]
        except (OSError, IndexError):
            return
        try:
            while piece := os.read(terminal, 4096):
                self.output += piece
        except OSError:
            pass  # The other side is closed.
        os.close(terminal)

    def end(self):
        self.socket.close()
        self.thread.join(20)
        return self.output.decode()


class Replay:
    """A recording on one runtime, in directories of its own."""

    def __init__(self, name, recording, runtime, rootfs):
        self.scratch = tempfile.mkdtemp(prefix="paravane-replay-")
        self.runtime, self.rootfs = runtime, rootfs
        self.root = os.path.join(self.scratch, "root")
        self.input = recording["input"]
        self.ends, self.outputs, self.consoles, self.processes = {}, [], {}, {}
        text = json.dumps(recording["calls"])
        profile = os.path.join(CALLS, f"{name.split('-')[0]}.seccomp.json")
        if os.path.exists(profile):
            with open(profile) as file:
                text = text.replace('"$SECCOMP"', file.read().strip())
        for number in range(20):
            long = hashlib.sha256(f"{self.scratch}{number}".encode()).hexdigest()
            text = text.replace(f"$HEX{number}$", long).replace(f"$SHORT{number}$", long[:12])
        text = text.replace("$ENGINE", os.path.join(self.scratch, "engine"))
        self.calls = json.loads(text.replace("$ROOT", self.root))

    def run(self):
        """What became of each call."""
        return [self.make(number, call) for number, call in enumerate(self.calls)]

    def make(self, number, call):
        text = json.dumps(call)
        for creation, process in self.processes.items():
            text = text.replace(f"$PROCESS{creation}$", str(process))
        call = json.loads(text)
        command, arguments = call["command"], list(call["arguments"])
        for index, word in enumerate(arguments):
            if word == "$CONSOLE":
                arguments[index] = os.path.join(self.scratch, f"tty{number}")
                self.consoles[number] = Console(arguments[index])
            elif word.startswith(self.scratch):
                os.makedirs(os.path.dirname(word), exist_ok=True)
        self.prepare(call, arguments)
        if call["before"]:
            until(f"{call['before']} before call {number}, {command}",
                  lambda: self.status(arguments) == call["before"])
        status, output, errors = self.call(call, arguments)
        result = {"command": command, "status": status}
        expect((status == 0) == (call["status"] == 0),
               f"call {number}, {command}: status {status}, {call['status']} when it was recorded: "
               f"{(errors + self.logged(arguments)).strip()[-300:]}")
        if status != 0:
            text = output + errors + self.logged(arguments)
            result["phrases"] = [phrase for phrase in PHRASES if phrase in text]
        elif command not in ("create", "exec"):
            result["output"] = self.compared(command, output)
        if command in ("create", "exec") and status == 0:
            process = self.process(arguments)
            if command == "exec":
                result["end"] = self.end_of(process)
            else:
                self.processes[number] = process
        return result

    def prepare(self, call, arguments):
        for option, document in call["files"].items():
            if option == "--bundle":
                self.make_bundle(arguments[arguments.index("--bundle") + 1], document)
                continue
            for index, word in enumerate(arguments):
                path = arguments[index + 1] if word == option else word.partition("=")[2]
                if word.split("=")[0] == option and path != "-":
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with open(path, "w") as file:
                        json.dump(document, file)
        for path, kind in call.get("sources", {}).items():
            if path.startswith(self.scratch):
                os.makedirs(path if kind == "directory" else os.path.dirname(path), exist_ok=True)
                if kind == "file":
                    with open(path, "w"):
                        pass

    def make_bundle(self, bundle, document):
        root = os.path.join(bundle, document["root"]["path"])
        expect(root.startswith(self.scratch), f"the root is not in the recording: {root}")
        if not os.path.exists(root):
            os.makedirs(os.path.dirname(root), exist_ok=True)
            subprocess.run(["cp", "-a", self.rootfs, root], check=True)
        os.makedirs(bundle, exist_ok=True)
        with open(os.path.join(bundle, "config.json"), "w") as file:
            json.dump(document, file)

    def call(self, call, arguments):
        """What a program prints goes on after the call, so it goes to files."""
        files = [tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")]
        options = {"stdin": subprocess.DEVNULL}
        if call["command"] == "create" and self.input is not None:
            options["stdin"] = tempfile.TemporaryFile("w+")
            options["stdin"].write(self.input)
            options["stdin"].seek(0)
        if "-" in arguments or "--resources=-" in arguments:
            options = {"input": json.dumps(call["files"]["--resources"])}
        result = subprocess.run(
            [self.runtime, *arguments], stdout=files[0], stderr=files[1], text=True, timeout=40,
            env={**os.environ, **call["environment"]}, **options)
        if call["command"] in ("create", "exec") and result.returncode == 0:
            self.outputs.append(files)
        return result.returncode, *map(text_of, files)

    def status(self, arguments):
        """Of the container that a call is about."""
        self.reap()
        names = [call["arguments"][-1] for call in self.calls if call["command"] == "create"]
        name = next(word for word in arguments if word in names)
        result = subprocess.run([self.runtime, *root_of(arguments), "state", name],
                                capture_output=True, text=True)
        return json.loads(result.stdout)["status"] if result.returncode == 0 else None

    def process(self, arguments):
        with open(arguments[arguments.index("--pid-file") + 1]) as file:
            return int(file.read())

    def reap(self):
        for process in self.processes.values():
            if process not in self.ends:
                found, status = os.waitpid(process, os.WNOHANG)
                if found:
                    self.ends[process] = os.waitstatus_to_exitcode(status)

    def end_of(self, process):
        """How a program ended: as conmon and the shims do, we are who waits for it."""
        ended = []

        def has_ended():
            found, status = os.waitpid(process, os.WNOHANG)
            if found:
                ended.append(os.waitstatus_to_exitcode(status))
            return found
        until("the end of a program", has_ended)
        return ended[0]

    def logged(self, arguments):
        if "--log" not in arguments:
            return ""
        path = arguments[arguments.index("--log") + 1]
        if not os.path.exists(path):
            return ""
        with open(path) as file:
            return file.read()

    @staticmethod
    def compared(command, output):
        if command == "state":
            state = json.loads(output)
            return {name: state.get(name) for name in ("status", "annotations")}
        if command == "ps":
            numbers = json.loads(output)
            return bool(numbers) and all(isinstance(number, int) for number in numbers)
        return output

    def finish(self):
        """How the containers ended, and what their programs printed."""
        until("the end of the containers", lambda: self.reap() or all(
            process in self.ends for process in self.processes.values()))
        return {"ends": [self.ends[process] for process in self.processes.values()],
                "outputs": [[text_of(file) for file in files] for files in self.outputs],
                "terminals": [console.end() for console in self.consoles.values()],
                "left": self.left()}

    def left(self):
        found = []
        for directory, names, _ in os.walk(self.root):
            found += [name for name in names if os.path.exists(
                os.path.join(directory, name, "state.json"))]
        return found

    def end(self):
        for call in self.calls:
            if call["command"] == "create":
                subprocess.run([self.runtime, *root_of(call["arguments"]), "delete", "--force",
                                call["arguments"][-1]], capture_output=True)
        for console in self.consoles.values():
            console.socket.close()
        try:
            self.reap()
        except ChildProcessError:
            pass
        shutil.rmtree(self.scratch, ignore_errors=True)


def root_of(arguments):
    """The option of a call; buildah has none."""
    if "--root" not in arguments:
        return []
    return ["--root", arguments[arguments.index("--root") + 1]]


def text_of(file):
    file.seek(0)
    return file.read()


def replayed(name, recording, runtime, rootfs):
    replay = Replay(name, recording, runtime, rootfs)
    try:
        return replay.run(), replay.finish()
    finally:
        replay.end()


def check(name, rootfs):
    with open(os.path.join(CALLS, f"{name}.json")) as file:
        recording = json.load(file)
    theirs = replayed(name, recording, shutil.which("runc"), rootfs)
    ours = replayed(name, recording, PRODUCT, rootfs)
    expect(ours == theirs, f"\n     ours: {ours}\n     runc's: {theirs}")


def main():
    patterns = [word for word in sys.argv[1:] if not word.startswith("--")] or ["*"]
    names = sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(CALLS, "*.json"))
                   if not path.endswith(".seccomp.json"))
    names = [name for name in names if any(fnmatch.fnmatch(name, word) for word in patterns)]
    if "--list" in sys.argv:
        print("\n".join(names))
        return 0
    # What a runtime leaves running becomes our child, and we hear how it ends.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="paravane-root-") as rootfs:
        os.chmod(rootfs, 0o755)
        with tarfile.open(fileobj=io.BytesIO(image.layer())) as archive:
            archive.extractall(rootfs)
        for name in names:
            begin = time.monotonic()
            try:
                check(name, rootfs)
                print(f"PASS {name} ({time.monotonic() - begin:.1f} s)", flush=True)
            except (Failure, subprocess.SubprocessError, OSError, ValueError, LookupError) as error:
                failed += 1
                print(f"FAIL {name}\n     {type(error).__name__}: {error}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed or not names else 0


sys.exit(main())
