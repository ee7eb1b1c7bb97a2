import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// A socket of NETLINK_ROUTE or NETLINK_SOCK_DIAG: requests that read are answered by the backend,
/// or by the sandbox's own table of unix sockets; others are EPERM. Members of groups hear what
/// changes; see `RouteSubscriptions`.
final class NetlinkSocket: Socket {
  /// Whom it asks, by protocol.
  enum Oracle: Int32 {
    case routes = 0
    case sockets = 4
  }

  private let oracle: Oracle
  private unowned(unsafe) let family: NetlinkFamily
  private let lock = Lock()
  private struct Datagram {
    let bytes: [UInt8]
    /// 0 for an answer.
    var group: UInt32 = 0
  }

  private var datagrams: [Datagram] = []
  /// What the news among them count for in SO_RCVBUF.
  private var newsCharge = 0
  /// Some were lost: no more are taken until all that is here was read.
  private var isCongested = false
  /// The groups that it is a member of, group n as bit n - 1. Changed by one thread at a time.
  private var groups: UInt64 = 0
  private var hasBeenMember = false
  /// 0 before it is bound.
  private var port: UInt32 = 0
  /// SOL_NETLINK options that are on, a bit each by number.
  private var switches: UInt32 = 0
  private var isClosed = false

  /// Of struct sockaddr_nl.
  private static var addressSize: Int { 12 }
  /// What may wait to be read.
  private static var queueLimit: Int { 1024 }
  private static var strictCheck: Int32 { 12 }

  init(_ task: Task, _ family: NetlinkFamily, type: Int32, _ oracle: Oracle) {
    self.family = family
    self.oracle = oracle
    super.init(
      task, domain: AddressFamily.AF_NETLINK, type: type, protocolNumber: oracle.rawValue)
  }

  deinit { lock.destroy() }

  // MARK: Names

  private static func parse(_ address: SocketAddress) throws(Errno) -> (
    port: UInt32, groups: UInt32
  ) {
    guard address.bytes.count >= addressSize, address.family == AddressFamily.AF_NETLINK else {
      throw .EINVAL
    }
    return (NetlinkHeader.word(address.bytes, 4), NetlinkHeader.word(address.bytes, 8))
  }

  private static func name(port: UInt32, groups: UInt32 = 0) -> SocketAddress {
    var bytes = [UInt8](repeating: 0, count: addressSize)
    bytes[0] = UInt8(AddressFamily.AF_NETLINK)
    NetlinkHeader.put(port, into: &bytes, at: 4)
    NetlinkHeader.put(groups, into: &bytes, at: 8)
    return SocketAddress(bytes: bytes)
  }

  override func bind(_ task: Task, _ address: SocketAddress) throws(Errno) {
    let (wanted, named) = try Self.parse(address)
    // Ends of sockets are not announced here, and a listener would wait in vain.
    guard named == 0 || oracle == .routes else { throw .EPERM }
    guard port == 0 || port == wanted else { throw .EINVAL }
    if port == 0 { port = try family.takePort(wanted, process: task.group.id) }
    if oracle == .routes { try join(groups & ~0xffff_ffff | UInt64(named)) }
  }

  /// From now on a member of these groups.
  private func join(_ new: UInt64) throws(Errno) {
    if new == groups { return }
    try family.subscriptions.set(new, of: self)
    groups = new
    hasBeenMember = true
    // Another thread may have closed it meanwhile, and left the groups before.
    if lock.withLock({ isClosed }) { try? family.subscriptions.set(0, of: self) }
  }

  override func connect(_ task: Task, _ address: SocketAddress) throws(Errno) {
    if address.family == AddressFamily.AF_UNSPEC { return }
    let (peer, groups) = try Self.parse(address)
    guard peer == 0, groups == 0 else { throw .EPERM }
    try bindIfNeeded(task)
  }

  private func bindIfNeeded(_ task: Task) throws(Errno) {
    if port == 0 { port = try family.takePort(0, process: task.group.id) }
  }

  override func localName() throws(Errno) -> SocketAddress {
    Self.name(port: port, groups: UInt32(truncatingIfNeeded: groups))
  }
  override func peerName() throws(Errno) -> SocketAddress { Self.name(port: 0) }

  // MARK: Requests

  override func send(_ task: Task, _ message: inout OutgoingMessage) throws(Errno) -> Int {
    if let name = message.name {
      let (peer, groups) = try Self.parse(name)
      guard peer == 0 else { throw .ECONNREFUSED }
      guard groups == 0 else { throw .EPERM }
    }
    guard !message.flags.contains(.MSG_OOB) else { throw .EOPNOTSUPP }
    try bindIfNeeded(task)
    let total = message.buffers.total
    guard total <= 65_536 else { throw .EMSGSIZE }
    let bytes = KernelBytes(count: total)
    var cursor = BufferCursor(message.buffers)
    try cursor.copyIn(to: bytes.start, count: total)
    let request = bytes.prefix(total)
    var offset = 0
    while let header = NetlinkHeader(request, at: offset) {
      let end = header.end(from: offset)
      serve(header, request[offset..<offset + header.length])
      offset = end
    }
    return total
  }

  private func serve(_ header: NetlinkHeader, _ request: ArraySlice<UInt8>) {
    guard header.flags & NetlinkFlags.NLM_F_REQUEST != 0,
      header.type >= NetlinkFlags.NLMSG_MIN_TYPE
    else {
      if header.flags & NetlinkFlags.NLM_F_ACK != 0 { acknowledge(0, request) }
      return
    }
    if oracle == .sockets { return diagnose(header, Array(request)) }
    // rtnetlink(7): of each kind NEW, DEL, GET and SET, in this order.
    guard header.type & 3 == 2 else { return acknowledge(Errno.EPERM.code, request) }
    do throws(Errno) {
      let isStrict = switches >> UInt32(Self.strictCheck) & 1 != 0
      let answer = try ask(Int(PV_OP_ROUTE_QUERY), isStrict ? 1 : 0, request)
      queue(NetlinkReply.datagrams(answer, port: port))
    } catch {
      // The backend knows kinds that can be read; of others it says so like Linux of unknown ones.
      acknowledge((error == .EPERM ? Errno.EOPNOTSUPP : error).code, request)
    }
  }

  /// sock_diag(7). Attributes, which filter what is told, are left out: ss(8) filters again itself.
  private func diagnose(_ header: NetlinkHeader, _ request: [UInt8]) {
    do throws(Errno) {
      guard header.type == NetlinkFlags.SOCK_DIAG_BY_FAMILY, request.count > NetlinkHeader.size
      else { throw Errno.EINVAL }
      switch UInt16(request[NetlinkHeader.size]) {
      case AddressFamily.AF_UNIX:
        let answer = try family.unix.diagnosis(UnixDiagnosis(header, request))
        queue(NetlinkReply.datagrams(answer, port: port))
      case AddressFamily.AF_INET, AddressFamily.AF_INET6:
        guard request.count >= Self.diagnosisSize else { throw Errno.EINVAL }
        var plain = Array(request.prefix(Self.diagnosisSize))
        NetlinkHeader.put(UInt32(plain.count), into: &plain, at: 0)
        let answer = try ask(Int(PV_OP_SOCKET_QUERY), 0, plain[...])
        queue(NetlinkReply.datagrams(answer, port: port))
      default: throw Errno.ENOENT
      }
    } catch { acknowledge(error.code, request[...]) }
  }

  /// Of struct nlmsghdr with struct inet_diag_req_v2 behind it.
  private static var diagnosisSize: Int { 72 }

  private func acknowledge(_ code: Int32, _ request: ArraySlice<UInt8>) {
    queue([NetlinkReply.error(code, for: request, port: port)])
  }

  private func queue(_ new: [[UInt8]]) {
    lock.withLock {
      if isClosed { return }
      for bytes in new where datagrams.count < Self.queueLimit {
        datagrams.append(Datagram(bytes: bytes))
      }
    }
    super.queue.wake([.POLLIN, .POLLRDNORM])
  }

  // MARK: News

  /// A message of a group. On the event thread.
  func hear(_ message: [UInt8], group: UInt32) {
    let hasRoom = lock.withLock { () -> Bool in
      if isClosed { return true }
      let charge = Self.charge(message.count)
      guard !isCongested, newsCharge + charge <= options.receiveBufferSize,
        family.subscriptions.charge(charge)
      else { return false }
      newsCharge += charge
      datagrams.append(Datagram(bytes: message, group: group))
      return true
    }
    if hasRoom { super.queue.wake([.POLLIN, .POLLRDNORM]) } else { loseNews() }
  }

  /// Some news did not come: ENOBUFS, once, unless NETLINK_NO_ENOBUFS is set; see netlink(7).
  func loseNews() {
    let isNew = lock.withLock { () -> Bool in
      if isClosed || isCongested || switches >> UInt32(Self.noLossError) & 1 != 0 { return false }
      isCongested = !datagrams.isEmpty
      return true
    }
    guard isNew else { return }
    setError(.ENOBUFS)
    super.queue.wake(.POLLERR, because: .error)
  }

  private static var noLossError: Int32 { 5 }

  /// About what Linux takes for a message.
  private static func charge(_ count: Int) -> Int { 512 + (count + 255) & ~255 }

  /// The answer's messages, as they came from the host.
  private func ask(_ operation: Int, _ flags: Int, _ request: ArraySlice<UInt8>) throws(Errno)
    -> [UInt8]
  {
    guard request.count <= Broker.payloadLimit else { throw .EMSGSIZE }
    let size = Broker.fill(Array(request))
    let number = try Broker.call(operation, flags, payloadSize: size)
    return try HostMemory.readAndClose(HostDescriptor(Int32(truncatingIfNeeded: number)))
  }

  // MARK: Answers

  override func receive(_ task: Task, _ message: inout IncomingMessage) throws(Errno) -> Int {
    if message.flags.contains(.MSG_OOB) { throw .EOPNOTSUPP }
    var patience = patience(message.flags, timeout: options.receiveTimeout)
    while true {
      if let error = takeError() { throw error }
      if let datagram = next(isPeeking: message.flags.contains(.MSG_PEEK)) {
        return try deliver(datagram, &message)
      }
      try wait(task, for: [.POLLIN, .POLLRDNORM], on: super.queue, &patience) {
        !datagrams.isEmpty || hasError
      }
    }
  }

  private func next(isPeeking: Bool) -> Datagram? {
    lock.withLock {
      guard let first = datagrams.first else { return nil }
      if isPeeking { return first }
      datagrams.removeFirst()
      if first.group != 0 {
        let charge = Self.charge(first.bytes.count)
        newsCharge -= charge
        _ = family.subscriptions.charge(-charge)
      }
      if datagrams.isEmpty { isCongested = false }
      return first
    }
  }

  // SAFETY: the datagram's bytes live for the copy.
  private func deliver(_ datagram: Datagram, _ message: inout IncomingMessage) throws(Errno) -> Int
  {
    let whole = datagram.bytes.count
    let count = min(whole, message.buffers.total)
    let bytes = KernelBytes(count: count)
    for index in 0..<count { bytes.start[index] = datagram.bytes[index] }
    var cursor = BufferCursor(message.buffers)
    try cursor.copyOut(bytes.start, count: count)
    if message.wantsName {
      let group = datagram.group
      message.name = Self.name(port: 0, groups: group == 0 || group > 32 ? 0 : 1 << (group - 1))
    }
    if switches >> UInt32(Self.packetInformation) & 1 != 0 {
      message.control = Self.control(ofGroup: datagram.group)
    }
    guard whole > count else { return count }
    message.resultFlags.insert(.MSG_TRUNC)
    return message.flags.contains(.MSG_TRUNC) ? whole : count
  }

  private static var packetInformation: Int32 { 3 }

  /// NETLINK_PKTINFO: struct nl_pktinfo behind its struct cmsghdr.
  private static func control(ofGroup group: UInt32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 24)
    NetlinkHeader.put(20, into: &bytes, at: 0)
    NetlinkHeader.put(UInt32(SocketLevel.SOL_NETLINK), into: &bytes, at: 8)
    NetlinkHeader.put(UInt32(packetInformation), into: &bytes, at: 12)
    NetlinkHeader.put(group, into: &bytes, at: 16)
    return bytes
  }

  override func waitingBytes() throws(Errno) -> Int {
    lock.withLock { datagrams.first?.bytes.count ?? 0 }
  }

  override func readiness() -> Readiness {
    var events: PollEvents = [.POLLOUT, .POLLWRNORM, .POLLWRBAND]
    if !datagrams.isEmpty { events.formUnion([.POLLIN, .POLLRDNORM]) }
    if hasError { events.insert(.POLLERR) }
    return .ready(events)
  }

  // MARK: Options

  override func option(_ task: Task, level: Int32, _ name: Int32, room: Int) throws(Errno)
    -> [UInt8]
  {
    guard level == SocketLevel.SOL_NETLINK else {
      return try super.option(task, level: level, name, room: room)
    }
    guard name > 0, name < 13 else { throw .ENOPROTOOPT }
    if name == Self.memberships {
      guard hasBeenMember else { return [] }
      var bytes = [UInt8](repeating: 0, count: Self.membershipSize)
      NetlinkHeader.put(UInt32(truncatingIfNeeded: groups), into: &bytes, at: 0)
      NetlinkHeader.put(UInt32(truncatingIfNeeded: groups >> 32), into: &bytes, at: 4)
      // Whole words only.
      return Array(bytes.prefix(room & ~3))
    }
    return [switches >> UInt32(name) & 1 != 0 ? 1 : 0, 0, 0, 0]
  }

  /// NETLINK_LIST_MEMBERSHIPS, of which a first call may ask how long it is.
  private static var memberships: Int32 { 9 }
  private static var membershipSize: Int { 8 }

  override func sizeOfOption(level: Int32, _ name: Int32, stored: Int) -> Int {
    let isList = level == SocketLevel.SOL_NETLINK && name == Self.memberships
    return isList && hasBeenMember ? Self.membershipSize : stored
  }

  /// NETLINK_ADD_MEMBERSHIP and DROP_MEMBERSHIP.
  private func setMembership(_ group: UInt32, joins: Bool) throws(Errno) {
    guard oracle == .routes else { throw .EPERM }
    guard group >= 1, group <= 64 else { throw .EINVAL }
    let bit = UInt64(1) << UInt64(group - 1)
    try join(joins ? groups | bit : groups & ~bit)
  }

  /// NETLINK_PKTINFO, BROADCAST_ERROR, NO_ENOBUFS, CAP_ACK, EXT_ACK, GET_STRICT_CHK, and
  /// memberships.
  override func setOption(_ task: Task, level: Int32, _ name: Int32, _ value: UserBuffer)
    throws(Errno)
  {
    guard level == SocketLevel.SOL_NETLINK else {
      return try super.setOption(task, level: level, name, value)
    }
    guard value.count >= 4 else { throw .EINVAL }
    let number = try UserMemory.load(UInt32.self, from: value.address)
    switch name {
    case 1, 2: try setMembership(number, joins: name == 1)
    case 3, 4, 5, 10, 11, 12:
      let bit = UInt32(1) << UInt32(name)
      switches = number != 0 ? switches | bit : switches & ~bit
    default: throw .ENOPROTOOPT
    }
  }

  override func close() {
    lock.withLock {
      isClosed = true
      datagrams = []
      _ = family.subscriptions.charge(-newsCharge)
      newsCharge = 0
    }
    if groups != 0 { try? family.subscriptions.set(0, of: self) }
    if port != 0 { family.releasePort(port) }
  }
}
