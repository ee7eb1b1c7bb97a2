import Testing

@testable import HostOS

@Suite struct MountTableTests {
  let table = MountTable(
    text: """
      22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
      23 22 0:21 / /proc rw,nosuid - proc proc rw
      24 22 0:30 / /home/a\\040b rw master:1 propagate_from:2 - tmpfs tmp\\134fs rw,size=4k
      25 22 0:31 /sub /home rw - xfs /dev/sdb rw
      26 22 0:33 / /home rw - btrfs /dev/sdc rw
      27 25 0:34 / /homestead rw - xfs /dev/sdd rw
      not a line
      """)

  @Test func fieldsAreUnescapedAndOptionalOnesSkipped() {
    #expect(table.entries.count == 6)
    let entry = table.entries[2]
    #expect(entry.mountPoint == "/home/a b")
    #expect(entry.source == "tmp\\fs")
    #expect(entry.superOptions == ["rw", "size=4k"])
    #expect(table.entries[3].root == "/sub")
  }

  @Test func aMountPointIsListedOnceInMountingOrder() {
    let below = table.visible(below: "/")
    #expect(below.map(\.mountPoint) == ["/home", "/home/a b", "/homestead", "/proc"])
    #expect(below[0].type == "btrfs")
    #expect(table.visible(below: "/home").map(\.mountPoint) == ["/home/a b"])
  }

  @Test func aPathLiesOnTheLastMountThatHoldsIt() {
    #expect(table.mount(of: "/home/x")?.source == "/dev/sdc")
    #expect(table.mount(of: "/homes")?.source == "/dev/sda1")
    #expect(table.mount(of: "/home/a b/c")?.type == "tmpfs")
  }
}
