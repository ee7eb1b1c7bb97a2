import Glibc
import HostOS

extension ControlGroup {
  /// Runs something while no member runs. They do run where the host has no such control group, or
  /// takes too long to stop one of them. Members that somebody else has stopped stay so.
  ///
  /// Its files are opened now, because later they may be out of reach, and stay open. To be used by
  /// whoever is no member.
  func stopper() -> @Sendable (() -> Void) -> Void {
    guard let freezer, let files = try? FreezerFiles(freezer) else { return { body in body() } }
    return { body in
      if files.isOn { return body() }
      files.freeze()
      body()
      files.thaw()
    }
  }
}

/// A freezer by its open files.
private struct FreezerFiles: Sendable {
  private let version: ControlGroupHierarchy.Version
  private let command: Descriptor
  private let state: Descriptor

  init(_ freezer: ControlGroup.Leaf) throws(HostError) {
    version = freezer.version
    let names =
      switch freezer.version {
      case .one: (command: "freezer.state", state: "freezer.state")
      case .two: (command: "cgroup.freeze", state: "cgroup.events")
      }
    let command = try HostFile.open("\(freezer.path)/\(names.command)", flags: O_RDWR)
    state = try HostFile.open("\(freezer.path)/\(names.state)", flags: O_RDONLY).release()
    self.command = command.release()
  }

  var isOn: Bool {
    switch version {
    case .one: text(of: command).hasPrefix("FR")
    case .two: text(of: command).hasPrefix("1")
    }
  }

  /// A freezing group may need to be told again: a member may have been in the way.
  func freeze() {
    for attempt in 0..<1000 {
      if attempt % 50 == 0 { write(version == .one ? "FROZEN" : "1") }
      if text(of: state).contains(version == .one ? "FROZEN" : "frozen 1") { return }
      usleep(1000)
    }
  }

  func thaw() { write(version == .one ? "THAWED" : "0") }

  /// Who can't be stopped goes on, and the caller sees what comes of it.
  private func write(_ text: String) { try? command.writeRecord(Array(text.utf8)) }

  private func text(of file: Descriptor) -> String {
    let buffer = ByteBuffer(capacity: 256)
    let count = (try? file.readBytes(at: 0, into: buffer)) ?? 0
    return String(decoding: buffer.bytes(count: count), as: UTF8.self)
  }
}
