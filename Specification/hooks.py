"""config.md, POSIX-platform Hooks, and the steps of runtime.md's Lifecycle that they take."""

import json
import os
import time

from box import expect, lines, test, until

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
HOST_KINDS = ("prestart", "createRuntime", "poststart", "poststop")


def hook(script, **more):
    """A hook that reads the state, whether it wants it or not: crun dies where nobody does."""
    return {"path": "/bin/sh", "args": ["sh", "-c", f"state=$(cat); {script}"], **more}


def place(box, kind, name="note"):
    """Where a hook of a kind can write: the path as it sees it, and as we do."""
    if kind == "startContainer":
        return f"/{name}", box.inside(name)
    return box.path(name), box.path(name)


def noted(box, kind, script, changes=(), **more):
    """What a hook of a kind writes on descriptor 1 in the life of a container."""
    its, ours = place(box, kind)
    box.write({"process.args": ["true"], "hooks": {kind: [
        hook(f"exec >> {its}; {script}", **more)]}, **dict(changes)})
    box.start_detached()
    until("its end", box.is_stopped)
    box.run("delete", "box")
    with open(ours) as file:
        return file.read()


# ---- Their order


@test("runtime/lifecycle/hooks-in-their-order")
def order(box):
    """The prestart, createRuntime and createContainer hooks MUST be invoked by create, in this
    order, startContainer and poststart hooks by start, poststop hooks by delete."""
    names = {}
    for kind in KINDS:
        its, names[kind] = place(box, kind, f"note-{kind}")
    box.write({"hooks": {kind: [hook(f"echo x > {place(box, kind, f'note-{kind}')[0]}")]
                         for kind in KINDS}})

    def there():
        return [kind for kind in KINDS if os.path.exists(names[kind])]
    box.create()
    expect(there() == list(KINDS[:3]), f"after create: {there()}")
    times = [os.stat(names[kind]).st_mtime_ns for kind in KINDS[:3]]
    expect(times == sorted(times), "in another order")
    box.run("start", "box")
    expect(there() == list(KINDS[:5]), f"after start: {there()}")
    times = [os.stat(names[kind]).st_mtime_ns for kind in KINDS[:5]]
    expect(times == sorted(times), "in another order")
    box.finish()
    box.run("delete", "box")
    expect(there() == list(KINDS), f"after delete: {there()}")


def listed_order(kind):
    @test(f"config/hooks/{kind}-in-the-listed-order")
    def ordered(box):
        """Hooks MUST be called in the listed order."""
        its, ours = place(box, kind)
        box.write({"process.args": ["true"], "hooks": {kind: [
            hook(f"echo {number} >> {its}") for number in range(4)]}})
        box.start_detached()
        until("its end", box.is_stopped)
        box.run("delete", "box")
        expect(lines(ours) == ["0", "1", "2", "3"], str(lines(ours)))


def state_on_input(kind):
    @test(f"config/hooks/{kind}-gets-the-state")
    def given(box):
        """The state of the container MUST be passed to hooks over stdin."""
        state = json.loads(noted(box, kind, 'echo "$state"', {"annotations": {"org.example": "x"}}))
        expect(state["id"] == "box" and state["bundle"] == box.bundle, str(state))
        expect(state.get("annotations") == {"org.example": "x"}, str(state))
        expected = {"poststart": ("running", "stopped"), "poststop": ("stopped",),
                    "startContainer": ("created",)}.get(kind, ("creating", "created"))
        expect(state["status"] in expected, str(state))
        # An ID as seen by the hook.
        if kind == "startContainer":
            expect(state["pid"] == 1, str(state))
        elif kind != "createContainer" and state["status"] != "stopped":
            expect(state["pid"] > 1, str(state))


def arguments_and_environment(kind):
    @test(f"config/hooks/{kind}-args-and-env")
    def given(box):
        """args with the same semantics as execv's argv, env with the same semantics as
        environ."""
        its, ours = place(box, kind)
        script = f'cat > /dev/null; exec > {its}; echo "$0|$1|$2"; echo "$A|$B"'
        box.write({"process.args": ["true"], "hooks": {kind: [
            {"path": "/bin/sh", "args": ["sh", "-c", script, "zero", "a b", ""],
             "env": ["A=x=y", "B="]}]}})
        box.start_detached()
        until("its end", box.is_stopped)
        box.run("delete", "box")
        expect(lines(ours) == ["zero|a b|", "x=y|"], str(lines(ours)))


def absolute_path(kind):
    @test(f"config/hooks/{kind}-path-relative")
    def refused(box):
        """This specification extends the IEEE standard in that path MUST be absolute."""
        box.refuses({"hooks": {kind: [{"path": "bin/sh"}]}})


def positive_timeout(kind):
    @test(f"config/hooks/{kind}-timeout-of-zero")
    def refused(box):
        """If set, timeout MUST be greater than zero."""
        box.refuses({"hooks": {kind: [hook("true", timeout=0)]}})


for _kind in KINDS:
    listed_order(_kind)
    state_on_input(_kind)
    arguments_and_environment(_kind)
    absolute_path(_kind)
positive_timeout("prestart")


@test("config/hooks/timeout-aborts")
def timeout(box):
    """timeout (int, OPTIONAL) is the number of seconds before aborting the hook."""
    begin = time.monotonic()
    box.refuses({"hooks": {"prestart": [hook("exec sleep 30", timeout=1)]}})
    expect(time.monotonic() - begin < 20, "not aborted")


# ---- Their namespaces


def runtime_namespace(kind):
    @test(f"config/hooks/{kind}-in-the-runtime-namespace")
    def outside(box):
        """The path MUST resolve in the runtime namespace, and the hooks MUST be executed in the
        runtime namespace."""
        kinds = ("net", "uts", "ipc", "pid")
        text = noted(box, kind, "for n in net uts ipc pid; do readlink /proc/self/ns/$n; done")
        expect(text.split() == [os.readlink(f"/proc/self/ns/{name}") for name in kinds], text)


for _kind in HOST_KINDS:
    runtime_namespace(_kind)


@test("config/hooks/createContainer-in-the-container-namespace")
def create_container(box):
    """createContainer: the path MUST resolve in the runtime namespace, and the hooks MUST be
    executed in the container namespace."""
    text = noted(box, "createContainer",
                 "for n in net uts ipc mnt; do readlink /proc/self/ns/$n; done")
    for name, found in zip(("net", "uts", "ipc", "mnt"), text.split()):
        expect(found != os.readlink(f"/proc/self/ns/{name}"), f"{name} is the host's")


@test("config/hooks/createContainer-before-pivot-root")
def create_container_root(box):
    """The createContainer hooks MUST be called after the mount namespace is created and the mounts
    are set up, before the pivot_root operation has been executed."""
    os.makedirs(box.inside("data"), exist_ok=True)
    noted(box, "createContainer", f"ls {box.path()}; touch {box.inside('data', 'mark')}",
          {"mounts+": [{"destination": "/data", "type": "tmpfs", "source": "tmpfs"}]})
    expect(not os.path.exists(box.inside("data", "mark")), "the mount was not there")


@test("config/hooks/startContainer-in-the-container-namespace")
def start_container(box):
    """startContainer: the path MUST resolve in the container namespace, and the hooks MUST be
    executed in the container namespace."""
    with open(box.inside("bin", "special"), "w") as file:
        file.write("#!/bin/sh\ncat > /dev/null\n{ hostname; cat /proc/mounts; } > /note\n")
    os.chmod(box.inside("bin", "special"), 0o755)
    box.write({"hostname": "dalloway", "process.args": ["true"],
               "hooks": {"startContainer": [{"path": "/bin/special"}]}})
    box.start_detached()
    until("the hook's note", lambda: os.path.exists(box.inside("note")) and len(
        lines(box.inside("note"))) > 3, seconds=5)
    found = lines(box.inside("note"))
    expect(found[0] == "dalloway" and any(" /dev/shm " in line for line in found), str(found))


@test("config/hooks/startContainer-before-the-program")
def start_container_before(box):
    """The startContainer hooks MUST be called before the user-specified process is executed as
    part of the start operation."""
    box.write({"process.args": ["sh", "-c", "cat /note > /seen"],
               "hooks": {"startContainer": [hook("echo first > /note")]}})
    box.create()
    expect(not os.path.exists(box.inside("note")), "in create")
    box.run("start", "box")
    until("its end", box.is_stopped)
    expect(lines(box.inside("seen")) == ["first"], "later")


@test("config/hooks/prestart-sees-the-namespaces")
def prestart_namespaces(box):
    """The prestart hooks MUST be called after the runtime environment has been created but before
    the pivot_root or any equivalent operation has been executed."""
    text = noted(box, "prestart", """
        pid=${state#*'"pid":'}; pid=${pid%%[,\\}]*}
        readlink /proc/$((pid))/ns/net""")
    expect(text.startswith("net:["), text)
    expect(text.strip() != os.readlink("/proc/self/ns/net"), "the host's")


@test("config/hooks/poststart-after-the-program")
def poststart(box):
    """The poststart hooks MUST be called after the user-specified process is executed but before
    the start operation returns."""
    os.mkfifo(box.inside("pipe"))
    box.write({"process.args": ["sh", "-c", "echo begun > /pipe; sleep 1000"],
               "hooks": {"poststart": [hook(
                   f"read -r word < {box.inside('pipe')}; echo $word > {box.path('note')}",
                   timeout=3)]}})
    box.start_detached()
    expect(lines(box.path("note")) == ["begun"], "not before the end of start")


@test("config/hooks/poststop-after-the-deletion")
def poststop(box):
    """The poststop hooks MUST be called after the container is deleted but before the delete
    operation returns."""
    box.write({"hooks": {"poststop": [hook(
        f"find /sys/fs/cgroup -name {os.path.basename(box.scratch)} > {box.path('note')}")]}})
    box.start_detached()
    box.finish()
    expect(not os.path.exists(box.path("note")), "before delete")
    box.run("delete", "box")
    expect(lines(box.path("note")) == [], "its control groups are there")


# ---- Their failure


def failing(kind):
    level = "start" if kind in ("startContainer", "poststart") else "create"

    @test(f"runtime/lifecycle/a-failing-{kind}-hook",
          f"If any {kind} hook fails, the runtime MUST generate an error, stop the container, and "
          "continue the lifecycle at step 12: the container is destroyed, and the poststop hooks "
          "are invoked.")
    def fails(box):
        box.write({"hooks": {kind: [hook("exit 3")]}})
        if level == "start":
            box.create()
            process = box.state()["pid"]
            box.error("start", "box")
            until("its end", lambda: box.call("state", "box")[0] != 0 or box.is_stopped())
            expect(not os.path.exists(f"/proc/{process}/exe"), "it runs")
        else:
            box.error("create", "--bundle", box.bundle, "box")
            box.is_missing()
            until("nothing left", lambda: not box.leftovers())


for _kind in KINDS[:5]:
    failing(_kind)


@test("runtime/lifecycle/poststop-hooks-after-a-failing-create")
def poststop_after_failure(box):
    """If any createRuntime hook fails, the runtime MUST continue the lifecycle at step 12: the
    poststop hooks MUST be invoked."""
    box.write({"hooks": {"createRuntime": [hook("exit 3")],
                         "poststop": [hook(f"echo x > {box.path('note')}")]}})
    box.error("create", "--bundle", box.bundle, "box")
    until("the hook's note", lambda: os.path.exists(box.path("note")), seconds=2)


@test("runtime/lifecycle/a-failing-poststop-hook")
def failing_poststop(box):
    """If any poststop hook fails, the runtime MUST log a warning, but the remaining hooks and
    lifecycle continue as if the hook had succeeded."""
    box.write({"hooks": {"poststop": [hook("exit 3"), hook(f"echo x > {box.path('note')}")]}})
    box.start_detached()
    box.finish()
    status, text, errors = box.call("delete", "box")
    expect(status == 0, errors)
    expect(os.path.exists(box.path("note")), "the second one did not run")
    expect("hook" in text + errors or "level=warning" in errors, "no warning")
    box.is_missing()


@test("runtime/lifecycle/a-hook-that-is-not-there")
def missing_hook(box):
    """If any createRuntime hook fails, the runtime MUST generate an error: one whose program is not
    there, too."""
    box.refuses({"hooks": {"createRuntime": [{"path": "/nowhere/hook"}]}})
