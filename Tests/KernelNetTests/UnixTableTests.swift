import KernelCore
import LinuxABI
import Testing

@testable import KernelNet

@Suite struct UnixTableTests {
  /// unix(7): five hexadecimal digits after the NUL.
  @Test func automaticNamesAreFiveDigitsAndNeverTheSame() throws {
    let table = UnixTable()
    var names: Set<[UInt8]> = []
    for _ in 0..<1000 { names.insert(try table.automaticName()) }
    #expect(names.count == 1000)
    let digits = Set("0123456789abcdef".utf8)
    #expect(
      names.allSatisfy { $0.count == 6 && $0[0] == 0 && $0.dropFirst().allSatisfy(digits.contains) }
    )
  }

  @Test func messagesHaveALimitOfMemory() throws {
    let table = UnixTable()
    try table.reserve(127 << 20)
    #expect(throws: Errno.ENOBUFS) { try table.reserve(2 << 20) }
    // What was refused is not counted.
    try table.reserve(1 << 20)
    table.giveBack(128 << 20)
    try table.reserve(128 << 20)
  }

  @Test func unknownNamesLeadNowhere() {
    let table = UnixTable()
    #expect(table.find(.abstract([0, 1])) == nil)
    #expect(table.find(.file(FileIdentity(device: 1, inode: 2))) == nil)
  }
}

@Suite struct SocketAddressTests {
  @Test func aFamilyNeedsTwoBytes() {
    #expect(SocketAddress(bytes: []).family == nil)
    #expect(SocketAddress(bytes: [1]).family == nil)
    #expect(SocketAddress(bytes: [2, 1]).family == 0x102)
    #expect(SocketAddress(family: 10, [7]).bytes == [10, 0, 7])
  }
}
