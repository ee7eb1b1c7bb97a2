import HostOS

/// A guest kernel's last message, with the places in its code that it names.
struct PanicReport {
  let headline: String
  /// Further lines: the rest of the message, then a line for each address.
  let details: [String]

  init(message: String, kernelImagePath: String) {
    let lines = message.split(separator: "\n").map(String.init)
    headline = lines.first ?? "no message"
    let addresses = PanicReport.addresses(in: message)
    details =
      lines.dropFirst()
      + PanicReport.places(of: addresses, in: kernelImagePath)
  }

  /// The numbers that could be code of the kernel, each once, as they are written: `0x2000...`.
  static func addresses(in message: String) -> [String] {
    var result: [String] = []
    for word in message.split(whereSeparator: { !$0.isHexDigit && $0 != "x" }) {
      guard word.hasPrefix("0x2000"), word.count == 14, !result.contains(String(word)) else {
        continue
      }
      result.append(String(word))
    }
    return result
  }

  /// What llvm-symbolizer(1) knows about them. Nothing where it is not installed.
  private static func places(of addresses: [String], in path: String) -> [String] {
    guard !addresses.isEmpty,
      let output = try? Command.output(
        of: ["llvm-symbolizer", "--obj=\(path)", "--output-style=GNU", "--pretty-print"]
          + addresses)
    else { return [] }
    return zip(addresses, output.split(separator: "\n")).map { "\($0): \($1)" }
  }
}
