import CPVCalls
import HostOS
import PlatformHost

/// A program beside the first, as the guest kernel reads it: struct pv_program and its strings.
struct ProgramRecord {
  let program: ProgramConfiguration
  let descriptorCount: Int
  let window: WindowSize?
  let hasTerminal: Bool

  var bytes: [UInt8] {
    let head = ByteBuffer(capacity: MemoryLayout<pv_program>.size)
    fill(head)
    var bytes = head.bytes(count: head.capacity)
    for text in [program.workingDirectory] + program.arguments + program.environment {
      bytes += text.utf8.filter { $0 != 0 }
      bytes.append(0)
    }
    return bytes
  }

  private func fill(_ head: borrowing ByteBuffer) {
    var offset = 0
    func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
      head.store(value, at: offset)
      offset += MemoryLayout<Value>.size
    }
    var flags: UInt32 = 0
    if hasTerminal { flags |= PV_PROGRAM_TERMINAL }
    if program.hasNoNewPrivileges { flags |= PV_PROGRAM_NO_NEW_PRIVILEGES }
    if program.scheduling != nil { flags |= PV_PROGRAM_SCHEDULING }
    if program.inputOutputPriority != nil { flags |= PV_PROGRAM_IO_PRIORITY }
    if program.outOfMemoryAdjustment != nil { flags |= PV_PROGRAM_OUT_OF_MEMORY }
    for word in [flags, program.user, program.group, program.umask] { put(word) }
    let sets = program.capabilities
    for set in [sets.effective, sets.permitted, sets.inheritable, sets.bounding, sets.ambient] {
      put(set)
    }
    var limits = BootProgram.inheritedLimits()
    for (resource, limit) in program.resourceLimits where limits.indices.contains(resource) {
      limits[resource] = ProcessID.Limit(soft: limit.soft, hard: limit.hard)
    }
    for limit in limits.prefix(16) {
      put(limit.soft)
      put(limit.hard)
    }
    let groups = program.additionalGroups.prefix(64)
    put(UInt32(groups.count))
    for index in 0..<64 { put(index < groups.count ? groups[index] : 0) }
    put(UInt32(window?.rows ?? 0))
    put(UInt32(window?.columns ?? 0))
    for count in [descriptorCount, program.arguments.count, program.environment.count] {
      put(UInt32(count))
    }
    let scheduling = program.scheduling
    for word in [
      scheduling?.policy, scheduling?.nice, scheduling?.priority, program.inputOutputPriority,
      program.outOfMemoryAdjustment,
    ] { put(word ?? 0) }
    let processors = program.processors.prefix(Int(PV_PROCESSORS_SIZE))
    put(UInt32(processors.count))
    for index in 0..<Int(PV_PROCESSORS_SIZE) {
      put(index < processors.count ? processors[index] : 0)
    }
    precondition(offset == head.capacity, "every field of the record has been written")
  }
}
