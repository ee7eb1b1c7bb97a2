import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// The text files in /proc/PID.
final class ProcessText: TextNode {
  private let entry: ProcessEntry
  private let subject: Subject

  init(_ entry: ProcessEntry, _ subject: Subject, in parent: GuestNode) {
    self.entry = entry
    self.subject = subject
    super.init(
      .processes, name: Text(entry.name).bytes, parent: parent, mode: entry.mode,
      inode: subject.inode(entry: entry.rawValue + 1))
  }

  override func checkPresent() throws(Errno) { try subject.checkPresent() }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = try super.status(task)
    (status.user, status.group) = subject.owner(ofDirectory: false)
    return status
  }

  override func checkOpen(_ task: Task) throws(Errno) {
    try subject.checkPresent()
    if entry.isPrivate { try subject.checkInspection(by: task) }
  }

  override func text(_ task: Task) throws(Errno) -> [UInt8] {
    switch entry {
    case .stat: return try StatText.make(try subject.facts())
    case .status: return try StatusText.make(try subject.facts())
    case .statm: return try StatText.makeSizes(try subject.facts())
    case .comm: return try subject.facts().name + [10]
    case .limits: return try subject.limitsText()
    case .cmdline: return try subject.argumentsText(task)
    case .environ: return try subject.environmentText(task)
    case .auxv: return try subject.auxiliaryVectorBytes()
    case .maps: return try MapsText.make(subject, isDetailed: false)
    case .smaps: return try MapsText.make(subject, isDetailed: true)
    case .mounts: return MountsText.mounts(task)
    case .mountinfo: return MountsText.information(task)
    case .children: return subject.childrenText()
    default: return try settingText()
    }
  }

  /// Files that hold one word.
  private func settingText() throws(Errno) -> [UInt8] {
    try subject.checkPresent()
    switch entry {
    case .oom_score_adj:
      return Text(Int(subject.process.outOfMemoryAdjustment)).bytes + [10]
    case .oom_score: return Text("0\n").bytes
    case .cgroup: return Text("0::/\n").bytes
    case .loginuid, .sessionid: return Text("4294967295").bytes
    case .uid_map: return kernel.users.text
    case .gid_map: return kernel.groups.text
    case .timens_offsets:
      return Kernel.bootString(kernel.boot, kernel.boot.pointee.clock_offsets_offset)
    case .setgroups: return Text("allow\n").bytes
    case .wchan: return Text("0").bytes
    case .personality:
      let value = try subject.withTask { $0.personality }
      var text = Text()
      text.add(hexadecimal: UInt64(value), digits: 8)
      return text.bytes + [10]
    case .io:
      // Nothing is counted, so that nothing is slower for it.
      return Text(
        """
        rchar: 0
        wchar: 0
        syscr: 0
        syscw: 0
        read_bytes: 0
        write_bytes: 0
        cancelled_write_bytes: 0

        """
      ).bytes
    default: throw .EINVAL
    }
  }

  override func store(_ text: [UInt8], _ task: Task) throws(Errno) {
    switch entry {
    case .comm:
      guard task.group === subject.process else { throw .EINVAL }
      try subject.rename(text, by: task)
    case .oom_score_adj:
      guard let value = writtenNumber(text), value >= -1000, value <= 1000 else { throw .EINVAL }
      let process = subject.process
      if value < process.outOfMemoryAdjustment
        && !task.credentials.has(Capability.CAP_SYS_RESOURCE)
      {
        throw .EACCES
      }
      process.outOfMemoryAdjustment = Int32(value)
    case .loginuid, .setgroups, .uid_map, .gid_map: throw .EPERM
    // Offsets can't change when there is a process in the namespace: time_namespaces(7).
    case .timens_offsets: throw .EACCES
    default: throw .EIO
    }
  }
}

extension Subject {
  /// What was written to `comm`: at most 15 bytes, up to a newline or NUL.
  func rename(_ text: [UInt8], by writer: Task) throws(Errno) {
    let (name, isOwn) = try withTask { task in
      var name: InlineArray<16, UInt8> = .init(repeating: 0)
      for index in 0..<min(15, text.count) {
        if text[index] == 0 || text[index] == 10 { break }
        name[index] = text[index]
      }
      task.name = name
      return (name, task === writer)
    }
    // The host takes only a thread's own word for its name.
    if isOwn { Host.setName(name) }
  }

  func childrenText() -> [UInt8] {
    var text = Text()
    let ids = kernel.tasks.lock.withLock { () -> [Int32] in
      var ids: [Int32] = []
      guard let thread, thread.isLeader else { return ids }
      for child in process.children { ids.append(child.id) }
      return ids
    }
    for id in ids {
      text.add(Int(id))
      text.add(byte: 32)
    }
    return text.bytes
  }

  func limitsText() throws(Errno) -> [UInt8] {
    let limits = kernel.tasks.lock.withLock { process.limits }
    try checkPresent()
    var text = Text(
      "Limit                     Soft Limit           Hard Limit           Units     \n")
    for resource in 0..<16 {
      let (name, unit) = Self.limitName(resource)
      let start = text.bytes.count
      text.add(name)
      text.pad(lineFrom: start, to: 26)
      text.add(limit: limits[resource].soft)
      text.pad(lineFrom: start, to: 47)
      text.add(limit: limits[resource].hard)
      text.pad(lineFrom: start, to: 68)
      text.add(unit)
      text.pad(lineFrom: start, to: 78)
      text.add(byte: 10)
    }
    return text.bytes
  }

  private static func limitName(_ resource: Int) -> (StaticString, StaticString) {
    switch resource {
    case 0: ("Max cpu time", "seconds")
    case 1: ("Max file size", "bytes")
    case 2: ("Max data size", "bytes")
    case 3: ("Max stack size", "bytes")
    case 4: ("Max core file size", "bytes")
    case 5: ("Max resident set", "bytes")
    case 6: ("Max processes", "processes")
    case 7: ("Max open files", "files")
    case 8: ("Max locked memory", "bytes")
    case 9: ("Max address space", "bytes")
    case 10: ("Max file locks", "locks")
    case 11: ("Max pending signals", "signals")
    case 12: ("Max msgqueue size", "bytes")
    case 13: ("Max nice priority", "")
    case 14: ("Max realtime priority", "")
    default: ("Max realtime timeout", "us")
    }
  }
}

extension Text {
  fileprivate mutating func add(limit: UInt64) {
    if limit == UInt64.max { add("unlimited") } else { add(unsigned: limit) }
  }
}
