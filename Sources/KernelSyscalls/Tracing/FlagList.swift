import KernelCore
import LinuxABI

/// Names for the bits of a number, with `|` between them.
struct FlagList {
  private var rest: UInt64
  private var isFirst = true

  init(_ value: UInt64) { rest = value }

  /// Adds the name of bits when all of them are set.
  mutating func add(_ bits: UInt64, _ name: StaticString, to text: inout Text) {
    guard bits != 0, rest & bits == bits else { return }
    rest &= ~bits
    add(name, to: &text)
  }

  /// Adds a name that stands for no bit of its own, such as O_RDONLY.
  mutating func add(_ name: StaticString, to text: inout Text) {
    if !isFirst { text.add("|") }
    isFirst = false
    text.add(name)
  }

  /// Adds what has no name.
  func finish(_ text: inout Text) {
    if rest != 0 {
      if !isFirst { text.add("|") }
      text.add(prefixedHexadecimal: rest)
    } else if isFirst {
      text.add("0")
    }
  }
}
