import Platform

/// The rewritten system call sites of an address space.
public final class SiteRecord {
  public init() {}
  func copy(from other: SiteRecord) {}
}
