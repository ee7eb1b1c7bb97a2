/// The fields that mean something here, as a tree with the shape of config.json.
///
/// A field that is not in it is reported: of the specification but not supported, or of nobody.
indirect enum SupportedFields: Sendable {
  /// The value is not looked into.
  case all
  case object([String: SupportedFields])
  case list(SupportedFields)

  static let config = SupportedFields.object([
    "ociVersion": .all,
    "root": .object(["path": .all, "readonly": .all]),
    "mounts": .list(
      .object(["destination": .all, "type": .all, "source": .all, "options": .all])),
    "process": .object([
      "terminal": .all, "args": .all, "env": .all, "cwd": .all, "noNewPrivileges": .all,
      // The terminal that is there has a size of its own.
      "consoleSize": .all,
      "user": .object([
        "uid": .all, "gid": .all, "umask": .all, "additionalGids": .all, "username": .all,
      ]),
      "capabilities": .all,
      "rlimits": .list(.object(["type": .all, "soft": .all, "hard": .all])),
    ]),
    "hostname": .all,
    "domainname": .all,
    "annotations": .all,
    "linux": .object([
      "cgroupsPath": .all,
      // A guest kernel is a set of namespaces already; one to be joined is not supported.
      "namespaces": .list(.object(["type": .all])),
      "resources": .object([
        // The guest kernel has its own devices and reaches none of the host's.
        "devices": .all,
        "memory": .object(["limit": .all]),
        "cpu": .object(["shares": .all, "quota": .all, "period": .all]),
        "pids": .object(["limit": .all]),
      ]),
      // The host files that they protect are not in the guest's /proc and /sys.
      "maskedPaths": .all,
      "readonlyPaths": .all,
    ]),
  ])
}

/// Collects the names of fields that are not supported and have a value that says something.
struct UnsupportedFields: Decodable {
  private(set) var names: [String] = []

  init(from decoder: any Decoder) throws {
    try visit(decoder, SupportedFields.config)
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private mutating func visit(_ decoder: any Decoder, _ supported: SupportedFields) throws {
    switch supported {
    case .all: break
    case .list(let element):
      var list = try decoder.unkeyedContainer()
      while !list.isAtEnd { try visit(try list.superDecoder(), element) }
    case .object(let fields):
      let object = try decoder.container(keyedBy: Key.self)
      for key in object.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
        if try object.decodeNil(forKey: key) { continue }
        let value = try object.superDecoder(forKey: key)
        if let field = fields[key.stringValue] {
          try visit(value, field)
        } else if !isEmpty(value), let name = SpecError.field(value.codingPath) {
          names.append(name)
        }
      }
    }
  }

  /// An empty object, list or string, or false: what generators write for "not wanted".
  private func isEmpty(_ decoder: any Decoder) -> Bool {
    if let object = try? decoder.container(keyedBy: Key.self) { return object.allKeys.isEmpty }
    if let list = try? decoder.unkeyedContainer() { return list.isAtEnd }
    guard let value = try? decoder.singleValueContainer() else { return false }
    if let text = try? value.decode(String.self) { return text.isEmpty }
    return (try? value.decode(Bool.self)) == false
  }
}
