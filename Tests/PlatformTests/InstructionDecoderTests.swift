import Testing

@testable import Platform

@Suite struct InstructionDecoderTests {
  private func decode(_ bytes: [UInt8]) -> Instruction? {
    bytes.withUnsafeBufferPointer {
      InstructionDecoder.decode($0.baseAddress!, available: $0.count)
    }
  }

  @Test func branchesTellTheirDistance() throws {
    let short = try #require(decode([0x75, 0xfe]))
    #expect(short.flow == .conditionalJump && short.condition == 5 && short.distance == -2)
    let long = try #require(decode([0x0f, 0x84, 0x10, 0, 0, 0x80]))
    #expect(long.length == 6 && long.condition == 4 && long.distance == -0x7fff_fff0)
    let call = try #require(decode([0xe8, 1, 2, 0, 0]))
    #expect(call.flow == .call && call.distance == 0x201)
    #expect(decode([0xeb, 0x7f])?.flow == .jump)
    #expect(decode([0xe2, 0])?.flow == .counterJump)
    #expect(decode([0xf2, 0xe9, 0, 0, 0, 0])?.flow == .jump)
  }

  @Test func pathsEndAtReturnsJumpsAndTraps() {
    for bytes: [UInt8] in [
      [0xc3], [0xf3, 0xc3], [0xc2, 8, 0], [0xeb, 0], [0xff, 0xe0], [0x3e, 0xff, 0x60, 8],
      [0xcc], [0x0f, 0x0b], [0xf4],
    ] {
      #expect(decode(bytes)?.endsPath == true, "\(bytes)")
      #expect(decode(bytes).map { Int($0.length) } == bytes.count, "\(bytes)")
    }
    for bytes: [UInt8] in [[0xff, 0xd0], [0xff, 0x30], [0x90], [0x74, 0], [0x0f, 0x05]] {
      #expect(decode(bytes)?.endsPath == false, "\(bytes)")
    }
  }

  @Test func displacementOfARIPRelativeOperandIsFound() {
    #expect(decode([0x48, 0x8b, 0x05, 1, 2, 3, 4])?.displacementOffset == 3)
    #expect(decode([0x66, 0xc7, 0x05, 1, 2, 3, 4, 5, 6])?.displacementOffset == 3)
    #expect(decode([0xc5, 0xf9, 0x6f, 0x0d, 1, 2, 3, 4])?.displacementOffset == 4)
    #expect(decode([0x48, 0x8b, 0x04, 0x25, 1, 2, 3, 4])?.usesRIPRelativeOperand == false)
    #expect(decode([0x48, 0x8b, 0x85, 1, 2, 3, 4])?.usesRIPRelativeOperand == false)
  }

  @Test func immediatesHaveTheSizeThatPrefixesGiveThem() {
    let encodings: [[UInt8]] = [
      [0xb8, 1, 2, 3, 4], [0x66, 0xb8, 1, 2], [0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8],
      [0x66, 0x81, 0xc0, 1, 2], [0x66, 0x48, 0x81, 0xc0, 1, 2, 3, 4], [0xf6, 0xc0, 1],
      [0xf6, 0xd0], [0xf7, 0x00, 1, 2, 3, 4], [0xf7, 0x18], [0xc8, 1, 2, 3],
      [0xa1, 1, 2, 3, 4, 5, 6, 7, 8], [0x67, 0xa1, 1, 2, 3, 4], [0x68, 1, 2, 3, 4],
      [0x62, 0xf3, 0x7d, 0x48, 0x3e, 0xc8, 1], [0xc4, 0xe3, 0xfb, 0xf0, 0xc0, 1],
    ]
    for bytes in encodings {
      #expect(decode(bytes).map { Int($0.length) } == bytes.count, "\(bytes)")
      #expect(decode(Array(bytes.dropLast())) == nil, "cut short: \(bytes)")
    }
  }

  @Test func onlyTheUsualLoadsOfANumberCount() {
    #expect(decode([0xb8, 39, 0, 0, 0])?.loadedNumber == 39)
    #expect(decode([0x48, 0xc7, 0xc0, 39, 0, 0, 0])?.loadedNumber == 39)
    #expect(decode([0x49, 0xc7, 0xc0, 39, 0, 0, 0])?.loadedNumber == nil)
    #expect(decode([0x41, 0xb8, 39, 0, 0, 0])?.loadedNumber == nil)
    #expect(decode([0xb9, 39, 0, 0, 0])?.loadedNumber == nil)
  }

  @Test func unknownHasNoAnswer() {
    for bytes: [UInt8] in [
      [0x06], [0x66, 0xe8, 0, 0, 0, 0], [0x66, 0xc3], [0xd5, 0x00, 0x90], [0xcd, 0x80],
      [0x8f, 0xe8, 0x78, 0xc0, 0, 0], [0xc7, 0xf8, 0, 0, 0, 0], [0x0f, 0x0f, 0xc0, 0x9e],
      [0x0f, 0x34], [0x48, 0x66, 0x90], [],
    ] {
      #expect(decode(bytes) == nil, "\(bytes)")
    }
    #expect(decode([UInt8](repeating: 0x66, count: 15) + [0x90]) == nil)
  }

  @Test(
    arguments: [
      "/bin/bash", "/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6",
      "/usr/bin/busybox", "/usr/bin/python3.11", "/usr/bin/node", "/usr/lib/go-1.19/bin/gofmt",
    ])
  func lengthsAreThoseOfTheDisassembler(path: String) throws {
    guard let code = ExecutableSegment(path: path) else { return }
    let quarter = code.address + code.size / 4
    let disassembly = try Disassembly(
      path: path, from: quarter, limit: min(code.size / 2, 0x3_0000))
    var unknown = 0
    for line in disassembly.lines {
      guard let instruction = disassembly.instruction(at: line) else {
        unknown += 1
        continue
      }
      guard Int(instruction.length) != line.count, disassembly.isInstruction(line) else { continue }
      Issue.record("\(instruction.length) bytes: \(disassembly.text(of: line))")
    }
    #expect(disassembly.lines.count > 1000)
    #expect(unknown * 1000 <= disassembly.lines.count, "\(path): \(unknown)")
  }
}
