/// A tree of control groups that the caller is a member of (cgroups(7)).
public struct ControlGroupHierarchy: Equatable, Sendable {
  public enum Version: Sendable { case one, two }

  public let version: Version
  /// Of version 1, those that are mounted together; of version 2, those that the caller's group may
  /// hand down.
  public let controllers: [String]
  public let mountPoint: String
  /// The caller's own group.
  public let ownDirectory: String
  /// The part of the hierarchy that the mount shows, from here downwards.
  let root: String

  /// All that have controllers, from the texts of /proc/self/cgroup and the mount table.
  ///
  /// A controller is in one hierarchy only, so a host that has both versions has each controller
  /// once, too. `unifiedControllers` reads cgroup.controllers of a directory.
  public static func all(
    memberships: String, mounts: MountTable, unifiedControllers: (String) -> [String]
  ) -> [ControlGroupHierarchy] {
    memberships.split(separator: "\n").compactMap { line in
      // 4:memory:/user.slice
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      let controllers = fields[1].split(separator: ",").map(String.init)
      let isUnified = controllers.isEmpty
      let mount = mounts.entries.last { entry in
        isUnified
          ? entry.type == "cgroup2"
          : entry.type == "cgroup" && entry.superOptions.contains(controllers[0])
      }
      guard let mount, controllers.first?.hasPrefix("name=") != true else { return nil }
      let directory = directory(String(fields[2]), mount.mountPoint, root: mount.root)
      return ControlGroupHierarchy(
        version: isUnified ? .two : .one,
        controllers: isUnified ? unifiedControllers(directory) : controllers,
        mountPoint: mount.mountPoint, ownDirectory: directory, root: mount.root)
    }.filter { !$0.controllers.isEmpty }
  }

  public static func current() throws(HostError) -> [ControlGroupHierarchy] {
    all(
      memberships: try HostFile.readText("/proc/self/cgroup"), mounts: try MountTable.current(),
      unifiedControllers: { directory in
        // The root group of some hosts has no such file; then it hands nothing down.
        let text = try? HostFile.readText(directory + "/cgroup.controllers")
        return text?.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init) ?? []
      })
  }

  /// Where the group is that /proc names so.
  public func directory(ofGroup path: String) -> String {
    ControlGroupHierarchy.directory(path, mountPoint, root: root)
  }

  /// In a container the mount shows only a part of the hierarchy.
  private static func directory(_ path: String, _ mountPoint: String, root: String) -> String {
    guard PathText.isAtOrBelow(path, root) else { return mountPoint }
    let rest = root == "/" ? path : String(path.dropFirst(root.count))
    return PathText.normalized(mountPoint + "/" + rest)
  }
}
