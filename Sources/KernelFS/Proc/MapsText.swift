import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// /proc/PID/maps and smaps, from the record of mappings.
enum MapsText {
  static func make(_ subject: Subject, isDetailed: Bool) throws(Errno) -> [UInt8] {
    let (memory, process) = try subject.withTask { ($0.memory, $0.area.pointee.host_process) }
    let mappings = memory.lock.withLock { memory.mappings }.filter { $0.label != .trampoline }
    var text = Text()
    var names = FileNames(process: process)
    var index = 0
    while index < mappings.count {
      var mapping = mappings[index]
      index += 1
      // The heap grew piece by piece; it is one mapping all the same.
      while index < mappings.count, continues(mapping, mappings[index]) {
        mapping.end = mappings[index].end
        index += 1
      }
      addLine(mapping, &names, to: &text)
      if isDetailed { addDetails(mapping, to: &text) }
    }
    return text.bytes
  }

  private static func continues(_ mapping: Mapping, _ next: Mapping) -> Bool {
    mapping.label == .heap && next.label == .heap && mapping.end == next.start
      && mapping.protection == next.protection
  }

  private static func addLine(_ mapping: Mapping, _ names: inout FileNames, to text: inout Text) {
    let start = text.bytes.count
    text.add(hexadecimal: UInt64(mapping.start), digits: 8)
    text.add(byte: 45)
    text.add(hexadecimal: UInt64(mapping.end), digits: 8)
    text.add(byte: 32)
    text.add(byte: mapping.protection.contains(.PROT_READ) ? 114 : 45)
    text.add(byte: mapping.protection.contains(.PROT_WRITE) ? 119 : 45)
    text.add(byte: mapping.protection.contains(.PROT_EXEC) ? 120 : 45)
    text.add(byte: mapping.isShared ? 115 : 112)
    text.add(byte: 32)
    let isSharedMemory = mapping.isShared && mapping.file == nil
    text.add(hexadecimal: UInt64(mapping.file == nil ? 0 : mapping.offset), digits: 8)
    text.add(byte: 32)
    let device = mapping.file?.identity.device ?? (isSharedMemory ? 1 : 0)
    text.add(hexadecimal: device >> 8 & 0xfff | device >> 32 & 0xffff_f000, digits: 2)
    text.add(byte: 58)
    text.add(hexadecimal: device & 0xff | device >> 12 & 0xffff_ff00, digits: 2)
    text.add(byte: 32)
    let file = mapping.file?.identity
    text.add(unsigned: file?.inode ?? (isSharedMemory ? UInt64(mapping.start) >> 12 : 0))
    text.add(byte: 32)
    let name = name(of: mapping, &names)
    if !name.isEmpty {
      text.pad(lineFrom: start, to: 73)
      text.add(escaping: "\n", name)
    }
    text.add(byte: 10)
  }

  private static func name(of mapping: Mapping, _ names: inout FileNames) -> [UInt8] {
    if let file = mapping.file { return names.name(of: file, at: mapping.start) }
    switch mapping.label {
    case .heap: return Text("[heap]").bytes
    case .stack: return Text("[stack]").bytes
    case .vdso: return Text("[vdso]").bytes
    case .vvar: return Text("[vvar]").bytes
    case .none, .trampoline: return mapping.isShared ? Text("/dev/zero (deleted)").bytes : []
    }
  }

  /// What the record knows; which pages are resident only the host does.
  private static func addDetails(_ mapping: Mapping, to text: inout Text) {
    text.add("Size:           ")
    text.add(unsigned: UInt64(mapping.end - mapping.start) / 1024, width: 8)
    text.add(" kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\nVmFlags:")
    if mapping.protection.contains(.PROT_READ) { text.add(" rd") }
    if mapping.protection.contains(.PROT_WRITE) { text.add(" wr") }
    if mapping.protection.contains(.PROT_EXEC) { text.add(" ex") }
    if mapping.isShared { text.add(" sh") }
    text.add(" mr mw me \n")
  }
}

/// The paths of mapped files, each asked of the host once a listing.
private struct FileNames {
  let process: UInt32
  private var known: [(file: MappedFile, name: [UInt8])] = []

  init(process: UInt32) { self.process = process }

  mutating func name(of file: MappedFile, at address: UInt) -> [UInt8] {
    for entry in known where entry.file === file { return entry.name }
    var name: [UInt8] = []
    // It may have been unmapped meanwhile.
    if let count = try? Broker.call(
      Int(PV_OP_MAPPED_PATH), Int(process), Int(bitPattern: address))
    {
      name = Broker.answer(count: count)
    }
    known.append((file, name))
    return name
  }
}
