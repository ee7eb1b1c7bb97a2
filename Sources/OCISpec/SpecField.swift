/// A value of config.json together with its place, so that every complaint names the field.
///
/// A field that is missing or null reads as nil; one of another type is an error.
struct SpecField {
  let path: String
  private let value: JSON?

  init(path: String = "", _ value: JSON?) {
    self.path = path
    self.value = value == .null ? nil : value
  }

  /// A member of an object.
  subscript(name: String) -> SpecField {
    get throws(SpecError) {
      guard let value else { return SpecField(path: joined(name), nil) }
      guard case .object = value else { throw mismatch("an object") }
      return SpecField(path: joined(name), value[name])
    }
  }

  var isMissing: Bool { value == nil }

  /// False for what generators write for "not wanted", too.
  var hasContent: Bool { value.map { !$0.isEmpty } ?? false }

  func text() throws(SpecError) -> String? {
    guard let value else { return nil }
    guard case .string(let text) = value else { throw mismatch("a string") }
    return text
  }

  /// One of the words that the specification lists.
  func word<Word: RawRepresentable>(
    _ type: Word.Type
  ) throws(SpecError) -> Word? where Word.RawValue == String {
    guard let text = try text() else { return nil }
    guard let word = Word(rawValue: text) else {
      throw SpecError(path, "'\(text)' is not supported")
    }
    return word
  }

  func truth() throws(SpecError) -> Bool? {
    guard let value else { return nil }
    guard case .bool(let truth) = value else { throw mismatch("true or false") }
    return truth
  }

  func integer<Number: FixedWidthInteger>(
    _ type: Number.Type = Number.self
  ) throws(SpecError) -> Number? {
    guard let value else { return nil }
    guard case .number(let text) = value, !text.contains(where: { ".eE".contains($0) }) else {
      throw mismatch("a whole number")
    }
    guard let number = Number(text) else { throw SpecError(path, "is out of range") }
    return number
  }

  func list<Element>(
    _ read: (SpecField) throws(SpecError) -> Element?
  ) throws(SpecError) -> [Element]? {
    guard let value else { return nil }
    guard case .list(let elements) = value else { throw mismatch("a list") }
    var result: [Element] = []
    for (index, element) in elements.enumerated() {
      let field = SpecField(path: "\(path)[\(index)]", element)
      guard let element = try read(field) else { throw SpecError(field.path, "is null") }
      result.append(element)
    }
    return result
  }

  func object<Value>(
    _ read: (SpecField) throws(SpecError) -> Value
  ) throws(SpecError) -> Value? {
    guard let value else { return nil }
    guard case .object = value else { throw mismatch("an object") }
    return try read(self)
  }

  /// The members of an object whose values are strings.
  func pairs() throws(SpecError) -> [Spec.Annotation] {
    guard let value else { return [] }
    guard case .object(let members) = value else { throw mismatch("an object") }
    var pairs: [Spec.Annotation] = []
    for member in members {
      guard case .string(let text) = member.value else {
        throw SpecError(joined(member.name), "must be a string")
      }
      pairs.append(Spec.Annotation(name: member.name, value: text))
    }
    return pairs
  }

  func texts() throws(SpecError) -> [String]? {
    try list { field throws(SpecError) in try field.text() }
  }

  private func joined(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private func mismatch(_ expected: String) -> SpecError {
    SpecError(path.isEmpty ? nil : path, "must be \(expected)")
  }
}
