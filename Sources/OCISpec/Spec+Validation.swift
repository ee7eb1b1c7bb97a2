extension Spec {
  /// Throws for the first field that the specification forbids to be as it is.
  func validate() throws(SpecError) {
    let version = try require(ociVersion, "ociVersion")
    guard Spec.isVersion(version) else {
      throw SpecError("ociVersion", "'\(version)' is not MAJOR.MINOR.PATCH")
    }
    guard version.hasPrefix("1.") else {
      throw SpecError("ociVersion", "'\(version)' is not supported, only 1.x is")
    }
    try validateRoot()
    for (index, mount) in (mounts ?? []).enumerated() {
      try mount.validate("mounts[\(index)]")
    }
    guard let process else { throw SpecError("process", "is missing") }
    try process.validate()
    try validateNames()
    try validateNamespaces()
    try validateMappings()
    try validatePaths()
    for annotation in annotations where annotation.name.isEmpty {
      throw SpecError("annotations", "a key must not be empty")
    }
  }

  /// SemVer 2.0.0: three numbers, then what comes before a release, and of which build.
  static func isVersion(_ text: String) -> Bool {
    let core = text.prefix { $0 != "-" && $0 != "+" }
    let numbers = core.split(separator: ".", omittingEmptySubsequences: false)
    let isNumbered =
      numbers.count == 3
      && numbers.allSatisfy { number in
        !number.isEmpty && number.utf8.allSatisfy { (0x30...0x39).contains($0) }
          && (number == "0" || !number.hasPrefix("0"))
      }
    let rest = text.dropFirst(core.count)
    return isNumbered && rest.utf8.count != 1
      && rest.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2d, 0x2e: true
        default: false
        }
      }
  }

  private func validatePaths() throws(SpecError) {
    for (field, paths) in [
      ("maskedPaths", linux?.maskedPaths), ("readonlyPaths", linux?.readonlyPaths),
    ] {
      for (index, path) in (paths ?? []).enumerated() {
        let field = "linux.\(field)[\(index)]"
        if !path.hasPrefix("/") { throw SpecError(field, "must be an absolute path") }
        try refuseNul(path, field)
      }
    }
  }

  private func validateRoot() throws(SpecError) {
    guard let root else { throw SpecError("root", "is missing") }
    let path = try require(root.path, "root.path")
    if path.isEmpty { throw SpecError("root.path", "must not be empty") }
    try refuseNul(path, "root.path")
  }

  private func validateNamespaces() throws(SpecError) {
    var seen: Set<String> = []
    for (index, namespace) in (linux?.namespaces ?? []).enumerated() {
      let field = "linux.namespaces[\(index)]"
      let type = try require(namespace.type, "\(field).type")
      if !seen.insert(type).inserted {
        throw SpecError("\(field).type", "'\(type)' is there twice")
      }
      guard let path = namespace.path, !path.isEmpty else { continue }
      if !path.hasPrefix("/") { throw SpecError("\(field).path", "must be an absolute path") }
      try refuseNul(path, "\(field).path")
    }
  }

  /// What is mapped must be mapped for something, and user_namespaces(7) takes no empty range and
  /// none that overlaps another.
  private func validateMappings() throws(SpecError) {
    let user = linux?.namespaces?.first { $0.type == "user" }
    let lists = [
      ("linux.uidMappings", linux?.uidMappings), ("linux.gidMappings", linux?.gidMappings),
    ]
    for (field, mappings) in lists {
      let mappings = mappings ?? []
      if user == nil, !mappings.isEmpty {
        throw SpecError(field, "means nothing without a namespace of type user")
      }
      if let user, user.path == nil, mappings.isEmpty {
        throw SpecError(field, "is missing: the namespace of type user is a new one")
      }
      try Spec.IDMapping.validate(mappings, field)
    }
    if linux?.timeOffsets != nil {
      guard let time = linux?.namespaces?.first(where: { $0.type == "time" }), time.path == nil
      else {
        throw SpecError("linux.timeOffsets", "means nothing without a new namespace of type time")
      }
    }
  }

  private func validateNames() throws(SpecError) {
    for (field, name) in [("hostname", hostname), ("domainname", domainname)] {
      guard let name else { continue }
      // sethostname(2): at most 64 bytes.
      if name.utf8.count > 64 { throw SpecError(field, "must not be longer than 64 bytes") }
      // It would be the host's.
      if !name.isEmpty, linux?.namespaces?.contains(where: { $0.type == "uts" }) != true {
        throw SpecError(field, "cannot be set without a namespace of type uts")
      }
      try refuseNul(name, field)
    }
  }
}

extension Spec.IDMapping {
  static func validate(_ mappings: [Spec.IDMapping], _ field: String) throws(SpecError) {
    // Linux takes as many lines.
    if mappings.count > 340 { throw SpecError(field, "must not be more than 340") }
    for (index, mapping) in mappings.enumerated() {
      let name = "\(field)[\(index)]"
      if mapping.size == 0 { throw SpecError("\(name).size", "must not be 0") }
      let ends = [mapping.containerID, mapping.hostID].map { UInt64($0) + UInt64(mapping.size) }
      if ends.contains(where: { $0 > UInt64(UInt32.max) }) {
        throw SpecError(name, "must not go beyond the last id")
      }
      for other in mappings[..<index] {
        let starts = [
          (other.containerID, mapping.containerID), (other.hostID, mapping.hostID),
        ]
        let overlaps = starts.contains { a, b in
          a < b ? b - a < other.size : a - b < mapping.size
        }
        if overlaps { throw SpecError(name, "overlaps another") }
      }
    }
  }
}

extension Spec.Mount {
  func validate(_ field: String) throws(SpecError) {
    for (name, mappings) in [("uidMappings", uidMappings), ("gidMappings", gidMappings)] {
      try Spec.IDMapping.validate(mappings ?? [], "\(field).\(name)")
    }
    if (uidMappings ?? []).isEmpty != (gidMappings ?? []).isEmpty {
      throw SpecError("\(field)", "must have both uidMappings and gidMappings, or neither")
    }
    let destination = try require(destination, "\(field).destination")
    if destination.isEmpty { throw SpecError("\(field).destination", "must not be empty") }
    try refuseNul(destination, "\(field).destination")
    if let source { try refuseNul(source, "\(field).source") }
    for (index, option) in (options ?? []).enumerated() {
      try refuseNul(option, "\(field).options[\(index)]")
    }
  }
}

extension Spec.Process {
  func validate() throws(SpecError) {
    let args = try require(args, "process.args")
    guard let name = args.first else { throw SpecError("process.args", "must not be empty") }
    if name.isEmpty { throw SpecError("process.args[0]", "must not be empty") }
    for (index, argument) in args.enumerated() {
      try refuseNul(argument, "process.args[\(index)]")
    }
    for (index, variable) in (env ?? []).enumerated() {
      if !variable.contains("=") { throw SpecError("process.env[\(index)]", "must be NAME=VALUE") }
      try refuseNul(variable, "process.env[\(index)]")
    }
    let cwd = try require(cwd, "process.cwd")
    if !cwd.hasPrefix("/") { throw SpecError("process.cwd", "must be an absolute path") }
    try refuseNul(cwd, "process.cwd")
    // The wire has room for this many (struct pv_boot).
    if (user?.additionalGids ?? []).count > 64 {
      throw SpecError("process.user.additionalGids", "must not be more than 64")
    }
    try validateLimits()
  }

  private func validateLimits() throws(SpecError) {
    var seen: Set<Int> = []
    for (index, limit) in (rlimits ?? []).enumerated() {
      let field = "process.rlimits[\(index)]"
      let type = try require(limit.type, "\(field).type")
      guard let number = ResourceLimitNames.number(of: type) else {
        throw SpecError("\(field).type", "'\(type)' is not a resource limit")
      }
      if !seen.insert(number).inserted {
        throw SpecError("\(field).type", "'\(type)' is there twice")
      }
      let soft = try require(limit.soft, "\(field).soft")
      let hard = try require(limit.hard, "\(field).hard")
      if soft > hard { throw SpecError("\(field).soft", "must not be above the hard limit") }
    }
  }
}

/// A value that the specification demands.
@discardableResult
private func require<Value>(_ value: Value?, _ field: String) throws(SpecError) -> Value {
  guard let value else { throw SpecError(field, "is missing") }
  return value
}

/// JSON can say what a C string can't.
private func refuseNul(_ text: String, _ field: String) throws(SpecError) {
  if text.utf8.contains(0) { throw SpecError(field, "must not contain a NUL character") }
}
