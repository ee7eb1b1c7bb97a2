import CPVCalls
import KernelCore
import LinuxABI
import Platform

/// The root of /proc: processes by number, and files about the whole machine.
final class ProcRoot: GuestDirectory {
  private let files: StaticDirectory
  /// Positions of the processes in a listing: after all files.
  private static var firstProcess: Int { 1 << 16 }

  init(mountPath: [UInt8]) {
    files = StaticDirectory(.processes, mountPath: mountPath, permissions: 0o555)
    super.init(
      .processes, name: mountPath, parent: nil, permissions: 0o555, inode: InodeNumbers.next())
    files.add(LinkNode(Text("self").bytes, in: self) { Text(Int($0.group.id)).bytes })
    files.add(
      LinkNode(Text("thread-self").bytes, in: self) {
        var text = Text(Int($0.group.id))
        text.add("/task/")
        text.add(Int($0.id))
        return text.bytes
      })
    files.add(LinkNode("mounts", in: self, to: "self/mounts"))
    files.add(LinkNode("net", in: self, to: "self/net"))
    MachineFiles.add(to: files)
    SystemControls.add(to: files)
  }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    if let first = name.first, first >= 48, first <= 57 {
      guard let id = decimal(name), let subject = Subject.find(id) else { return nil }
      return ProcessDirectory(subject, name: name, parent: self, permissions: 0o555)
    }
    return try files.child(name, task)
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    if position < Self.firstProcess {
      guard try files.listChildren(task, from: position, add) else { return false }
    }
    let first = Int32(truncatingIfNeeded: max(1, position - Self.firstProcess))
    for id in Self.processes(from: first) {
      let entry = DirectoryEntry(
        name: Text(Int(id)).bytes, inode: Subject.inode(id), type: 4,
        next: Self.firstProcess + Int(id) + 1)
      guard add(entry) else { return false }
    }
    return true
  }

  private static func processes(from first: Int32) -> [Int32] {
    kernel.tasks.lock.withLock {
      var found: [Int32] = []
      kernel.tasks.forEachGroup { if $0.id >= first { found.append($0.id) } }
      return found
    }
  }
}
