import Glibc
import HostOS

/// A method that a peer is asked for.
public struct DBusCall: Sendable {
  public var destination: String?
  public var path: String
  public var interface: String
  public var member: String
  public var arguments: [DBusValue]

  public init(
    destination: String?, path: String, interface: String, member: String,
    arguments: [DBusValue] = []
  ) {
    self.destination = destination
    self.path = path
    self.interface = interface
    self.member = member
    self.arguments = arguments
  }
}

/// A signal of the kind that was listened for.
public struct DBusSignal: Equatable, Sendable {
  public let path: String
  public let arguments: [DBusValue]
}

/// One conversation with one peer, all of which must be over in time.
public struct DBusConnection: ~Copyable {
  private let socket: OwnedDescriptor
  private let deadline: Deadline
  private var serial: UInt32 = 0
  /// What was read and not used yet.
  private var received: ArraySlice<UInt8> = []
  private var listened: (interface: String, member: String)?
  private var signals: [DBusSignal] = []

  /// A longer answer is none to any of our questions.
  static let bodyLimit = 1 << 16
  /// Signals that come before an answer, or before the one that is waited for.
  static let signalLimit = 4096
  private static let lineLimit = 1024

  /// Connects to the socket at an absolute path, and says who we are.
  public static func connect(
    path: String, deadline: Deadline
  ) throws(DBusError) -> DBusConnection {
    let (directory, name) = HostFile.split(path)
    let socket = try onWire { () throws(HostError) in
      let directory = try HostFile.open(directory, flags: O_RDONLY | O_DIRECTORY)
      return try directory.descriptor.connect(to: name, as: .stream)
    }
    return try connect(over: socket, deadline: deadline)
  }

  /// The same over a socket that is connected.
  public static func connect(
    over socket: consuming OwnedDescriptor, deadline: Deadline
  ) throws(DBusError) -> DBusConnection {
    var connection = DBusConnection(socket: socket, deadline: deadline)
    let descriptor = connection.socket.descriptor
    try onWire { () throws(HostError) in try descriptor.setNonBlocking() }
    try connection.authenticate()
    return connection
  }

  private init(socket: consuming OwnedDescriptor, deadline: Deadline) {
    self.socket = socket
    self.deadline = deadline
  }

  /// Whether the other end was made in our pid namespace, or in one below it.
  public var hasVisiblePeer: Bool {
    let descriptor = socket.descriptor
    return (try? descriptor.peerProcess()) != nil
  }

  /// SASL EXTERNAL without a name: the peer asks the kernel who we are, and in a user namespace
  /// only it can know.
  ///
  /// All lines are sent at once, and nothing behind them before they are answered: systemd lets a
  /// message lie that it has read together with BEGIN.
  private mutating func authenticate() throws(DBusError) {
    try send([0] + Array("AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".utf8))
    let first = try line()
    // Old servers are content with the first line, and then with the second.
    if first != "DATA" { try check(first) }
    try check(try line())
    // Nothing may come before we speak D-Bus.
    guard received.isEmpty else { throw .malformed("authentication") }
  }

  private func check(_ answer: String) throws(DBusError) {
    let words = answer.split(separator: " ", omittingEmptySubsequences: false)
    if words.first == "REJECTED" {
      throw .refused(name: "REJECTED", message: "it does not accept the caller")
    }
    guard words.count == 2, words[0] == "OK", words[1].utf8.count == 32,
      words[1].allSatisfy(\.isHexDigit)
    else { throw .malformed("authentication") }
  }

  // MARK: - Calls and signals

  /// From now on such signals are kept for `nextSignal`.
  public mutating func listen(interface: String, member: String) {
    listened = (interface, member)
  }

  /// Returns what the method returns, which must be of the signature.
  @discardableResult
  public mutating func call(
    _ call: DBusCall, returning signature: String
  ) throws(DBusError) -> [DBusValue] {
    serial += 1
    var message = DBusMessage(kind: .call, serial: serial)
    message.destination = call.destination
    message.path = call.path
    message.interface = call.interface
    message.member = call.member
    try send(try message.bytes(call.arguments))
    while true {
      guard let (answer, body) = try next() else { continue }
      guard answer.replySerial == serial else {
        // We have one question at a time.
        guard answer.kind == .signal else { throw .malformed("reply serial") }
        continue
      }
      guard let body else { throw .malformed("it is too long") }
      if answer.kind == .error {
        let words = answer.signature.hasPrefix("s") ? try answer.values(of: body).first : nil
        guard case .string(let text)? = words else {
          throw .refused(name: answer.errorName ?? "", message: "")
        }
        throw .refused(name: answer.errorName ?? "", message: text)
      }
      guard answer.signature == signature else { throw .malformed("another signature") }
      return try answer.values(of: body)
    }
  }

  /// The next signal that is listened for, which may have come already.
  public mutating func nextSignal() throws(DBusError) -> DBusSignal {
    while signals.isEmpty {
      guard let (message, _) = try next() else { continue }
      guard message.kind == .signal else { throw .malformed("an answer to nothing") }
    }
    return signals.removeFirst()
  }

  /// The next message that may be for us, and its body, but for one that is too long. Nil for what
  /// may be ignored. Keeps a signal that is listened for.
  private mutating func next() throws(DBusError) -> (DBusMessage, body: [UInt8]?)? {
    try fill(DBusMessage.prefixSize)
    let sizes = try DBusMessage.Sizes(received.prefix(DBusMessage.prefixSize))
    try fill(sizes.header)
    let message = try DBusMessage(
      header: received.prefix(sizes.header), bodySize: sizes.body)
    received = received.dropFirst(sizes.header)
    let body = try body(sizes.body)
    guard let message, message.kind != .call else { return nil }
    if message.kind == .signal, let listened, message.interface == listened.interface,
      message.member == listened.member
    {
      guard let body, signals.count < DBusConnection.signalLimit else {
        throw .malformed("there are too many signals")
      }
      signals.append(
        DBusSignal(path: message.path ?? "", arguments: try message.values(of: body)))
    }
    return (message, body)
  }

  /// Nil for a long one, which is thrown away as it comes.
  private mutating func body(_ size: Int) throws(DBusError) -> [UInt8]? {
    if size <= DBusConnection.bodyLimit {
      try fill(size)
      defer { received = received.dropFirst(size) }
      return Array(received.prefix(size))
    }
    var rest = size
    while rest > 0 {
      if received.isEmpty { try fill(1) }
      let count = min(rest, received.count)
      received = received.dropFirst(count)
      rest -= count
    }
    return nil
  }

  // MARK: - Bytes

  /// Up to the end of a line of the authentication.
  private mutating func line() throws(DBusError) -> String {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        let line = received[..<end]
        received = received[(end + 1)...]
        guard line.last == UInt8(ascii: "\r"), line.dropLast().allSatisfy({ 32...126 ~= $0 }) else {
          throw .malformed("authentication")
        }
        return String(decoding: line.dropLast(), as: UTF8.self)
      }
      guard received.count < DBusConnection.lineLimit else { throw .malformed("authentication") }
      try fill(received.count + 1)
    }
  }

  /// Waits until so many bytes are there.
  private mutating func fill(_ count: Int) throws(DBusError) {
    while received.count < count {
      let descriptor = socket.descriptor
      let milliseconds = deadline.remainingMilliseconds
      let ready = try onWire { () throws(HostError) in
        try Readiness.wait([descriptor], timeoutMilliseconds: milliseconds)
      }
      guard ready[0], !deadline.hasPassed else { throw .timedOut }
      let bytes = try onWire { () throws(HostError) in try descriptor.readSome(limit: 16384) }
      guard let bytes else { continue }
      if bytes.isEmpty { throw .closed }
      received = ArraySlice(Array(received) + bytes)
    }
  }

  private func send(_ bytes: [UInt8]) throws(DBusError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let descriptor = socket.descriptor
      let milliseconds = deadline.remainingMilliseconds
      let isReady = try onWire { () throws(HostError) in
        try Readiness.waitWritable(descriptor, timeoutMilliseconds: milliseconds)
      }
      guard isReady, !deadline.hasPassed else { throw .timedOut }
      let count = try onWire { () throws(HostError) in
        try descriptor.sendSome(Array(rest.prefix(16384)))
      }
      rest = rest.dropFirst(count)
    }
  }
}

extension DBusMessage {
  fileprivate func values(of body: [UInt8]) throws(DBusError) -> [DBusValue] {
    try DBusReader.values(signature, in: body[...])
  }
}
