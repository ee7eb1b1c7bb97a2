import CHostOS
import Glibc

/// Calls on sockets of the internet's families. None of them waits for a peer.
extension OwnedDescriptor {
  /// socket(2), close-on-exec and non-blocking.
  public static func socket(
    domain: Int32, type: Int32, protocolNumber: Int32
  ) throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor { host_socket(domain, type, protocolNumber) }
  }
}

/// Which end of a connection getsockname(2) and getpeername(2) name.
public enum SocketEnd: Sendable {
  case local, peer
}

/// A message of sendmsg(2) or recvmsg(2) beside its data.
public struct SocketMessage: Sendable {
  /// Empty for none.
  public var name: [UInt8]
  public var control: [UInt8]
  public var flags: Int32

  public init(name: [UInt8] = [], control: [UInt8] = [], flags: Int32) {
    self.name = name
    self.control = control
    self.flags = flags
  }
}

extension Descriptor {
  /// Of struct sockaddr_storage.
  private static var addressLimit: Int { 128 }

  /// Replaces all status flags of the socket.
  public func setSocketNonBlocking() throws(HostError) {
    try check { host_set_non_blocking(rawValue) }
  }

  public func bind(to address: [UInt8]) throws(HostError) {
    try check { host_bind(rawValue, address, UInt32(address.count)) }
  }

  /// Lets a server start again while old connections of its port are dying.
  public func reuseAddress() throws(HostError) {
    var one: Int32 = 1
    try check { setsockopt(rawValue, SOL_SOCKET, SO_REUSEADDR, &one, 4) }
  }

  public func listen(backlog: Int32) throws(HostError) {
    try check { Glibc.listen(rawValue, backlog) }
  }

  public func connect(to address: [UInt8]) throws(HostError) {
    try check { host_connect(rawValue, address, UInt32(address.count)) }
  }

  /// The same as another user, whom the listener is told of. The calling thread has dropped its
  /// supplementary groups, and makes files as root afterwards.
  public func connect(to address: [UInt8], user: UInt32, group: UInt32) throws(HostError) {
    // -1 is no user; to the host's kernel it means the present one.
    guard user != .max, group != .max else { throw HostError(EINVAL) }
    try check { host_connect_as(rawValue, address, UInt32(address.count), user, group) }
  }

  /// The next connection, close-on-exec and non-blocking, with the peer's address in `name`; EAGAIN
  /// when a non-blocking socket has none.
  public func accept(name: inout [UInt8]) throws(HostError) -> OwnedDescriptor {
    var number: Int32 = -1
    // SAFETY: accept(2) initializes as many bytes as it says, and writes none behind the room.
    name = [UInt8](unsafeUninitializedCapacity: Descriptor.addressLimit) { bytes, count in
      var size = UInt32(bytes.count)
      repeat {
        number = host_accept(rawValue, bytes.baseAddress, &size)
      } while number < 0 && errno == EINTR
      count = number < 0 ? 0 : min(Int(size), bytes.count)
    }
    return try OwnedDescriptor { number }
  }

  /// The same, whoever the peer is.
  public func accept() throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor { host_accept(rawValue, nil, nil) }
  }

  public func shutDown(how: Int32) throws(HostError) {
    try check { Glibc.shutdown(rawValue, how) }
  }

  public func name(of end: SocketEnd) throws(HostError) -> [UInt8] {
    var result: Int32 = -1
    // SAFETY: the calls initialize as many bytes as they say, and write none behind the room.
    let name = [UInt8](unsafeUninitializedCapacity: Descriptor.addressLimit) { bytes, count in
      var size = UInt32(bytes.count)
      result =
        switch end {
        case .local: host_local_name(rawValue, bytes.baseAddress, &size)
        case .peer: host_peer_name(rawValue, bytes.baseAddress, &size)
        }
      count = result < 0 ? 0 : min(Int(size), bytes.count)
    }
    try check { result }
    return name
  }

  /// An option that is an int.
  public func option(level: Int32, _ name: Int32) throws(HostError) -> Int32 {
    var value: Int32 = 0
    var size = UInt32(MemoryLayout<Int32>.size)
    try check { host_get_option(rawValue, level, name, &value, &size) }
    return value
  }

  /// Fills the buffer's first `room` bytes, of which those given count as input; returns the bytes
  /// of the value.
  public func option(
    level: Int32, _ name: Int32, into buffer: borrowing ByteBuffer, room: Int
  ) throws(HostError) -> Int {
    precondition(room >= 0 && room <= buffer.capacity, "the value lies inside the buffer")
    let bytes = buffer.bytes
    var size = UInt32(room)
    try check { host_get_option(rawValue, level, name, bytes, &size) }
    return min(Int(size), room)
  }

  public func setOption(
    level: Int32, _ name: Int32, _ buffer: borrowing ByteBuffer, count: Int
  ) throws(HostError) {
    precondition(count >= 0 && count <= buffer.capacity, "the value lies inside the buffer")
    let bytes = buffer.bytes
    try check { host_set_option(rawValue, level, name, bytes, UInt32(count)) }
  }

  /// The next close(2) ends the connection with a reset.
  public func resetOnClose() throws(HostError) { try check { host_reset_on_close(rawValue) } }

  /// Sends the buffer's first bytes without waiting and without SIGPIPE.
  public func send(
    _ buffer: borrowing ByteBuffer, count: Int, _ message: SocketMessage
  ) throws(HostError) -> Int {
    precondition(count >= 0 && count <= buffer.capacity, "the data lies inside the buffer")
    let bytes = buffer.bytes
    var (name, control) = (message.name, message.control)
    // SAFETY: sendmsg(2) reads the three areas, which live for the call.
    let sent = try check {
      name.withUnsafeMutableBytes { name in
        control.withUnsafeMutableBytes { control in
          var record = host_message(
            data: bytes, size: count, name: name.baseAddress, name_size: UInt32(name.count),
            control: control.baseAddress, control_size: control.count, flags: message.flags)
          return host_send_message(rawValue, &record)
        }
      }
    }
    return Int(sent)
  }

  /// Receives into the buffer's first `room` bytes without waiting; returns how many, and what came
  /// beside them.
  public func receive(
    into buffer: borrowing ByteBuffer, room: Int, controlRoom: Int, flags: Int32
  ) throws(HostError) -> (count: Int, message: SocketMessage) {
    precondition(room >= 0 && room <= buffer.capacity, "the data lies inside the buffer")
    let bytes = buffer.bytes
    var message = SocketMessage(
      name: [UInt8](repeating: 0, count: Descriptor.addressLimit),
      control: [UInt8](repeating: 0, count: controlRoom), flags: flags)
    var (nameSize, controlSize, resultFlags) = (0, 0, flags)
    // SAFETY: recvmsg(2) writes to the three areas, which live for the call.
    let count = try check {
      message.name.withUnsafeMutableBytes { name in
        message.control.withUnsafeMutableBytes { control in
          var record = host_message(
            data: bytes, size: room, name: name.baseAddress, name_size: UInt32(name.count),
            control: control.baseAddress, control_size: control.count, flags: flags)
          let count = host_receive_message(rawValue, &record)
          (nameSize, controlSize) = (Int(record.name_size), record.control_size)
          resultFlags = record.flags
          return count
        }
      }
    }
    message.flags = resultFlags
    message.name.removeLast(message.name.count - min(nameSize, message.name.count))
    message.control.removeLast(message.control.count - min(controlSize, message.control.count))
    return (Int(count), message)
  }

  /// FIONREAD, SIOCOUTQ, SIOCOUTQNSD or SIOCATMARK.
  public func socketQueue(_ command: UInt32) throws(HostError) -> Int32 {
    var value: Int32 = 0
    try check { host_socket_queue(rawValue, command, &value) }
    return value
  }

  /// Whether an event of poll(2) holds now.
  public func isReady(for events: Int32) -> Bool {
    var set = pollfd(fd: rawValue, events: Int16(truncatingIfNeeded: events), revents: 0)
    return host_poll(&set, 1, 0) == 1
  }
}

/// The calling thread's network namespace.
public enum NetworkNamespace {
  /// Sees another network from now on.
  public static func enter(_ namespace: Descriptor) throws(HostError) {
    try check { host_enter_network_namespace(namespace.rawValue) }
  }

  /// Makes a fresh namespace useful: the loopback device is up, and everybody may ping.
  public static func prepareFresh() throws(HostError) {
    try check { host_start_loopback() }
    // The host may hide the setting; then echo sockets are refused.
    _ = host_allow_echo_sockets()
  }

  /// netdevice(7) on a struct ifreq at the buffer's start.
  public static func interface(
    _ command: UInt32, _ buffer: borrowing ByteBuffer
  ) throws(HostError) {
    precondition(buffer.capacity >= Int(HOST_INTERFACE_SIZE), "room for struct ifreq")
    let bytes = buffer.bytes
    try check { host_interface(command, bytes) }
  }

  /// Fills the buffer with the records of SIOCGIFCONF; returns their bytes.
  public static func interfaces(into buffer: borrowing ByteBuffer) throws(HostError) -> Int {
    let (bytes, size) = (buffer.bytes, buffer.capacity)
    return Int(try check { host_interface_list(bytes, size) })
  }

  /// Whom a question is for: the protocols of netlink(7).
  public enum Oracle: Int32, Sendable {
    /// rtnetlink(7), sock_diag(7).
    case routes = 0
    case sockets = 4
  }

  /// Sends the request in the buffer's first bytes; returns a file in memory with the answer's
  /// messages.
  public static func query(
    _ oracle: Oracle, _ buffer: borrowing ByteBuffer, count: Int, isStrict: Bool = false
  ) throws(HostError) -> OwnedDescriptor {
    precondition(count >= 0 && count <= buffer.capacity, "the request lies inside the buffer")
    let bytes = buffer.bytes
    let file = try OwnedDescriptor { host_memory_file("answer", 1) }
    let raw = file.rawValue
    try check { host_netlink_query(oracle.rawValue, bytes, count, isStrict ? 1 : 0, raw) }
    return file
  }
}

extension Descriptor {
  /// A file in memory with the text that this file has now, at most `limit` bytes.
  public func textInMemory(limit: Int) throws(HostError) -> OwnedDescriptor {
    let file = try OwnedDescriptor { host_memory_file("text", 1) }
    let raw = file.rawValue
    try check { host_copy_text(rawValue, raw, limit) }
    return file
  }
}

extension CurrentThread {
  /// From now on the host kernel decides about the network as for any user without privileges:
  /// CAP_NET_ADMIN and CAP_NET_RAW are gone for good.
  public static func dropNetworkCapabilities() throws(HostError) {
    try check { host_drop_network_capabilities() }
  }
}

extension Descriptor {
  /// What a non-blocking stream has at once, empty at its end; nil when it has nothing yet.
  public func readSome(limit: Int) throws(HostError) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit)
    do throws(HostError) {
      let count = try check { Glibc.read(rawValue, &bytes, limit) }
      return Array(bytes[..<count])
    } catch {
      if error.number == EAGAIN { return nil }
      throw error
    }
  }

  /// Sends without SIGPIPE what a non-blocking stream takes at once, and returns how much it was.
  public func sendSome(_ bytes: [UInt8]) throws(HostError) -> Int {
    do throws(HostError) {
      return try check { Glibc.send(rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
    } catch {
      if error.number == EAGAIN { return 0 }
      throw error
    }
  }
}
