import Testing

@testable import Platform

@Suite struct SiteRewriterTests {
  private static let number = 110
  /// `mov $110, %eax; mov %edi, %edi`: the number is not loaded right before the site.
  private static let before: [UInt8] = [0xb8, 110, 0, 0, 0, 0x89, 0xff]
  private static let nops: [UInt8] = [0x0f, 0x1f, 0x44, 0, 0]

  private func refusal(_ code: CodeBuffer, number: Int = number, threads: ThreadPresence = .alone)
    -> SiteRefusal?
  {
    do {
      _ = try SiteRewriter.plan(site: code.site, number: number, in: code.window, threads: threads)
      return nil
    } catch {
      return error
    }
  }

  // MARK: - Leads

  @Test func numberMustBeTheOneAskedFor() throws {
    let code = CodeBuffer(before: [0xb8, 110, 0, 0, 0], after: [0xc3] + Self.nops)
    #expect(try code.plan(number: 110).kind == .lead)
    #expect(try code.plan(number: 111).kind == .hop)
  }

  @Test(
    arguments: [
      [0x41, 0xb8, 110, 0, 0, 0],  // mov $110, %r8d
      [0x49, 0x8b, 0xb8, 110, 0, 0, 0],  // mov 110(%r8), %rdi
      [0xc7, 0x05, 0, 0, 0, 0xb8, 110, 0, 0, 0],  // mov $110, ...(%rip)
    ] as [[UInt8]])
  func endOfAnotherInstructionIsNoNumberLoad(before: [UInt8]) throws {
    let code = CodeBuffer(before: before, after: [0xc3] + Self.nops)
    #expect(try code.plan(number: Self.number).kind == .hop)
  }

  @Test(arguments: 0..<16 as Range<UInt>)
  func otherThreadsNeedNumberLoadsInOneWord(phase: UInt) {
    let code = CodeBuffer(before: [0xb8, 110, 0, 0, 0], after: [0x98, 0x98, 0x98], phase: phase)
    let isInOneWord = (phase + 3) % 8 <= 3  // The load begins 5 bytes before the site.
    #expect(refusal(code, threads: .others) == (isInOneWord ? nil : .otherThreads))
    #expect(refusal(code) == nil)
  }

  @Test func anyLongInstructionLeadsIfNobodyJumpsIntoIt() throws {
    let lead: [UInt8] = [0x4c, 0x8b, 0x4c, 0x24, 0x08]  // mov 8(%rsp), %r9
    let code = CodeBuffer(before: Self.before + lead, after: [0x98, 0xc3], phase: 7)
    #expect(try code.plan(number: 110, threads: .others).patch == code.site - 5..<code.site)
    let target = CodeBuffer(before: [0x74, 8] + Self.before + lead, after: [0x98, 0xc3], phase: 7)
    #expect(refusal(target, threads: .others) == .otherThreads)
  }

  @Test(
    arguments: [
      [0x0f, 0x84, 0, 1, 0, 0],  // je
      [0xe8, 0, 1, 0, 0],  // call
      [0xff, 0x15, 0, 1, 0, 0],  // call *
    ] as [[UInt8]])
  func branchBeforeTheSiteDoesNotLead(branch: [UInt8]) throws {
    let code = CodeBuffer(before: Self.before + branch, after: [0x98, 0x98, 0x98, 0xc3])
    #expect(try code.plan(number: 110).kind == .displacement)
  }

  @Test func signalReturnKeepsItsBytes() {
    let code = CodeBuffer(before: [0x48, 0xc7, 0xc0, 15, 0, 0, 0], after: [0x90])
    #expect(refusal(code, number: 15) == .signalReturn)
  }

  @Test func onlyASyscallIsASite() {
    let code = CodeBuffer(before: [], after: [0xc3])
    code.put([0x0f, 0x34], at: code.site)
    #expect(refusal(code) == .notASite)
  }

  // MARK: - Hops

  @Test func paddingBehindAnEndedPathIsUsed() throws {
    for end: [UInt8] in [[0xc3], [0xeb, 0x20], [0xff, 0xe0], [0x0f, 0x0b]] {
      let code = CodeBuffer(before: Self.before, after: [0x98] + end + Self.nops)
      let plan = try code.plan(number: Self.number, threads: .others)
      #expect(plan.kind == .hop)
      #expect(plan.padding.lowerBound == code.site + 3 + UInt(end.count))
    }
  }

  @Test func nopsThatTheProgramRunsAreNoPadding() {
    // `mov %rax, %rbx` ends in the byte of a `ret`.
    for end: [UInt8] in [[0x48, 0x89, 0xc3], [0xff, 0xd0], [0xe8, 1, 0, 0, 0], [0x74, 5]] {
      let code = CodeBuffer(before: Self.before, after: end + Self.nops + Self.nops)
      #expect(refusal(code, threads: .others) == .otherThreads, "\(end)")
    }
  }

  @Test func nopsAtTheStartOfAFunctionAreNoPadding() {
    // The ret is the last byte before a multiple of 16.
    let code = CodeBuffer(before: Self.before, after: [0xc3] + Self.nops, phase: 13)
    #expect(refusal(code, threads: .others) == .otherThreads)
  }

  @Test func paddingThatSomebodyJumpsToIsLeftAlone() {
    let code = CodeBuffer(before: [0x74, 10] + Self.before, after: [0xc3] + Self.nops)
    #expect(refusal(code, threads: .others) == .otherThreads)
  }

  @Test func paddingServesSitesUntilItIsUsedUp() throws {
    let call = Self.before + [0x0f, 0x05]
    let code = CodeBuffer(
      before: call + call + Self.before, after: [0xc3] + [UInt8](repeating: 0x90, count: 13),
      phase: 2)
    let sites = TestSites(code)
    for index in 0..<3 {
      let site = code.site - UInt(9 * index)
      sites.trap(at: site, number: Self.number, threads: .others)
      #expect((code.bytes(at: site, count: 1) == [0xeb]) == (index < 2), "\(index)")
    }
  }

  @Test func otherThreadsNeedTheSiteInOneWord() {
    for phase in UInt(0)..<9 {
      let code = CodeBuffer(
        before: Self.before, after: [0x98, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc], phase: phase)
      #expect(refusal(code, threads: .others) == (phase == 7 ? .otherThreads : nil))
    }
  }

  // MARK: - Displacements

  @Test(
    arguments: [
      [0xe8, 0, 0, 0, 0], [0xff, 0xd0, 0x98, 0x98], [0x0f, 0x05, 0x90], [0x98, 0xe3, 0x10],
      [0xf3, 0x0f, 0x1e, 0xfa], [0x98, 0x98, 0x06], [0xcc, 0x98, 0x98], [0xc3, 0x98, 0x98],
    ] as [[UInt8]])
  func whatCannotMoveIsRefused(after: [UInt8]) {
    #expect(refusal(CodeBuffer(before: Self.before, after: after)) == .immovable)
  }

  @Test(
    arguments: [
      [0x74, 9],  // je over mov, mov, syscall
      [0x0f, 0x84, 10, 0, 0, 0],
      [0x2e, 0x74, 10],
      [0xe9, 9, 0, 0, 0],
    ] as [[UInt8]])
  func branchIntoTheMiddleIsRefused(branch: [UInt8]) {
    let code = CodeBuffer(before: branch + Self.before, after: [0x98, 0x98, 0x98, 0xc3])
    #expect(refusal(code) == .branchTarget)
  }

  @Test func branchFromBehindAndFromAfarIsRefused() {
    let near = CodeBuffer(before: Self.before, after: [0x98, 0x98, 0x98, 0x98, 0x75, 0xfb])
    #expect(refusal(near) == .branchTarget)
    let far = CodeBuffer(before: Self.before, after: [0x98, 0x98, 0x98, 0x98])
    far.put([0xe9, 0, 0x10, 0, 0], at: far.site + 3 - 0x1005)
    #expect(refusal(far) == .branchTarget)
  }

  @Test func branchToTheSiteOrBehindThePatchIsFine() throws {
    let toSite = CodeBuffer(before: [0x74, 7] + Self.before, after: [0x98, 0x98, 0x98, 0xc3])
    #expect(try toSite.plan(number: Self.number).kind == .displacement)
    let behind = CodeBuffer(before: [0x74, 12] + Self.before, after: [0x98, 0x98, 0x98, 0xc3])
    #expect(try behind.plan(number: Self.number).kind == .displacement)
  }

  @Test func patchEndsWithAnInstruction() throws {
    let code = CodeBuffer(
      before: Self.before, after: [0x98, 0x48, 0x3d, 0, 0xf0, 0xff, 0xff, 0xc3])
    #expect(try code.plan(number: Self.number).patch == code.site..<code.site + 9)
  }
}
