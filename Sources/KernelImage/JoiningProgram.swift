import CPVCalls
import KernelCore
import KernelFS
import KernelSyscalls
import LinuxABI
import PVFrontend
import Platform

/// A program that the runtime starts in the running sandbox, as `exec` asks: the first Swift code
/// of its host process, before it has a program.
enum JoiningProgram {
  /// False when it can't be started; the runtime knows why by then.
  static func start(_ task: Task) -> Bool {
    let number = Int(task.group.program)
    var step = Int(PV_STEP_RESOURCES)
    do throws(Errno) {
      let record = try ProgramRecord.read(number)
      try record.apply(to: task)
      try openDescriptors(record, task)
      step = Int(PV_STEP_WORKING_DIRECTORY)
      if !record.workingDirectory.isEmpty {
        task.paths.changeDirectory(
          to: try task.open(path: record.workingDirectory, [.O_PATH, .O_DIRECTORY]))
      }
      step = Int(PV_STEP_PROGRAM)
      guard let name = record.name, !name.isEmpty else { throw .ENOENT }
      let image = try FirstProgram.find(name, record.searchPath, task, record.strings)
      _ = try Broker.call(Int(PV_OP_PROGRAM_READY), number)
      if TraceLog.isOn {
        CallTrace.started(
          task, image.path, arguments: record.arguments, environmentCount: record.environmentCount)
      }
      _ = try task.execute(image)
    } catch {
      _ = try? Broker.call(Int(PV_OP_PROGRAM_FAILED), number, Int(error.code), step)
      task.exitGroup(status: 126 << 8)
      return false
    }
    task.setBlocked(0)
    Machine.thread.pointee.pending = 1
    return true
  }

  private static func openDescriptors(_ record: ProgramRecord, _ task: Task) throws(Errno) {
    var terminal: OpenFile?
    for index in 0..<record.descriptorCount {
      if index < 3, let terminal {
        _ = try task.add(terminal, closeOnExec: false)
        continue
      }
      let number = try Broker.call(
        Int(PV_OP_PROGRAM_DESCRIPTOR), Int(task.group.program), index)
      let descriptor = HostDescriptor(Int32(truncatingIfNeeded: number))
      if index == 0 && record.hasTerminal {
        let file = try HostTerminal.join(
          descriptor, rows: record.windowRows, columns: record.windowColumns, task)
        _ = try task.add(file, closeOnExec: false)
        terminal = file
      } else {
        let flags = try Host.fcntl(descriptor, 3, 0)
        let file = try HostFile.adopting(descriptor, flags: OpenFlags(rawValue: Int32(flags)))
        _ = try task.add(file, closeOnExec: false)
      }
    }
  }
}

/// struct pv_program with its strings, as the backend sent it.
struct ProgramRecord {
  private let head: pv_program
  let workingDirectory: [UInt8]
  let arguments: [[UInt8]]
  /// The value of PATH.
  let searchPath: [UInt8]?
  let strings: ProgramStrings

  var name: [UInt8]? { arguments.first }
  var environmentCount: Int { Int(head.environment_count) }
  var descriptorCount: Int { Int(min(head.descriptor_count, 256)) }
  var hasTerminal: Bool { head.flags & UInt32(PV_PROGRAM_TERMINAL) != 0 }
  var windowRows: UInt32 { head.window_rows }
  var windowColumns: UInt32 { head.window_columns }

  static func read(_ number: Int) throws(Errno) -> ProgramRecord {
    var bytes: [UInt8] = []
    while bytes.count < Int(PV_PROGRAM_LIMIT) {
      let count = try Broker.call(Int(PV_OP_PROGRAM_READ), number, bytes.count)
      if count <= 0 { break }
      bytes.append(contentsOf: Broker.answer(count: count))
    }
    guard bytes.count >= Int(PV_PROGRAM_SIZE) else { throw .EINVAL }
    return ProgramRecord(bytes)
  }

  private init(_ bytes: [UInt8]) {
    // SAFETY: the array is at least as long as the record, whose fields are all integers.
    head = bytes.withUnsafeBytes { $0.loadUnaligned(as: pv_program.self) }
    var position = Int(PV_PROGRAM_SIZE)
    func next() -> [UInt8] {
      var text: [UInt8] = []
      while position < bytes.count && bytes[position] != 0 {
        text.append(bytes[position])
        position += 1
      }
      position += 1
      return text
    }
    var strings = ProgramStrings()
    var arguments: [[UInt8]] = []
    var searchPath: [UInt8]?
    workingDirectory = next()
    for _ in 0..<head.arguments_count where position <= bytes.count {
      let argument = next()
      arguments.append(argument)
      strings.append(argument: argument)
    }
    for _ in 0..<head.environment_count where position <= bytes.count {
      let variable = next()
      if variable.starts(with: [80, 65, 84, 72, 61]) { searchPath = Array(variable[5...]) }
      strings.append(environment: variable)
    }
    self.strings = strings
    self.arguments = arguments
    self.searchPath = searchPath
  }

  /// Who the program is and what limits it has.
  func apply(to task: Task) throws(Errno) {
    try kernel.users.check(head.user)
    try kernel.groups.check(head.group)
    var credentials = Credentials()
    (credentials.user, credentials.effectiveUser) = (head.user, head.user)
    (credentials.savedUser, credentials.fileUser) = (head.user, head.user)
    (credentials.group, credentials.effectiveGroup) = (head.group, head.group)
    (credentials.savedGroup, credentials.fileGroup) = (head.group, head.group)
    withUnsafeBytes(of: head.groups) { bytes in
      for index in 0..<Int(min(head.group_count, 64)) {
        credentials.groups.append(bytes.load(fromByteOffset: index * 4, as: UInt32.self))
      }
    }
    for group in credentials.groups { try kernel.groups.check(group) }
    (credentials.effective, credentials.permitted) = (head.capabilities.0, head.capabilities.1)
    (credentials.inheritable, credentials.bounding) = (head.capabilities.2, head.capabilities.3)
    credentials.ambient = head.capabilities.4
    credentials.noNewPrivileges = head.flags & UInt32(PV_PROGRAM_NO_NEW_PRIVILEGES) != 0
    task.use(credentials: credentials)
    task.useContainerFilter()
    task.personality = kernel.boot.pointee.personality
    let boot = kernel.boot
    task.group.outOfMemoryAdjustment =
      head.flags & UInt32(PV_PROGRAM_OUT_OF_MEMORY) != 0
      ? head.out_of_memory_adjustment : boot.pointee.out_of_memory_adjustment
    task.schedulingPolicy =
      head.flags & UInt32(PV_PROGRAM_SCHEDULING) != 0
      ? head.scheduling_policy : boot.pointee.scheduling_policy
    task.paths.umask = head.umask
    withUnsafeBytes(of: head.rlimits) { bytes in
      for index in 0..<16 {
        task.group.limits[index] = (
          bytes.load(fromByteOffset: index * 16, as: UInt64.self),
          bytes.load(fromByteOffset: index * 16 + 8, as: UInt64.self)
        )
      }
    }
  }
}
