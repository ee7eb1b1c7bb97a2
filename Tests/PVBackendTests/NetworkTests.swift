import CPVCalls
import ConnectionAudit
import ConnectionPolicy
import Glibc
import HostOS
import Testing

@testable import PVBackend

/// The network as a hostile guest asks for it.
@Suite struct NetworkTests {
  static let stream = Int64(GuestFixture.streamNumber)
  static let datagram = Int64(GuestFixture.datagramNumber)
  static let local = Int64(GuestFixture.localNumber)

  /// struct sockaddr_in.
  private static func address(
    _ bytes: [UInt8] = [127, 0, 0, 1], port: UInt16, family: UInt8 = 2
  ) -> [UInt8] {
    [family, 0, UInt8(port >> 8), UInt8(port & 0xff)] + bytes + [UInt8](repeating: 0, count: 8)
  }

  // MARK: - Addresses

  @Test(arguments: [0, 1, 2, 7, 15])
  func shortAddressesAreInvalid(count: Int) {
    #expect(throws: HostError(EINVAL)) {
      try InternetAddress(Array(Self.address(port: 1).prefix(count)), domain: AF_INET)
    }
  }

  @Test func strangeAddressesAreRefused() {
    let long = Self.address(port: 1) + [UInt8](repeating: 0, count: 120)
    #expect(throws: HostError(EINVAL)) { try InternetAddress(long, domain: AF_INET) }
    for family: UInt8 in [1, 3, 16, 17, 255] {
      #expect(throws: HostError(EAFNOSUPPORT)) {
        try InternetAddress(Self.address(port: 1, family: family), domain: AF_INET6)
      }
    }
    #expect(throws: HostError(EAFNOSUPPORT)) {
      try InternetAddress(
        [10, 0] + [UInt8](repeating: 0, count: 26), domain: AF_INET)
    }
    #expect(throws: HostError(EINVAL)) {
      try InternetAddress([10, 0] + [UInt8](repeating: 0, count: 21), domain: AF_INET6)
    }
  }

  @Test func aMappedAddressIsTheOneThatItLeadsTo() throws {
    let bytes =
      [10, 0, 0x1f, 0x90, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 10) + [
        0xff, 0xff, 10, 1, 2, 3,
      ]
    let mapped = try InternetAddress(bytes + [0, 0, 0, 0], domain: AF_INET6)
    #expect(mapped.endpoint?.description == "10.1.2.3:8080")
    let plain = try InternetAddress(
      [10, 0, 0, 80] + [UInt8](repeating: 0, count: 19) + [1, 0, 0, 0, 0], domain: AF_INET6)
    #expect(plain.endpoint?.description == "[::1]:80")
  }

  // MARK: - The gate

  @Test func theGateSeesWhereAConnectionLeads() throws {
    let log = try Pipe()
    let gate = try Self.gate("{action: deny, errno: ENETDOWN}", log: log.writing.descriptor)
    let results = try GuestFixture.run(gate: gate) { fixture, worker in
      func call(_ operation: Int, _ arguments: [Int64], _ payload: [UInt8]) -> Int64 {
        fixture.call(
          worker, operation, arguments, path: "/bin/p", payload: payload, user: 7)
      }
      return [
        call(Int(PV_OP_CONNECT), [Self.stream, 0, 0, 0, 0, 42], Self.address(port: 80)),
        call(Int(PV_OP_CONNECT), [Self.datagram], Self.address([0, 0, 0, 0], port: 53)),
        call(Int(PV_OP_BIND), [Self.stream], Self.address([0, 0, 0, 0], port: 8080)),
        call(Int(PV_OP_LISTEN), [Self.stream, 5], []),
        call(
          Int(PV_OP_SEND), [Self.datagram, Int64(GuestFixture.start), 0, 0, 16],
          Self.address([192, 0, 2, 1], port: 9)),
      ]
    }
    #expect(results == [Int64](repeating: -Int64(ENETDOWN), count: 5))
    let lines = try Self.lines(from: log.reading.descriptor)
    #expect(
      lines == [
        "connect tcp 127.0.0.1:80 - /bin/p 42 7", "connect udp 127.0.0.1:53 - /bin/p 0 7",
        "bind tcp - 0.0.0.0:8080 /bin/p 0 7", "bind tcp - 0.0.0.0:0 /bin/p 0 7",
        "send udp 192.0.2.1:9 - /bin/p 0 7",
      ])
  }

  private static func gate(_ rule: String, log: Descriptor? = nil) throws -> NetworkGate {
    let policy = try Policy(yaml: Array("default: allow\nrules:\n- \(rule)\n".utf8))
    return NetworkGate(
      policy: policy, log: log.map { AuditLog(container: "test", output: $0) })
  }

  /// What the log says of denied attempts: what, where to, from where, who.
  private static func lines(from log: Descriptor) throws -> [String] {
    let text = String(decoding: try log.receiveRecordBytes(), as: UTF8.self)
    return text.split(separator: "\n").map { line in
      func field(_ name: String) -> String {
        line.firstMatch(of: try! Regex("\"\(name)\":\"?([^\",}]*)")).map {
          String($0[1].substring!)
        }
          ?? "-"
      }
      func endpoint(_ name: String) -> String {
        let pattern = "\"\(name)\":{\"address\":\"([^\"]*)\",\"port\":([0-9]*)}"
        return line.firstMatch(of: try! Regex(pattern)).map {
          "\($0[1].substring!):\($0[2].substring!)"
        } ?? "-"
      }
      return [
        field("attempt"), field("protocol"), endpoint("remote"), endpoint("local"),
        field("program"), field("pid"), field("user"),
      ].joined(separator: " ")
    }
  }

  @Test func aDeniedArrivalIsReset() throws {
    let gate = try Self.gate("{event: accept, action: deny}")
    let (results, error) = try GuestFixture.run(gate: gate) { fixture, worker in
      var results = [
        fixture.call(
          worker, Int(PV_OP_BIND), [Self.stream], payload: Self.address(port: 4711)),
        fixture.call(worker, Int(PV_OP_LISTEN), [Self.stream, 5]),
      ]
      let client = try OwnedDescriptor.socket(domain: AF_INET, type: 1, protocolNumber: 0)
      try? client.descriptor.connect(to: Self.address(port: 4711))
      while !client.descriptor.isReady(for: POLLOUT) {}
      results.append(fixture.call(worker, Int(PV_OP_ACCEPT), [Self.stream]))
      while !client.descriptor.isReady(for: POLLIN) {}
      return (results, try client.descriptor.option(level: SOL_SOCKET, SO_ERROR))
    }
    #expect(results == [0, 0, -Int64(EAGAIN)])
    #expect(error == ECONNRESET)
  }

  @Test func anOutcomeBeginsNothing() throws {
    let log = try Pipe()
    let gate = try Self.gate("{action: audit}", log: log.writing.descriptor)
    let results = try GuestFixture.run(gate: gate) { fixture, worker in
      [
        fixture.call(worker, Int(PV_OP_CONNECT_RESULT), [Self.stream]),
        fixture.call(worker, Int(PV_OP_CONNECT_RESULT), [Self.datagram]),
        fixture.call(worker, Int(PV_OP_SOCKET_NAME), [Self.stream, 1]),
        fixture.call(worker, Int(PV_OP_SOCKET_NAME), [Self.datagram, 1]),
      ]
    }
    #expect(results.allSatisfy { $0 < 0 })
    #expect(try !Readiness.wait([log.reading.descriptor], timeoutMilliseconds: 0)[0])
  }

  private static func gateThatOpensDoors() throws -> NetworkGate {
    let policy = "default: allow\nrules:\n- {protocol: unix, action: allow}\n"
    return NetworkGate(policy: try Policy(yaml: Array(policy.utf8)), log: nil)
  }

  /// To connect to a socket of the host.
  private static let attempt = NetworkAttempt(
    action: .connect, transport: .unix, local: nil, remote: nil, path: "/vol/door",
    subject: AuditEvent.Subject(process: 1, hostProcess: 1, program: "/bin/p", user: 0))

  /// A connection that is made while a policy takes another's place is judged by one of them, and
  /// ended if it is the new one's to end.
  @Test(arguments: [true, false])
  func nothingSlipsPastAPolicyThatEndsWhatItForbids(isKilling: Bool) throws {
    let gate = try Self.gateThatOpensDoors()
    let pair = try SocketPair()
    let permit = try gate.begin(Self.attempt, on: pair.first.descriptor)
    let closed = try Policy(yaml: Array("default: allow\n".utf8))
    let count = try gate.replacePolicy(with: closed, killing: isKilling) { _, _ in [] }
    #expect(count == 0)
    gate.finish(permit, on: pair.first.descriptor, AF_UNIX)
    #expect(gate.openCount() == (isKilling ? 0 : 1))
    #expect(pair.second.descriptor.isReady(for: POLLIN) == isKilling)
    #expect(throws: HostError(ECONNREFUSED)) {
      _ = try gate.begin(Self.attempt, on: pair.first.descriptor)
    }
  }

  /// What can't be found is not called ended.
  @Test func aSocketThatIsHiddenIsToldOf() throws {
    let gate = try Self.gateThatOpensDoors()
    let pair = try SocketPair()
    let permit = try gate.begin(Self.attempt, on: pair.first.descriptor)
    gate.finish(permit, on: pair.first.descriptor, AF_UNIX)
    let closed = try Policy(yaml: Array("default: allow\n".utf8))
    var depths: [SearchDepth] = []
    #expect(throws: HostError.busy) {
      _ = try gate.replacePolicy(with: closed, killing: true) { _, depth in
        depths.append(depth)
        return []
      }
    }
    #expect(depths == SearchDepth.allCases)
    #expect(gate.openCount() == 1)
    let cookie = try pair.first.descriptor.socketCookie()
    #expect(try gate.replacePolicy(with: closed, killing: true) { _, _ in [cookie] } == 1)
    #expect(gate.openCount() == 0)
  }

  // MARK: - What is refused

  @Test func onlyHarmlessSocketsAreMade() throws {
    let kinds: [([Int64], Int32)] = [
      ([2, 3, 1], EPERM), ([2, 3, 255], EPERM), ([10, 3, 58], EPERM), ([17, 3, 0], EAFNOSUPPORT),
      ([16, 3, 0], EAFNOSUPPORT), ([1, 1, 0], EAFNOSUPPORT), ([40, 1, 0], EAFNOSUPPORT),
      ([2, 1, 132], EPROTONOSUPPORT), ([2, 1, 262], EPROTONOSUPPORT),
      ([2, 2, 136], EPROTONOSUPPORT),
      ([2, 2, 58], EPROTONOSUPPORT), ([2, 0x801, 0], ESOCKTNOSUPPORT),
      ([2, 5, 0], ESOCKTNOSUPPORT),
    ]
    let results = try GuestFixture.run { fixture, worker in
      kinds.map { fixture.call(worker, Int(PV_OP_SOCKET), $0.0) }
    }
    #expect(results == kinds.map { -Int64($0.1) })
  }

  @Test func socketsOfOtherFamiliesAreLeftAlone() throws {
    let operations = [
      PV_OP_BIND, PV_OP_LISTEN, PV_OP_CONNECT, PV_OP_CONNECT_RESULT, PV_OP_ACCEPT,
      PV_OP_SOCKET_NAME, PV_OP_RECEIVE,
    ]
    let results = try GuestFixture.run { fixture, worker in
      operations.map { operation in
        // Arguments that pass the checks before the socket is looked at.
        let start = Int64(GuestFixture.start)
        let arguments = operation == PV_OP_RECEIVE ? [Self.local, start, 1, 0, 0] : [Self.local]
        return fixture.call(worker, Int(operation), arguments, payload: [1, 0, 0, 0])
      }
    }
    #expect(results.allSatisfy { $0 == -Int64(EOPNOTSUPP) }, "\(results)")
  }

  @Test func unixSocketsMoveBytesAndNothingElse() throws {
    let results = try GuestFixture.run { fixture, worker in
      let start = Int64(GuestFixture.start)
      return [
        // SO_SNDBUF of SOL_SOCKET, SO_PASSCRED, and TCP_NODELAY.
        fixture.call(worker, Int(PV_OP_SET_OPTION), [Self.local, 1, 7], payload: [0, 64, 0, 0]),
        fixture.call(worker, Int(PV_OP_SET_OPTION), [Self.local, 1, 16], payload: [1, 0, 0, 0]),
        fixture.call(worker, Int(PV_OP_SET_OPTION), [Self.local, 6, 1], payload: [1, 0, 0, 0]),
        fixture.call(worker, Int(PV_OP_GET_OPTION), [Self.local, 1, 7, 4]),
        fixture.call(worker, Int(PV_OP_SOCKET_QUEUE), [Self.local, 0x541b]),
        fixture.call(worker, Int(PV_OP_SEND), [Self.local, start, 1, 0, 0]),
        // With a control message, and with a name.
        fixture.call(
          worker, Int(PV_OP_SEND), [Self.local, start, 1, 0, 0],
          payload: [20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
        fixture.call(
          worker, Int(PV_OP_SEND), [Self.local, start, 1, 0, 4], payload: [1, 0, 47, 97]),
        fixture.call(worker, Int(PV_OP_SHUTDOWN), [Self.local, 1]),
      ]
    }
    #expect(Array(results[0..<3]) == [0, -Int64(ENOPROTOOPT), -Int64(EOPNOTSUPP)])
    #expect(
      Array(results[3...])
        == [4, 0, -Int64(ENOTCONN), -Int64(EPERM), -Int64(EPERM), 0])
  }

  /// TCP_REPAIR, FASTOPEN_CONNECT, ULP, ZEROCOPY_RECEIVE, MD5SIG; SO_ATTACH_FILTER, MARK,
  /// RCVBUFFORCE, ZEROCOPY; IP_OPTIONS, TRANSPARENT, HDRINCL; IPV6_RTHDR.
  @Test(arguments: [
    (6, 19), (6, 30), (6, 31), (6, 35), (6, 14), (1, 26), (1, 36), (1, 33), (1, 60), (0, 4),
    (0, 19),
    (0, 3), (41, 57), (4, 64), (270, 1), (255, 7), (-1, -1),
  ])
  func optionsThatReachFurtherAreNotSet(level: Int, name: Int) throws {
    let result = try GuestFixture.run { fixture, worker in
      fixture.call(
        worker, Int(PV_OP_SET_OPTION), [Self.stream, Int64(level), Int64(name)],
        payload: [1, 0, 0, 0])
    }
    #expect(result == -Int64(ENOPROTOOPT))
  }

  /// The host kernel fills in as many as the value asks for, and does not look at its size.
  @Test func listsOfSourcesStayInsideTheirRoom() throws {
    let group = Self.address([232, 1, 2, 3], port: 0) + [UInt8](repeating: 0, count: 112)
    let (joined, results, rest) = try GuestFixture.run { fixture, worker in
      let joined = (1...8).map { source in
        fixture.call(
          worker, Int(PV_OP_SET_OPTION), [Self.datagram, 0, 46],
          payload: [1, 0, 0, 0, 0, 0, 0, 0] + group
            + Self.address([127, 0, 0, UInt8(source)], port: 0)
            + [UInt8](repeating: 0, count: 112))
      }
      func sources(_ option: Int64, room: Int64, _ header: [UInt8]) -> Int64 {
        fixture.call(
          worker, Int(PV_OP_GET_OPTION), [Self.datagram, 0, option, room],
          payload: header + [UInt8](repeating: 0xaa, count: 2000 - header.count))
      }
      let asked = [1, 0, 0, 0, 0, 0, 0, 0] + group + [1, 0, 0, 0, 8, 0, 0, 0]
      let most = [1, 0, 0, 0, 0, 0, 0, 0] + group + [1, 0, 0, 0, 255, 255, 255, 255]
      var results = [sources(48, room: 144, asked)]
      var rest = Array(worker.payload.bytes(count: 2000)[144...])
      results.append(sources(48, room: 144 + 3 * 128 + 127, most))
      rest += worker.payload.bytes(count: 2000)[(144 + 3 * 128)...]
      results.append(sources(48, room: 143, most))
      results.append(sources(41, room: 20, [232, 1, 2, 3, 127, 0, 0, 1, 1, 0, 0, 0, 8, 0, 0, 0]))
      rest += worker.payload.bytes(count: 2000)[20...]
      results.append(sources(41, room: 15, [232, 1, 2, 3]))
      return (joined, results, rest)
    }
    #expect(joined == [Int64](repeating: 0, count: 8))
    let expected: [Int64] = [144, 144 + 3 * 128, -Int64(EINVAL), 20, -Int64(EINVAL)]
    #expect(results == expected)
    #expect(rest.allSatisfy { $0 == 0xaa })
  }

  @Test func whatIsSentIsChecked() throws {
    let start = Int64(GuestFixture.start)
    let end = start + Int64(GuestFixture.size)
    let rights: [UInt8] = [20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0]
    let results = try GuestFixture.run { fixture, worker in
      func send(_ arguments: [Int64], _ payload: [UInt8] = []) -> Int64 {
        fixture.call(worker, Int(PV_OP_SEND), arguments, payload: payload)
      }
      return [
        send([Self.datagram, start - 1, 1, 0, 0]), send([Self.datagram, end - 4, 5, 0, 0]),
        send([Self.datagram, 0, 1, 0, 0]), send([Self.datagram, start, 65537, 0, 0]),
        send([Self.datagram, start, -1, 0, 0]), send([Self.stream, start, 1, 0x2000_0000, 0]),
        send([Self.stream, start, 1, 0, 16], Self.address(port: 1)),
        send([Self.datagram, start, 1, 0, 0], rights), send([Self.datagram, start, 1, 0, 1], []),
        send([Self.datagram, start, 1, 0, 16], Self.address(port: 1, family: 0)),
        fixture.call(worker, Int(PV_OP_RECEIVE), [Self.datagram, end, 1, 0, 0]),
        fixture.call(worker, Int(PV_OP_RECEIVE), [Self.datagram, start, 1, 0x4000_0000, 0]),
      ]
    }
    let expected = [
      EFAULT, EFAULT, EFAULT, EMSGSIZE, EINVAL, EINVAL, EISCONN, EINVAL, EINVAL, EAFNOSUPPORT,
      EFAULT, EINVAL,
    ]
    #expect(results == expected.map { -Int64($0) })
  }

  @Test func privilegedPortsNeedTheContainersCapability() throws {
    let results = try GuestFixture.run { fixture, worker in
      [80, 1023, 1024].map { port in
        fixture.call(
          worker, Int(PV_OP_BIND), [Self.datagram, 1], payload: Self.address(port: port))
      }
    }
    #expect(results == [-Int64(EACCES), -Int64(EACCES), 0])
  }

  // MARK: - What a container may know

  @Test func routesAreReadAndNotWritten() throws {
    @Sendable func message(_ type: UInt8, size: UInt8 = 24, flags: [UInt8] = [1, 3]) -> [UInt8] {
      [size, 0, 0, 0, type, 0] + flags + [UInt8](repeating: 0, count: 16)
    }
    let results = try GuestFixture.run { fixture, worker in
      [
        message(18), message(16), message(24), message(18, size: 23), message(18, flags: [1, 8]),
        [1],
      ]
      .map { fixture.call(worker, Int(PV_OP_ROUTE_QUERY), [0], payload: $0) }
    }
    let expected = [0, EPERM, EPERM, EINVAL, EINVAL, EINVAL]
    #expect(results == expected.map { -Int64($0) })
  }

  @Test func onlyChangesAreTold() {
    func message(_ type: UInt16, size: UInt32 = 20, count: Int = 20) -> [UInt8] {
      let head = [size, UInt32(type) | 0x0300 << 16, 0x11223344, 4711]
      let bytes = head.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
      }
      return Array((bytes + [UInt8](repeating: 0xff, count: 64)).prefix(count))
    }
    func prepared(_ bytes: [UInt8]) -> [UInt8]? {
      let buffer = ByteBuffer(capacity: 128)
      _ = buffer.fill(with: [UInt8](repeating: 7, count: 16) + bytes)
      guard RouteMessage.prepare(buffer, at: 16, count: bytes.count) else { return nil }
      return Array(buffer.bytes(count: 16 + bytes.count))
    }
    // RTM_NEWADDR: who changed it is nobody's business.
    let head: [UInt8] = [20, 0, 0, 0, 20, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0]
    let passed = [UInt8](repeating: 7, count: 16) + head + [0xff, 0xff, 0xff, 0xff]
    #expect(prepared(message(20)) == passed)
    #expect(prepared(message(20) + message(25))?.count == 56)
    // NLMSG_ERROR, NLMSG_DONE, RTM_GETLINK, RTM_SETLINK, RTM_GETADDR, RTM_NEWDCB's neighbour.
    for type: UInt16 in [2, 3, 18, 19, 22, 60, 0xffff] { #expect(prepared(message(type)) == nil) }
    #expect(prepared(message(20) + message(18)) == nil)
    #expect(prepared(message(20, size: 15)) == nil)
    #expect(prepared(message(20, size: 21)) == nil)
    #expect(prepared(message(20, size: 0)) == nil)
    #expect(prepared(message(20, count: 15)) == nil)
    #expect(prepared([]) == nil)
  }

  @Test func socketsAreReadAndNotEnded() throws {
    // SOCK_DIAG_BY_FAMILY, with struct inet_diag_req_v2.
    @Sendable func message(
      _ type: UInt8 = 20, size: UInt8 = 72, flags: [UInt8] = [1, 3], family: UInt8 = 2,
      transport: UInt8 = 6, count: Int = 72
    ) -> [UInt8] {
      let head = [size, 0, 0, 0, type, 0] + flags + [UInt8](repeating: 0, count: 8)
      let body = [family, transport] + [UInt8](repeating: 0xff, count: 200)
      return Array((head + body).prefix(count))
    }
    let results = try GuestFixture.run { fixture, worker in
      [
        message(), message(family: 10, transport: 17), message(21), message(18),
        message(flags: [1, 8]), message(size: 76, count: 76), message(count: 71),
        message(size: 16, count: 16), message(family: 1), message(family: 16),
        message(transport: 132), message(transport: 255),
      ]
      .map { fixture.call(worker, Int(PV_OP_SOCKET_QUERY), [], payload: $0) }
    }
    let expected = [
      0, 0, EPERM, EPERM, EINVAL, EINVAL, EINVAL, EINVAL, ENOENT, ENOENT, ENOENT, ENOENT,
    ]
    #expect(results == expected.map { -Int64($0) })
  }

  @Test func interfacesAreReadAndNotChanged() throws {
    let record = Array("lo".utf8) + [UInt8](repeating: 0, count: 38)
    let results = try GuestFixture.run { fixture, worker in
      [0x8913, 0x8914, 0x8933, 0x89f0, 0x8946].map {
        fixture.call(worker, Int(PV_OP_INTERFACE), [$0], payload: record)
      } + [fixture.call(worker, Int(PV_OP_INTERFACE), [0x8913], payload: [1])]
    }
    #expect(results == [0, -1, 0, -1, -1, -Int64(EINVAL)])
  }

  @Test func textsAreOfTheContainersNetwork() throws {
    let results = try GuestFixture.run { fixture, worker in
      [0, 1, 3, Int64(PV_NETWORK_LAST), Int64(PV_NETWORK_LAST) + 1].map {
        fixture.call(worker, Int(PV_OP_NETWORK_TEXT), [$0])
      }
    }
    #expect(results == [-Int64(EINVAL), 0, 0, 0, -Int64(EINVAL)])
    #expect(NetworkFacts.names.count == Int(PV_NETWORK_LAST))
  }
}

extension Descriptor {
  /// All that a pipe holds now, at most 64 KiB.
  fileprivate func receiveRecordBytes() throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = try check { read(rawValue, &bytes, bytes.count) }
    return Array(bytes[..<count])
  }
}
