import LinuxABI
import Testing

@testable import KernelCore

@Suite struct AccessListTests {
  private static let user: UInt16 = 1, named: UInt16 = 2, group: UInt16 = 4
  private static let namedGroup: UInt16 = 8, mask: UInt16 = 16, other: UInt16 = 32

  private func makeList(
    _ entries: [(tag: UInt16, permissions: UInt16, id: UInt32)]
  ) -> AccessList? {
    var bytes: [UInt8] = [2, 0, 0, 0]
    for entry in entries {
      withUnsafeBytes(of: entry.tag) { bytes += $0 }
      withUnsafeBytes(of: entry.permissions) { bytes += $0 }
      withUnsafeBytes(of: entry.id) { bytes += $0 }
    }
    return bytes.withUnsafeBufferPointer { AccessList($0) }
  }

  private func credentials(_ user: UInt32, _ group: UInt32) -> Credentials {
    var credentials = Credentials()
    (credentials.fileUser, credentials.fileGroup) = (user, group)
    return credentials
  }

  @Test(
    arguments: [
      (7, 9, 6, true), (7, 9, 1, false),  // the named user, within the mask
      (8, 9, 2, false), (8, 9, 4, true),  // another, by an entry of its own
      (5, 1, 4, false),  // the file's group has nothing, and does not fall through to others
      (5, 3, 6, true),  // a named group
      (5, 5, 4, true), (5, 5, 2, false),  // others
    ] as [(UInt32, UInt32, UInt32, Bool)])
  func theFirstClassThatFitsDecides(user: UInt32, group: UInt32, want: UInt32, isAllowed: Bool)
    throws
  {
    let list = try #require(
      makeList([
        (Self.user, 7, .max), (Self.named, 7, 7), (Self.named, 4, 8), (Self.group, 0, .max),
        (Self.namedGroup, 6, 3), (Self.mask, 6, .max), (Self.other, 4, .max),
      ]))
    #expect(list.permits(want, credentials(user, group), groupOfFile: 1) == isAllowed)
  }

  @Test func whatIsNoListIsNone() {
    for bytes: [UInt8] in [
      [], [2, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0, 1], [2, 0, 0, 0, 1, 0, 7, 0],
    ] {
      #expect(bytes.withUnsafeBufferPointer { AccessList($0) } == nil)
    }
  }
}
