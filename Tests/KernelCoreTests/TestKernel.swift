import CPVCalls
import CPlatform
import CTestMachine
import LinuxABI
import PVFrontend
import Platform

@testable import KernelCore

/// A kernel on the host, and tasks on its threads.
///
/// The kernel is one for all tests of a process, as in a sandbox; what a test changes of it must be
/// its own.
enum TestKernel {
  nonisolated(unsafe) private static let shared: Kernel = {
    let boot = UnsafeMutablePointer<pv_boot>.allocate(capacity: 1)
    boot.initialize(to: pv_boot())
    let blob = UnsafeMutablePointer<UInt8>.allocate(capacity: 16)
    blob.initialize(repeating: 0, count: 16)
    boot.pointee.blob_start = UInt64(UInt(bitPattern: blob))
    boot.pointee.blob_size = 16
    let kernel = Kernel.start(boot: boot, firstArea: makeArea())
    // Process 1 does not hear signals that would end it; no test's task is to be that by chance.
    let first = kernel.tasks.lock.withLock { try? kernel.tasks.allocateID() }
    precondition(first == 1, "the first process is process 1")
    return kernel
  }()

  /// Never freed, as the areas of the image.
  private static func makeArea() -> ThreadArea {
    let size = Int(PV_AREA_KERNEL_STACK_TOP)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    let area = memory.assumingMemoryBound(to: pv_thread.self)
    area.pointee.`self` = UInt64(UInt(bitPattern: area))
    return area
  }

  /// Runs `body` on this thread as the first task of a process.
  static func withTask<R>(_ body: (Task) throws -> R) throws -> R {
    let kernel = shared
    let area = makeArea()
    pv_set_current(area)
    let id = try kernel.tasks.lock.withLock { () throws(Errno) -> Int32 in
      try kernel.tasks.allocateID()
    }
    let group = ThreadGroup(id: id, parent: nil, startTime: 0)
    let root = HostFile(.none, flags: .O_PATH, status: FileStatus())
    let task = Task(
      id: id, group: group, area: area, memory: AddressSpace(), files: FileTable(),
      paths: PathContext(workingDirectory: root), credentials: Credentials())
    area.pointee.task = UInt64(UInt(bitPattern: Unmanaged.passUnretained(task).toOpaque()))
    group.adopt(task)
    return try withExtendedLifetime(task) { try body(task) }
  }
}

extension HostFile {
  /// A file in memory, as the kernel has files of the host.
  static func holding(_ bytes: [UInt8]) -> HostFile {
    let number = test_memory_file(bytes, bytes.count)
    precondition(number >= 0, "a memory file for a test")
    return HostFile(HostDescriptor(number), flags: .O_RDWR)
  }
}

/// The errno that `body` throws, nil when it throws none.
func errno(of body: () throws(Errno) -> Void) -> Errno? {
  do { try body() } catch { return error }
  return nil
}
