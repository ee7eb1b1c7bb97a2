import Testing

@testable import Platform

/// The sites of real libraries and programs, planned one by one, held against the disassembler.
@Suite struct LibrarySitesTests {
  @Test(arguments: ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/ld-musl-x86_64.so.1"])
  func patchesHitOnlyWhatTheyMay(path: String) throws {
    guard let segment = ExecutableSegment(path: path) else { return }
    let code = try DisassembledCode(path: path, segment)
    #expect(code.sites.count > 100)
    segment.bytes.withUnsafeBufferPointer { bytes in
      let window = CodeWindow(
        bytes: bytes.baseAddress!, start: segment.address, count: bytes.count)
      let alone = code.sites.compactMap { plan($0, window, .alone) }
      let others = code.sites.compactMap { plan($0, window, .others) }
      for plan in alone + others { code.check(plan) }
      #expect(alone.count * 100 >= code.sites.count * 94)
      #expect(others.count * 100 >= code.sites.count * 70)
      #expect(!others.contains { $0.kind == .displacement })
    }
  }

  private func plan(
    _ site: DisassembledCode.Site, _ window: CodeWindow, _ threads: ThreadPresence
  ) -> SitePlan? {
    try? SiteRewriter.plan(site: site.address, number: site.number, in: window, threads: threads)
  }
}

/// Instructions, branches and sites as objdump(1) sees them.
private struct DisassembledCode {
  struct Site {
    let address: UInt
    /// What is loaded right before the `syscall`, or a number that is no call's.
    let number: Int
  }

  private(set) var sites: [Site] = []
  private var targets: Set<UInt> = []
  private var starts: [UInt: Instruction] = [:]
  private var previous: [UInt: UInt] = [:]

  init(path: String, _ segment: ExecutableSegment) throws {
    let disassembly = try Disassembly(path: path, from: segment.address, limit: segment.size)
    var last: Disassembly.Line?
    for line in disassembly.lines {
      guard let instruction = disassembly.instruction(at: line) else { continue }
      starts[line.address] = instruction
      previous[line.address] = last?.address
      if instruction.isRelativeBranch {
        let end = Int(line.address) + line.count
        targets.insert(UInt(bitPattern: end + Int(instruction.distance)))
      }
      if instruction.isSystemCall {
        let number = last.map { Self.number(loadedBy: disassembly.code, $0.offset, $0.count) }
        sites.append(Site(address: line.address, number: number ?? 1000))
      }
      last = line
    }
  }

  private static func number(loadedBy code: [UInt8], _ offset: Int, _ count: Int) -> Int {
    let bytes = code[offset..<offset + count]
    let isLoad = count == 5 && bytes.first == 0xb8 || bytes.starts(with: [0x48, 0xc7, 0xc0])
    guard isLoad else { return 1000 }
    return Int(bytes[offset + count - 4]) | Int(bytes[offset + count - 3]) << 8
  }

  func check(_ plan: SitePlan) {
    let name = "\(plan.kind) at \(String(plan.site, radix: 16))"
    #expect(starts[plan.patch.lowerBound] != nil, "\(name): begins inside an instruction")
    #expect(starts[plan.patch.upperBound] != nil || plan.kind == .lead, "\(name)")
    for address in plan.patch.lowerBound + 1..<plan.patch.upperBound {
      #expect(!targets.contains(address), "\(name): somebody jumps into the patch")
    }
    if plan.kind == .hop { checkPadding(plan.padding, name) }
  }

  private func checkPadding(_ padding: Range<UInt>, _ name: String) {
    for address in padding {
      #expect(!targets.contains(address), "\(name): somebody jumps into the padding")
      guard let instruction = starts[address] else { continue }
      #expect(instruction.isPadding || instruction.flow == .trap, "\(name): no padding")
    }
    let before = previous[padding.lowerBound].flatMap { starts[$0] }
    let isTrap = starts[padding.lowerBound]?.flow == .trap
    #expect(isTrap || before?.endsPath == true, "\(name): the padding is reached")
  }
}
