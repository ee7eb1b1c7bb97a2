import CHostOS

/// The vector registers that programs may use, as XSAVE stores them.
public struct VectorState: Equatable, Sendable {
  /// Bits of XCR0, without those that a program has to ask the host for.
  public let features: UInt64
  /// Of the standard-format area that holds them, in bytes.
  public let size: UInt64

  public static func current() -> VectorState {
    var features: UInt64 = 0
    var size: UInt64 = 0
    host_get_vector_state(&features, &size)
    return VectorState(features: features, size: size)
  }
}
