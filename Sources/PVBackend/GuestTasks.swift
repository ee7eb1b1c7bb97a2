import Glibc
import HostOS

/// The sandbox's pid namespace: finds the host's number for a task of the guest.
public struct GuestTasks: ~Copyable, Sendable {
  let pidNamespace: OwnedDescriptor
  /// A procfs of that namespace.
  let proc: OwnedDescriptor
  /// The host's /proc.
  private let hostProc: OwnedDescriptor
  /// The parent of all guest processes, as the host counts.
  private let initProcess: ProcessID
  /// Guests may be nicer than this, not less nice.
  let niceFloor: Int32
  /// What all processes of a sandbox run: they execute programs without execve(2).
  private let executable: FileStatus

  public init(
    pidNamespace: consuming OwnedDescriptor, proc: consuming OwnedDescriptor,
    initProcess: ProcessID, firstProcess: ProcessID
  ) throws(HostError) {
    let hostProc = try HostFile.handle("/proc")
    let niceFloor = try initProcess.nice()
    let executable = try hostProc.descriptor.targetStatus(of: "\(firstProcess.rawValue)/exe")
    self.pidNamespace = pidNamespace
    self.proc = proc
    self.initProcess = initProcess
    self.hostProc = hostProc
    self.niceFloor = niceFloor
    self.executable = executable
  }

  /// The directory in /proc of a process or thread that the guest knows by `number`. ESRCH for what
  /// is not the sandbox's: its init, which is ours, and whatever the host's administrator has put
  /// into its pid namespace, as nsenter(1) does.
  ///
  /// It stays that process's, and leads nowhere when that has ended.
  func directory(of number: UInt64) throws(HostError) -> OwnedDescriptor {
    guard let thread = Int32(exactly: number), thread > 1 else { throw HostError(ESRCH) }
    let directory: OwnedDescriptor
    do { directory = try proc.descriptor.handle(inRoot: "\(thread)") } catch {
      throw HostError(ESRCH)
    }
    do throws(HostError) {
      let found = try directory.descriptor.targetStatus(of: "exe")
      guard (found.device, found.inode) == (executable.device, executable.inode) else {
        throw HostError(ESRCH)
      }
    } catch {
      // One that has ended and is still waited for has nothing to protect.
      if error.number != ENOENT { throw HostError(ESRCH) }
    }
    return directory
  }

  /// The host's number of a thread that the guest knows by `number`. ESRCH outside the sandbox.
  func hostThread(_ number: UInt64) throws(HostError) -> ProcessID {
    _ = try directory(of: number)
    let thread = Int32(truncatingIfNeeded: number)
    do {
      return try ProcessID(rawValue: thread).translated(from: pidNamespace.descriptor)
    } catch  where error.number == ENOTTY || error.number == EINVAL {
      return try search(thread)
    }
  }

  /// Before Linux 6.11: looks through the threads of all that comes from init. Of honest guests all
  /// are its children.
  func search(_ thread: Int32) throws(HostError) -> ProcessID {
    var parents = [initProcess.rawValue]
    while !parents.isEmpty {
      let next = parents.flatMap { children(of: $0) }
      for child in next {
        // A process that ends meanwhile has no such thread.
        for name in threadNames(of: child) {
          guard let status = try? text("\(child)/task/\(name)/status"),
            GuestTasks.innerNumber(status) == thread, let number = Int32(name)
          else { continue }
          return ProcessID(rawValue: number)
        }
      }
      parents = next
    }
    throw HostError(ESRCH)
  }

  /// By the host's numbers, as are their threads.
  private func children(of process: Int32) -> [Int32] {
    threadNames(of: process).flatMap { name in
      ((try? text("\(process)/task/\(name)/children")) ?? "").split(separator: " ")
        .compactMap { Int32($0) }
    }
  }

  private func threadNames(of process: Int32) -> [String] {
    (try? hostProc.descriptor.names(in: "\(process)/task")) ?? []
  }

  /// Every process of the sandbox by the guest's number, but for its init, which is ours.
  var all: [Int32] { numbers(in: ".").filter { $0 > 1 } }

  /// By the guest's numbers; none of a process that has ended.
  func threads(of process: Int32) -> [Int32] { numbers(in: "\(process)/task") }

  private func numbers(in directory: String) -> [Int32] {
    ((try? proc.descriptor.names(in: directory)) ?? []).compactMap { Int32($0) }
  }

  private func text(_ path: String) throws(HostError) -> String {
    let file = try hostProc.descriptor.open(inRoot: path, flags: O_RDONLY)
    return String(decoding: try file.descriptor.readAll(), as: UTF8.self)
  }

  /// The last number of `NSpid:`, the one of the innermost namespace.
  static func innerNumber(_ status: String) -> Int32? {
    let line = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
    return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0) }
  }
}
