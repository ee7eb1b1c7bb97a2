import Glibc
import HostOS
import Testing

/// The host kernel's word on sockets. Serialized: others' sockets end meanwhile, too.
@Suite(.serialized) struct SocketDiagnosisTests {
  @Test func anEndIsHeardOfWithItsBytes() throws {
    let listener = try SocketEndListener()
    let pair = try Connection.make()
    let cookie = try pair.client.descriptor.socketCookie()
    try pair.client.descriptor.write([UInt8](repeating: 1, count: 1000))
    try pair.server.descriptor.write([UInt8](repeating: 2, count: 70))
    let served = try pair.server.descriptor.receiveAll(1000)
    let received = try pair.client.descriptor.receiveAll(70)
    #expect((served, received) == (1000, 70))
    pair.close()
    let facts = try waitForEnd(of: cookie, listener)
    #expect(facts.protocolNumber == Int32(IPPROTO_TCP))
    #expect(facts.bytes?.sent == 1000)
    // The FIN of the other end may count.
    #expect([70, 71].contains(facts.bytes?.received))
  }

  @Test func liveSocketsAreListedAndCanBeEnded() throws {
    let diagnosis = try SocketDiagnosis()
    let pair = try Connection.make()
    let cookie = try pair.client.descriptor.socketCookie()
    let found = try diagnosis.sockets().filter { $0.cookie == cookie }
    #expect(found.count == 1)
    guard let facts = found.first else { return }
    #expect(facts.state == 1)
    #expect(facts.localAddress == 0x7f00_0001)
    #expect(facts.remotePort == pair.port)
    try diagnosis.destroy(facts)
    var byte: UInt8 = 0
    #expect(recv(pair.client.rawValue, &byte, 1, 0) == -1)
    #expect([ECONNABORTED, ECONNRESET].contains(errno))
    pair.close()
  }

  @Test func unixSocketsAreFoundUntilTheyEnd() throws {
    let diagnosis = try SocketDiagnosis()
    let pair = try SocketPair()
    let (inode, cookie) = (
      try pair.first.descriptor.socketInode(), try pair.first.descriptor.socketCookie()
    )
    let listed = try diagnosis.unixSockets().filter { $0.cookie == cookie }
    #expect(listed.count == 1)
    #expect(listed.first?.state == 1)
    let found = try diagnosis.unixSocket(inode: inode, cookie: cookie)
    #expect(found?.cookie == cookie && found?.isShutDown == false)
    // The number is that of another socket.
    #expect(try diagnosis.unixSocket(inode: inode, cookie: cookie + 1) == nil)
    try pair.first.descriptor.shutDown(how: Int32(SHUT_WR))
    #expect(try diagnosis.unixSocket(inode: inode, cookie: cookie)?.isShutDown == false)
    try pair.first.descriptor.shutDown(how: Int32(SHUT_RD))
    #expect(try diagnosis.unixSocket(inode: inode, cookie: cookie)?.isShutDown == true)
    _ = pair.intoSecond()
    #expect(try diagnosis.unixSocket(inode: inode, cookie: cookie) == nil)
    #expect(try !diagnosis.unixSockets().contains { $0.cookie == cookie })
  }

  /// More than fit into one message of the host kernel.
  @Test func aThousandUnixSocketsAreListed() throws {
    try CurrentProcess.raiseDescriptorLimit(atLeast: 4096)
    let diagnosis = try SocketDiagnosis()
    var cookies: Set<UInt64> = []
    var sockets: [Descriptor] = []
    defer { for socket in sockets { socket.close() } }
    for _ in 0..<1000 {
      let socket = try OwnedDescriptor.socket(
        domain: AF_UNIX, type: Int32(SOCK_STREAM.rawValue), protocolNumber: 0)
      cookies.insert(try socket.descriptor.socketCookie())
      sockets.append(socket.release())
    }
    #expect(cookies.subtracting(try diagnosis.unixSockets().map(\.cookie)).isEmpty)
  }

  private func waitForEnd(
    of cookie: UInt64, _ listener: borrowing SocketEndListener
  ) throws -> SocketFacts {
    while true {
      let ready = try Readiness.wait([listener.descriptor], timeoutMilliseconds: 20_000)
      try #require(ready[0], "no end within 20 s")
      while let facts = try listener.next() {
        if facts.cookie == cookie { return facts }
      }
    }
  }
}

/// Two ends of a connection on the loopback device.
private struct Connection: ~Copyable {
  let client: OwnedDescriptor
  let server: OwnedDescriptor
  let port: UInt16

  static func make() throws -> Connection {
    let stream = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let listener = try OwnedDescriptor { socket(AF_INET, stream, 0) }
    let client = try OwnedDescriptor { socket(AF_INET, stream, 0) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    try withUnsafeMutablePointer(to: &address) {
      try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        try check { bind(listener.rawValue, address, size) }
        try check { listen(listener.rawValue, 1) }
        try check { getsockname(listener.rawValue, address, &size) }
        try check { connect(client.rawValue, address, size) }
      }
    }
    let server = try OwnedDescriptor { accept(listener.rawValue, nil, nil) }
    return Connection(
      client: client, server: server, port: UInt16(bigEndian: address.sin_port))
  }

  consuming func close() {}
}

extension Descriptor {
  fileprivate func receiveAll(_ count: Int) throws -> Int {
    var bytes = [UInt8](repeating: 0, count: count)
    return try check { recv(rawValue, &bytes, count, Int32(MSG_WAITALL)) }
  }
}
