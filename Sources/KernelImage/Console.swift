import CPVCalls
import KernelCore
import KernelFS
import LinuxABI
import PVFrontend
import Platform

/// The standard streams of the first program.
enum Console {
  static func install(_ kernel: Kernel, _ task: Task) throws(Errno) {
    let descriptors = kernel.boot.pointee.standard_descriptors
    let terminal = try openTerminal(kernel, task)
    for number in [descriptors.0, descriptors.1, descriptors.2] + inherited(kernel) {
      let descriptor = HostDescriptor(number)
      guard let flags = try? Host.fcntl(descriptor, 3, 0) else { continue }
      let status = try FileStatus.ofHost(descriptor)
      if let terminal, terminal.isSame(status) {
        _ = try task.add(terminal.file, closeOnExec: false)
        continue
      }
      let file = HostFile(descriptor, flags: OpenFlags(rawValue: Int32(flags)), status: status)
      _ = try task.add(file, closeOnExec: false)
    }
  }

  /// What the runtime's caller passes on, from descriptor 3 on.
  private static func inherited(_ kernel: Kernel) -> [Int32] {
    withUnsafeBytes(of: kernel.boot.pointee.inherited_descriptors) { bytes in
      (0..<Int(min(kernel.boot.pointee.inherited_count, UInt32(PV_INHERITED_LIMIT)))).map {
        bytes.load(fromByteOffset: $0 * 4, as: Int32.self)
      }
    }
  }

  /// The host's terminal, to which some of the streams lead.
  private struct HostConsole {
    let file: OpenFile
    let device: UInt64

    func isSame(_ status: FileStatus) -> Bool { Self.isTerminal(status, device: device) }

    static func isTerminal(_ status: FileStatus, device: UInt64) -> Bool {
      status.mode & FileMode.S_IFMT == FileMode.S_IFCHR && status.specialDevice == device
    }
  }

  /// Where `--strace` writes. The starter has put its own terminal into raw mode.
  static func startTrace(_ kernel: Kernel) throws(Errno) {
    let boot = kernel.boot.pointee
    let output = HostDescriptor(boot.trace_descriptor)
    guard output.isValid else { return }
    var isRawTerminal = false
    if boot.flags & UInt32(PV_BOOT_TERMINAL) != 0 {
      let status = try FileStatus.ofHost(HostDescriptor(boot.standard_descriptors.0))
      isRawTerminal = HostConsole.isTerminal(
        try FileStatus.ofHost(output), device: status.specialDevice)
    }
    TraceLog.start(output, isRawTerminal: isRawTerminal)
  }

  private static func openTerminal(_ kernel: Kernel, _ task: Task) throws(Errno) -> HostConsole? {
    guard kernel.boot.pointee.flags & UInt32(PV_BOOT_TERMINAL) != 0 else { return nil }
    let status = try FileStatus.ofHost(HostDescriptor(kernel.boot.pointee.standard_descriptors.0))
    return HostConsole(
      file: try HostTerminal.open(kernel, task), device: status.specialDevice)
  }
}
