import CKernelRuntime
import CPVCalls
import CPlatform
import KernelCore
import KernelFS
import KernelNet
import KernelSyscalls
import LinuxABI
import PVFrontend
import Platform

/// The boot record, at the start of the writable segment.
var bootRecord: UnsafeMutablePointer<pv_boot> {
  // SAFETY: a symbol of the image's own data.
  pv_boot_address()
}

/// From the host's jump into the image to the first program's first instruction.
enum Boot {
  /// Between the two, the assembly clones the event thread.
  nonisolated(unsafe) private(set) static var isUnderWay = true

  static func start() {
    let boot = bootRecord
    pv_seed_random(UInt64(boot.pointee.random_seed.0) << 32 | UInt64(boot.pointee.random_seed.1))
    VDSO.find(at: UInt(boot.pointee.vdso_address))
    let kernel = Kernel.start(boot: boot, firstArea: Machine.thread)
    Mounts.install(kernel)
    let unix = UnixFamily(notify: HostDescriptor(boot.pointee.notify_descriptor))
    kernel.sockets.register(unix)
    kernel.sockets.register(InetFamily(number: AddressFamily.AF_INET))
    kernel.sockets.register(InetFamily(number: AddressFamily.AF_INET6))
    let netlink = NetlinkFamily(unix: unix)
    kernel.sockets.register(netlink)
    kernel.hostListeners.append(netlink.listener)
    do throws(Errno) {
      let task = try FirstProgram.makeTask(kernel)
      try Console.install(kernel, task)
      try Console.startTrace(kernel)
      try EventThread.prepare()
    } catch {
      FirstProgram.fail(error)
    }
  }

  /// After the clone, whose result is the host's.
  static func finish(_ result: Int) {
    isUnderWay = false
    if result < 0 { FirstProgram.fail(Errno(result: result)) }
    let task = Task.current
    do throws(Errno) { try FirstProgram.execute(task) } catch {
      // The starter has changed its mind.
      if !task.group.isExiting { FirstProgram.fail(error) }
    }
    task.setBlocked(0)
    Machine.thread.pointee.pending = 1
  }
}
