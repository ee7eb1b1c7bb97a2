import HostOS

/// What programs of a container say by sd_notify(3), line by line, of which only the readiness
/// counts.
struct Notices {
  private let pipe: Descriptor
  private var isOpen = true
  /// The program has said that it is ready.
  private(set) var isReady = false
  /// The beginning of a line whose end is still to come.
  private var rest: [UInt8] = []

  /// What the guest kernel writes for one datagram fits; see UnixSocket+Notify.swift.
  private static let lineLimit = 4096

  init(pipe: Descriptor) { self.pipe = pipe }

  /// Where there may be more to read that matters.
  var source: Descriptor? { isOpen && !isReady ? pipe : nil }

  /// Reads what is there. True when the program has become ready with it.
  mutating func read() -> Bool {
    let bytes = pipe.readAvailable()
    // Without a writer nothing will come.
    if bytes.isEmpty { isOpen = false }
    return hear(bytes)
  }

  /// The same for bytes that were read.
  mutating func hear(_ bytes: [UInt8]) -> Bool {
    let lines = (rest + bytes).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    rest = lines.last.map { Array($0.prefix(Notices.lineLimit)) } ?? []
    guard !isReady, lines.dropLast().contains(where: { $0.elementsEqual("READY=1".utf8) }) else {
      return false
    }
    isReady = true
    return true
  }
}
