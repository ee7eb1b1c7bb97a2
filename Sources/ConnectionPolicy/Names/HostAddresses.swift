/// Who knows the addresses of a host.
public protocol NameResolver: Sendable {
  /// The addresses that the name has, and for how many seconds they hold. Nil when nobody could be
  /// asked; no addresses when the name has none.
  func addresses(of name: String) -> (addresses: [IPAddress], seconds: UInt32)?
}

/// The addresses behind names, as they were last heard, for as long as they hold.
struct HostAddresses: Equatable {
  /// By name: each address and the second of the clock when it ends.
  private var ends: [String: [IPAddress: UInt64]] = [:]
  /// By name: when it is to be asked again.
  private var nextQuestions: [String: UInt64] = [:]

  /// A name is asked for again no sooner, whatever its time to live says; and later than a day only
  /// because nobody asks.
  static let leastSeconds: UInt32 = 5
  static let mostSeconds: UInt32 = 86_400
  /// When nobody could be asked: try again then, and keep what was heard for so long at most.
  static let retrySeconds: UInt64 = 5
  static let staleSeconds: UInt64 = 300

  init(names: [String] = []) {
    for name in names { nextQuestions[name] = 0 }
  }

  /// Looks at other names from now on; what is known of those that stay is kept.
  mutating func setNames(_ names: [String]) {
    let kept = Set(names)
    ends = ends.filter { kept.contains($0.key) }
    nextQuestions = nextQuestions.filter { kept.contains($0.key) }
    for name in names where nextQuestions[name] == nil { nextQuestions[name] = 0 }
  }

  /// The names whose time has come.
  func dueNames(at now: UInt64) -> [String] {
    nextQuestions.filter { $0.value <= now }.keys.sorted()
  }

  /// When the next name's time comes; nil without names.
  var nextQuestion: UInt64? { nextQuestions.values.min() }

  var addresses: [String: Set<IPAddress>] { ends.mapValues { Set($0.keys) } }

  /// Notes an answer. An address that is not in it holds until its own time ends: a host with many
  /// addresses tells some of them at a time.
  mutating func note(
    _ answer: (addresses: [IPAddress], seconds: UInt32)?, for name: String, at now: UInt64
  ) {
    guard nextQuestions[name] != nil else { return }
    var known = ends[name] ?? [:]
    guard let answer else {
      nextQuestions[name] = now + HostAddresses.retrySeconds
      ends[name] = known.filter { now < $0.value + HostAddresses.staleSeconds }
      return
    }
    let seconds = min(
      max(answer.seconds, HostAddresses.leastSeconds), HostAddresses.mostSeconds)
    let end = now + UInt64(seconds)
    known = known.filter { $0.value > now }
    for address in answer.addresses { known[address] = max(known[address] ?? 0, end) }
    ends[name] = known
    nextQuestions[name] = min(end, known.values.min() ?? end)
  }
}
