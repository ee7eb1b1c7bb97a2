"""Stands between an engine and a runtime: writes each call down and passes it on.

    wrapper.py DIRECTORY RUNTIME ARGUMENT...

One file a call: its arguments, what files they name, the container's state before it, its end.
"""

import json
import os
import stat
import subprocess
import sys
import time

ENVIRONMENT = ("LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET")
# These keep the standard streams for the container's programs.
KEEPING = ("create", "run", "exec")
COMMANDS = (*KEEPING, "start", "state", "kill", "delete", "pause", "resume", "update", "ps", "list",
            "events", "features", "checkpoint", "restore")


def value_of(arguments, *names):
    """What stands behind an option, in either form."""
    for index, word in enumerate(arguments):
        for name in names:
            if word == name and index + 1 < len(arguments):
                return arguments[index + 1]
            if word.startswith(f"{name}="):
                return word[len(name) + 1:]
    return None


def kind(descriptor):
    status = os.fstat(descriptor)
    if stat.S_ISCHR(status.st_mode):
        return "terminal" if os.isatty(descriptor) else "null"
    for name, matches in (("pipe", stat.S_ISFIFO), ("socket", stat.S_ISSOCK),
                          ("file", stat.S_ISREG)):
        if matches(status.st_mode):
            return name
    return "other"


def files(arguments, command):
    """The files that a call names, by the option that does; those that aren't text are left out."""
    found = {}
    bundle = value_of(arguments, "--bundle", "-b")
    if command in ("create", "run"):
        found["--bundle"] = os.path.join(bundle or ".", "config.json")
    for option in ("--process", "-p", "--resources", "-r"):
        path = value_of(arguments, option)
        if path and path != "-" and os.path.isfile(path):
            found[option] = path
    texts = {}
    for option, path in found.items():
        with open(path) as file:
            texts[option] = json.load(file)
    return texts


def mounted(document):
    """What the sources of binds are: they are to be there again."""
    sources = {}
    for mount in document.get("mounts", []):
        path = mount.get("source", "")
        if path.startswith("/") and os.path.exists(path):
            sources[path] = "directory" if os.path.isdir(path) else "file"
    return sources


def main():
    directory, runtime, *arguments = sys.argv[1:]
    command = next((word for word in arguments if word in COMMANDS), arguments[0])
    begin = time.monotonic_ns()
    root = value_of(arguments, "--root")
    known = os.path.join(directory, "containers")
    identifiers = []
    if os.path.exists(known):
        with open(known) as file:
            identifiers = file.read().split()
    identifier = next((word for word in arguments if word in identifiers), None)
    call = {"arguments": arguments, "command": command, "before": None,
            "environment": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            "streams": [kind(number) for number in range(3)], "files": files(arguments, command)}
    prefix = [runtime, *(("--root", root) if root else ())]
    if command in ("create", "run"):
        with open(known, "a") as file:
            file.write(arguments[-1] + "\n")
        call["sources"] = mounted(call["files"]["--bundle"])
    elif identifier:
        state = subprocess.run([*prefix, "state", identifier], capture_output=True, text=True)
        if state.returncode == 0:
            call["before"] = json.loads(state.stdout)["status"]
    options = {"close_fds": False}
    if value_of(arguments, "--resources", "-r") == "-":
        text = sys.stdin.read()
        call["files"]["--resources"] = json.loads(text)
        options.update(input=text, text=True)
    if command not in KEEPING:
        options.update(stdout=subprocess.PIPE, text=True)
    result = subprocess.run([runtime, *arguments], **options)
    if command == "create" and result.returncode == 0:
        with open(value_of(arguments, "--pid-file")) as file:
            call["process"] = int(file.read())
    call["status"], call["output"] = result.returncode, result.stdout or ""
    if call["output"]:
        sys.stdout.write(call["output"])
        sys.stdout.flush()
    with open(os.path.join(directory, f"{begin:020}.json"), "w") as file:
        json.dump(call, file)
    return result.returncode


sys.exit(main())
