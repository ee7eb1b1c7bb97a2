import OCISpec

/// A config.json to start from: a shell in a root file system beside it.
public enum ExampleSpec {
  private static let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

  public static var json: JSON {
    .members([
      "ociVersion": .string(Features.specificationVersion),
      "process": process,
      "root": .members(["path": .string("rootfs"), "readonly": .bool(true)]),
      "hostname": .string("paravane"),
      "mounts": .list(mounts),
      "linux": .members([
        "resources": .members([
          "devices": .list([.members(["allow": .bool(false), "access": .string("rwm")])])
        ]),
        "namespaces": .list(
          ["pid", "network", "ipc", "uts", "mount", "cgroup"].map {
            .members(["type": .string($0)])
          }),
        "maskedPaths": .texts([
          "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
          "/proc/scsi",
        ]),
        "readonlyPaths": .texts([
          "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
        ]),
      ]),
    ])
  }

  private static var process: JSON {
    .members([
      "terminal": .bool(true),
      "user": .members(["uid": .number(0), "gid": .number(0)]),
      "args": .texts(["sh"]),
      "env": .texts([
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm",
      ]),
      "cwd": .string("/"),
      "capabilities": .members([
        "bounding": .texts(capabilities), "effective": .texts(capabilities),
        "permitted": .texts(capabilities),
      ]),
      "rlimits": .list([
        .members([
          "type": .string("RLIMIT_NOFILE"), "hard": .number(1024), "soft": .number(1024),
        ])
      ]),
      "noNewPrivileges": .bool(true),
    ])
  }

  private static var mounts: [JSON] {
    func mount(
      _ destination: String, _ type: String, _ source: String, _ options: [String] = []
    ) -> JSON {
      var members: [JSON.Member] = [
        JSON.Member(name: "destination", value: .string(destination)),
        JSON.Member(name: "type", value: .string(type)),
        JSON.Member(name: "source", value: .string(source)),
      ]
      if !options.isEmpty {
        members.append(JSON.Member(name: "options", value: .texts(options)))
      }
      return .object(members)
    }
    let quiet = ["nosuid", "noexec", "nodev"]
    return [
      mount("/proc", "proc", "proc"),
      mount(
        "/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
      mount(
        "/dev/pts", "devpts", "devpts",
        ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
      mount("/dev/shm", "tmpfs", "shm", quiet + ["mode=1777", "size=65536k"]),
      mount("/dev/mqueue", "mqueue", "mqueue", quiet),
      mount("/sys", "sysfs", "sysfs", quiet + ["ro"]),
      mount("/sys/fs/cgroup", "cgroup", "cgroup", quiet + ["relatime", "ro"]),
    ]
  }
}
