import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// /proc/PID/mounts and mountinfo: what is mounted below the viewer's root.
enum MountsText {
  private static var special: StaticString { " \t\n#" }

  static func mounts(_ viewer: Task) -> [UInt8] {
    var text = Text()
    forEachVisible(viewer) { (mount, path, _) in
      text.add(escaping: special, source(of: mount))
      text.add(byte: 32)
      text.add(escaping: special, path)
      text.add(byte: 32)
      text.add(escaping: special, mount.type)
      add(mount.flags, isWhole: true, to: &text)
      text.add(" 0 0\n")
    }
    return text.bytes
  }

  /// See proc_pid_mountinfo(5).
  static func information(_ viewer: Task) -> [UInt8] {
    var text = Text()
    forEachVisible(viewer) { (mount, path, index) in
      text.add(20 + index)
      text.add(byte: 32)
      text.add(20 + parent(of: index))
      text.add(byte: 32)
      let device = device(of: mount)
      text.add(unsigned: device >> 8 & 0xfff | device >> 32 & 0xffff_f000)
      text.add(byte: 58)
      text.add(unsigned: device & 0xff | device >> 12 & 0xffff_ff00)
      text.add(" / ")
      text.add(escaping: special, path)
      add(mount.flags, isWhole: false, to: &text)
      text.add(" - ")
      text.add(escaping: special, mount.type)
      text.add(byte: 32)
      text.add(escaping: special, source(of: mount))
      text.add(mount.isReadOnly ? " ro" : " rw")
      addFileSystem(mount.flags, to: &text)
      text.add(byte: 10)
    }
    return text.bytes
  }

  /// In Linux's order; with those of the file system where they are not shown apart.
  private static func add(_ flags: MountFlags, isWhole: Bool, to text: inout Text) {
    text.add(flags.contains(.readOnly) ? " ro" : " rw")
    if isWhole { addFileSystem(flags, to: &text) }
    if flags.contains(.noSetID) { text.add(",nosuid") }
    if flags.contains(.noDevices) { text.add(",nodev") }
    if flags.contains(.noExecution) { text.add(",noexec") }
    if flags.contains(.noAccessTimes) { text.add(",noatime") }
    if flags.contains(.noDirectoryAccessTimes) { text.add(",nodiratime") }
    if flags.isDisjoint(with: [.noAccessTimes, .strictAccessTimes]) { text.add(",relatime") }
    if flags.contains(.noSymbolicLinks) { text.add(",nosymfollow") }
  }

  private static func addFileSystem(_ flags: MountFlags, to text: inout Text) {
    if flags.contains(.synchronous) { text.add(",sync") }
    if flags.contains(.synchronousDirectories) { text.add(",dirsync") }
    if flags.contains(.lazyTimes) { text.add(",lazytime") }
  }

  private static func forEachVisible(_ viewer: Task, _ body: (Mount, [UInt8], Int) -> Void) {
    let mounts = kernel.mounts.mounts
    let root = viewer.paths.root
    for index in mounts.indices {
      let mount = mounts[index]
      guard mount.path.starts(with: root) else { continue }
      let path = viewer.visiblePath(mount.path)
      body(mount, path.isEmpty ? [47] : path, index)
    }
  }

  private static func source(of mount: Mount) -> [UInt8] {
    mount.source.isEmpty ? Text("none").bytes : mount.source
  }

  /// The innermost mount that this one stands on.
  private static func parent(of index: Int) -> Int {
    let mounts = kernel.mounts.mounts
    let path = mounts[index].path
    var best = index
    for other in mounts.indices where other != index {
      let candidate = mounts[other].path
      guard candidate.count < path.count, path.starts(with: candidate),
        path[candidate.count] == 47,
        best == index || candidate.count >= mounts[best].path.count
      else { continue }
      best = other
    }
    return best == index ? -19 : best
  }

  private static func device(of mount: Mount) -> UInt64 {
    if let root = mount.root { return (try? root.status(Task.current))?.device ?? 0 }
    return (try? mount.hostStatus())?.device ?? 0
  }
}
