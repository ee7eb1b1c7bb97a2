import Glibc

/// A host descriptor that someone else owns and keeps open.
public struct Descriptor: RawRepresentable, Equatable, Hashable, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let standardInput = Descriptor(rawValue: 0)
  public static let standardOutput = Descriptor(rawValue: 1)
  public static let standardError = Descriptor(rawValue: 2)
  /// The directory that relative paths start from: AT_FDCWD.
  public static let workingDirectory = Descriptor(rawValue: AT_FDCWD)

  /// The path under which the kernel shows this descriptor to its own process.
  public var procPath: String { "/proc/self/fd/\(rawValue)" }

  /// Another descriptor of the same open file, close-on-exec, at or above `minimum`.
  public func duplicate(atLeast minimum: Int32 = 3) throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor { fcntl(rawValue, F_DUPFD_CLOEXEC, minimum) }
  }
}

/// A host descriptor that is closed when its owner goes.
public struct OwnedDescriptor: ~Copyable, Sendable {
  public let rawValue: Int32

  /// Takes the ownership of a descriptor that a system call has just returned.
  public init(owning rawValue: Int32) {
    precondition(rawValue >= 0, "an owned descriptor is a valid one")
    self.rawValue = rawValue
  }

  /// Takes what `call` returns, or throws its errno. Calls again while a signal interrupts it.
  public init(_ call: () -> Int32) throws(HostError) {
    self.init(owning: try check(call))
  }

  deinit { close(rawValue) }

  /// A view for calls while the owner lives.
  ///
  /// An owner with a name lives to the end of its scope. One without, in the middle of an
  /// expression, is gone before the view is used: name it.
  public var descriptor: Descriptor { Descriptor(rawValue: rawValue) }

  /// Gives the ownership up: from now on the caller closes it, or the end of the process does.
  public consuming func release() -> Descriptor {
    let raw = rawValue
    discard self
    return Descriptor(rawValue: raw)
  }

  /// Another descriptor of the same open file, close-on-exec, at or above `minimum`.
  public func duplicate(atLeast minimum: Int32 = 3) throws(HostError) -> OwnedDescriptor {
    try descriptor.duplicate(atLeast: minimum)
  }
}
