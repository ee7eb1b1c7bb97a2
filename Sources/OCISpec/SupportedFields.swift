/// The fields that mean something here, as a tree with the shape of config.json.
///
/// A field that is not in it is reported: of the specification but not supported, or of nobody.
indirect enum SupportedFields: Sendable {
  /// The value is not looked into.
  case all
  case object([String: SupportedFields])
  case list(SupportedFields)

  static let process = SupportedFields.object([
    "terminal": .all, "args": .all, "env": .all, "cwd": .all, "noNewPrivileges": .all,
    "consoleSize": .all, "oomScoreAdj": .all, "scheduler": .all, "ioPriority": .all,
    "execCPUAffinity": .object(["initial": .all, "final": .all]),
    "user": .object([
      "uid": .all, "gid": .all, "umask": .all, "additionalGids": .all, "username": .all,
    ]),
    "capabilities": .all,
    "rlimits": .list(.object(["type": .all, "soft": .all, "hard": .all])),
  ])

  private static let mappings = SupportedFields.list(
    .object(["containerID": .all, "hostID": .all, "size": .all]))
  private static let offset = SupportedFields.object(["secs": .all, "nanosecs": .all])

  static let config = SupportedFields.object([
    "ociVersion": .all,
    "root": .object(["path": .all, "readonly": .all]),
    "mounts": .list(
      .object([
        "destination": .all, "type": .all, "source": .all, "options": .all,
        "uidMappings": mappings, "gidMappings": mappings,
      ])),
    "process": process,
    "hostname": .all,
    "domainname": .all,
    "annotations": .all,
    "hooks": .object([
      "prestart": .all, "createRuntime": .all, "createContainer": .all, "startContainer": .all,
      "poststart": .all, "poststop": .all,
    ]),
    "linux": .object([
      "cgroupsPath": .all, "sysctl": .all, "devices": .all, "personality": .all,
      "rootfsPropagation": .all, "uidMappings": mappings, "gidMappings": mappings,
      "timeOffsets": .object(["monotonic": offset, "boottime": offset]),
      // A guest kernel is a set of namespaces already. `Bundle` reports what can't be joined.
      "namespaces": .list(.object(["type": .all, "path": .all])),
      "resources": .object([
        // The guest kernel has its own devices and reaches none of the host's.
        "devices": .all,
        "memory": .object([
          "limit": .all, "reservation": .all, "swap": .all, "swappiness": .all,
          "disableOOMKiller": .all,
        ]),
        "cpu": .object([
          "shares": .all, "quota": .all, "period": .all, "burst": .all, "idle": .all, "cpus": .all,
          "mems": .all, "realtimeRuntime": .all, "realtimePeriod": .all,
        ]),
        "network": .object(["classID": .all, "priorities": .all]),
        "rdma": .all,
        "pids": .object(["limit": .all]),
        "blockIO": .object([
          "weight": .all, "throttleReadBpsDevice": .all, "throttleWriteBpsDevice": .all,
          "throttleReadIOPSDevice": .all, "throttleWriteIOPSDevice": .all,
        ]),
        "hugepageLimits": .all,
        "unified": .all,
      ]),
      // The files of the host that these protect are not in the guest's /proc and /sys.
      "maskedPaths": .all,
      "readonlyPaths": .all,
      "seccomp": .object([
        "defaultAction": .all, "defaultErrnoRet": .all, "architectures": .all, "flags": .all,
        "listenerPath": .all, "listenerMetadata": .all,
        "syscalls": .list(
          .object([
            "names": .all, "action": .all, "errnoRet": .all,
            "args": .list(.object(["index": .all, "value": .all, "valueTwo": .all, "op": .all])),
          ])),
      ]),
    ]),
  ])

  /// Whether a field that is not in the tree may not be passed over: without it the container would
  /// be another one, and not just one with less protection of a kind that it doesn't need.
  static func isIndispensable(_ name: String) -> Bool {
    ["linux.intelRdt", "linux.netDevices", "linux.memoryPolicy"]
      .contains { name == $0 || name.hasPrefix("\($0).") }
  }

  /// The names of the fields that are not in the tree and have a value that says something.
  func missing(in json: JSON, at path: String = "") -> [String] {
    switch (self, json) {
    case (.list(let element), .list(let values)):
      values.enumerated().flatMap { index, value in
        element.missing(in: value, at: "\(path)[\(index)]")
      }
    case (.object(let fields), .object(let members)):
      members.flatMap { member in
        let name = path.isEmpty ? member.name : "\(path).\(member.name)"
        if let field = fields[member.name] { return field.missing(in: member.value, at: name) }
        return member.value.isEmpty ? [] : [name]
      }
    case (.all, _), (.list, _), (.object, _): []
    }
  }
}
