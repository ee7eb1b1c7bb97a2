import LinuxABI
import Platform
import Testing

@testable import KernelCore

/// Arguments and environment of execve(2), from this process's own memory.
@Suite struct ProgramStringsTests {
  /// Calls `body` with the address of a vector of pointers to the strings.
  private func withVector<R>(
    _ strings: [String], _ body: (UserAddress) throws -> R
  ) rethrows -> R {
    let copies = strings.map { string -> UnsafeMutablePointer<UInt8> in
      let bytes = Array(string.utf8) + [0]
      let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
      copy.initialize(from: bytes, count: bytes.count)
      return copy
    }
    defer { for copy in copies { copy.deallocate() } }
    let pointers = copies.map { UInt64(UInt(bitPattern: $0)) } + [0]
    return try pointers.withUnsafeBufferPointer {
      try body(UserAddress(UInt(bitPattern: $0.baseAddress)))
    }
  }

  private func copy(
    _ arguments: [String], _ environment: [String] = [], stackLimit: UInt64 = 8 << 20
  ) throws -> ProgramStrings {
    try withVector(arguments) { arguments in
      try withVector(environment) { environment in
        try ProgramStrings.copyIn(
          arguments: arguments, environment: environment, stackLimit: stackLimit)
      }
    }
  }

  @Test func stringsStandOneAfterTheOther() throws {
    let strings = try copy(["a", "", "bc"], ["X=1"])
    #expect(strings.bytes == Array("a\0\0bc\0X=1\0".utf8))
    #expect(strings.argumentCount == 3 && strings.environmentCount == 1)
    #expect(strings.environmentStart == 6)
  }

  @Test func aProgramAlwaysHasAName() throws {
    let strings = try copy([])
    #expect(strings.argumentCount == 1 && strings.bytes == [0])
    #expect(
      try ProgramStrings.copyIn(arguments: .null, environment: .null, stackLimit: 0).bytes == [0])
  }

  /// MAX_ARG_STRLEN counts the NUL.
  @Test func aStringHasItsLimit() throws {
    let longest = String(repeating: "x", count: 131_071)
    #expect(try copy([longest]).bytes.count == 131_072)
    #expect(throws: Errno.E2BIG) { try copy([longest + "x"]) }
    #expect(throws: Errno.E2BIG) { try copy(["a"], [longest + "x"]) }
  }

  @Test func allStringsHaveAQuarterOfTheStack() throws {
    let argument = String(repeating: "y", count: 1015)  // with NUL and pointer 1024 bytes
    #expect(
      try copy(Array(repeating: argument, count: 1000), stackLimit: 4 << 20).argumentCount == 1000)
    #expect(throws: Errno.E2BIG) {
      try copy(Array(repeating: argument, count: 1030), stackLimit: 4 << 20)
    }
    // Never less than 128 KiB, never more than 6 MiB.
    #expect(try copy(Array(repeating: argument, count: 120), stackLimit: 0).argumentCount == 120)
    #expect(throws: Errno.E2BIG) {
      try copy(Array(repeating: argument, count: 6200), stackLimit: .max)
    }
  }

  @Test func pointersThatLeadNowhereAreFaults() {
    #expect(throws: Errno.EFAULT) {
      try ProgramStrings.copyIn(
        arguments: UserAddress(userAddressLimit), environment: .null, stackLimit: 8 << 20)
    }
  }

  @Test func aScriptsInterpreterTakesTheFirstPlace() throws {
    var strings = try copy(["script", "one"], ["X=1"])
    strings.replaceFirst(with: [Array("/bin/sh".utf8), Array("-e".utf8), Array("./script".utf8)])
    #expect(strings.bytes == Array("/bin/sh\0-e\0./script\0one\0X=1\0".utf8))
    #expect(strings.argumentCount == 4 && strings.environmentCount == 1)
    #expect(strings.bytes[strings.environmentStart...].starts(with: Array("X=1".utf8)))
  }
}
