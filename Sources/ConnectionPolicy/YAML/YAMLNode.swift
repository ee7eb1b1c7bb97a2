/// A value of a YAML document, with the line that it starts in.
///
/// Scalars keep their text: what `80` or `no` means is up to the field that holds it, so that no
/// word turns into a number or a truth value behind the writer's back.
struct YAMLNode: Equatable {
  let value: Value
  /// Counts from one.
  let line: Int

  indirect enum Value: Equatable {
    /// Nothing was written, or `null` or `~` without quotes.
    case empty
    case scalar(String, isQuoted: Bool)
    case list([YAMLNode])
    case mapping([Entry])
  }

  struct Entry: Equatable {
    let key: String
    let line: Int
    let value: YAMLNode
  }

  static func plain(_ text: String, line: Int) -> YAMLNode {
    let isEmpty = text.isEmpty || ["~", "null", "Null", "NULL"].contains(text)
    return YAMLNode(value: isEmpty ? .empty : .scalar(text, isQuoted: false), line: line)
  }
}
