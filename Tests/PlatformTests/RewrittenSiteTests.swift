import CTestMachine
import Glibc
import Testing

@testable import Platform

/// A function with a system call: what stands before the `syscall` and behind it.
struct Sample: CustomTestStringConvertible, Sendable {
  let name: String
  let kind: SitePlan.Kind
  let before: [UInt8]
  let after: [UInt8]

  var testDescription: String { name }

  static let getppid = 110
  static let load: [UInt8] = [0xb8, 110, 0, 0, 0]  // mov $110, %eax
  static let nops = [UInt8](repeating: 0x90, count: 12)

  static let all: [Sample] = [
    Sample(name: "mov to eax", kind: .lead, before: load, after: [0xc3]),
    Sample(
      name: "mov to rax", kind: .lead, before: [0x48, 0xc7, 0xc0, 110, 0, 0, 0],
      after: [0xc3]),
    Sample(
      name: "load from the stack before the site", kind: .lead,
      before: load + [0x48, 0x8b, 0x5c, 0x24, 0], after: [0xc3]),
    Sample(
      name: "RIP-relative load before the site", kind: .lead,
      before: load + [0x48, 0x8b, 0x1d, 3, 0, 0, 0], after: [0xc3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    Sample(
      name: "rcx and r11 used before the site", kind: .lead,
      before: load + [0x4a, 0x8d, 0x5c, 0x19, 1], after: [0xc3]),
    Sample(
      name: "hop over nops behind ret", kind: .hop, before: load + [0x89, 0xff],
      after: [0xc3] + nops),
    Sample(
      name: "hop into int3 behind jmp", kind: .hop, before: load + [0x89, 0xff],
      after: [0xeb, 0x06] + [UInt8](repeating: 0xcc, count: 6) + [0xc3]),
    displaced("cmp and jae not taken", [0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0x73, 0x01, 0xc3]),
    displaced("test and short jns taken", [0x85, 0xc0, 0x79, 0x03, 0x31, 0xc0, 0xc3, 0x90, 0xc3]),
    displaced("long jns taken", [0x0f, 0x89, 1, 0, 0, 0, 0xc3, 0x48, 0xff, 0xc0, 0xc3]),
    displaced("short jmp", [0x53, 0x5b, 0xeb, 0x01, 0x90, 0xc3]),
    displaced("long jmp", [0xe9, 1, 0, 0, 0, 0x90, 0xc3]),
    displaced("three short instructions", [0x50, 0x5e, 0xf9, 0x48, 0x11, 0xc0, 0xc3]),
    displaced("ret and filler", [0xc3, 0x90, 0x90, 0x98]),
    displaced("RIP-relative load", [0x48, 0x8b, 0x15, 1, 0, 0, 0, 0xc3, 1, 2, 3, 4, 5, 6, 7, 8]),
    displaced(
      "RIP-relative compare with an immediate", [0x83, 0x3d, 1, 0, 0, 0, 0x7f, 0xc3, 1, 2, 3, 4]),
    displaced("store into the red zone", [0x48, 0x89, 0x44, 0x24, 0xf8, 0xc3]),
    displaced("rcx and r11 are seen", [0x48, 0x89, 0xca, 0x4c, 0x89, 0xde, 0xc3]),
    displaced("xmm and back", [0x66, 0x48, 0x0f, 0x6e, 0xc0, 0x66, 0x48, 0x0f, 0x7e, 0xc2, 0xc3]),
  ]

  private static func displaced(_ name: String, _ after: [UInt8]) -> Sample {
    Sample(name: name, kind: .displacement, before: load + [0x89, 0xff], after: after)
  }
}

/// Rewritten code against the same code as it was: Linux says what a call leaves behind.
///
/// One at a time, because the test machine keeps what it saw in one place.
@Suite(.serialized) struct RewrittenSiteTests {
  @Test(arguments: Sample.all, [0, 1, 3, 6, 7, 8, 15] as [UInt])
  func programSeesWhatLinuxShowsIt(sample: Sample, phase: UInt) throws {
    let code = CodeBuffer(before: sample.before, after: sample.after, phase: phase)
    let native = code.run()
    #expect(native.rcx == UInt64(code.site + 2))
    try rewrite(code, as: sample.kind, result: UInt64(getppid()))
    test_last_entry().pointee.count = 0
    let rewritten = code.run()
    #expect(rewritten.values == native.values)
    #expect(test_last_entry().pointee.count == 1)
    #expect(test_last_entry().pointee.number == UInt64(Sample.getppid))
    #expect(test_last_entry().pointee.after_site == UInt64(code.site + 2))
  }

  @Test(arguments: Sample.all) func aPlanServesTheSameCodeElsewhere(sample: Sample) throws {
    let first = CodeBuffer(before: sample.before, after: sample.after)
    let second = CodeBuffer(before: sample.before, after: sample.after)
    let native = second.run()
    let planning = try #require(TestSites(first).rewriteNow(number: Sample.getppid))
    let sites = TestSites(second, threshold: 2)
    test_set_result(UInt64(getppid()))
    #expect(
      sites.rewriteNow(
        number: Sample.getppid, following: planning.moved(by: second.start &- first.start)) != nil)
    #expect(sites.rewriteNow(number: Sample.getppid) == nil, "it is settled")
    test_last_entry().pointee.count = 0
    #expect(second.run().values == native.values)
    #expect(test_last_entry().pointee.count == 1)
  }

  @Test(arguments: [0, 0x8d5, 0x400 + 0xad7] as [UInt64])
  func flagsSurvive(flags: UInt64) throws {
    for sample in Sample.all {
      let code = CodeBuffer(before: sample.before, after: sample.after)
      let native = code.run { $0.flags = flags | 0x202 }
      try rewrite(code, as: sample.kind, result: UInt64(getppid()))
      #expect(code.run { $0.flags = flags | 0x202 }.values == native.values, "\(sample.name)")
    }
  }

  @Test func jumpToTheSyscallBehindALeadStillTraps() throws {
    let code = CodeBuffer(before: Sample.load, after: [0xc3])
    try rewrite(code, as: .lead, result: 1)
    test_last_entry().pointee.count = 0
    let native = code.run(from: code.site) { $0.rax = UInt64(Sample.getppid) }
    #expect(native.rax == UInt64(getppid()))
    #expect(test_last_entry().pointee.count == 0)
  }

  @Test func jumpToAHopOrADisplacementEntersTheKernel() throws {
    for sample in Sample.all where sample.kind != .lead {
      let code = CodeBuffer(before: sample.before, after: sample.after)
      try rewrite(code, as: sample.kind, result: 0)
      _ = code.run(from: code.site) { $0.rax = 4711 }
      #expect(test_last_entry().pointee.number == 4711)
    }
  }

  @Test func whoWasInTheKernelGoesOnInTheTrampoline() throws {
    // stc, cwtl, cmc
    let code = CodeBuffer(
      before: Sample.load + [0x89, 0xff], after: [0xf9, 0x98, 0xf5, 0x48, 0x11, 0xc0, 0xc3])
    let starts = [2, 3, 4].map { code.site + $0 }
    let native = starts.map { code.run(from: $0).values }
    let sites = try rewrite(code, as: .displacement, result: 0)
    for (start, expected) in zip(starts, native) {
      let address = sites.redirect(start)
      #expect(sites.isTrampoline(address))
      #expect(sites.programAddress(of: address) == start)
      #expect(code.run(from: address).values == expected)
    }
    let behind = code.site + 5
    #expect(sites.redirect(behind) == behind)
  }

  @Test func nothingIsRedirectedWhenTheCodeIsGone() throws {
    let sample = Sample.all.first { $0.kind == .displacement }!
    let code = CodeBuffer(before: sample.before, after: sample.after)
    let sites = try rewrite(code, as: .displacement, result: 0)
    code.put([0x90, 0x90, 0x90, 0x90, 0x90], at: code.site)
    #expect(sites.redirect(code.site + 2) == code.site + 2)
  }

  @Test func anInterruptedTrampolineStandsForAnAddressOfTheProgram() throws {
    for sample in Sample.all {
      let code = CodeBuffer(before: sample.before, after: sample.after)
      let plan = try code.plan(number: Sample.getppid)
      let sites = try rewrite(code, as: sample.kind, result: 0)
      let first = try #require(trampoline(of: plan, code))
      let beginning = plan.kind == .lead ? plan.patch.lowerBound : code.site
      #expect(sites.programAddress(of: first) == beginning)
      #expect(sites.programAddress(of: first + 7) == code.site)
      #expect(sites.programAddress(of: code.site) == code.site)
      if plan.kind == .hop {
        #expect(sites.programAddress(of: plan.padding.lowerBound) == code.site)
      }
    }
  }

  /// Another thread runs the code while it changes: it sees the old call or the new one.
  @Test func threadsSeeTheOldCallOrTheNewOne() throws {
    for phase in UInt(0)..<16 {
      for sample in Sample.all {
        let code = CodeBuffer(before: sample.before, after: sample.after, phase: phase)
        guard let plan = try? code.plan(number: Sample.getppid, threads: .others) else { continue }
        try race(code, plan)
      }
    }
  }

  private func race(_ code: CodeBuffer, _ plan: SitePlan) throws {
    let runner = RunningThread(code, until: 4711)
    runner.waitUntilItRuns()
    try rewrite(code, as: plan.kind, threads: .others, result: 4711)
    #expect(runner.join() == [UInt64(getppid()), 4711])
  }

  // MARK: - Rewriting

  @discardableResult private func rewrite(
    _ code: CodeBuffer, as kind: SitePlan.Kind, threads: ThreadPresence = .alone, result: UInt64
  ) throws -> TestSites {
    let plan = try code.plan(number: Sample.getppid, threads: threads)
    #expect(plan.kind == kind)
    let sites = TestSites(code)
    test_set_result(result)
    let next = sites.trap(number: Sample.getppid, threads: threads)
    #expect((next != code.site + 2) == (kind == .displacement))
    return sites
  }

  /// Where the jump of the rewritten site leads.
  private func trampoline(of plan: SitePlan, _ code: CodeBuffer) -> UInt? {
    let jump = plan.kind == .hop ? plan.padding.lowerBound : plan.patch.lowerBound
    guard let instruction = code.window.instruction(at: jump), instruction.flow == .jump else {
      return nil
    }
    return UInt(bitPattern: Int(jump) + 5 + Int(instruction.distance))
  }
}

/// Runs a piece of code again and again until it returns a certain value.
private final class RunningThread: @unchecked Sendable {
  private let code: CodeBuffer
  private let last: UInt64
  private var thread = pthread_t()
  private var started = sem_t()
  private var results: Set<UInt64> = []

  init(_ code: CodeBuffer, until last: UInt64) {
    self.code = code
    self.last = last
    sem_init(&started, 0, 0)
    pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<RunningThread>.fromOpaque(argument!).takeUnretainedValue().run()
        return nil
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func run() {
    repeat {
      results.insert(code.run().rax)
      sem_post(&started)
    } while !results.contains(last)
  }

  func waitUntilItRuns() { for _ in 0..<3 { sem_wait(&started) } }

  func join() -> Set<UInt64> {
    pthread_join(thread, nil)
    return results
  }
}
