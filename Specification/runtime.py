"""runtime.md, runtime-linux.md, bundle.md and features.md: the state, and what operations do."""

import json
import os
import re
import signal
import subprocess

from box import ABSENT, expect, lines, test, until, without

VERSION = re.compile(r"\d+\.\d+\.\d+([-+].+)?")


# ---- The state


@test("runtime/state/oci-version")
def state_version(box):
    """ociVersion (string, REQUIRED) is the version of the specification with which the state
    complies."""
    expect(VERSION.fullmatch(box.begin()["ociVersion"]), "no version")


@test("runtime/state/id")
def state_id(box):
    """id (string, REQUIRED) is the container's ID."""
    expect(box.begin()["id"] == "box", "id")


@test("runtime/state/ids-may-be-used-on-the-same-host")
def state_ids(box):
    """The ID MUST be unique across all containers on this host: two of them are two containers."""
    first = box.begin()
    box.write({"linux.cgroupsPath": f"/{os.path.basename(box.scratch)}-2"})
    box.run("run", "--detach", "--bundle", box.bundle, "other")
    expect(json.loads(box.run("state", "other"))["pid"] != first["pid"], "one process")


@test("runtime/state/status-created")
def state_created(box):
    """created: the runtime has finished the create operation, and the container process has
    neither exited nor executed the user-specified program."""
    box.create()
    expect(box.state()["status"] == "created", str(box.state()))


@test("runtime/state/status-running")
def state_running(box):
    """running: the container process has executed the user-specified program but has not
    exited."""
    expect(box.begin()["status"] == "running", "status")


@test("runtime/state/status-stopped")
def state_stopped(box):
    """stopped: the container process has exited."""
    box.begin({"process.args": ["true"]})
    until("stopped", box.is_stopped)


@test("runtime/state/pid")
def state_pid(box):
    """pid (int, REQUIRED when status is created or running on Linux) is the ID of the container
    process."""
    box.create()
    process = box.state()["pid"]
    expect(process > 1 and os.path.isdir(f"/proc/{process}"), "created")
    box.run("start", "box")
    expect(box.state()["pid"] == process, "another one runs")
    os.kill(process, signal.SIGKILL)
    until("the container's end", box.is_stopped)


@test("runtime/state/bundle")
def state_bundle(box):
    """bundle (string, REQUIRED) is the absolute path to the container's bundle directory."""
    box.run("create", "--bundle", os.path.relpath(box.bundle), "box")
    expect(box.state()["bundle"] == box.bundle, str(box.state()))


@test("runtime/state/annotations")
def state_annotations(box):
    """annotations (map, OPTIONAL) contains the list of annotations associated with the
    container."""
    wanted = {"org.example.one": "1", "org.example.empty": "", "two": "{\"a\": [\"ü\\n\"]}"}
    expect(box.begin({"annotations": wanted})["annotations"] == wanted, str(box.state()))


@test("runtime/state/no-annotations")
def state_without_annotations(box):
    """If no annotations were provided then this property MAY either be absent or an empty map."""
    expect(box.begin({"annotations": ABSENT}).get("annotations", {}) == {}, str(box.state()))


# ---- The lifecycle


@test("runtime/lifecycle/create-runs-no-program")
def create_runs_nothing(box):
    """While the resources requested in config.json MUST be created, the user-specified program MUST
    NOT be run at this time."""
    box.write({"process.args": ["touch", "/mark"]})
    box.create()
    expect(not os.path.exists(box.inside("mark")), "it ran")
    box.run("start", "box")
    until("its end", box.is_stopped)
    expect(os.path.exists(box.inside("mark")), "it did not run")


@test("runtime/lifecycle/later-changes-of-the-configuration")
def later_changes(box):
    """Any updates to config.json after this step MUST NOT affect the container."""
    box.write({"process.args": ["touch", "/first"]})
    box.create()
    box.write({"process.args": ["touch", "/second"]})
    box.run("start", "box")
    until("its end", box.is_stopped)
    expect(os.path.exists(box.inside("first")) and not os.path.exists(box.inside("second")),
           "the later one ran")


@test("runtime/lifecycle/an-environment-that-can-not-be-made")
def unable(box):
    """If the runtime is unable to create the environment specified in the config.json, it MUST
    generate an error."""
    box.refuses({"mounts+": [{"destination": "/x", "type": "bind", "options": ["bind"],
                              "source": box.path("missing")}]})
    box.is_missing()


@test("runtime/lifecycle/delete-undoes-create")
def undone(box):
    """The container MUST be destroyed by undoing the steps performed during create phase."""
    box.begin()
    box.finish()
    box.run("delete", "box")
    until("nothing left", lambda: not box.leftovers())
    with open("/proc/self/mountinfo") as file:
        expect(box.scratch not in file.read(), "a mount is left")


@test("runtime/errors/nothing-changes")
def errors(box):
    """Generating an error MUST leave the state of the environment as if the operation were never
    attempted."""
    box.write({"process.rlimits": [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}]})
    box.error("create", "--bundle", box.bundle, "box")
    until("nothing left", lambda: not box.leftovers())
    box.begin()
    box.error("create", "--bundle", box.bundle, "box")
    expect(box.state()["status"] == "running", str(box.state()))


# ---- Operations


@test("runtime/query-state/no-id")
def state_no_id(box):
    """This operation MUST generate an error if it is not provided the ID of a container."""
    box.error("state")


@test("runtime/query-state/unknown-id")
def state_unknown(box):
    """Attempting to query a container that does not exist MUST generate an error."""
    box.error("state", "box")


@test("runtime/query-state/the-state")
def state_fields(box):
    """This operation MUST return the state of a container as specified in the State section."""
    names = {"ociVersion", "id", "status", "pid", "bundle"}
    expect(names <= set(box.begin()), str(box.state()))


@test("runtime/create/no-id")
def create_no_id(box):
    """This operation MUST generate an error if it is not provided a path to the bundle and the
    container ID to associate with the container."""
    box.error("create", "--bundle", box.bundle)
    box.error("create", "--bundle", box.path("missing"), "box")


@test("runtime/create/an-id-that-is-taken")
def create_taken(box):
    """If the ID provided is not unique across all containers within the scope of the runtime, the
    implementation MUST generate an error and a new container MUST NOT be created."""
    before = box.begin()
    box.write({"process.args": ["touch", "/mark"]})
    box.error("create", "--bundle", box.bundle, "box")
    box.error("run", "--bundle", box.bundle, "box")
    expect(box.state() == before and not os.path.exists(box.inside("mark")), "it changed")


@test("runtime/create/an-id-that-is-not-valid")
def create_invalid(box):
    """If the ID provided is not valid in any other way, the implementation MUST generate an error
    and a new container MUST NOT be created."""
    for name in ("", "..", "a/b", "../box", "a b"):
        box.error("create", "--bundle", box.bundle, name)
    expect(json.loads(box.run("list", "--format", "json")) in (None, []), "there is one")


@test("runtime/create/status")
def create_status(box):
    """Upon successful completion of this operation the status property of this container MUST be
    created."""
    box.create()
    expect(box.state()["status"] == "created", str(box.state()))


@test("runtime/create/all-properties-but-the-process")
def create_properties(box):
    """The runtime MUST apply all of the properties in config.json except process."""
    box.write({"linux.resources.pids": {"limit": 77}, "linux.namespaces": without_network(box)})
    box.create()
    expect(box.group(box.state()["pid"], "pids", "pids.max") == "77", "the limit")


def without_network(box):
    return [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]


@test("runtime/create/a-property-that-can-not-be-applied")
def create_cannot(box):
    """If the runtime cannot apply a property as specified in the configuration, it MUST generate an
    error and a new container MUST NOT be created."""
    box.write({"linux.namespaces": [*without_network(box), {
        "type": "network", "path": box.path("missing")}]})
    box.error("create", "--bundle", box.bundle, "box")
    box.is_missing()


@test("runtime/start/no-id")
def start_no_id(box):
    """This operation MUST generate an error if it is not provided the container ID."""
    box.create()
    box.error("start")
    expect(box.state()["status"] == "created", str(box.state()))


@test("runtime/start/unknown-id")
def start_unknown(box):
    """Attempting to start a container that does not exist MUST generate an error."""
    box.error("start", "box")


@test("runtime/start/a-running-one")
def start_running(box):
    """Attempting to start a container that is not created MUST have no effect on the container and
    MUST generate an error."""
    before = box.begin()
    box.error("start", "box")
    expect(box.state() == before, "it changed")


@test("runtime/start/a-stopped-one")
def start_stopped(box):
    """Attempting to start a container that is not created MUST have no effect on the container and
    MUST generate an error."""
    box.begin({"process.args": ["true"]})
    until("its end", box.is_stopped)
    box.error("start", "box")
    expect(box.is_stopped(), "it changed")


@test("runtime/start/runs-the-program")
def start_runs(box):
    """This operation MUST run the user-specified program as specified by process."""
    box.write({"process.args": ["sh", "-c", "pwd > /mark"], "process.cwd": "/tmp"})
    box.start_detached()
    until("its end", box.is_stopped)
    expect(lines(box.inside("mark")) == ["/tmp"], "another program")


@test("runtime/start/status")
def start_status(box):
    """Upon successful completion of this operation the status property of this container MUST be
    running."""
    expect(box.begin()["status"] == "running", "status")


@test("runtime/start/without-a-process")
def start_without_process(box):
    """This operation MUST generate an error if process was not set."""
    box.refuses({"process": ABSENT})


@test("runtime/kill/no-id")
def kill_no_id(box):
    """This operation MUST generate an error if it is not provided the container ID."""
    box.begin()
    box.error("kill")
    expect(box.state()["status"] == "running", "it ended")


@test("runtime/kill/unknown-id")
def kill_unknown(box):
    """Attempting to send a signal to a container that does not exist MUST generate an error."""
    box.error("kill", "box", "TERM")


@test("runtime/kill/a-stopped-one")
def kill_stopped(box):
    """Attempting to send a signal to a container that is neither created nor running MUST have no
    effect on the container and MUST generate an error."""
    box.begin({"process.args": ["true"]})
    until("its end", box.is_stopped)
    box.error("kill", "box", "KILL")


@test("runtime/kill/a-created-one")
def kill_created(box):
    """This operation MUST send the specified signal to the container process: of a created one,
    too."""
    box.create()
    box.finish()


@test("runtime/kill/the-signal")
def kill_signal(box):
    """This operation MUST send the specified signal to the container process."""
    box.write({"process.args": ["sh", "-c", "trap 'echo got > /mark; exit 0' USR2; touch /up; "
                                "while :; do usleep 10000; done"]})
    box.start_detached()
    until("the trap", lambda: os.path.exists(box.inside("up")))
    box.run("kill", "box", "USR2")
    until("its end", box.is_stopped)
    expect(lines(box.inside("mark")) == ["got"], "another signal")


@test("runtime/kill/by-number")
def kill_number(box):
    """This operation MUST send the specified signal to the container process."""
    box.begin()
    box.run("kill", "box", "9")
    until("its end", box.is_stopped)


@test("runtime/delete/no-id")
def delete_no_id(box):
    """This operation MUST generate an error if it is not provided the container ID."""
    box.error("delete")


@test("runtime/delete/unknown-id")
def delete_unknown(box):
    """Attempting to delete a container that does not exist MUST generate an error."""
    box.error("delete", "box")


@test("runtime/delete/a-running-one")
def delete_running(box):
    """Attempting to delete a container that is not stopped MUST have no effect on the container and
    MUST generate an error."""
    before = box.begin()
    box.error("delete", "box")
    expect(box.state() == before, "it changed")


@test("runtime/delete/a-created-one")
def delete_created(box):
    """Attempting to delete a container that is not stopped MUST have no effect on the container and
    MUST generate an error."""
    box.create()
    box.error("delete", "box")
    expect(box.state()["status"] == "created", str(box.state()))


@test("runtime/delete/the-state-is-gone")
def delete_stopped(box):
    """Deleting a container MUST delete the resources that were created during the create step."""
    process = box.begin()["pid"]
    box.finish()
    box.run("delete", "box")
    box.is_missing()
    # Whoever adopted it may not have waited for it yet.
    until("the end of its process", lambda: not os.path.isdir(f"/proc/{process}")
          or lines(f"/proc/{process}/stat")[0].rsplit(")", 1)[1].split()[0] == "Z")


@test("runtime/delete/what-others-made-stays")
def delete_others(box):
    """Resources associated with the container, but not created by this container, MUST NOT be
    deleted."""
    os.mkdir(box.path("data"))
    with open(box.path("data", "file"), "w") as file:
        file.write("text")
    box.begin({"mounts+": [{"destination": "/data", "type": "none", "options": ["rbind"],
                            "source": box.path("data")}]})
    box.finish()
    box.run("delete", "box")
    expect(lines(box.path("data", "file")) == ["text"], "the volume")
    expect(os.path.exists(box.inside("bin", "sh")), "the bundle")
    expect(os.path.exists(os.path.join(box.bundle, "config.json")), "config.json")


@test("runtime/delete/its-id-is-free")
def delete_again(box):
    """Once a container is deleted its ID MAY be used by a subsequent container."""
    for _ in range(2):
        box.begin()
        box.finish()
        box.run("delete", "box")


# ---- runtime-linux.md


@test("runtime-linux/file-descriptors/only-the-standard-streams")
def descriptors(box):
    """By default, only the stdin, stdout and stderr file descriptors are kept open for the
    application by the runtime."""
    with open("/dev/null") as file:
        # ls(1) has the directory that it reads as its own.
        box.prints("ls /proc/self/fd", "0\n1\n2\n3\n", files=[file.fileno()])


@test("runtime-linux/file-descriptors/additional-ones")
def more_descriptors(box):
    """The runtime MAY pass additional file descriptors to the application to support features such
    as socket activation."""
    reading, writing = os.pipe()
    try:
        box.write({"process.args": ["sh", "-c", "read line <&3; echo $line"]})
        os.write(writing, b"through\n")
        command = box.command("run", "--preserve-fds", "1", "--bundle", box.bundle, "box")
        result = subprocess.run(["sh", "-c", f'exec "$@" 3<&{reading}', "sh", *command], text=True,
                                timeout=40, pass_fds=[reading], capture_output=True)
        status, text, errors = result.returncode, result.stdout, result.stderr
        expect((status, text) == (0, "through\n"), f"{status} {text} {errors}")
    finally:
        os.close(reading)
        os.close(writing)


def symbolic_link(name, target):
    @test(f"runtime-linux/dev-symbolic-links/{name}")
    def link(box):
        """While creating the container, runtimes MUST create the symlinks /dev/fd, /dev/stdin,
        /dev/stdout and /dev/stderr to /proc/self/fd and its 0, 1 and 2 if the source file exists
        after processing mounts."""
        box.prints(f"readlink /dev/{name} || ls -l /dev/{name} | cut -d'>' -f2 | tr -d ' '",
                   f"{target}\n")


for _name, _target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
                       ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")):
    symbolic_link(_name, _target)


# ---- bundle.md and features.md


@test("bundle/container-format/no-configuration")
def no_configuration(box):
    """config.json: this REQUIRED file MUST reside in the root of the bundle directory and MUST be
    named config.json."""
    os.rename(os.path.join(box.bundle, "config.json"), os.path.join(box.bundle, "Config.json"))
    box.error("create", "--bundle", box.bundle, "box")
    box.is_missing()


def features(box):
    return json.loads(box.run("features"))


@test("features/specification-version/the-least")
def features_minimum(box):
    """ociVersionMin (string, REQUIRED): the runtime MUST accept this value as the ociVersion
    property of config.json."""
    box.prints("echo fine", "fine\n", {"ociVersion": features(box)["ociVersionMin"]})


@test("features/specification-version/the-greatest")
def features_maximum(box):
    """ociVersionMax (string, REQUIRED): the runtime MUST accept this value as the ociVersion
    property of config.json."""
    box.prints("echo fine", "fine\n", {"ociVersion": features(box)["ociVersionMax"]})


@test("features/specification-version/order")
def features_order(box):
    """The value of ociVersionMax MUST NOT be less than the value of the ociVersionMin property."""
    document = features(box)
    least, greatest = ([int(word) for word in document[name].split("-")[0].split(".")]
                       for name in ("ociVersionMin", "ociVersionMax"))
    expect(least <= greatest, str(document))


@test("features/hooks/are-supported")
def features_hooks(box):
    """The runtime MUST support the elements in this array as the hooks property of config.json."""
    for kind in features(box)["hooks"]:
        place = "/mark" if kind == "startContainer" else box.path(kind)
        box.prints("echo fine", "fine\n", {"hooks": {kind: [{
            "path": "/bin/sh", "args": ["sh", "-c", f"echo x > {place}"]}]}})
        expect(os.path.exists(box.inside("mark") if place == "/mark" else place), kind)


@test("features/mount-options/are-recognized")
def features_mounts(box):
    """The runtime MUST recognize the elements in this array as the options of mounts objects in
    config.json."""
    os.mkdir(box.path("data"))
    # Of words that contradict each other the last one holds; two need a mount to work on.
    words = [word for word in features(box)["mountOptions"] if word not in ("remount", "idmap",
                                                                            "ridmap")]
    box.prints("echo fine", "fine\n", {"mounts+": [
        {"destination": f"/mounts/{word}", "type": "tmpfs", "source": "x",
         "options": [word] if "bind" not in word or "unbind" in word else []}
        for word in words if word != "tmpcopyup"]})


@test("features/linux-namespaces/are-new")
def features_namespaces(box):
    """namespaces (array of strings, OPTIONAL): recognized names of the namespaces, including
    namespaces that might not be supported by the host operating system: of each there is a new
    one."""
    files = {"network": "net", "mount": "mnt"}
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    for path in (box.scratch, box.bundle, box.inside()):
        os.chmod(path, 0o755)
    for kind in features(box)["linux"]["namespaces"]:
        users = {"linux.uidMappings": mapping, "linux.gidMappings": mapping}
        process = box.begin({"linux.namespaces": without(kind, {"type": kind}),
                             **(users if kind == "user" else {})})["pid"]
        name = files.get(kind, kind)
        expect(os.readlink(f"/proc/{process}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}"),
               kind)
        box.run("delete", "--force", "box")


@test("features/linux-capabilities/are-recognized")
def features_capabilities(box):
    """capabilities (array of strings, OPTIONAL): recognized names of the capabilities."""
    names = features(box)["linux"]["capabilities"]
    text = box.output("grep CapBnd /proc/self/status", {
        "process.capabilities": {kind: names for kind in ("bounding", "effective", "permitted")}})
    least = (1 << 38) - 1
    expect(int(text.split()[1], 16) & least == least, text)


@test("features/linux-seccomp/is-recognized")
def features_seccomp(box):
    """actions, operators, archs, supportedFlags (array of strings, OPTIONAL): the recognized, or
    supported, names of seccomp's properties."""
    document = features(box)["linux"]["seccomp"]
    expect(document["enabled"], "seccomp")
    actions = [name for name in document["actions"] if name != "SCMP_ACT_NOTIFY"]
    box.prints("echo fine", "fine\n", {"linux.seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW", "architectures": document["archs"],
        "flags": [name for name in document.get("supportedFlags", ())
                  if name != "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        "syscalls": [*({"names": ["acct"], "action": action} for action in actions),
                     *({"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [
                         {"index": 0, "value": 1 << 40, "valueTwo": 1 << 40, "op": operator}]}
                       for operator in ("SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_GT",
                                        "SCMP_CMP_GE") if operator in document["operators"])]}})


@test("features/linux-mount-extensions/idmap")
def features_idmap(box):
    """idmap (object, OPTIONAL): enabled (bool, OPTIONAL) - whether mounts can map ids."""
    expect(features(box)["linux"]["mountExtensions"]["idmap"]["enabled"], "not enabled")
    os.mkdir(box.path("data"))
    mapping = [{"containerID": 0, "hostID": 1000, "size": 10}]
    box.prints("stat -c %u:%g /data", "1000:1000\n", {"mounts+": [{
        "destination": "/data", "type": "bind", "source": box.path("data"), "options": [
            "bind", "idmap"], "uidMappings": mapping, "gidMappings": mapping}]})


@test("features/linux-cgroup/versions")
def features_groups(box):
    """v1, v2 (bool, OPTIONAL): whether cgroup v1 and v2 are supported: of a version that this host
    has, the container's group is there."""
    document = features(box)["linux"]["cgroup"]
    process = box.begin()["pid"]
    with open(f"/proc/{process}/cgroup") as file:
        groups = [line.strip().split(":") for line in file]
    name = os.path.basename(box.scratch)
    for version, found in (("v1", [path for _, kind, path in groups if kind]),
                           ("v2", [path for _, kind, path in groups if not kind])):
        # A hybrid tree of v2 without controllers is of no use to runtimes.
        if document[version] and version == "v1":
            expect(not found or any(name in path for path in found), str(groups))
