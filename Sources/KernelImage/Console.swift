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
    for number in [descriptors.0, descriptors.1, descriptors.2] {
      let descriptor = HostDescriptor(number)
      guard let flags = try? Host.fcntl(descriptor, 3, 0) else { continue }
      let file = HostFile(
        descriptor, flags: OpenFlags(rawValue: Int32(flags)),
        status: try FileStatus.ofHost(descriptor))
      _ = try task.add(file, closeOnExec: false)
    }
  }
}
