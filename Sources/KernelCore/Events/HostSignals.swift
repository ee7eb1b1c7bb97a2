import CPVCalls
import LinuxABI
import PVFrontend
import Platform

/// Watches the host's files whose programs want signals, for the event thread.
///
/// The host tells what woke a file only by what was waited for, so each kind of news has an epoll
/// of its own. They are edge-triggered: each wake at the host is one signal, at most.
public final class HostSignals {
  /// What is to be told of a file.
  struct Kinds: OptionSet {
    let rawValue: UInt8
    static var input: Kinds { Kinds(rawValue: 1) }
    static var output: Kinds { Kinds(rawValue: 2) }
    static var urgent: Kinds { Kinds(rawValue: 4) }
  }

  /// A file's place here.
  struct Watch {
    var key: UInt64 = 0
    var descriptor = HostDescriptor.none
    var kinds: Kinds = []
  }

  private struct News {
    let request: SignalRequest
    let kind: Int
    let events: PollEvents
  }

  private let lock = Lock()
  private var requests: [UInt64: SignalRequest] = [:]
  private var lastKey: UInt64 = 0
  /// By the bit of `Kinds`; made when they are first needed.
  private var instances: [HostDescriptor] = [.none, .none, .none]
  private static var kindCount: Int { 3 }
  /// How many events are taken at once.
  private static var limit: Int { 64 }

  /// EPOLLIN and EPOLLRDHUP; EPOLLOUT; EPOLLPRI; each with EPOLLET.
  private static func events(of kind: Int) -> UInt32 {
    Epoll.edgeTriggered | (kind == 0 ? 0x2001 : kind == 1 ? 4 : 2)
  }

  // MARK: For files

  /// Watches a file for these kinds of news and no others.
  func watch(_ request: SignalRequest, _ host: HostDescriptor, _ kinds: Kinds) throws(Errno) {
    for kind in 0..<Self.kindCount where kinds.rawValue >> UInt8(kind) & 1 != 0 {
      try makeInstance(kind)
    }
    var news: [News] = []
    lock.lock()
    do throws(Errno) {
      try change(request, host, kinds, &news)
      lock.unlock()
    } catch {
      lock.unlock()
      tell(news)
      throw error
    }
    tell(news)
  }

  /// Ends all that is watched for a request, while its host descriptor is open.
  func forget(_ request: SignalRequest) {
    guard request.host.key != 0 else { return }
    lock.withLock { drop(request) }
  }

  private func makeInstance(_ kind: Int) throws(Errno) {
    if lock.withLock({ instances[kind].isValid }) { return }
    let new = HostDescriptor(Int32(truncatingIfNeeded: try Broker.call(PV_OP_EPOLL)))
    let isLate = lock.withLock { () -> Bool in
      if instances[kind].isValid { return true }
      instances[kind] = new
      return false
    }
    if isLate { Host.close(new) } else { EventThread.nudge() }
  }

  /// Lock held.
  private func change(
    _ request: SignalRequest, _ host: HostDescriptor, _ kinds: Kinds, _ news: inout [News]
  ) throws(Errno) {
    if request.host.key == 0 {
      guard !kinds.isEmpty else { return }
      lastKey += 1
      request.host = Watch(key: lastKey, descriptor: host)
      requests[lastKey] = request
    }
    for kind in 0..<Self.kindCount {
      let bit = Kinds(rawValue: 1 << UInt8(kind))
      let isWanted = kinds.contains(bit)
      guard isWanted != request.host.kinds.contains(bit) else { continue }
      guard isWanted else {
        remove(request, kind)
        continue
      }
      do throws(Errno) { try control(1, request.host, kind) } catch {
        if request.host.kinds.isEmpty { drop(request) }
        throw error
      }
      request.host.kinds.insert(bit)
      // What holds already is no news, but the host tells it once.
      swallowFirst(request.host.key, kind, &news)
    }
    if request.host.kinds.isEmpty { drop(request) }
  }

  private func swallowFirst(_ key: UInt64, _ kind: Int, _ news: inout [News]) {
    for _ in 0...(requests.count / Self.limit) {
      guard take(kind, except: key, &news) == Self.limit else { return }
    }
  }

  private func remove(_ request: SignalRequest, _ kind: Int) {
    request.host.kinds.remove(Kinds(rawValue: 1 << UInt8(kind)))
    try? control(2, request.host, kind)
  }

  private func drop(_ request: SignalRequest) {
    for kind in 0..<Self.kindCount
    where request.host.kinds.contains(Kinds(rawValue: 1 << UInt8(kind))) {
      remove(request, kind)
    }
    requests.removeValue(forKey: request.host.key)
    request.host = Watch()
  }

  /// epoll_ctl(2) of the host.
  private func control(_ operation: Int, _ watch: Watch, _ kind: Int) throws(Errno) {
    var event: (UInt32, UInt32, UInt32) = (
      Self.events(of: kind), UInt32(truncatingIfNeeded: watch.key),
      UInt32(truncatingIfNeeded: watch.key >> 32)
    )
    // SAFETY: the event lives for the call.
    let result = withUnsafeMutablePointer(to: &event) { event in
      Machine.call(
        233, Int(instances[kind].number), operation, Int(watch.descriptor.number),
        Int(bitPattern: event))
    }
    _ = try check(result)
  }

  // MARK: For the event thread

  /// What the event thread waits for, beside its own.
  func descriptors() -> [HostDescriptor] { lock.withLock { instances } }

  /// Takes what the host has to tell, and sends the signals. More of it is for the next time.
  func serve() {
    var news: [News] = []
    lock.withLock {
      for kind in 0..<Self.kindCount where instances[kind].isValid {
        _ = take(kind, except: 0, &news)
      }
    }
    tell(news)
  }

  /// Returns how many the host had. Lock held.
  private func take(_ kind: Int, except key: UInt64, _ news: inout [News]) -> Int {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.limit * 3) { words in
      // SAFETY: the words have room for as many events as are asked for, and live for the call.
      let found = Machine.call(
        281, Int(instances[kind].number), Int(bitPattern: words.baseAddress), Self.limit, 0, 0, 8)
      guard found > 0 else { return 0 }
      for index in 0..<found {
        let own = UInt64(words[index * 3 + 1]) | UInt64(words[index * 3 + 2]) << 32
        guard own != key, let request = requests[own] else { continue }
        news.append(
          News(request: request, kind: kind, events: PollEvents(rawValue: words[index * 3])))
      }
      return found
    }
  }

  private func tell(_ all: [News]) {
    for news in all {
      switch news.kind {
      case 0: tellOfInput(news)
      case 1: tellOfOutput(news)
      default: tellOfUrgentData(news)
      }
    }
  }

  private func tellOfInput(_ news: News) {
    if news.request.source == .pipe { return news.request.tell(.input) }
    if news.events.contains(.POLLERR) { return news.request.tell(.error) }
    news.request.tell(news.events.contains(.POLLHUP) ? .hangUp : .input)
  }

  private func tellOfOutput(_ news: News) {
    let isEnd = !news.events.isDisjoint(with: [.POLLERR, .POLLHUP])
    // The end of a connection is told of as input.
    if !isEnd || news.request.source == .pipe { news.request.tellOfRoom() }
  }

  private func tellOfUrgentData(_ news: News) {
    guard news.events.contains(.POLLPRI) else { return }
    // Other data that comes behind it wakes the file too. Where it is read in line nobody says
    // that it was read.
    if news.request.isUrgentNew() || isReadInLine(news.request.host.descriptor) {
      news.request.tellOfUrgentData()
    }
  }

  private func isReadInLine(_ socket: HostDescriptor) -> Bool {
    let size = try? Broker.call(
      PV_OP_GET_OPTION, Int(socket.number), Int(SocketOption.SOL_SOCKET),
      Int(SocketOption.SO_OOBINLINE), 4)
    return size == 4 && Broker.answer(count: 4)[0] != 0
  }
}
