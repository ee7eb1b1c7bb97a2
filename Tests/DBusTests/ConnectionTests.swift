import HostOS
import Testing

@testable import DBus

/// A conversation with a peer whose words are all there before they are asked for.
@Suite struct ConnectionTests {
  static let welcome = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n"

  /// The connection, after the peer's lines, and the peer's end.
  private struct Peer: ~Copyable {
    let socket: OwnedDescriptor
    var connection: DBusConnection

    static func make(
      _ lines: String = ConnectionTests.welcome, milliseconds: Int = 10_000
    ) throws -> Peer {
      let ends = try StreamPair.make()
      try ends.first.descriptor.write(Array(lines.utf8))
      let connection = try DBusConnection.connect(
        over: try ends.second.duplicate(), deadline: Deadline(milliseconds: milliseconds))
      return Peer(socket: try ends.first.duplicate(), connection: connection)
    }

    func say(_ bytes: [UInt8]) throws { try socket.descriptor.write(bytes) }

    mutating func ask(returning signature: String = "s") throws -> [DBusValue] {
      try connection.call(
        DBusCall(
          destination: "a.b", path: "/a", interface: "a.b", member: "C",
          arguments: [.string("x")]), returning: signature)
    }
  }

  private static func answer(
    _ body: [DBusValue], to serial: UInt32 = 1, error: String? = nil
  ) throws -> [UInt8] {
    var message = DBusMessage(kind: error == nil ? .answer : .error, serial: 9)
    message.replySerial = serial
    message.errorName = error
    return try message.bytes(body)
  }

  private static func signal(_ member: String, _ body: [DBusValue]) throws -> [UInt8] {
    var message = DBusMessage(kind: .signal, serial: 8)
    message.path = "/a"
    message.interface = "a.b"
    message.member = member
    return try message.bytes(body)
  }

  // MARK: - What is right

  @Test func theCallerSaysWhoItIsAndNothingMore() throws {
    let peer = try Peer.make()
    try peer.socket.descriptor.setNonBlocking()
    let said = try peer.socket.descriptor.readSome(limit: 1000)
    #expect(said == Array("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".utf8))
  }

  @Test func aCallIsAMessageOfTheSpecification() throws {
    var message = DBusMessage(kind: .call, serial: 1)
    (message.path, message.member) = ("/a", "C")
    let bytes = try message.bytes([.string("x")])
    #expect(
      bytes == [
        0x6c, 1, 0, 1, 6, 0, 0, 0, 1, 0, 0, 0, 39, 0, 0, 0,  // l, call, none, 1, body, serial
        1, 1, 0x6f, 0, 2, 0, 0, 0, 0x2f, 0x61, 0, 0, 0, 0, 0, 0,  // path, o, "/a"
        3, 1, 0x73, 0, 1, 0, 0, 0, 0x43, 0, 0, 0, 0, 0, 0, 0,  // member, s, "C"
        8, 1, 0x67, 0, 1, 0x73, 0, 0,  // signature, g, "s"
        1, 0, 0, 0, 0x78, 0,
      ])
  }

  @Test func anAnswerIsWhatItSays() throws {
    for lines in [Self.welcome, Self.welcome.replacing("DATA", with: "OK " + Self.identifier)] {
      var peer = try Peer.make(lines)
      try peer.say(try Self.answer([.string("y")]))
      #expect(try peer.ask() == [.string("y")])
    }
  }

  private static let identifier = "0123456789abcdef0123456789abcdef"

  @Test func signalsBeforeTheAnswerAreKeptIfTheyAreWanted() throws {
    var peer = try Peer.make()
    peer.connection.listen(interface: "a.b", member: "Wanted")
    try peer.say(try Self.signal("Other", [.uint32(1)]))
    try peer.say(try Self.signal("Wanted", [.uint32(2)]))
    try peer.say(try Self.answer([.string("y")]))
    try peer.say(try Self.signal("Wanted", [.uint32(3)]))
    #expect(try peer.ask() == [.string("y")])
    #expect(try peer.connection.nextSignal().arguments == [.uint32(2)])
    #expect(try peer.connection.nextSignal().arguments == [.uint32(3)])
  }

  @Test func anErrorHasANameAndWords() throws {
    var peer = try Peer.make()
    try peer.say(try Self.answer([.string("because")], error: "a.b.No"))
    let error = #expect(throws: DBusError.self) { try peer.ask() }
    #expect(error == .refused(name: "a.b.No", message: "because"))
    #expect(error?.explained("cannot").message == "cannot: because")
    try peer.say(try Self.answer([], to: 2, error: "a.b.No"))
    #expect(throws: DBusError.refused(name: "a.b.No", message: "")) { try peer.ask() }
    let lines = DBusError.refused(name: "a", message: "b\nc").explained("d").message
    #expect(lines == "d: b c")
  }

  /// Of a service that tells everybody much: what is not for us is not kept.
  @Test func aLongSignalIsThrownAway() throws {
    var peer = try Peer.make()
    let long = try Self.signal("Other", [.string(String(repeating: "x", count: 80_000))])
    try peer.say(long)
    try peer.say(try Self.answer([.string("y")]))
    #expect(try peer.ask() == [.string("y")])
  }

  // MARK: - What is wrong

  static let refusals = [
    "REJECTED EXTERNAL\r\n", "ERROR\r\nERROR\r\n", "DATA\r\nDATA\r\n", "DATA\nOK\n", "\r\n\r\n",
    "DATA\r\nOK 0123\r\n", "DATA\r\nOK " + identifier + " \r\n", "OK\r\nOK\r\n",
    "DATA\r\nOK g123456789abcdef0123456789abcdef\r\n", "D\u{1}\r\n", welcome + "l",
  ]

  @Test(arguments: refusals) func anotherWelcomeIsRefused(lines: String) {
    #expect(throws: DBusError.self) { _ = try Peer.make(lines) }
  }

  @Test func aLineWithoutEndIsRefused() {
    #expect(throws: DBusError.malformed("authentication")) {
      _ = try Peer.make(String(repeating: "D", count: 2000))
    }
  }

  @Test func silenceHasAnEnd() throws {
    #expect(throws: DBusError.timedOut) { _ = try Peer.make("DATA\r\n", milliseconds: 20) }
    var peer = try Peer.make(milliseconds: 20)
    #expect(throws: DBusError.timedOut) { try peer.ask() }
    // Nor does it help to say something of no meaning all the time.
    var talker = try Peer.make(milliseconds: 20)
    let noise = try Self.signal("Other", [])
    for _ in 0..<100 { try talker.say(noise) }
    #expect(throws: DBusError.timedOut) { try talker.ask() }
  }

  @Test func halfAnAnswerIsAnEnd() throws {
    let whole = try Self.answer([.string("y")])
    for count in whole.indices {
      var peer = try Peer.make()
      try peer.say(Array(whole.prefix(count)))
      try peer.socket.descriptor.shutDown(how: 1)
      #expect(throws: DBusError.closed) { try peer.ask() }
    }
  }

  @Test func anAnswerToSomethingElseIsRefused() throws {
    for (body, serial, words) in [
      ([DBusValue.string("y")], UInt32(2), "reply serial"), ([.uint32(1)], 1, "another signature"),
      ([], 1, "another signature"), ([.string("y"), .string("z")], 1, "another signature"),
      ([.string(String(repeating: "y", count: 70_000))], 1, "it is too long"),
    ] {
      var peer = try Peer.make()
      try peer.say(try Self.answer(body, to: serial))
      #expect(throws: DBusError.malformed(words)) { try peer.ask() }
    }
  }

  /// One byte of a good answer is another one, or all are.
  @Test func aDamagedAnswerIsAnErrorOrAnAnswer() throws {
    let whole = try Self.answer([.string("y")])
    for index in whole.indices {
      for byte: UInt8 in [0, 1, 0x7f, 0xff] {
        var bytes = whole
        bytes[index] = byte
        var peer = try Peer.make(milliseconds: 2000)
        try peer.say(bytes)
        try peer.socket.descriptor.shutDown(how: 1)
        // Some bytes say nothing: the answer's own serial, its flags, the text itself.
        _ = try? peer.ask()
      }
    }
  }

  @Test func aHeaderThatIsNoneIsRefused() throws {
    let changes: [(what: String, index: Int, byte: UInt8)] = [
      ("byte order", 0, 0x42), ("protocol version", 3, 2), ("header", 1, 0),
      ("header length", 14, 0xff), ("length", 7, 0xff),
    ]
    for change in changes {
      var bytes = try Self.answer([.string("y")])
      bytes[change.index] = change.byte
      var peer = try Peer.make()
      try peer.say(bytes)
      #expect(throws: DBusError.malformed(change.what)) { try peer.ask() }
    }
  }

  @Test func messagesOfAnUnknownKindAreIgnored() throws {
    var strange = try Self.answer([.string("z")])
    strange[1] = 77
    var peer = try Peer.make()
    try peer.say(strange)
    try peer.say(try Self.answer([.string("y")]))
    #expect(try peer.ask() == [.string("y")])
  }

  @Test func tooManySignalsAreRefused() throws {
    var peer = try Peer.make()
    peer.connection.listen(interface: "a.b", member: "Wanted")
    let signal = try Self.signal("Wanted", [])
    let socket = try peer.socket.duplicate().release()
    try HostThread.start {
      for _ in 0...DBusConnection.signalLimit { try? socket.write(signal) }
      socket.close()
    }
    #expect(throws: DBusError.malformed("there are too many signals")) { try peer.ask() }
  }

  @Test func whatCannotBeSentIsNotSent() throws {
    var peer = try Peer.make()
    for value in [
      DBusValue.string("a\0b"), .objectPath("a"), .signature("z"),
      .array(.byte, [.string("a")]),
    ] {
      let call = DBusCall(
        destination: nil, path: "/", interface: "a.b", member: "C", arguments: [value])
      #expect(throws: DBusError.self) { try peer.connection.call(call, returning: "") }
    }
  }
}

/// Two connected sockets that carry streams.
struct StreamPair: ~Copyable {
  let first: OwnedDescriptor
  let second: OwnedDescriptor

  static func make() throws(HostError) -> StreamPair {
    let name = "dbus-test-\(ProcessID.current.rawValue)-\(UInt64.random(in: 0...UInt64.max))"
    // unix(7), an abstract address: family, a zero, the name.
    let address: [UInt8] = [1, 0, 0] + name.utf8
    let listener = try OwnedDescriptor.socket(domain: 1, type: 1, protocolNumber: 0)
    try listener.descriptor.bind(to: address)
    try listener.descriptor.listen(backlog: 1)
    let first = try OwnedDescriptor.socket(domain: 1, type: 1, protocolNumber: 0)
    try first.descriptor.connect(to: address)
    try first.descriptor.clearNonBlocking()
    return StreamPair(first: first, second: try listener.descriptor.accept())
  }
}
