import CPVCalls
import KernelCore
import KernelSyscalls
import LinuxABI
import PVFrontend
import Platform

/// The first program of the sandbox, from the boot record.
enum FirstProgram {
  static func makeTask(_ kernel: Kernel) throws(Errno) -> Task {
    let boot = kernel.boot.pointee
    let root = HostDescriptor(boot.root_descriptor)
    let directory = HostFile(
      root, flags: .O_PATH, status: try FileStatus.ofHost(root))
    kernel.mounts.noteRestrictions()
    directory.hold()  // the root stays open however the working directory changes
    let task = try kernel.makeFirstTask(
      workingDirectory: directory, credentials: credentials(boot))
    task.paths.umask = boot.umask
    task.personality = boot.personality
    task.schedulingPolicy = boot.scheduling_policy
    task.group.outOfMemoryAdjustment = boot.out_of_memory_adjustment
    withUnsafeBytes(of: boot.rlimits) { bytes in
      for index in 0..<16 {
        task.group.limits[index] = (
          bytes.load(fromByteOffset: index * 16, as: UInt64.self),
          bytes.load(fromByteOffset: index * 16 + 8, as: UInt64.self)
        )
      }
    }
    Machine.thread.pointee.host_process = 2
    Machine.thread.pointee.host_thread = 2
    if boot.filter_count > 0 {
      kernel.containerFilter = try SeccompFilter(
        try FilterProgram(containerFilter(kernel)), after: nil,
        logs: boot.flags & UInt32(PV_BOOT_LOG_REFUSALS) != 0)
      task.useContainerFilter()
    }
    // Signals from outside wait until there is a program.
    task.setBlocked(SignalSet.max)
    return task
  }

  /// The instructions that the runtime made of the configuration's profile.
  private static func containerFilter(_ kernel: Kernel) -> [UInt64] {
    let boot = kernel.boot.pointee
    let start = Kernel.bootPointer(kernel.boot, boot.filter_offset)
    // SAFETY: the host wrote as many words as it says, inside the blob.
    return (0..<Int(boot.filter_count)).map {
      UnsafeRawPointer(start).loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)
    }
  }

  private static func credentials(_ boot: pv_boot) -> Credentials {
    var credentials = Credentials()
    credentials.user = boot.user
    credentials.effectiveUser = boot.user
    credentials.savedUser = boot.user
    credentials.fileUser = boot.user
    credentials.group = boot.group
    credentials.effectiveGroup = boot.group
    credentials.savedGroup = boot.group
    credentials.fileGroup = boot.group
    withUnsafeBytes(of: boot.groups) { bytes in
      for index in 0..<Int(min(boot.group_count, 64)) {
        credentials.groups.append(bytes.load(fromByteOffset: index * 4, as: UInt32.self))
      }
    }
    credentials.effective = boot.capabilities_effective
    credentials.permitted = boot.capabilities_permitted
    credentials.inheritable = boot.capabilities_inheritable
    credentials.bounding = boot.capabilities_bounding
    credentials.ambient = boot.capabilities_ambient
    credentials.noNewPrivileges = boot.flags & UInt32(PV_BOOT_NO_NEW_PRIVILEGES) != 0
    return credentials
  }

  /// Finds the program on the PATH of its environment, as execvp(3) does, and becomes it.
  static func execute(_ task: Task) throws(Errno) {
    let boot = kernel.boot
    let directory = Kernel.bootString(boot, boot.pointee.working_directory_offset)
    if !directory.isEmpty {
      do throws(Errno) {
        task.paths.changeDirectory(to: try task.open(path: directory, [.O_PATH, .O_DIRECTORY]))
      } catch {
        fail(error, UInt32(PV_STEP_WORKING_DIRECTORY))
      }
    }
    var strings = ProgramStrings()
    var searchPath: [UInt8]?
    var arguments: [[UInt8]] = []
    forEachString(boot.pointee.arguments_offset, boot.pointee.arguments_count) {
      arguments.append($0)
      strings.append(argument: $0)
    }
    forEachString(boot.pointee.environment_offset, boot.pointee.environment_count) {
      strings.append(environment: $0)
      if $0.starts(with: [80, 65, 84, 72, 61]) { searchPath = Array($0[5...]) }
    }
    guard let name = arguments.first, !name.isEmpty else { throw .ENOENT }
    let image = try find(name, searchPath, task, strings)
    // Until the runtime lets it start.
    _ = try Broker.call(Int(PV_OP_PROGRAM_READY), 0)
    if TraceLog.isOn {
      CallTrace.started(
        task, image.path, arguments: arguments,
        environmentCount: Int(boot.pointee.environment_count))
    }
    _ = try task.execute(image)
  }

  static func find(
    _ name: [UInt8], _ searchPath: [UInt8]?, _ task: Task, _ strings: ProgramStrings
  ) throws(Errno) -> ProgramImage {
    if name.contains(47) {
      return try task.prepareProgram(try task.open(path: name, []), path: name, strings)
    }
    // /usr/local/sbin:/usr/local/bin:... where the environment has none: as Docker's default.
    let list =
      searchPath ?? Array("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".utf8)
    var failure = Errno.ENOENT
    for directory in list.split(separator: 58, omittingEmptySubsequences: false) {
      var path = directory.isEmpty ? [46] : Array(directory)
      path.append(47)
      path.append(contentsOf: name)
      do throws(Errno) {
        return try task.prepareProgram(try task.open(path: path, []), path: path, strings)
      } catch {
        if error == .EACCES || error == .ENOEXEC { failure = error }
        if error != .ENOENT && error != .ENOTDIR && error != .EACCES { throw error }
      }
    }
    throw failure
  }

  private static func forEachString(_ offset: UInt32, _ count: UInt32, _ body: ([UInt8]) -> Void) {
    var position = offset
    for _ in 0..<count {
      let string = Kernel.bootString(kernel.boot, position)
      body(string)
      position += UInt32(string.count) + 1
    }
  }

  /// Says why there is no first program, and ends the sandbox: 127 not found, 126 not executable.
  static func fail(_ error: Errno, _ step: UInt32 = UInt32(PV_STEP_PROGRAM)) -> Never {
    _ = try? Broker.call(Int(PV_OP_PROGRAM_FAILED), 0, Int(error.code), Int(step))
    let status = error == .ENOENT || error == .ENOTDIR ? 127 : 126
    while true { _ = try? Broker.call(Int(PV_OP_EXIT), status << 8) }
  }
}
