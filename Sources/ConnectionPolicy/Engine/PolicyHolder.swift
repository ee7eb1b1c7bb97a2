import Synchronization

/// The policy in force. It is replaced as a whole, so every attempt is judged by the old one or by
/// the new one and by nothing in between.
public final class PolicyHolder: Sendable {
  private let current: Mutex<CompiledPolicy?>

  public init(_ policy: CompiledPolicy?) { current = Mutex(policy) }

  /// For one attempt; whoever asks twice may get two policies. Nil as long as there is none.
  public var policy: CompiledPolicy? { current.withLock { $0 } }

  /// From the return on, no attempt that begins is judged by the old policy.
  public func replace(with policy: CompiledPolicy) {
    current.withLock { $0 = policy }
  }
}
