import LinuxABI
import Platform

/// Something of the host's that the event thread reads for a part of the kernel.
///
/// They are made at boot, and there for ever.
open class HostListener {
  public init() {}

  /// What is waited for now, if anything. Asked by the event thread.
  open var descriptor: HostDescriptor { .none }
  /// There is something to read. On the event thread, which must not wait here.
  open func hostIsReadable() {}
}
