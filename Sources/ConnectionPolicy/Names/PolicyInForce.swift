import HostOS
import Synchronization

/// The policy that decides now, with the addresses that its names have now.
///
/// Names are looked up in a thread of their own. A policy that names hosts waits for their first
/// answers, a while at most: until then it would deny what it means to allow.
public final class PolicyInForce: Sendable {
  private let holder: PolicyHolder
  private let resolver: any NameResolver
  private let names = Mutex(Names())
  private let news: Condition = Condition()
  /// A name has no answer yet. Changed by who holds `names`.
  private let isPending = Atomic<Bool>(false)
  /// Counts the policies. Changed by who holds `news`.
  private let generation = Atomic<Int>(0)

  private struct Names {
    var addresses = HostAddresses()
    var policy: Policy?
    var hasThread = false
    var isHeld = false

    /// Whether it is time to start the thread; true once.
    mutating func takesThread() -> Bool {
      guard !isHeld, !hasThread, let policy, !policy.hostNames.isEmpty else { return false }
      hasThread = true
      return true
    }
  }

  /// The longest time that an attempt waits for names.
  private static let patienceSeconds: UInt64 = 10

  /// Nothing is looked up before `begin` when it is held back: a process that is to enter a user
  /// namespace may have one thread only.
  public init(
    _ policy: Policy?, resolver: any NameResolver = SystemResolver(), isHeld: Bool = false
  ) {
    self.resolver = resolver
    holder = PolicyHolder(nil)
    names.withLock { $0.isHeld = isHeld }
    if let policy { replace(with: policy) }
  }

  /// From the return on, no attempt that begins is judged by the old policy.
  public func replace(with policy: Policy) {
    let hosts = policy.hostNames
    let mustStart = names.withLock { names in
      names.policy = policy
      names.addresses.setNames(hosts)
      isPending.store(!names.addresses.dueNames(at: 0).isEmpty, ordering: .releasing)
      holder.replace(with: CompiledPolicy(policy, addresses: names.addresses.addresses))
      return names.takesThread()
    }
    if mustStart { startLookingUp() }
    news.withLock {
      generation.add(1, ordering: .relaxed)
      news.wakeAll()
    }
  }

  /// Looks names up from now on.
  public func begin() {
    let mustStart = names.withLock { names in
      names.isHeld = false
      return names.takesThread()
    }
    if mustStart { startLookingUp() }
  }

  /// Whether `policy` may have to wait.
  public var mayWait: Bool { isPending.load(ordering: .acquiring) }

  /// For one attempt; nil as long as there is no policy.
  public var policy: CompiledPolicy? {
    if isPending.load(ordering: .acquiring) { waitForNames() }
    return holder.policy
  }

  private func waitForNames() {
    let end = MonotonicSeconds.now() + PolicyInForce.patienceSeconds
    news.withLock {
      while isPending.load(ordering: .acquiring), MonotonicSeconds.now() < end {
        news.wait(milliseconds: 1000)
      }
    }
    names.withLock { _ in isPending.store(false, ordering: .releasing) }
  }

  // MARK: - The thread of names

  private func startLookingUp() {
    // Without a thread, names have no addresses: what they allow is denied.
    try? HostThread.start { self.lookUpForEver() }
  }

  private func lookUpForEver() {
    while true {
      let seen = generation.load(ordering: .relaxed)
      let due = names.withLock { $0.addresses.dueNames(at: MonotonicSeconds.now()) }
      for name in due {
        let answer = resolver.addresses(of: name)
        note(answer, for: name)
      }
      if !due.isEmpty {
        names.withLock {
          isPending.store(!$0.addresses.dueNames(at: 0).isEmpty, ordering: .releasing)
        }
        news.withLock { news.wakeAll() }
        continue
      }
      let next = names.withLock { $0.addresses.nextQuestion }
      let now = MonotonicSeconds.now()
      let seconds = next.map { $0 > now ? min($0 - now, 3600) : 0 } ?? 3600
      news.withLock {
        guard generation.load(ordering: .relaxed) == seen else { return }
        news.wait(milliseconds: max(Int(seconds) * 1000, 10))
      }
    }
  }

  private func note(_ answer: (addresses: [IPAddress], seconds: UInt32)?, for name: String) {
    names.withLock { names in
      let before = names.addresses.addresses
      names.addresses.note(answer, for: name, at: MonotonicSeconds.now())
      let after = names.addresses.addresses
      if after != before, let policy = names.policy {
        holder.replace(with: CompiledPolicy(policy, addresses: after))
      }
    }
  }
}
