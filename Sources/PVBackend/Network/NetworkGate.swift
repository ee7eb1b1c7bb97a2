import ConnectionAudit
import ConnectionPolicy
import Glibc
import HostOS
import Synchronization

/// The one place where the network of a sandbox is decided on and told of: every bind, listen,
/// connect, accept and every datagram with a name passes it before the host kernel sees it, and
/// comes back with what the host kernel made of it.
public final class NetworkGate: Sendable {
  private let policy: PolicyInForce
  let log: AuditLog?
  let table = ConnectionTable()
  let counters = ConnectionCounters()
  /// Open from the first attempt on, in the container's network namespace.
  let diagnosis = Mutex<SocketDiagnosis?>(nil)
  private let observer = Mutex<EndObserver?>(nil)
  /// Whether the host kernel has a word on unix sockets; nil until the first of them.
  let hasUnixDiagnosis = Mutex<Bool?>(nil)
  private let isObserving = Atomic<Bool>(false)
  /// How many policies have come that ended what they forbid.
  private let killCount = Atomic<Int>(0)

  /// Without a policy everything passes; without a log nothing is written. Names are looked up from
  /// `begin` on.
  public init(policy: Policy?, log: AuditLog?) {
    self.policy = PolicyInForce(policy, isHeld: true)
    self.log = log
  }

  /// Everything that the host allows, and nobody is told.
  public static var allowAll: NetworkGate { NetworkGate(policy: nil, log: nil) }

  // MARK: - Deciding

  /// To be called when the process is where it will stay.
  func begin() { policy.begin() }

  /// Whether `begin` may take long: names are being looked up, or the log is a pipe.
  var mayWait: Bool { policy.mayWait || log?.mayWait ?? false }

  /// An attempt that the policy lets pass.
  struct Permit: Sendable {
    let attempt: NetworkAttempt
    fileprivate let decision: AuditEvent.Decision
    fileprivate let killCount: Int
  }

  /// Throws what the policy denies with.
  func begin(
    _ attempt: NetworkAttempt, on socket: Descriptor
  ) throws(HostError) -> Permit {
    if !isObserving.load(ordering: .acquiring) { observe() }
    // Before the policy is looked at: which one it is, is not known later.
    let killCount = killCount.load(ordering: .acquiring)
    func permit(_ decision: AuditEvent.Decision) -> Permit {
      Permit(attempt: attempt, decision: decision, killCount: killCount)
    }
    guard let event = attempt.event else {
      return permit(.withoutPolicy)
    }
    guard let policy = policy.policy else {
      // Sockets of the host are open to nobody unless a policy says so.
      if attempt.transport == .unix {
        throw deny(attempt, event, .deniedWithoutPolicy, .usual(for: event), on: socket)
      }
      return permit(.withoutPolicy)
    }
    let verdict = policy.verdict(for: attempt.question(event))
    let decision = AuditEvent.Decision(verdict, of: policy)
    guard case .deny(let errno) = verdict.answer else {
      return permit(decision)
    }
    throw deny(attempt, event, decision, errno, on: socket)
  }

  /// Tells of a denial; returns what the program gets.
  private func deny(
    _ attempt: NetworkAttempt, _ event: ConnectionEvent, _ decision: AuditEvent.Decision,
    _ errno: PolicyErrno, on socket: Descriptor
  ) -> HostError {
    counters.add(event, .denied)
    log?.write(
      AuditEvent(
        .denied, attempt: event, subject: attempt.subject, protocol: attempt.transport,
        local: attempt.local.map(AuditEndpoint.init), remote: attempt.remoteEnd,
        connection: try? socket.socketCookie(), decision: decision, error: errno.name))
    return HostError(errno.number)
  }

  /// What the host kernel made of a permitted attempt.
  ///
  /// To be called while the backend holds the socket, so that it can't have ended yet.
  func finish(
    _ permit: Permit, on socket: Descriptor, _ domain: Int32, _ error: HostError? = nil
  ) {
    let attempt = permit.attempt
    let hasFailed = error.map { $0.number != EINPROGRESS } ?? false
    if let event = attempt.event {
      counters.add(event, hasFailed ? .failed : permit.isMarked ? .marked : .passed)
    }
    // Of datagrams only those are told of that a rule marks.
    if attempt.action == .send, !permit.isMarked { return }
    let cookie = try? socket.socketCookie()
    let local = localEnd(of: attempt, on: socket, domain)
    log?.write(
      AuditEvent(
        attempt.kind, subject: attempt.subject, protocol: attempt.transport,
        local: local.map(AuditEndpoint.init), remote: attempt.remoteEnd,
        connection: cookie, decision: permit.decision,
        error: hasFailed ? error?.name : nil))
    guard let cookie, !hasFailed else { return }
    note(permit, socket, cookie, local: local)
    if permit.killCount != killCount.load(ordering: .acquiring) { endLate(permit, socket, cookie) }
  }

  /// Ends what an older policy has permitted than the one that has ended what it forbids, and what
  /// was not in the table yet when that one looked there.
  private func endLate(_ permit: Permit, _ socket: Descriptor, _ cookie: UInt64) {
    let attempt = permit.attempt
    guard let event = attempt.event, [.connect, .accept].contains(event),
      let policy = policy.policy, policy.verdict(for: attempt.question(event)).errno != nil
    else { return }
    table.markKilled(cookie)
    // Of a socket without a connection there is nothing to end.
    try? socket.shutDown(how: Int32(SHUT_RDWR))
    if attempt.transport == .unix { end(cookie) }
  }

  /// Takes a connection out of the table and tells of its end, if nobody has done it yet.
  func end(_ cookie: UInt64, bytes: (sent: UInt64, received: UInt64)? = nil) {
    guard let ended = table.remove(cookie) else { return }
    counters.addEnd(ended.bytes ?? bytes)
    log?.write(ended.connection.ending(ended.cause, bytes: ended.bytes ?? bytes))
  }

  /// What has just been bound has an address only now; an accepted connection came with its own.
  private func localEnd(
    of attempt: NetworkAttempt, on socket: Descriptor, _ domain: Int32
  ) -> Endpoint? {
    switch attempt.action {
    case .accept: return attempt.local
    case .connect, .send: if log == nil { return attempt.local }
    case .bind, .listen: break
    }
    return socket.endpoint(of: .local, domain: domain) ?? attempt.local
  }

  private func note(
    _ permit: Permit, _ socket: Descriptor, _ cookie: UInt64, local: Endpoint?
  ) {
    let attempt = permit.attempt
    guard let role = attempt.role else { return }
    var inode: UInt32?
    switch attempt.transport {
    case .tcp, .udp: break
    case .unix:
      inode = inodeToWatch(socket, cookie)
      if inode == nil { return }
    // The host kernel has no word on its end.
    case .icmp: return
    }
    let connection = OpenConnection(
      cookie: cookie, inode: inode, role: role, subject: attempt.subject,
      protocol: attempt.transport, local: local.map(AuditEndpoint.init),
      remote: attempt.remoteEnd, decision: permit.decision)
    let addition = table.add(connection)
    if addition.isFirstUnix { observer.withLock { $0 }?.watchUnixSockets() }
    if addition.isSweepDue {
      sweep()
      sweepUnix()
    }
  }

  // MARK: - Ends

  /// In a worker, which is on the container's network.
  private func observe() {
    diagnosis.withLock { diagnosis in
      guard !isObserving.load(ordering: .relaxed) else { return }
      // A host without sock_diag(7) has no word on ends; then the log has none either.
      diagnosis = try? SocketDiagnosis()
      if let log, let listener = try? SocketEndListener(),
        let observer = try? EndObserver(listener, self, log)
      {
        self.observer.withLock { $0 = observer }
        try? HostThread.start { observer.run() }
      }
      isObserving.store(true, ordering: .releasing)
    }
  }

  /// Takes connections out of the table that have ended unheard.
  func sweep() {
    let moment = MonotonicClock.nanoseconds()
    guard let sockets = try? sockets(withInformation: false) else { return }
    let ended = table.sweep(living: Set(sockets.map(\.cookie)), before: moment)
    for connection in ended { log?.write(connection.ending(.unknown, bytes: nil)) }
  }

  /// What the host kernel has open on the container's network, which others may share.
  func sockets(withInformation: Bool = true) throws(HostError) -> [SocketFacts] {
    try diagnosis.withLock { diagnosis throws(HostError) in
      guard diagnosis != nil else { throw HostError(EOPNOTSUPP) }
      return try diagnosis!.sockets(withInformation: withInformation)
    }
  }

  /// Waits until the ends of the sandbox's connections are told of; its processes are gone.
  public func drain() {
    observer.withLock { $0 }?.finish()
  }

  // MARK: - From outside

  /// A policy takes the place of the one in force. Returns how many connections it ended.
  func replacePolicy(
    with new: Policy, killing: Bool, _ search: Search
  ) throws(HostError) -> Int {
    policy.replace(with: new)
    if killing { killCount.add(1, ordering: .releasing) }
    guard killing, let compiled = policy.policy else { return 0 }
    return try kill(by: compiled, search)
  }

  /// How many connections are open; those that ended unheard are swept first.
  func openCount() -> Int {
    if observer.withLock({ $0 == nil }) { sweep() }
    sweepUnix()
    return table.count
  }

  /// Of open connections; nil where nobody hears of ends.
  func liveBytes() -> (sent: UInt64, received: UInt64)? {
    guard observer.withLock({ $0 != nil }), let sockets = try? sockets() else { return nil }
    let own = Set(table.all.map(\.cookie))
    return sockets.reduce(into: (sent: 0, received: 0)) { sum, socket in
      guard own.contains(socket.cookie), let bytes = socket.bytes else { return }
      sum.sent &+= bytes.sent
      sum.received &+= bytes.received
    }
  }

  /// One line of JSON for each open connection.
  public func report() throws(HostError) -> [UInt8] {
    let unix = reportUnix()
    let connections = Dictionary(
      table.all(unix: false).map { ($0.cookie, $0) }, uniquingKeysWith: { first, _ in first })
    if connections.isEmpty { return unix }
    return try sockets().flatMap { socket in
      connections[socket.cookie]?.line(socket) ?? []
    } + unix
  }
}

extension NetworkGate.Permit {
  fileprivate var isMarked: Bool { decision.verdict == .audit }
}

extension NetworkAttempt {
  fileprivate var role: OpenConnection.Role? {
    switch action {
    case .bind: .bound
    case .listen: .listening
    case .connect: .outgoing
    case .accept: .incoming
    case .send: nil
    }
  }
}
