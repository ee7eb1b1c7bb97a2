import Glibc
import HostOS
import Testing

@testable import Sandbox

/// Only the mount that the table has told of is copied, whatever its path leads to by then.
@Suite struct HostMountsTests {
  private func entry(_ id: UInt64, at path: String) -> MountTable.Entry {
    MountTable(text: "\(id) 1 0:1 / \(path) rw - tmpfs tmpfs rw").entries[0]
  }

  @Test func anotherMountAtThePathIsNotMeant() throws {
    let mounts = try HostMounts()
    let table = try mounts.current()
    let proc = try #require(table.mount(of: "/proc"))
    let root = try #require(table.mount(of: "/"))
    for wrong in [entry(proc.id, at: "/"), entry(root.id, at: "/proc"), entry(0, at: "/proc")] {
      #expect(throws: HostError.notFound) { _ = try mounts.copy(of: wrong) }
    }
    // The number is right, but it is a mount of another kind.
    #expect(throws: HostError.notFound) { _ = try mounts.copy(of: entry(proc.id, at: "/proc")) }
  }

  @Test func noLinkIsFollowed() throws {
    let mounts = try HostMounts()
    let proc = try #require(try mounts.current().mount(of: "/proc"))
    #expect(throws: HostError(ELOOP)) {
      _ = try mounts.copy(of: entry(proc.id, at: "/proc/self/fd"))
    }
  }

  @Test func onlyBindsOfMountsThatPropagateFollow() throws {
    let table = MountTable(
      text: """
        10 1 0:1 / / rw - ext4 root rw
        11 10 0:2 / /proc rw shared:1 - proc proc rw
        12 11 0:3 / /proc/fs rw master:1 - tmpfs x rw
        13 11 0:4 / /proc/sys rw - tmpfs x rw
        """)
    func mounts(_ source: String, _ word: String, follows: Bool = true) -> Set<UInt64>? {
      var mount = MountConfiguration(
        kind: .bind, source: source, destination: "/data", options: [word])
      mount.followsHost = follows
      return MountFollower.volumes([mount], in: table).first?.mounts
    }
    #expect(mounts("/proc", "rbind") == [11, 12])
    #expect(mounts("/proc", "bind") == [11])
    #expect(mounts("/proc", "rbind", follows: false) == nil)
    #expect(mounts("/dev", "rbind") == nil)
    #expect(mounts("/proc/version", "bind") == nil)
  }
}
