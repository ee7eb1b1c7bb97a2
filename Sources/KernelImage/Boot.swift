import CKernelRuntime
import CPVCalls
import CPlatform
import KernelCore
import KernelFS
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
  static func start() {
    let boot = bootRecord
    pv_seed_random(UInt64(boot.pointee.random_seed.0) << 32 | UInt64(boot.pointee.random_seed.1))
    VDSO.find(at: UInt(boot.pointee.vdso_address))
    let kernel = Kernel.start(boot: boot, firstArea: Machine.thread)
    Mounts.install(kernel)
    do throws(Errno) {
      let task = try FirstProgram.makeTask(kernel)
      try Console.install(kernel, task)
      try FirstProgram.execute(task)
    } catch {
      FirstProgram.fail(error)
    }
  }
}
