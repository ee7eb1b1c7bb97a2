"""Records how engines call their runtime, into calls/: podman, containerd and Docker, on runc.

    record.py [PATTERN]

What is of this machine becomes a variable: $ENGINE a directory of the engine's own, $ROOT the
runtime's, $CONSOLE a socket, $HEX0$ and so on the containers' long names, $PROCESS0$ the process
that call 0 has made.
"""

import fnmatch
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CALLS = os.path.join(HERE, "calls")
SCRATCH = tempfile.mkdtemp(prefix="paravane-record-")
LOG = os.path.join(SCRATCH, "log")
WRAPPER = os.path.join(SCRATCH, "runtime")

os.makedirs(LOG)
with open(WRAPPER, "w") as file:
    file.write(f"#!/bin/sh\nexec python3 {HERE}/wrapper.py {LOG} {shutil.which('runc')} \"$@\"\n")
os.chmod(WRAPPER, 0o755)
os.environ["PARAVANE"] = WRAPPER
sys.path.append(os.path.join(HERE, "..", "Engines"))

from engines import IMAGE, Containerd, Docker, Podman, on_terminal  # noqa: E402

NONE = ("--network", "none")
LASTING = ("sleep", "1000")
SCENARIOS = {}


def scenario(engine, name, input=None):
    def add(function):
        SCENARIOS[f"{engine.name}-{name}"] = (engine, function, input)
        return function
    return add


for _engine in (Podman, Docker):
    @scenario(_engine, "run")
    def run(engine):
        engine.run("run", "--rm", *NONE, IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7",
                   status=7)

    @scenario(_engine, "run-with-input", input="through\n")
    def run_input(engine):
        engine.run("run", "--rm", "-i", *NONE, IMAGE, "cat", input="through\n")

    @scenario(_engine, "run-missing-program")
    def missing(engine):
        engine.run("run", "--rm", *NONE, IMAGE, "nosuch", status=127)

    @scenario(_engine, "run-as-a-user")
    def user(engine):
        engine.run("run", "--rm", *NONE, "--user", "1000:1000", "--cap-drop", "all", "-w", "/tmp",
                   "-e", "A=b", "--read-only", "--hostname", "box", IMAGE, "sh", "-c",
                   "id; pwd; echo $A; hostname; touch /x; grep ^Cap /proc/self/status", status=0)

    @scenario(_engine, "run-with-limits")
    def limits(engine):
        engine.run("run", "--rm", *NONE, "--memory", "64m", "--cpus", "0.5", "--pids-limit", "77",
                   IMAGE, "true")

    @scenario(_engine, "run-on-a-terminal")
    def terminal(engine):
        on_terminal([*engine.command, "run", "--rm", "-t", *NONE, IMAGE, "sh", "-c",
                     "tty; echo done"], engine.environment, [])

    @scenario(_engine, "run-detached-and-exec")
    def detached(engine):
        engine.run("run", "-d", "--name", "web", *NONE, IMAGE, *LASTING)
        engine.run("exec", "--user", "1000", "-w", "/tmp", "-e", "A=b", "web", "sh", "-c",
                   "id -u; pwd; echo $A; exit 4", status=4)
        engine.run("exec", "web", "nosuch", status=None)
        engine.run("kill", "web")
        engine.run("wait", "web")
        engine.run("rm", "web")

    @scenario(_engine, "exec-on-a-terminal")
    def exec_terminal(engine):
        engine.run("run", "-d", "--name", "web", *NONE, IMAGE, *LASTING)
        on_terminal([*engine.command, "exec", "-t", "web", "sh", "-c", "tty; exit 3"],
                    engine.environment, [])
        engine.run("rm", "-f", "web")

    @scenario(_engine, "stop")
    def stop(engine):
        engine.run("run", "-d", "--name", "deaf", *NONE, IMAGE, *LASTING)
        engine.run("stop", "-t", "1", "deaf")
        engine.run("rm", "deaf")

    @scenario(_engine, "restart")
    def restart(engine):
        engine.run("run", "-d", "--name", "again", *NONE, IMAGE, *LASTING)
        engine.run("restart", "-t", "0", "again")
        engine.run("rm", "-f", "again")

    @scenario(_engine, "pause")
    def pause(engine):
        engine.run("run", "-d", "--name", "frozen", *NONE, IMAGE, *LASTING)
        engine.run("pause", "frozen")
        engine.run("unpause", "frozen")
        engine.run("exec", "frozen", "true")
        engine.run("rm", "-f", "frozen")

    @scenario(_engine, "top")
    def top(engine):
        engine.run("run", "-d", "--name", "web", *NONE, IMAGE, *LASTING)
        engine.run("top", "web")
        engine.run("rm", "-f", "web")

    @scenario(_engine, "update")
    def update(engine):
        engine.run("run", "-d", "--name", "small", *NONE, "--memory", "64m", IMAGE, *LASTING)
        engine.run("update", "--memory", "96m", "--memory-swap", "-1", "small", status=None)
        engine.run("rm", "-f", "small")


@scenario(Podman, "build")
def podman_build(engine):
    engine.write("Containerfile", f"FROM {IMAGE}\nRUN echo built > /built && id -u\n")
    engine.run("build", "-q", "--network", "none", "--isolation", "oci", "--runtime", WRAPPER,
               "-t", "localhost/built", engine.directory, limit=120)


@scenario(Podman, "pod")
def podman_pod(engine):
    engine.run("pod", "create", "--name", "two", "--network", "none")
    engine.run("run", "--pod", "two", "--name", "one", IMAGE, "echo", "in the pod")
    engine.run("pod", "rm", "-f", "two")


@scenario(Containerd, "run")
def containerd_run(engine):
    engine.run("run", "--rm", *engine.runtime, IMAGE, "one", "sh", "-c", "echo out; exit 3",
               status=3)


@scenario(Containerd, "run-missing-program")
def containerd_missing(engine):
    engine.errors("run", "--rm", *engine.runtime, IMAGE, "none", "nosuch", status=1)


@scenario(Containerd, "run-on-a-terminal")
def containerd_terminal(engine):
    on_terminal([*engine.command, "run", "--rm", "-t", *engine.runtime, IMAGE, "term", "sh", "-c",
                 "tty; exit 3"], {}, [])


@scenario(Containerd, "task")
def containerd_task(engine):
    engine.run("run", "-d", *engine.runtime, IMAGE, "task", *LASTING)
    engine.run("task", "exec", "--exec-id", "x", "task", "sh", "-c", "id -u; exit 5", status=5)
    engine.run("task", "ps", "task")
    engine.run("task", "pause", "task")
    engine.run("task", "resume", "task")
    engine.run("task", "kill", "-s", "9", "task")
    subprocess.run([*engine.command, "task", "wait", "task"], capture_output=True)
    engine.run("task", "delete", "task", status=None)
    engine.run("container", "rm", "task")


@scenario(Containerd, "kill-all")
def containerd_kill_all(engine):
    engine.run("run", "-d", *engine.runtime, IMAGE, "task", *LASTING)
    engine.run("task", "kill", "--all", "-s", "9", "task")
    engine.run("task", "delete", "task", status=None)
    engine.run("container", "rm", "task")


# ---- What was written down


def collected():
    calls = []
    for path in sorted(glob.glob(os.path.join(LOG, "*.json"))):
        with open(path) as file:
            call = json.load(file)
        os.unlink(path)
        # How often somebody asks depends on the machine.
        if calls and call["command"] == "state" and calls[-1]["command"] == "state" \
                and calls[-1]["output"] == call["output"]:
            continue
        calls.append(call)
    if os.path.exists(os.path.join(LOG, "containers")):
        os.unlink(os.path.join(LOG, "containers"))
    return calls


def without_machine(calls, engine):
    """The text of the calls with variables for what is of this machine."""
    for call in calls:
        for document in call["files"].values():
            hooks = document.get("hooks") or {}
            for kind in hooks:
                # Programs of the engine, which isn't there when the calls are made again.
                hooks[kind] = [{"path": "/bin/true", "args": ["true"]} for _ in hooks[kind] or []]
            if document.get("hostname") == os.uname().nodename:
                document["hostname"] = "host"
    processes = [(number, call.pop("process")) for number, call in enumerate(calls)
                 if "process" in call]
    text = json.dumps(calls)
    for number, process in processes:
        # Its namespaces, for those who join them.
        text = text.replace(f"/proc/{process}/", f"/proc/$PROCESS{number}$/")
    for option, variable in (("--root", "$ROOT"), ("--console-socket", "$CONSOLE")):
        for value in re.findall(rf'"{option}", "([^"]+)"', text):
            text = text.replace(f'"{option}", "{value}"', f'"{option}", "{variable}"')
    text = text.replace(engine.directory, "$ENGINE").replace(SCRATCH, "$ENGINE")
    for number, name in enumerate(dict.fromkeys(re.findall(r"\b[0-9a-f]{64}\b", text))):
        text = text.replace(name, f"$HEX{number}$").replace(name[:12], f"$SHORT{number}$")
    calls = json.loads(text)
    for call in calls:
        # Files of the moment, which stand in /tmp or /run.
        call["arguments"] = [re.sub(r"(^|=)/(run|tmp|var)/.*", r"\1$ENGINE/outside", word)
                             for word in call["arguments"]]
    return calls


def shared_profile(calls, name):
    """The profile of an engine is long and the same in all of its calls."""
    for call in calls:
        for document in call["files"].values():
            profile = (document.get("linux") or {}).get("seccomp")
            if profile:
                with open(os.path.join(CALLS, f"{name}.seccomp.json"), "w") as file:
                    json.dump(profile, file, separators=(",", ":"), sort_keys=True)
                    file.write("\n")
                document["linux"]["seccomp"] = "$SECCOMP"


def record(name):
    kind, function, input = SCENARIOS[name]
    engine = kind()
    # Where buildah makes bundles.
    engine.environment = {**engine.environment, "TMPDIR": engine.directory}
    try:
        collected()
        function(engine)
        calls = without_machine(collected(), engine)
    finally:
        engine.end()
        collected()
    shared_profile(calls, kind.name)
    with open(os.path.join(CALLS, f"{name}.json"), "w") as file:
        lines = ",\n".join(json.dumps(call, separators=(",", ":")) for call in calls)
        file.write(f'{{"input":{json.dumps(input)},"calls":[\n{lines}\n]}}\n')
    print(f"{name}: {', '.join(call['command'] for call in calls)}", flush=True)


def main():
    patterns = sys.argv[1:] or ["*"]
    os.makedirs(CALLS, exist_ok=True)
    try:
        for name in SCENARIOS:
            if any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
                try:
                    record(name)
                except Exception as error:
                    print(f"{name}: not recorded: {error}", flush=True)
    finally:
        shutil.rmtree(SCRATCH)


main()
