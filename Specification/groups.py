"""config-linux.md, Control groups: where the container is, and its limits, in either version."""

import os

from box import expect, lines, test

IS_UNIFIED = os.path.exists("/sys/fs/cgroup/cgroup.controllers")


@test("config-linux/cgroups-path/absolute")
def absolute(box):
    """In the case of an absolute path (starting with /), the runtime MUST take the path to be
    relative to the cgroups mount point."""
    name = f"/{os.path.basename(box.scratch)}/a/b"
    process = box.begin({"linux.cgroupsPath": name})["pid"]
    paths = {line.split(":", 2)[2] for line in lines(f"/proc/{process}/cgroup")
             if line.split(":")[1] in ("memory", "pids", "")}
    expect(name in paths, str(paths))
    box.run("delete", "--force", "box")
    for top, names, _ in os.walk("/sys/fs/cgroup", topdown=False):
        for found in names:
            if found in ("a", os.path.basename(box.scratch)) and box.scratch[5:] in top + found:
                os.rmdir(os.path.join(top, found))


@test("config-linux/cgroups-path/relative")
def relative(box):
    """In the case of a relative path (not starting with /), the runtime MAY interpret the path
    relative to a runtime-determined location in the cgroups hierarchy."""
    name = os.path.basename(box.scratch)
    process = box.begin({"linux.cgroupsPath": name})["pid"]
    expect(any(line.endswith(f"/{name}") for line in lines(f"/proc/{process}/cgroup")), "elsewhere")


@test("config-linux/cgroups-path/the-same-place")
def consistent(box):
    """The runtime MUST consistently attach to the same place in the cgroups hierarchy given the
    same value of cgroupsPath."""
    found = []
    for _ in range(2):
        process = box.begin()["pid"]
        found.append([line for line in lines(f"/proc/{process}/cgroup")])
        box.run("delete", "--force", "box")
    expect(found[0] == found[1], str(found))


@test("config-linux/cgroups-path/none")
def no_path(box):
    """If the value is not specified, the runtime MAY define the default cgroups path."""
    box.prints("echo fine", "fine\n", {"linux.cgroupsPath": ""})


@test("config-linux/cgroups-path/limits-act-in-all-of-it")
def all_of_it(box):
    """The cgroups will be created if they don't exist: the container's processes are in them."""
    process = box.begin()["pid"]
    members = box.group(process, "pids", "cgroup.procs").split()
    expect(str(process) in members, str(members))


def limit(section, name, resources, controller, old, new=None):
    """A setting, and the file of each version with what it holds then."""
    wanted = [pair for pair in (old, new) if pair]

    @test(f"config-linux/{section}/{name}",
          f"{name} (OPTIONAL) sets what the control group's {wanted[0][0]} holds.")
    def is_set(box):
        process = box.begin({f"linux.resources.{field}": value
                             for field, value in resources.items()})["pid"]
        for file, expected in wanted:
            try:
                text = box.group(process, controller, file)
            except Exception:
                continue
            expect(text == expected, f"{file}: {text} instead of {expected}")
            return
        expect(False, f"no {wanted}")


MIB = 1 << 20
limit("memory", "limit", {"memory.limit": 64 * MIB}, "memory",
      ("memory.limit_in_bytes", str(64 * MIB)), ("memory.max", str(64 * MIB)))
limit("memory", "limit-of--1", {"memory.limit": -1}, "memory",
      ("memory.limit_in_bytes", str((1 << 63) - 4096)), ("memory.max", "max"))
limit("memory", "reservation", {"memory.reservation": 32 * MIB}, "memory",
      ("memory.soft_limit_in_bytes", str(32 * MIB)), ("memory.low", str(32 * MIB)))
limit("memory", "swap", {"memory": {"limit": 64 * MIB, "swap": 96 * MIB}}, "memory",
      ("memory.memsw.limit_in_bytes", str(96 * MIB)), ("memory.swap.max", str(32 * MIB)))
limit("memory", "swappiness", {"memory.swappiness": 17}, "memory", ("memory.swappiness", "17"))
limit("memory", "disableOOMKiller", {"memory.disableOOMKiller": True}, "memory",
      ("memory.oom_control", "oom_kill_disable 1 under_oom 0 oom_kill 0"))
limit("cpu", "shares", {"cpu.shares": 512}, "cpu", ("cpu.shares", "512"), ("cpu.weight", "20"))
limit("cpu", "quota", {"cpu": {"quota": 50000, "period": 200000}}, "cpu",
      ("cpu.cfs_quota_us", "50000"), ("cpu.max", "50000 200000"))
limit("cpu", "period", {"cpu": {"quota": 50000, "period": 200000}}, "cpu",
      ("cpu.cfs_period_us", "200000"), ("cpu.max", "50000 200000"))
limit("cpu", "burst", {"cpu": {"quota": 50000, "period": 200000, "burst": 10000}}, "cpu",
      ("cpu.cfs_burst_us", "10000"), ("cpu.max.burst", "10000"))
limit("cpu", "idle", {"cpu.idle": 1}, "cpu", ("cpu.idle", "1"))
limit("cpu", "cpus", {"cpu.cpus": "0"}, "cpuset", ("cpuset.cpus", "0"))
limit("cpu", "mems", {"cpu.mems": "0"}, "cpuset", ("cpuset.mems", "0"))
limit("pids", "limit", {"pids.limit": 77}, "pids", ("pids.max", "77"))


def whole_disk():
    """A block device that can be limited, by its numbers."""
    for name in sorted(os.listdir("/sys/block")):
        if not name.startswith(("loop", "ram")):
            return [int(word) for word in lines(f"/sys/block/{name}/dev")[0].split(":")]
    return [7, 0]


_MAJOR, _MINOR = whole_disk()
for _name, _file, _key in (
        ("throttleReadBpsDevice", "read_bps_device", "rbps"),
        ("throttleWriteBpsDevice", "write_bps_device", "wbps"),
        ("throttleReadIOPSDevice", "read_iops_device", "riops"),
        ("throttleWriteIOPSDevice", "write_iops_device", "wiops")):
    _all = {key: "max" for key in ("rbps", "wbps", "riops", "wiops")}
    _all[_key] = "1048576"
    limit("block-io", _name,
          {f"blockIO.{_name}": [{"major": _MAJOR, "minor": _MINOR, "rate": MIB}]}, "blkio",
          (f"blkio.throttle.{_file}", f"{_MAJOR}:{_MINOR} {MIB}"),
          ("io.max", f"{_MAJOR}:{_MINOR} " + " ".join(f"{k}={v}" for k, v in _all.items())))


def refused(section, name, text, changes):
    @test(f"config-linux/{section}/{name}", text)
    def is_refused(box):
        box.refuses(changes)


CANNOT = ("If the runtime cannot apply a property as specified in the configuration, it MUST "
          "generate an error.")
refused("memory", "a-limit-that-is-too-small", CANNOT, {"linux.resources.memory": {"limit": 4096}})
refused("memory", "swap-below-the-limit", CANNOT, {
    "linux.resources.memory": {"limit": 64 * MIB, "swap": 32 * MIB}})
refused("cpu", "cpus-that-are-not-there", CANNOT, {"linux.resources.cpu": {"cpus": "4000"}})
refused("cpu", "a-period-that-is-too-long", CANNOT, {
    "linux.resources.cpu": {"quota": 50000, "period": 10_000_000}})
refused("cpu", "a-burst-above-the-quota",
        "burst: if specified, this value MUST be no larger than any positive quota (runtimes MAY "
        "generate an error).", {
            "linux.resources.cpu": {"quota": 50000, "period": 200000, "burst": 60000}})
refused("block-io", "a-device-that-is-not-there", CANNOT, {"linux.resources.blockIO": {
    "throttleReadBpsDevice": [{"major": 4000, "minor": 0, "rate": 1}]}})
refused("huge-page-limits", "a-size-that-is-none",
        "The value must match the hugepagesize of the corresponding control file.",
        {"linux.resources.hugepageLimits": [{"pageSize": "3MB", "limit": 1}]})
refused("network", "without-its-controller", CANNOT, {
    "linux.resources.network": {"classID": 1048577}})
refused("rdma", "without-its-controller", CANNOT, {
    "linux.resources.rdma": {"mlx5_1": {"hcaHandles": 3}}})
refused("unified", "a-controller-that-is-not-there",
        "The OCI runtime MUST generate an error when the configuration refers to a cgroup "
        "controller that is not present or that cannot be enabled.",
        {"linux.resources.unified": {"nosuch.max": "1"}})
refused("pids", "a-limit-that-is-no-number", CANNOT, {"linux.resources.pids": {"limit": "max"}})


@test("config-linux/pids/limit-acts")
def processes(box):
    """limit (int64, REQUIRED) - specifies the maximum number of tasks in the cgroup."""
    box.write({"process.args": ["sh", "-c", "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "
                                "19 20; do sleep 100 & done; echo all"],
               "linux.resources.pids": {"limit": 12}})
    _, text, errors = box.call("run", "--bundle", box.bundle, "box")
    expect("all" not in text, text + errors)


@test("config-linux/memory/limit-acts")
def memory(box):
    """limit (int64, OPTIONAL) - sets limit of memory usage."""
    box.write({"process.args": ["sh", "-c", "dd if=/dev/zero of=/dev/null bs=96M count=1"],
               "linux.resources.memory": {"limit": 32 * MIB, "swap": 32 * MIB}})
    status, text, errors = box.call("run", "--bundle", box.bundle, "box")
    expect(status == 137, f"{status} {text} {errors}")
