import Testing

@testable import HostOS

@Suite struct ControlGroupHierarchyTests {
  private func hierarchies(_ memberships: String, _ mounts: String) -> [ControlGroupHierarchy] {
    ControlGroupHierarchy.all(
      memberships: memberships, mounts: MountTable(text: mounts),
      unifiedControllers: { $0 == "/sys/fs/cgroup/user.slice" ? ["cpu", "memory", "pids"] : [] })
  }

  @Test func versionTwoAloneHasItsControllersFromTheGroup() {
    let found = hierarchies(
      "0::/user.slice\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    #expect(
      found == [
        ControlGroupHierarchy(
          version: .two, controllers: ["cpu", "memory", "pids"], mountPoint: "/sys/fs/cgroup",
          ownDirectory: "/sys/fs/cgroup/user.slice", root: "/")
      ])
  }

  @Test func aHybridHostHasEachControllerOnce() {
    let found = hierarchies(
      "3:name=systemd:/\n2:cpu,cpuacct:/a\n1:pids:/\n0::/\n",
      """
      30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
      31 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
      32 23 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
      33 23 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
      """)
    #expect(found.map(\.ownDirectory) == ["/sys/fs/cgroup/cpu/a", "/sys/fs/cgroup/pids"])
    #expect(found.allSatisfy { $0.version == .one })
  }

  @Test func inAContainerThePathStartsAtTheMountsRoot() {
    let mounts = "30 23 0:26 /docker/1 /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
    #expect(
      hierarchies("1:pids:/docker/1/x\n", mounts).map(\.ownDirectory)
        == ["/sys/fs/cgroup/pids/x"])
    #expect(hierarchies("1:pids:/other\n", mounts).map(\.ownDirectory) == ["/sys/fs/cgroup/pids"])
  }
}
