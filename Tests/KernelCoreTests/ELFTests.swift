import LinuxABI
import PVFrontend
import Platform
import RandomSequence
import Testing

@testable import KernelCore

/// The headers of a program are a stranger's.
@Suite struct ELFTests {
  /// A header and two segments to load, as `ld` makes them.
  static func program() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 64 + 3 * 56)
    bytes.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
    put(3, 2, at: 16, in: &bytes)
    put(62, 2, at: 18, in: &bytes)
    put(0x1040, 8, at: 24, in: &bytes)
    put(64, 8, at: 32, in: &bytes)
    put(56, 2, at: 54, in: &bytes)
    put(3, 2, at: 56, in: &bytes)
    for (index, segment) in [(5, 0, 0x2000), (6, 0x2000, 0x800)].enumerated() {
      let at = 64 + index * 56
      put(1, 4, at: at, in: &bytes)
      put(UInt64(segment.0), 4, at: at + 4, in: &bytes)
      put(UInt64(segment.1), 8, at: at + 8, in: &bytes)
      put(UInt64(segment.1), 8, at: at + 16, in: &bytes)
      put(UInt64(segment.2), 8, at: at + 32, in: &bytes)
      put(UInt64(segment.2) + 0x100, 8, at: at + 40, in: &bytes)
    }
    put(0x6474_e551, 4, at: 64 + 112, in: &bytes)  // PT_GNU_STACK
    return bytes
  }

  static func put(_ value: UInt64, _ count: Int, at: Int, in bytes: inout [UInt8]) {
    for index in 0..<count { bytes[at + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }

  private func parse(_ bytes: [UInt8]) throws(Errno) -> ELFFile {
    let file = HostFile.holding(bytes)
    file.hold()
    defer { Host.close(file.descriptor) }
    return try ELFFile(file, mapped: MappedFile(FileIdentity(device: 1, inode: 1)))
  }

  private func errno(changing body: (inout [UInt8]) -> Void) -> Errno? {
    var bytes = Self.program()
    body(&bytes)
    do { _ = try parse(bytes) } catch { return error }
    return nil
  }

  @Test func aProgramIsUnderstood() throws {
    let elf = try parse(Self.program())
    #expect(elf.isPositionIndependent && elf.entry == 0x1040 && elf.headerCount == 3)
    #expect(elf.segments.map(\.type) == [1, 1, 0x6474_e551])
    #expect(elf.segments[1].memorySize == 0x900 && elf.segments[1].flags == 6)
    #expect(!elf.hasExecutableStack && elf.interpreter == nil)
    #expect(errno { Self.put(1, 4, at: 64 + 116, in: &$0) } == nil)
  }

  @Test func otherMachinesAndKindsAreNoPrograms() {
    #expect(errno { $0[0] = 0x7e } == .ENOEXEC)
    #expect(errno { $0[4] = 1 } == .ENOEXEC)  // 32 bits
    #expect(errno { $0[5] = 2 } == .ENOEXEC)  // big-endian
    #expect(errno { Self.put(1, 2, at: 16, in: &$0) } == .ENOEXEC)  // a relocatable file
    #expect(errno { Self.put(183, 2, at: 18, in: &$0) } == .ENOEXEC)  // AArch64
  }

  @Test func aFileThatIsCutIsNoProgram() {
    for count in [0, 1, 63, 64, 64 + 55, 64 + 2 * 56, 64 + 3 * 56 - 1] {
      #expect(errno { $0 = Array($0.prefix(count)) } == .ENOEXEC, "\(count)")
    }
  }

  @Test func headersOutOfReachAreRefused() {
    for offset in [UInt64.max, 1 << 63, UInt64(Int64.max), UInt64.max - 100] {
      #expect(errno { Self.put(offset, 8, at: 32, in: &$0) } != nil, "\(offset)")
    }
    #expect(errno { Self.put(0, 2, at: 56, in: &$0) } == .ENOEXEC)
    #expect(errno { Self.put(0xffff, 2, at: 56, in: &$0) } == .ENOEXEC)
    #expect(errno { Self.put(32, 2, at: 54, in: &$0) } == .ENOEXEC)
  }

  @Test(arguments: [
    (40, 0x10), (40, 1 << 46), (40, UInt64.max), (32, UInt64.max), (16, UInt64.max),
    (16, 0x7fff_ffff_f000), (16, 0x10), (8, UInt64.max), (8, 1 << 46), (8, 0x10),
  ])
  func segmentsThatCannotBeMappedAreRefused(field: Int, value: UInt64) {
    #expect(errno { Self.put(value, 8, at: 64 + field, in: &$0) } == .ENOEXEC)
  }

  @Test func segmentsStandInOrder() {
    #expect(errno { Self.put(0x8000, 8, at: 64 + 16, in: &$0) } == .ENOEXEC)
  }

  @Test func aProgramHasSomethingToLoad() {
    #expect(
      errno {
        Self.put(0, 4, at: 64, in: &$0)
        Self.put(0, 4, at: 64 + 56, in: &$0)
      } == .ENOEXEC)
  }

  @Test func anInterpretersNameEndsInANUL() throws {
    func interpreted(_ name: String, size: UInt64? = nil) -> [UInt8] {
      var bytes = Self.program()
      Self.put(3, 4, at: 64 + 112, in: &bytes)
      Self.put(UInt64(bytes.count), 8, at: 64 + 112 + 8, in: &bytes)
      Self.put(size ?? UInt64(name.utf8.count), 8, at: 64 + 112 + 32, in: &bytes)
      return bytes + Array(name.utf8)
    }
    #expect(try parse(interpreted("/lib/ld.so\0")).interpreter == Array("/lib/ld.so".utf8))
    #expect(throws: Errno.ENOEXEC) { try parse(interpreted("/lib/ld.so")) }
    #expect(throws: Errno.ENOEXEC) { try parse(interpreted("\0")) }
    #expect(throws: Errno.ENOEXEC) { try parse(interpreted("/lib/ld.so\0", size: 4097)) }
    #expect(throws: Errno.ENOEXEC) { try parse(interpreted("/lib/ld.so\0", size: 100)) }
    #expect(throws: Errno.ENOEXEC) { try parse(interpreted("/lib/ld.so\0", size: .max)) }
  }

  /// Whatever the bytes are, it is a program whose numbers our arithmetic can bear, or an error.
  @Test func anyHeadersAreBearableOrRefused() throws {
    var random = SplitMix(state: 2)
    let hostile: [UInt64] = [
      0, 1, 0xfff, 0x1000, 1 << 31, 1 << 46, 1 << 47, 1 << 63, .max, .max - 0xfff, 0x7fff_ffff_f000,
    ]
    var accepted = 0
    for _ in 0..<4000 {
      var bytes = Self.program()
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        if Bool.random(using: &random) {
          let at = Int.random(in: 0..<bytes.count, using: &random)
          bytes[at] = UInt8.random(in: 0...255, using: &random)
        } else {
          let at = Int.random(in: 2..<(bytes.count / 8), using: &random) * 8
          Self.put(hostile.randomElement(using: &random)!, 8, at: at, in: &bytes)
        }
      }
      guard let elf = try? parse(bytes) else { continue }
      accepted += 1
      for segment in elf.segments where segment.type == 1 {
        #expect(segment.fileSize <= segment.memorySize)
        #expect(segment.address + segment.memorySize < 1 << 48)
        #expect(segment.offset + segment.fileSize < 1 << 47)
      }
    }
    #expect(accepted > 100 && accepted < 3900)
  }
}
