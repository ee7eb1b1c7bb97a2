import Glibc
import HostOS

extension ControlGroup {
  /// Lets the group pay for what the caller uses from now on: memory, processor time, disks.
  ///
  /// Only in version 1, where each hierarchy has members of its own: the caller does not become one
  /// of those that are stopped, counted and killed together. With `withMemory` false the group does
  /// not pay for memory. To be called while the process has one thread and reaches the host's
  /// files; `dismiss` takes it back.
  func employ(withMemory: Bool) throws(RuntimeError) {
    for leaf in leaves where leaf.isAccount {
      if leaf.controllers.contains("memory") && !withMemory { continue }
      do throws(HostError) { try HostFile.writeText("0", to: leaf.path + "/tasks") } catch {
        throw error.explained("cannot enter the control group '\(leaf.path)'")
      }
    }
  }

  /// Takes a process back out, so that the group can be removed.
  func dismiss(_ process: ProcessID) {
    for leaf in leaves where leaf.isAccount {
      // A move costs the wait of a grace period, so only where it is a member. One that stays keeps
      // the group from going, which is told.
      let members = (try? HostFile.readText(leaf.path + "/cgroup.procs")) ?? ""
      guard members.split(separator: "\n").contains("\(process.rawValue)") else { continue }
      let home = leaf.callersDirectory + "/cgroup.procs"
      try? HostFile.writeText("\(process.rawValue)", to: home)
    }
  }
}

/// What the host's kernel thinks of when it needs memory back (proc_pid_oom_score_adj(5)).
enum OutOfMemoryScore {
  /// Makes the calling process one of the last that are ended, as engines do with their own parts.
  /// That takes CAP_SYS_RESOURCE, unless a caller has done it before. Returns whether it is so.
  static func spareCaller() -> Bool {
    let file = "/proc/self/oom_score_adj"
    try? HostFile.writeText("-999", to: file)
    let text = (try? HostFile.readText(file)) ?? ""
    return (Int(text.prefix { $0 != "\n" }) ?? 0) <= -500
  }
}
