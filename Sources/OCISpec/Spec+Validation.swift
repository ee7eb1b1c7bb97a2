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

extension Spec.Mount {
  func validate(_ field: String) throws(SpecError) {
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
