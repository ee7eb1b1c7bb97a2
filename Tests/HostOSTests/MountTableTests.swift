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

  /// Two mounts on one place, one of which covers the other, and one inside each of them.
  @Test func mountsOfACopyAreFoundByTheirPlaces() {
    let original = MountTable(
      text: """
        50 22 0:1 / / rw - ext4 a rw
        51 50 0:2 / /vol rw - ext4 b rw
        52 51 0:3 / /vol/in rw - ext4 c rw
        53 51 0:4 / /vol rw - ext4 d rw
        54 53 0:5 / /vol/in rw - ext4 e rw
        55 50 0:6 / /gone rw - ext4 f rw
        """)
    let copy = MountTable(
      text: """
        70 30 0:1 / / rw - ext4 a rw
        71 70 0:2 / /vol rw - ext4 b rw
        72 71 0:4 / /vol rw - ext4 d rw
        73 72 0:5 / /vol/in rw - ext4 e rw
        74 71 0:3 / /vol/in rw - ext4 c rw
        75 70 0:7 / /proc rw - proc proc rw
        """)
    #expect(copy.counterparts(of: [51, 52, 53, 54], in: original) == [71, 74, 72, 73])
    #expect(copy.counterparts(of: [55, 99], in: original) == [])
    #expect(copy.counterparts(of: [71], in: copy) == [71])
    // A root that is on itself.
    let own = MountTable(text: "1 1 0:1 / / rw - rootfs none rw")
    #expect(original.counterparts(of: [1], in: own) == [50])
  }
}
