extension Spec {
  /// Reads the text of a config.json and checks its form. Also returns the names of the fields that
  /// have no effect: `process.apparmorProfile`.
  public static func read(
    _ text: [UInt8]
  ) throws(SpecError) -> (spec: Spec, unsupported: [String]) {
    let json = try JSONParser.parse(text)
    let spec = try Spec(SpecField(json))
    try spec.validate()
    let unsupported = SupportedFields.config.missing(in: json)
    if let name = unsupported.first(where: SupportedFields.isIndispensable) {
      throw SpecError(name, "is not supported")
    }
    return (spec, unsupported)
  }

  init(_ field: SpecField) throws(SpecError) {
    ociVersion = try field["ociVersion"].text()
    root = try field["root"].object { field throws(SpecError) in try Root(field) }
    mounts = try field["mounts"].list { field throws(SpecError) in try Mount(field) }
    process = try field["process"].object { field throws(SpecError) in try Process(field) }
    hostname = try field["hostname"].text()
    domainname = try field["domainname"].text()
    linux = try field["linux"].object { field throws(SpecError) in try Linux(field) }
    hooks =
      try field["hooks"].object { field throws(SpecError) in try Hooks(field) } ?? Hooks()
    annotations = try field["annotations"].pairs()
  }
}

extension Spec.Root {
  init(_ field: SpecField) throws(SpecError) {
    path = try field["path"].text()
    readonly = try field["readonly"].truth()
  }
}

extension Spec.Mount {
  init(_ field: SpecField) throws(SpecError) {
    destination = try field["destination"].text()
    type = try field["type"].text()
    source = try field["source"].text()
    options = try field["options"].texts()
    uidMappings = try Spec.IDMapping.list(field["uidMappings"])
    gidMappings = try Spec.IDMapping.list(field["gidMappings"])
  }
}

extension Spec.Process {
  init(_ field: SpecField) throws(SpecError) {
    terminal = try field["terminal"].truth()
    user = try field["user"].object { field throws(SpecError) in try Spec.User(field) }
    args = try field["args"].texts()
    env = try field["env"].texts()
    cwd = try field["cwd"].text()
    capabilities = try field["capabilities"].object { field throws(SpecError) in
      try Spec.Capabilities(field)
    }
    rlimits = try field["rlimits"].list { field throws(SpecError) in
      try Spec.ResourceLimit(field)
    }
    noNewPrivileges = try field["noNewPrivileges"].truth()
    consoleSize = try field["consoleSize"].object { field throws(SpecError) in
      Spec.ConsoleSize(
        height: try field["height"].integer() ?? 0, width: try field["width"].integer() ?? 0)
    }
    oomScoreAdj = try field["oomScoreAdj"].integer()
    scheduler = try field["scheduler"].object { field throws(SpecError) in
      try Spec.Scheduler(field)
    }
    ioPriority = try field["ioPriority"].object { field throws(SpecError) in
      try Spec.InputOutputPriority(field)
    }
    execCPUAffinity = try field["execCPUAffinity"].object { field throws(SpecError) in
      Spec.ProcessorAffinity(
        initial: try Spec.ProcessorAffinity.list(field["initial"]),
        final: try Spec.ProcessorAffinity.list(field["final"]))
    }
  }

  /// Reads the text of a process alone, as `exec --process` gets it, and checks its form. Also
  /// returns the names of the fields that have no effect.
  public static func read(
    _ text: [UInt8]
  ) throws(SpecError) -> (process: Spec.Process, unsupported: [String]) {
    let json = try JSONParser.parse(text)
    let process = try Spec.Process(SpecField(path: "process", json))
    try process.validate()
    return (process, SupportedFields.process.missing(in: json, at: "process"))
  }
}

extension Spec.User {
  init(_ field: SpecField) throws(SpecError) {
    uid = try field["uid"].integer()
    gid = try field["gid"].integer()
    umask = try field["umask"].integer()
    additionalGids = try field["additionalGids"].list { field throws(SpecError) in
      try field.integer(UInt32.self)
    }
  }
}

extension Spec.Capabilities {
  init(_ field: SpecField) throws(SpecError) {
    bounding = try field["bounding"].texts()
    effective = try field["effective"].texts()
    inheritable = try field["inheritable"].texts()
    permitted = try field["permitted"].texts()
    ambient = try field["ambient"].texts()
  }
}

extension Spec.ResourceLimit {
  init(_ field: SpecField) throws(SpecError) {
    type = try field["type"].text()
    soft = try field["soft"].integer()
    hard = try field["hard"].integer()
  }
}

extension Spec.Linux {
  init(_ field: SpecField) throws(SpecError) {
    cgroupsPath = try field["cgroupsPath"].text()
    resources = try field["resources"].object { field throws(SpecError) in
      try Spec.Resources(field)
    }
    namespaces = try field["namespaces"].list { field throws(SpecError) in
      guard let type = try field["type"].text() else {
        throw SpecError("\(field.path).type", "is missing")
      }
      let path = try field["path"].text()
      return Spec.Namespace(type: type, path: path == "" ? nil : path)
    }
    maskedPaths = try field["maskedPaths"].texts()
    readonlyPaths = try field["readonlyPaths"].texts()
    sysctl = try field["sysctl"].pairs()
    devices = try field["devices"].list { field throws(SpecError) in try Spec.Device(field) }
    personality = try field["personality"].object { field throws(SpecError) in
      try Spec.Personality(field)
    }
    let propagation = try field["rootfsPropagation"]
    rootfsPropagation =
      try propagation.text() == "" ? nil : propagation.word(Spec.MountPropagation.self)
    seccomp = try field["seccomp"].object { field throws(SpecError) in try Spec.Seccomp(field) }
    uidMappings = try Spec.IDMapping.list(field["uidMappings"])
    gidMappings = try Spec.IDMapping.list(field["gidMappings"])
    timeOffsets = try field["timeOffsets"].object { field throws(SpecError) in
      Spec.TimeOffsets(
        monotonic: try Spec.TimeOffsets.offset(field["monotonic"]),
        boottime: try Spec.TimeOffsets.offset(field["boottime"]))
    }
  }
}

extension Spec.IDMapping {
  fileprivate static func list(_ field: SpecField) throws(SpecError) -> [Spec.IDMapping]? {
    try field.list { field throws(SpecError) in
      for name in ["containerID", "hostID", "size"] {
        if try field[name].isMissing { throw SpecError("\(field.path).\(name)", "is missing") }
      }
      return Spec.IDMapping(
        containerID: try field["containerID"].integer() ?? 0,
        hostID: try field["hostID"].integer() ?? 0, size: try field["size"].integer() ?? 0)
    }
  }
}

extension Spec.TimeOffsets {
  fileprivate static func offset(_ field: SpecField) throws(SpecError) -> Offset? {
    try field.object { field throws(SpecError) in
      let nanoseconds: UInt32 = try field["nanosecs"].integer() ?? 0
      guard nanoseconds < 1_000_000_000 else {
        throw SpecError("\(field.path).nanosecs", "must be less than a second")
      }
      return Offset(secs: try field["secs"].integer() ?? 0, nanosecs: nanoseconds)
    }
  }
}

extension Spec.Device {
  init(_ field: SpecField) throws(SpecError) {
    guard let type = try field["type"].text() else {
      throw SpecError("\(field.path).type", "is missing")
    }
    guard ["c", "u", "b", "p"].contains(type) else {
      throw SpecError("\(field.path).type", "'\(type)' is not c, u, b or p")
    }
    guard let path = try field["path"].text(), path.hasPrefix("/") else {
      throw SpecError("\(field.path).path", "must be an absolute path")
    }
    for name in ["major", "minor"] where type != "p" {
      if try field[name].isMissing { throw SpecError("\(field.path).\(name)", "is missing") }
    }
    self.init(
      type: type, path: path, major: try field["major"].integer() ?? 0,
      minor: try field["minor"].integer() ?? 0, fileMode: try field["fileMode"].integer(),
      uid: try field["uid"].integer(), gid: try field["gid"].integer())
  }
}

extension Spec.Personality {
  init(_ field: SpecField) throws(SpecError) {
    guard let domain = try field["domain"].word(Domain.self) else {
      throw SpecError("\(field.path).domain", "is missing")
    }
    // The specification lists none.
    if let flag = try field["flags"].texts()?.first {
      throw SpecError("\(field.path).flags", "'\(flag)' is not supported")
    }
    self.init(domain: domain)
  }
}

extension Spec.Scheduler {
  init(_ field: SpecField) throws(SpecError) {
    guard let policy = try field["policy"].word(Policy.self) else {
      throw SpecError("\(field.path).policy", "is missing")
    }
    for name in ["flags", "runtime", "deadline", "period"] {
      let isSet =
        try name == "flags"
        ? !(field[name].texts() ?? []).isEmpty : (field[name].integer(UInt64.self) ?? 0) != 0
      if isSet { throw SpecError("\(field.path).\(name)", "is not supported") }
    }
    let nice: Int32 = try field["nice"].integer() ?? 0
    guard (-20...19).contains(nice) else {
      throw SpecError("\(field.path).nice", "must be -20 to 19")
    }
    self.init(policy: policy, nice: nice, priority: try field["priority"].integer() ?? 0)
  }
}

extension Spec.ProcessorAffinity {
  /// As many processors as the wire has room for.
  static let limit = 1024

  /// "0-3,7"; cpuset(7), List format.
  fileprivate static func list(_ field: SpecField) throws(SpecError) -> [Int]? {
    guard let text = try field.text(), !text.isEmpty else { return nil }
    var processors: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { word in
        word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(word) : nil
      }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first <= last, last < limit
      else { throw SpecError(field.path, "'\(text)' is not a list of processors") }
      processors += first...last
    }
    return processors
  }
}

extension Spec.InputOutputPriority {
  init(_ field: SpecField) throws(SpecError) {
    guard let kind = try field["class"].word(Class.self) else {
      throw SpecError("\(field.path).class", "is missing")
    }
    let priority: Int32 = try field["priority"].integer() ?? 0
    guard (0...7).contains(priority) else {
      throw SpecError("\(field.path).priority", "must be 0 to 7")
    }
    self.init(class: kind, priority: priority)
  }
}

extension Spec.Resources {
  /// Reads the text of resources alone, as `update --resources` gets it.
  public static func read(_ text: [UInt8]) throws(SpecError) -> Spec.Resources {
    try Spec.Resources(SpecField(path: "resources", try JSONParser.parse(text)))
  }

  init(_ field: SpecField) throws(SpecError) {
    try Spec.Resources.refuseUnsupported(field)
    let memory = try field["memory"]
    memoryLimit = try memory["limit"].integer()
    memoryReservation = try memory["reservation"].integer()
    memorySwap = try memory["swap"].integer()
    memorySwappiness = try memory["swappiness"].integer()
    disablesOutOfMemoryKiller = try memory["disableOOMKiller"].truth()
    let cpu = try field["cpu"]
    cpuShares = try cpu["shares"].integer()
    cpuQuota = try cpu["quota"].integer()
    cpuPeriod = try cpu["period"].integer()
    cpuBurst = try cpu["burst"].integer()
    cpuIdle = try cpu["idle"].integer()
    cpus = try cpu["cpus"].text()
    mems = try cpu["mems"].text()
    processLimit = try field["pids"]["limit"].integer()
    blockWeight = try field["blockIO"]["weight"].integer()
    for kind in Spec.BlockThrottle.Kind.allCases {
      blockThrottles +=
        try field["blockIO"][kind.rawValue].list { field throws(SpecError) in
          Spec.BlockThrottle(
            kind: kind, major: try field["major"].integer() ?? 0,
            minor: try field["minor"].integer() ?? 0, rate: try field["rate"].integer() ?? 0)
        } ?? []
    }
    hugePageLimits =
      try field["hugepageLimits"].list { field throws(SpecError) in
        Spec.HugePageLimit(
          pageSize: try field["pageSize"].text() ?? "", limit: try field["limit"].integer() ?? 0)
      } ?? []
    unified = try field["unified"].pairs()
  }
}

extension Spec.Resources {
  /// "If the runtime cannot apply a property as specified in the configuration, it MUST generate an
  /// error" (OCI runtime specification, Create). Zero is what engines write for nothing.
  fileprivate static func refuseUnsupported(_ field: SpecField) throws(SpecError) {
    for name in ["realtimeRuntime", "realtimePeriod"] {
      let value = try field["cpu"][name]
      if try value.integer(Int64.self) ?? 0 != 0 { throw SpecError(value.path, "is not supported") }
    }
    let network = try field["network"]
    if try network["classID"].integer(UInt32.self) ?? 0 != 0 {
      throw SpecError("\(network.path).classID", "is not supported")
    }
    for field in [try network["priorities"], try field["rdma"]] where field.hasContent {
      throw SpecError(field.path, "is not supported")
    }
  }
}

extension Spec.Hooks {
  init(_ field: SpecField) throws(SpecError) {
    prestart = try Spec.Hooks.list(field["prestart"])
    createRuntime = try Spec.Hooks.list(field["createRuntime"])
    createContainer = try Spec.Hooks.list(field["createContainer"])
    startContainer = try Spec.Hooks.list(field["startContainer"])
    poststart = try Spec.Hooks.list(field["poststart"])
    poststop = try Spec.Hooks.list(field["poststop"])
  }

  private static func list(_ field: SpecField) throws(SpecError) -> [Spec.Hook] {
    try field.list { field throws(SpecError) in
      guard let path = try field["path"].text(), path.hasPrefix("/") else {
        throw SpecError("\(field.path).path", "must be an absolute path")
      }
      let timeout: Int? = try field["timeout"].integer()
      if let timeout, timeout <= 0 {
        throw SpecError("\(field.path).timeout", "must be greater than zero")
      }
      return Spec.Hook(
        path: path, args: try field["args"].texts() ?? [], env: try field["env"].texts() ?? [],
        timeout: timeout)
    } ?? []
  }
}
