import CPVCalls
import ConnectionAudit
import ConnectionPolicy
import Glibc
import HostOS

/// A guest's socket for as long as a request takes.
struct GuestSocket: ~Copyable, Sendable {
  private let owner: OwnedDescriptor
  let domain: Int32
  let transport: ConnectionProtocol

  /// EOPNOTSUPP for sockets of other families: the caller of the sandbox may have passed one in.
  static func checked(_ owner: consuming OwnedDescriptor) throws(HostError) -> GuestSocket {
    let descriptor = owner.descriptor
    let domain = try descriptor.option(level: SOL_SOCKET, SO_DOMAIN)
    let transport = try transport(of: descriptor, domain: domain)
    return GuestSocket(owner: owner, domain: domain, transport: transport)
  }

  /// The same, and one of AF_UNIX, which is connected to the host.
  static func checkedOrUnix(_ owner: consuming OwnedDescriptor) throws(HostError) -> GuestSocket {
    let domain = try owner.descriptor.option(level: SOL_SOCKET, SO_DOMAIN)
    guard domain == AF_UNIX else { return try checked(owner) }
    return GuestSocket(owner: owner, domain: domain, transport: .unix)
  }

  private static func transport(
    of descriptor: Descriptor, domain: Int32
  ) throws(HostError) -> ConnectionProtocol {
    guard domain == AF_INET || domain == AF_INET6 else { throw HostError(EOPNOTSUPP) }
    switch try descriptor.option(level: SOL_SOCKET, SO_PROTOCOL) {
    case Int32(IPPROTO_TCP): return .tcp
    case Int32(IPPROTO_UDP): return .udp
    case Int32(IPPROTO_ICMP), Int32(IPPROTO_ICMPV6):
      guard try descriptor.option(level: SOL_SOCKET, SO_TYPE) == Worker.datagramType else {
        throw HostError(EOPNOTSUPP)
      }
      return .icmp
    default: throw HostError(EOPNOTSUPP)
    }
  }

  var descriptor: Descriptor { owner.descriptor }

  /// Those of AF_UNIX's own hand out descriptors and credentials.
  func hasOptions(of level: Int32) -> Bool { transport != .unix || level == SOL_SOCKET }

  /// Nil before it has one.
  func endpoint(of end: SocketEnd) -> Endpoint? {
    descriptor.endpoint(of: end, domain: domain)
  }
}

extension Descriptor {
  /// Of a socket; nil before it has one.
  func endpoint(of end: SocketEnd, domain: Int32) -> Endpoint? {
    guard let name = try? name(of: end) else { return nil }
    return try? InternetAddress(name, domain: domain).endpoint
  }
}

extension Worker {
  static var streamType: Int32 { 1 }
  static var datagramType: Int32 { 2 }

  private func socket(of request: Request) throws(HostError) -> GuestSocket {
    try GuestSocket.checked(try descriptor(0, of: request))
  }

  private func socketOrUnix(of request: Request) throws(HostError) -> GuestSocket {
    try GuestSocket.checkedOrUnix(try descriptor(0, of: request))
  }

  private func address(
    of request: Request, for socket: borrowing GuestSocket
  ) throws(HostError) -> InternetAddress {
    try InternetAddress(payload.bytes(count: request.payloadSize), domain: socket.domain)
  }

  var gate: NetworkGate { backend.view.network.gate }

  /// Asks the policy; throws what it denies with.
  private func begin(
    _ action: NetworkAttempt.Action, _ socket: borrowing GuestSocket, local: Endpoint?,
    remote: Endpoint?, _ request: Request
  ) throws(HostError) -> NetworkGate.Permit {
    let subject = AuditEvent.Subject(
      process: Int32(truncatingIfNeeded: request[5]), hostProcess: requester.rawValue,
      program: path.text, user: request.user)
    let attempt = NetworkAttempt(
      action: action, transport: socket.transport, local: local, remote: remote, subject: subject)
    return try begin(attempt, on: socket.descriptor)
  }

  /// The same of an attempt that is put together already.
  func begin(
    _ attempt: NetworkAttempt, on socket: Descriptor
  ) throws(HostError) -> NetworkGate.Permit {
    if gate.mayWait, let claim { backend.turn.handOver(claim) }
    return try gate.begin(attempt, on: socket)
  }

  /// The same, does what is permitted, and tells of it.
  private func pass(
    _ action: NetworkAttempt.Action, _ socket: borrowing GuestSocket, local: Endpoint?,
    remote: Endpoint?, _ request: Request, _ body: () throws(HostError) -> Void
  ) throws(HostError) {
    let permit = try begin(action, socket, local: local, remote: remote, request)
    do {
      try body()
    } catch {
      gate.finish(permit, on: socket.descriptor, socket.domain, error)
      throw error
    }
    gate.finish(permit, on: socket.descriptor, socket.domain)
  }

  // MARK: - Life of a socket

  /// TCP, UDP and ICMP echo; nothing that could make a packet by hand.
  func makeSocket(_ request: Request) throws(HostError) -> OwnedDescriptor {
    let domain = Int32(bitPattern: try request.word(0))
    let type = Int32(bitPattern: try request.word(1))
    let number = Int32(bitPattern: try request.word(2))
    guard domain == AF_INET || domain == AF_INET6 else { throw HostError(EAFNOSUPPORT) }
    let echo = domain == AF_INET ? Int32(IPPROTO_ICMP) : Int32(IPPROTO_ICMPV6)
    switch (type, number) {
    case (Worker.streamType, 0), (Worker.streamType, Int32(IPPROTO_TCP)),
      (Worker.datagramType, 0), (Worker.datagramType, Int32(IPPROTO_UDP)),
      (Worker.datagramType, echo):
      break
    case (Worker.streamType, _), (Worker.datagramType, _): throw HostError(EPROTONOSUPPORT)
    case (3, _): throw HostError(EPERM)
    default: throw HostError(ESOCKTNOSUPPORT)
    }
    // Firewalls of the host may look at who owns a socket.
    try assumeIdentity(of: request)
    return try OwnedDescriptor.socket(domain: domain, type: type, protocolNumber: number)
  }

  func bind(_ request: Request) throws(HostError) -> Int64 {
    let socket = try socket(of: request)
    let address = try address(of: request, for: socket)
    guard let endpoint = address.endpointToBind else { throw HostError(EINVAL) }
    let isPrivileged = try request.flags(1, allowed: 1) == 1
    if !(isPrivileged && backend.view.network.mayBindPrivilegedPorts), endpoint.port != 0,
      UInt32(endpoint.port) < network.unprivilegedPortStart()
    {
      throw HostError(EACCES)
    }
    let descriptor = socket.descriptor
    try pass(.bind, socket, local: endpoint, remote: nil, request) { () throws(HostError) in
      try descriptor.bind(to: address.bytes)
    }
    return 0
  }

  func listen(_ request: Request) throws(HostError) -> Int64 {
    let socket = try socket(of: request)
    let (descriptor, local) = (socket.descriptor, socket.endpoint(of: .local))
    let backlog = Int32(bitPattern: try request.word(1))
    try pass(.listen, socket, local: local, remote: nil, request) { () throws(HostError) in
      try descriptor.listen(backlog: backlog)
    }
    return 0
  }

  /// Never waits: EINPROGRESS says that the outcome is to come.
  func connect(_ request: Request) throws(HostError) -> Int64 {
    let flags = try request.flags(1, allowed: UInt32(PV_CONNECT_FINISH))
    let socket = try socket(of: request)
    let address = try address(of: request, for: socket)
    guard let remote = address.endpoint?.destination else {
      try connect(socket, address, flags)
      return 0
    }
    let permit = try begin(.connect, socket, local: nil, remote: remote, request)
    do {
      try connect(socket, address, flags)
    } catch {
      gate.finish(permit, on: socket.descriptor, socket.domain, error)
      throw error
    }
    gate.finish(permit, on: socket.descriptor, socket.domain)
    return 0
  }

  private func connect(
    _ socket: borrowing GuestSocket, _ address: InternetAddress, _ flags: UInt32
  ) throws(HostError) {
    try socket.descriptor.setSocketNonBlocking()
    do {
      try socket.descriptor.connect(to: address.bytes)
    } catch  where error.number == EINPROGRESS && flags & UInt32(PV_CONNECT_FINISH) != 0 {
      // On this machine and near it, the handshake is often over by now.
      guard socket.descriptor.isReady(for: POLLOUT) else { throw error }
      try finishConnecting(socket)
    }
  }

  func connectResult(_ request: Request) throws(HostError) -> Int64 {
    let socket = try socket(of: request)
    try socket.descriptor.setSocketNonBlocking()
    try finishConnecting(socket)
    return 0
  }

  /// connect(2) while one is in progress does not look at the address, and says what it came to.
  /// One with nothing but a family can't begin anything: so no policy is asked.
  private func finishConnecting(_ socket: borrowing GuestSocket) throws(HostError) {
    do {
      try socket.descriptor.connect(to: [UInt8(socket.domain), 0])
    } catch  where error.number == EINVAL {
      // A security module of the host may want a whole address.
      let number = try socket.descriptor.option(level: SOL_SOCKET, SO_ERROR)
      if number != 0 { throw HostError(number) }
      _ = try socket.descriptor.name(of: .peer)
    }
  }

  /// The next connection that the policy lets in; it resets the others.
  func accept(_ request: Request) throws(HostError) -> OwnedDescriptor {
    let listener = try listener(of: request)
    let descriptor = listener.socket.descriptor
    try descriptor.setSocketNonBlocking()
    while true {
      // Belongs to the requester, as its sockets do.
      try assumeIdentity(of: request)
      var name: [UInt8] = []
      let connection = try descriptor.accept(name: &name)
      do {
        let domain = listener.socket.domain
        // A peer that has gone again may have no name.
        let remote = try? InternetAddress(name, domain: domain).endpoint
        let local = connection.descriptor.endpoint(of: .local, domain: domain)
        let permit = try begin(.accept, listener.socket, local: local, remote: remote, request)
        gate.finish(permit, on: connection.descriptor, domain)
      } catch {
        try connection.descriptor.resetOnClose()
        continue
      }
      answerSize = payload.fill(with: name)
      return connection
    }
  }

  private func listener(of request: Request) throws(HostError) -> KeptListener {
    let number = try request.descriptor(0)
    if let kept = backend.listeners[number] { return kept }
    let listener = KeptListener(try socket(of: request))
    if try listener.socket.descriptor.option(level: SOL_SOCKET, SO_ACCEPTCONN) == 1 {
      backend.listeners.keep(listener, as: number)
    }
    return listener
  }

  func forgetListener(_ request: Request) throws(HostError) -> Int64 {
    backend.listeners.forget(try request.descriptor(0))
    return 0
  }

  func shutDown(_ request: Request) throws(HostError) -> Int64 {
    let how = Int32(bitPattern: try request.word(1))
    guard (0...2).contains(how) else { throw HostError(EINVAL) }
    let socket = try socketOrUnix(of: request)
    try socket.descriptor.shutDown(how: how)
    return 0
  }

  func socketName(_ request: Request) throws(HostError) -> Int64 {
    let end: SocketEnd
    switch request[1] {
    case UInt64(PV_NAME_LOCAL): end = .local
    case UInt64(PV_NAME_PEER): end = .peer
    default: throw HostError(EINVAL)
    }
    let socket = try socket(of: request)
    answerSize = payload.fill(with: try socket.descriptor.name(of: end))
    return Int64(answerSize)
  }

  // MARK: - Options

  func option(_ request: Request) throws(HostError) -> Int64 {
    let level = Int32(bitPattern: try request.word(1))
    let name = Int32(bitPattern: try request.word(2))
    guard OptionTable.access(level: level, name) != nil else { throw HostError(ENOPROTOOPT) }
    let room = Int(min(try request.size(3), Int64(payload.capacity)))
    let socket = try socketOrUnix(of: request)
    guard socket.hasOptions(of: level) else { throw HostError(EOPNOTSUPP) }
    if let filter = OptionTable.sourceFilter(level: level, name) {
      try limitSources(of: filter, room: room)
    }
    answerSize = try socket.descriptor.option(level: level, name, into: payload, room: room)
    return Int64(answerSize)
  }

  /// The host kernel fills in as many sources as the value itself asks for, whatever its size is.
  private func limitSources(
    of filter: OptionTable.SourceFilter, room: Int
  ) throws(HostError) {
    guard room >= filter.headerSize else { throw HostError(EINVAL) }
    let count: UInt32 = payload.load(at: filter.countOffset)
    let most = (room - filter.headerSize) / filter.sourceSize
    payload.store(min(count, UInt32(most)), at: filter.countOffset)
  }

  func setOption(_ request: Request) throws(HostError) -> Int64 {
    let level = Int32(bitPattern: try request.word(1))
    let name = Int32(bitPattern: try request.word(2))
    guard OptionTable.access(level: level, name) == .readWrite else {
      throw HostError(ENOPROTOOPT)
    }
    let socket = try socketOrUnix(of: request)
    guard socket.hasOptions(of: level) else { throw HostError(EOPNOTSUPP) }
    try socket.descriptor.setOption(level: level, name, payload, count: request.payloadSize)
    return 0
  }

  func socketQueue(_ request: Request) throws(HostError) -> Int64 {
    let command = try request.word(1)
    // FIONREAD, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK.
    guard [0x541b, 0x5411, 0x894b, 0x8905].contains(command) else { throw HostError(EINVAL) }
    let socket = try socketOrUnix(of: request)
    return Int64(try socket.descriptor.socketQueue(command))
  }

  // MARK: - Data that can't be moved by direct calls

  /// MSG_OOB, DONTROUTE, EOR, CONFIRM, MORE; what waits or raises a signal is the guest's to do.
  private static var sendFlags: UInt32 { 0x1 | 0x4 | 0x80 | 0x800 | 0x8000 }
  /// MSG_OOB, PEEK, TRUNC, ERRQUEUE.
  private static var receiveFlags: UInt32 { 0x1 | 0x2 | 0x20 | 0x2000 }

  func send(_ request: Request) throws(HostError) -> Int64 {
    let flags = try request.flags(3, allowed: Worker.sendFlags)
    let nameSize = Int(try request.size(4))
    guard nameSize <= request.payloadSize,
      request.payloadSize - nameSize <= Int(PV_CONTROL_SIZE)
    else { throw HostError(EINVAL) }
    let (offset, count) = try kernelMemory(of: request)
    let socket = try socketOrUnix(of: request)
    // No name, and no descriptors or credentials, which would be the backend's.
    if socket.transport == .unix, request.payloadSize > 0 { throw HostError(EPERM) }
    let bytes = payload.bytes(count: request.payloadSize)
    var message = SocketMessage(flags: Int32(flags))
    message.control = Array(bytes[nameSize...])
    try ControlTable.check(message.control)
    var permit: NetworkGate.Permit?
    if nameSize > 0 {
      // On a stream a name means nothing, or that a connection is begun.
      guard socket.transport != .tcp else { throw HostError(EISCONN) }
      let address = try InternetAddress(Array(bytes[..<nameSize]), domain: socket.domain)
      guard let endpoint = address.endpoint else { throw HostError(EAFNOSUPPORT) }
      permit = try begin(.send, socket, local: nil, remote: endpoint.destination, request)
      message.name = address.bytes
    }
    let data = ByteBuffer(capacity: max(count, 1))
    backend.view.memory.copy(at: offset, count: count, into: data)
    let sent = try socket.descriptor.send(data, count: count, message)
    if let permit { gate.finish(permit, on: socket.descriptor, socket.domain) }
    return Int64(sent)
  }

  func receive(_ request: Request) throws(HostError) -> Int64 {
    let flags = try request.flags(3, allowed: Worker.receiveFlags)
    let controlRoom = Int(min(try request.size(4), Int64(PV_CONTROL_SIZE)))
    let (offset, room) = try kernelMemory(of: request)
    let socket = try socket(of: request)
    let data = ByteBuffer(capacity: max(room, 1))
    let (count, message) = try socket.descriptor.receive(
      into: data, room: room, controlRoom: controlRoom, flags: Int32(flags))
    backend.view.memory.write(data, count: min(count, room), at: offset)
    answerSize = write(message)
    return Int64(count)
  }

  /// struct pv_received and the control messages.
  private func write(_ message: SocketMessage) -> Int {
    payload.store(UInt32(bitPattern: message.flags), at: 0)
    payload.store(UInt32(message.name.count), at: 4)
    payload.store(UInt32(message.control.count), at: 8)
    payload.store(UInt32(0), at: 12)
    for index in 0..<128 {
      payload.store(index < message.name.count ? message.name[index] : 0, at: 16 + index)
    }
    let start = MemoryLayout<pv_received>.size
    for (index, byte) in message.control.enumerated() { payload.store(byte, at: start + index) }
    return start + message.control.count
  }

  /// Argument 1 and 2: a stretch of the kernel's memory, as an offset of ours.
  private func kernelMemory(of request: Request) throws(HostError) -> (offset: Int, count: Int) {
    let count = Int(try request.size(2))
    guard count <= Int(PV_DATAGRAM_SIZE) else { throw HostError(EMSGSIZE) }
    return (try kernelMemory(at: request[1], count: count), count)
  }
}
