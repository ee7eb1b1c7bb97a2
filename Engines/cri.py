"""containerd's CRI plugin, which Kubernetes' kubelet would call: pods of a runtime class."""

import json
import os
import re
import uuid

import grpc
import image
import yaml
from containerd import Containerd
from engine import IMAGE, PAGES, PRODUCT, Failure, Page, case, expect, group_file, until
from stream import INPUT, WINDOW, Stream
from wire import Client, decode, part

CREATED, RUNNING, EXITED = 0, 1, 2


class Kubernetes(Containerd):
    """A containerd with the plugin, and what a kubelet says to it."""

    name = "cri"
    pods = f"paravane-pods-{uuid.uuid4().hex}"

    def configuration(self):
        return f"""
version = 2
root = "{self.path('root')}"
state = "{self.path('state')}"
[grpc]
address = "{self.path('socket')}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/paravane-pause:latest"
restrict_oom_score_adj = true
stream_server_port = "0"
""" + self.registration()

    def registration(self):
        """As the page and the package's file have it."""
        page = Page("containerd", PRODUCT).block("toml")
        path = os.path.join(PAGES, "..", "..", "Packaging", "registration", "containerd.toml")
        with open(path) as file:
            package = file.read().replace("@BIN@/paravane", PRODUCT)
        package = re.sub(r"^#.*\n", "", package, flags=re.M)
        expect(page == package, f"the page and the package differ: {page} {package}")
        return page.replace("version = 2", "").replace("/etc/cni/net.d", self.path("networks"))

    def prepare(self):
        self.write("networks/10-pods.conflist", json.dumps({
            "cniVersion": "0.4.0", "name": "pods", "plugins": [{
                "type": "bridge", "bridge": "pods0", "isGateway": True, "ipMasq": False,
                "ipam": {"type": "host-local", "subnet": "10.213.8.0/24",
                         "dataDir": self.path("addresses")}}]}))

    def load(self):
        image.write(self.path("image.tar"))
        self.run("-n", "k8s.io", "image", "import", self.path("image.tar"))
        # The class that pods name says which runtime the plugin takes.
        runtime_class = yaml.safe_load(Page("kubernetes", PRODUCT).block("yaml"))
        expect(runtime_class["kind"] == "RuntimeClass", str(runtime_class))
        self.handler = runtime_class["handler"]

    def start(self):
        super().start()
        self.client = Client(self.path("socket"))
        until("the plugin", self.is_ready)

    def is_ready(self):
        try:
            return self.ask("Status", {}) != {}
        except Failure:
            return False

    def ask(self, method, message):
        try:
            return self.client.call("runtime.v1.RuntimeService", method, message)
        except grpc.RpcError as error:
            raise Failure(f"{method}: {error.details()}") from None

    # What a kubelet does, step by step; the numbers are the fields of cri-api's api.proto.

    def pod(self, name, namespaces=None):
        os.makedirs(self.path("logs", name), exist_ok=True)
        configuration = {
            1: {1: name, 2: f"uid-{name}", 3: "default"}, 2: name, 3: self.path("logs", name),
            6: {1: "app", 2: name}, 8: {1: f"/{self.pods}", 2: {1: namespaces or {}}}}
        answer = self.ask("RunPodSandbox", {1: configuration, 2: self.handler})
        return part(answer, 1).decode(), configuration

    def container(self, pod, name, *command, memory=0, user=None, **more):
        """`more` are fields of ContainerConfig: stdin, stdin_once, tty."""
        identifier, configuration = pod
        # Processes of its own: a kubelet says so for each pod without shareProcessNamespace.
        security = {3: {2: 1}, **({} if user is None else {5: {1: user}})}
        fields = {number: 1 for name, number in (
            ("stdin", 12), ("stdin_once", 13), ("tty", 14)) if more.get(name)}
        answer = self.ask("CreateContainer", {1: identifier, 3: configuration, 2: {
            1: {1: name}, 2: {1: IMAGE}, 3: list(command), 11: f"{name}.log", **fields,
            15: {1: {4: memory} if memory else {}, 2: security}}})
        return part(answer, 1).decode()

    def start_container(self, container):
        self.ask("StartContainer", {1: container})
        return container

    def status(self, container):
        """The state, and the exit code."""
        answer = self.ask("ContainerStatus", {1: container})
        return part(answer, 1, 3, default=0), part(answer, 1, 7, default=0)

    def execute(self, container, *command):
        answer = self.ask("ExecSync", {1: container, 2: list(command), 3: 20})
        return part(answer, 1).decode(), part(answer, 3, default=0)

    def stream(self, method, message, query=""):
        return Stream(part(self.ask(method, message), 1).decode(), query)

    def log(self, name, container):
        with open(self.path("logs", name, f"{container}.log")) as file:
            return file.read()

    def reset(self):
        for pod in self.ask("ListPodSandbox", {}).get(1, []):
            identifier = part(decode(pod), 1).decode()
            self.ask("StopPodSandbox", {1: identifier})
            self.ask("RemovePodSandbox", {1: identifier})

    def end(self):
        self.reset()
        self.client.close()
        # The group that a kubelet would have made for its pods, in every hierarchy.
        for name in ["", *os.listdir("/sys/fs/cgroup")]:
            group = os.path.join("/sys/fs/cgroup", name, self.pods)
            if os.path.isdir(group):
                os.rmdir(group)
        super().end()


@case(Kubernetes, "status")
def status(engine):
    answer = engine.ask("Status", {})
    conditions = [decode(condition) for condition in decode(answer[1][0])[1]]
    ready = {part(condition, 1).decode(): part(condition, 2, default=0) for condition in conditions}
    expect(ready == {"RuntimeReady": 1, "NetworkReady": 1}, str(ready))


@case(Kubernetes, "pod")
def pod(engine):
    """A pod of two containers: each has its own kernel, and all have the pod's network."""
    pod = engine.pod("pair")
    answer = engine.ask("PodSandboxStatus", {1: pod[0]})
    address = part(answer, 1, 5, 1).decode()
    expect(address.startswith("10.213.8."), f"the pod's address: {address}")
    server = engine.container(pod, "server", "sh", "-c",
                              "uname -r; while :; do echo of the pod | nc -l -p 8080; done",
                              memory=64 << 20)
    expect(engine.status(server) == (CREATED, 0), "created")
    engine.start_container(server)
    expect(engine.status(server) == (RUNNING, 0), "running")
    other = engine.start_container(engine.container(pod, "other", "sleep", "1000", user=1000))
    until("the server", lambda: engine.execute(other, "nc", "127.0.0.1", "8080")[0]
          == "of the pod\n")
    output, code = engine.execute(other, "sh", "-c",
                                  "id -u; hostname; ip -4 addr show eth0; exit 5")
    expect(code == 5 and output.startswith("1000\npair\n") and address in output, output)
    expect(re.search(r"stdout F .*paravane", engine.log("pair", "server")), "the log")
    expect(engine.execute(other, "ps")[0].count("nc -l") == 0, "it sees the other's processes")


@case(Kubernetes, "container")
def container(engine):
    """Statistics, other limits, the end by itself, by a stop, and by a kill."""
    pod = engine.pod("single")
    box = engine.start_container(engine.container(pod, "box", "sleep", "1000", memory=64 << 20))
    answer = engine.ask("ContainerStats", {1: box})
    expect(part(answer, 1, 2, 2, 1, default=0) > 0, "CPU time")
    expect(0 < part(answer, 1, 3, 2, 1, default=0) <= 64 << 20, "memory")
    engine.ask("UpdateContainerResources", {1: box, 2: {4: 96 << 20}})
    answer = engine.ask("ContainerStatus", {1: box, 2: 1})
    info = [decode(entry) for entry in answer[2]]
    process = json.loads(part(info[0], 2))["pid"]
    memory = group_file(process, "memory", "memory.limit_in_bytes") or group_file(
        process, "memory", "memory.max")
    expect(memory == str(96 << 20), f"memory {memory}")
    engine.ask("StopContainer", {1: box, 2: 0})
    expect(engine.status(box) == (EXITED, 137), f"stopped: {engine.status(box)}")
    engine.ask("RemoveContainer", {1: box})
    brief = engine.start_container(engine.container(pod, "brief", "sh", "-c", "exit 7"))
    until("its end", lambda: engine.status(brief) == (EXITED, 7))


@case(Kubernetes, "exec-sync")
def exec_sync(engine):
    """kubectl's probes: output, errors and exit code apart, and the end of the time."""
    box = engine.start_container(engine.container(engine.pod("probed"), "box", "sleep", "1000"))
    answer = engine.ask("ExecSync", {1: box, 2: ["sh", "-c", "echo out; echo err >&2; exit 9"]})
    expect((part(answer, 1), part(answer, 2), part(answer, 3)) == (b"out\n", b"err\n", 9),
           str(answer))
    answer = engine.ask("ExecSync", {1: box, 2: ["sh", "-c", "exit 0"], 3: 5})
    expect(part(answer, 3, default=0) == 0, str(answer))
    try:
        engine.ask("ExecSync", {1: box, 2: ["sleep", "1001"], 3: 1})
        raise Failure("it went on beyond its time")
    except Failure as failure:
        expect("timeout" in str(failure), str(failure))
    until("its end", lambda: "sleep 1001" not in engine.execute(box, "ps")[0])
    try:
        engine.ask("ExecSync", {1: box, 2: ["nosuch"], 3: 5})
        raise Failure("there is no such program")
    except Failure as failure:
        expect("executable file not found" in str(failure), str(failure))


@case(Kubernetes, "exec-stream")
def exec_stream(engine):
    """`kubectl exec`: without a terminal, and with one that changes its size."""
    box = engine.start_container(engine.container(engine.pod("streamed"), "box", "sleep", "1000"))
    with engine.stream("Exec", {1: box, 2: ["sh", "-c", "read x; echo got $x; echo e >&2; exit 3"],
                                4: 1, 5: 1, 6: 1}) as stream:
        stream.send(INPUT, b"words\n")
        expect(stream.finish() == ("got words\n", "e\n", 3), str(stream.got))
    with engine.stream("Exec", {1: box, 2: ["sh", "-c", "tty; while read x; do stty size; done"],
                                3: 1, 4: 1, 5: 1}) as stream:
        stream.until(b"/dev/pts/")
        stream.send(WINDOW, b'{"Width":77,"Height":31}')
        while b"31 77" not in stream.got.get(1, b""):
            stream.send(INPUT, b"\n")
            seen = stream.got[1].count(b" 77") + stream.got[1].count(b"\n")
            while stream.got[1].count(b" 77") + stream.got[1].count(b"\n") == seen:
                expect(stream.receive() is not None, f"it has ended: {stream.got}")
        stream.send(INPUT, b"\x04")
        expect(stream.finish()[2] == 0, str(stream.got))


@case(Kubernetes, "attach")
def attach(engine):
    pod = engine.pod("attached")
    script = "while read x; do echo got $x; [ $x = end ] && exit 4; done"
    for terminal in (0, 1):
        box = engine.start_container(engine.container(
            pod, f"box{terminal}", "sh", "-c", script, stdin=True, tty=terminal))
        outputs = {4: 1} if terminal else {4: 1, 5: 1}
        with engine.stream("Attach", {1: box, 2: 1, **({3: 1} if terminal else {}), **outputs}
                           ) as stream:
            stream.send(INPUT, b"one\n")
            stream.until(b"got one")
        with engine.stream("Attach", {1: box, 2: 1, **({3: 1} if terminal else {}), **outputs}
                           ) as stream:
            stream.send(INPUT, b"two\n")
            stream.until(b"got two")
            # What is said last may not get to a stream of containerd's any more, but to the log.
            stream.send(INPUT, b"end\n")
            stream.finish()
        until("its end", lambda: engine.status(box) == (EXITED, 4))
        until("the log", lambda: all(f"got {word}" in engine.log("attached", f"box{terminal}")
                                     for word in ("one", "two", "end")))


@case(Kubernetes, "port-forward")
def port_forward(engine):
    """containerd connects in the pod's network, where the guest's listeners are."""
    pod = engine.pod("forwarded")
    engine.start_container(engine.container(
        pod, "web", "sh", "-c", "while :; do nc -l -p 8080 -e sh -c 'read x; echo you said $x'; "
        "done"))
    box = engine.start_container(engine.container(pod, "box", "sleep", "1000"))
    until("the listener", lambda: ":1F90 " in engine.execute(box, "cat", "/proc/net/tcp")[0]
          or ":1F90 " in engine.execute(box, "cat", "/proc/net/tcp6")[0])
    with engine.stream("PortForward", {1: pod[0], 2: [8080]}, "?port=8080") as stream:
        stream.send(0, b"a word\n")
        got = stream.until(b"\n", channel=0)
        # Two bytes say which port it is.
        expect(got[:2] == (8080).to_bytes(2, "little") and got[2:] == b"you said a word\n",
               str(got))


@case(Kubernetes, "pod-namespaces")
def pod_namespaces(engine):
    """Two containers of a pod: one network, one name, one /dev/shm, and a stop for each and all."""
    pod = engine.pod("shared")
    boxes = [engine.start_container(engine.container(pod, name, "sleep", "1000"))
             for name in ("one", "two")]
    links = []
    for box in boxes:
        answer = engine.ask("ContainerStatus", {1: box, 2: 1})
        info = [decode(entry) for entry in answer[2]]
        process = json.loads(part(info[0], 2))["pid"]
        links.append([os.readlink(f"/proc/{process}/ns/{kind}") for kind in ("net", "uts")])
    expect(links[0] == links[1], str(links))
    engine.execute(boxes[0], "sh", "-c", "echo shared > /dev/shm/note")
    expect(engine.execute(boxes[1], "cat", "/dev/shm/note") == ("shared\n", 0), "/dev/shm")
    engine.ask("StopContainer", {1: boxes[0], 2: 1})
    expect(engine.status(boxes[0]) == (EXITED, 137), "the time limit of a stop")
    expect(engine.status(boxes[1]) == (RUNNING, 0), "the other")
    stats = engine.ask("ListContainerStats", {})
    expect(len(stats.get(1, [])) >= 1, str(stats))
    engine.ask("StopPodSandbox", {1: pod[0]})
    expect(engine.status(boxes[1])[0] == EXITED, "the pod's stop")


@case(Kubernetes, "restart-of-containerd")
def restart(engine):
    pod = engine.pod("lasting")
    box = engine.start_container(engine.container(pod, "box", "sleep", "1000"))
    engine.client.close()
    engine.stop_daemon(engine.daemon)
    engine.start()
    expect(engine.status(box) == (RUNNING, 0), "after the restart")
    expect(engine.execute(box, "echo", "still here") == ("still here\n", 0), "exec")


@case(Kubernetes, "host-users")
def host_users(engine):
    """hostUsers: false. containerd 1.6 doesn't know the wish, and the page says so."""
    mapping = {1: 100000, 2: 0, 3: 65536}
    pod = engine.pod("users", {5: {1: 0, 2: mapping, 3: mapping}})
    box = engine.start_container(engine.container(pod, "box", "sleep", "1000"))
    text, code = engine.execute(box, "cat", "/proc/self/uid_map")
    expect((text.split(), code) == (["0", "0", "4294967295"], 0), text)
