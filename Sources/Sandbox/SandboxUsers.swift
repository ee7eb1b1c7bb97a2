import Glibc
import HostOS

/// The user namespace of a sandbox, open in the processes that are to enter it.
///
/// Init, guest processes and, before it serves them, the backend are root there and nobody outside.
/// So the host itself translates every id, and decides about every file as it would for a program
/// of the namespace. See docs/decisions/0022-users-of-a-container.md.
public struct SandboxUsers: Sendable {
  let namespace: Descriptor
  let users: IDMap
  let groups: IDMap
  /// For a container with a network of its own: who is root of the namespace may bind any port.
  let network: Descriptor?
  /// As whom the namespace sees the runtime's own user, which it may have no id for:
  /// proc_sys_kernel(5), overflowuid.
  let runtime: UInt32

  /// Nil when the container has the runtime's. To be called while the process has a single thread.
  static func prepare(
    _ configuration: SandboxConfiguration
  ) throws(RuntimeError) -> SandboxUsers? {
    let isNetworkFresh = configuration.network == .fresh
    switch configuration.users {
    case .runtime: return nil
    case .fresh(let users, let groups):
      return try explaining("cannot make the user namespace") { () throws(HostError) in
        SandboxUsers(
          try UserNamespace.create(users: users, groups: groups, withNetwork: isNetworkFresh))
      }
    case .joined(let path, let users, let groups):
      let found = try explaining("cannot join the user namespace '\(path)'") {
        () throws(HostError) in
        let file = try HostFile.open(path, flags: O_RDONLY)
        return SandboxUsers(try UserNamespace.join(file.descriptor, withNetwork: isNetworkFresh))
      }
      if !users.isSame(as: found.users) || !groups.isSame(as: found.groups) {
        throw RuntimeError("cannot join the user namespace '\(path)': it maps other ids")
      }
      try found.check(configuration.program)
      return found
    }
  }

  private init(_ namespace: UserNamespace) {
    self.namespace = namespace.descriptor
    users = namespace.users
    groups = namespace.groups
    network = namespace.network
    runtime = namespace.users.inside(geteuid()) ?? 65534
  }

  /// The ids of a namespace that is there are known only now.
  private func check(_ program: ProgramConfiguration) throws(RuntimeError) {
    for user in [0, program.user] where users.outside(user) == nil {
      throw RuntimeError("cannot join the user namespace: it has no user \(user)")
    }
    for group in [0, program.group] + program.additionalGroups where groups.outside(group) == nil {
      throw RuntimeError("cannot join the user namespace: it has no group \(group)")
    }
  }

  /// The user namespaces that stand for the maps of mounts, by the mounts' indices. To be called
  /// while the process has a single thread.
  static func prepareMounts(
    _ configuration: SandboxConfiguration, _ users: SandboxUsers?
  ) throws(RuntimeError) -> [Int: MountMap] {
    var result: [Int: MountMap] = [:]
    for (index, mount) in configuration.mounts.enumerated() {
      let what = "cannot map the ids of '\(mount.source)'"
      switch mount.mapping {
      case .none: break
      case .container(let isRecursive):
        guard let users else { throw RuntimeError("\(what): the container has no map") }
        result[index] = MountMap(namespace: users.namespace, isRecursive: isRecursive)
      case .own(let users, let groups, let isRecursive):
        let namespace = try explaining(what) { () throws(HostError) in
          try UserNamespace.create(users: users, groups: groups)
        }
        result[index] = MountMap(namespace: namespace.descriptor, isRecursive: isRecursive)
      }
    }
    return result
  }

  /// The host's ids of the container's root.
  var root: (user: UInt32, group: UInt32) { (users.outside(0) ?? 0, groups.outside(0) ?? 0) }

  /// Becomes root of the namespace, and nobody outside.
  func enter() throws(HostError) { try CurrentProcess.enter(userNamespace: namespace) }
}

/// How a bind shows the owners of files.
public struct MountMap: Sendable {
  let namespace: Descriptor
  /// Also those of the mounts below.
  let isRecursive: Bool
}
