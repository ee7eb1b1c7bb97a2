"""What the host says of the processes of a running sandbox."""

import os
import re
import shutil
import subprocess
import time

from harness import IMAGE_BASE, IMAGE_LIMIT, direct_calls, guests

NAMESPACES = ("ipc", "mnt", "net", "pid", "uts")
DOORBELL = "syscall_0x7a7a"
# The host kernel's own way to go on with a call that a stop, as by strace, has interrupted.
RESUMED = "restart_syscall"


def status_fields(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def check_process(pid):
    problems = []
    fields = status_fields(pid)
    for name, expected in (("Seccomp", "2"), ("NoNewPrivs", "1")):
        if fields.get(name, "").strip() != expected:
            problems.append(f"process {pid}: {name} is {fields.get(name)}, not {expected}")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        if int(fields.get(name, "1").strip(), 16):
            problems.append(f"process {pid}: {name} is {fields[name].strip()}")
    for name in NAMESPACES:
        if os.readlink(f"/proc/{pid}/ns/{name}") == os.readlink(f"/proc/self/ns/{name}"):
            problems.append(f"process {pid} is in the host's {name} namespace")
    with open(f"/proc/{pid}/net/dev") as file:
        devices = [line.split(":")[0].strip() for line in file if ":" in line]
    if devices != ["lo"]:
        problems.append(f"process {pid} sees network devices {devices}")
    return problems + check_mounts(pid)


def check_mounts(pid):
    problems = []
    with open(f"/proc/{pid}/mountinfo") as file:
        for line in file:
            before, after = line.split(" - ", 1)
            place, options = before.split()[4:6]
            kind = after.split()[0]
            if kind in ("proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "mqueue"):
                problems.append(f"process {pid} has a host {kind} at {place}")
            if "nodev" not in options.split(","):
                problems.append(f"process {pid}: device nodes work at {place} ({kind})")
            if "nosuid" not in options.split(","):
                problems.append(f"process {pid}: set-user-id works at {place} ({kind})")
    return problems


def check_confinement(root):
    """Every guest process below the command `root`."""
    deadline = time.monotonic() + 5
    while not guests(root) and time.monotonic() < deadline:
        time.sleep(0.05)
    found = guests(root)
    if not found:
        return ["no process of the sandbox has the kernel image"], ""
    problems = []
    for pid in found:
        try:
            problems += check_process(pid)
        except OSError:
            continue  # It ended meanwhile; the canary forks all the time.
    return problems, f"{len(found)} processes looked at"


WORKLOAD = r"""
until [ -e /work/go ]; do sleep 0.05; done
cd /work
for i in 1 2 3 4 5; do echo line $i; done | sort -r | tee list | wc -l
mkdir -p tree/a/b; touch tree/a/b/c; mv tree/a/b/c tree/d; ln -s d tree/e; rm -r tree
grep -r root /etc/passwd; ls -l /usr/bin | tail -2; head -c 100000 /dev/zero | md5sum
trap 'echo trapped' USR1; kill -USR1 $$; (sleep 0.2 & wait)
dd if=/dev/zero of=large bs=4096 count=200 2>/dev/null; cp large copy; cmp large copy; rm copy
if [ -x /usr/bin/python3 ]; then /usr/bin/python3 - <<'END'
import os, select, signal, socket, sqlite3, subprocess, threading, time
threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
a, b = socket.socketpair(); a.send(b"x"); select.select([b], [], [], 1); b.recv(1)
subprocess.run(["/bin/true"]); os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
signal.setitimer(signal.ITIMER_REAL, 0.01); signal.signal(signal.SIGALRM, lambda *_: 0)
time.sleep(0.05); d = sqlite3.connect("/work/data"); d.execute("create table t(x)")
d.executemany("insert into t values(?)", [(i,) for i in range(100)]); d.commit()
END
fi
echo finished
"""


def attach(pid, output):
    return subprocess.Popen(
        ["strace", "-f", "-i", "-qq", "-s", "16", "-o", output, "-p", str(pid)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def is_traced(pid):
    try:
        return status_fields(pid).get("TracerPid", "0").strip() != "0"
    except OSError:
        return True


def attach_all(root, directory, tracers):
    for pid in guests(root):
        if pid not in tracers and not is_traced(pid):
            tracers[pid] = attach(pid, os.path.join(directory, f"trace-{pid}"))
    return all(is_traced(pid) for pid in guests(root))


CALL = re.compile(r"^\d+ +\[([0-9a-f?]+)\] (\w+)\(")


def read_traces(directory):
    """Each host call by name, with how often, and those that did not come from the kernel."""
    counts, problems = {}, set()
    for name in os.listdir(directory):
        if not name.startswith("trace-"):
            continue
        with open(os.path.join(directory, name), errors="replace") as file:
            for line in file:
                match = CALL.match(line)
                if not match or match[2] == "resumed":
                    continue
                counts[match[2]] = counts.get(match[2], 0) + 1
                address = int(match[1], 16) if "?" not in match[1] else IMAGE_BASE
                if not IMAGE_BASE <= address < IMAGE_LIMIT:
                    problems.add(f"{match[2]} from {address:#x}, outside the kernel")
    return counts, problems


def check_trace(host, start):
    """Runs the mixed workload under strace; `start(script)` gives process, volume, directory."""
    if not shutil.which("strace"):
        return ["this test needs strace"], ""
    process, volume, directory = start(WORKLOAD)
    tracers = {}
    deadline = time.monotonic() + 20
    while not (guests(process.pid) and attach_all(process.pid, directory, tracers)):
        if time.monotonic() > deadline or process.poll() is not None:
            break
        time.sleep(0.05)
    with open(os.path.join(volume, "go"), "w"):
        pass
    result = host.finish(process, directory, 90)
    for tracer in tracers.values():
        try:
            tracer.wait(10)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()
    counts, problems = read_traces(directory)
    allowed = set(direct_calls().values()) | {DOORBELL, RESUMED}
    problems |= {f"{name} ({counts[name]} times) is not on the list"
                 for name in set(counts) - allowed}
    if "finished" not in result.output:
        problems.add(f"the workload did not finish: {result.describe()}")
    if sum(counts.values()) < 100:
        problems.add(f"the trace holds {sum(counts.values())} calls only")
    return sorted(problems), f"{sum(counts.values())} calls, {len(counts)} different"
