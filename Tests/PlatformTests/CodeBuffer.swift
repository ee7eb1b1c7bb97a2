import CTestMachine
import Glibc

@testable import Platform

/// Memory with a piece of machine code around one system call site, which can be run.
final class CodeBuffer {
  static let size = 16384
  private static let middle: UInt = 8192

  let start: UInt
  /// Where the function begins.
  let function: UInt
  /// The address of its `syscall`.
  let site: UInt
  /// Where the trampolines of its sites lie.
  let pages = TestPages()

  /// Puts `before`, `syscall` and `after` into memory, so that the `syscall` stands `phase` bytes
  /// behind a multiple of 16. Around are instructions that can't be mistaken for padding.
  init(before: [UInt8], after: [UInt8], phase: UInt = 0) {
    let memory = mmap(
      nil, Self.size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    start = UInt(bitPattern: memory)
    memset(memory, 0x98, Self.size)  // cwtl
    site = start + Self.middle + phase
    function = site - UInt(before.count)
    put(before + [0x0f, 0x05] + after, at: function)
  }

  deinit { munmap(UnsafeMutableRawPointer(bitPattern: start), Self.size) }

  var window: CodeWindow { CodeWindow(start: start, end: start + UInt(Self.size))! }

  func put(_ bytes: [UInt8], at address: UInt) {
    for (index, byte) in bytes.enumerated() {
      UnsafeMutablePointer<UInt8>(bitPattern: address + UInt(index))!.pointee = byte
    }
  }

  func bytes(at address: UInt, count: Int) -> [UInt8] {
    (0..<count).map { UnsafePointer<UInt8>(bitPattern: address + UInt($0))!.pointee }
  }

  func plan(number: Int, threads: ThreadPresence = .alone) throws -> SitePlan {
    try SiteRewriter.plan(site: site, number: number, in: window, threads: threads)
  }

  /// The outcome of running from `address` with registers that are all different.
  func run(from address: UInt? = nil, changing change: (inout test_registers) -> Void = { _ in })
    -> test_registers
  {
    var registers = test_registers(
      rax: 1, rbx: 2, rcx: 3, rdx: 4, rsi: 5, rdi: 6, rbp: 7, r8: 8, r9: 9, r10: 10, r11: 11,
      r12: 12, r13: 13, r14: 14, r15: 15, flags: 0xad7, red_zone: 0x1234_5678_9abc_def0)
    change(&registers)
    test_run(UnsafeRawPointer(bitPattern: address ?? function), &registers)
    return registers
  }
}

/// Maps trampoline pages as a test wants them, and keeps them until it ends.
final class TestPages {
  private var pages: [UInt] = []

  deinit { for page in pages { munmap(UnsafeMutableRawPointer(bitPattern: page), 4096) } }

  func map(_ range: ClosedRange<UInt>) -> UInt? {
    let middle = range.lowerBound + (range.upperBound - range.lowerBound) / 2
    for distance in stride(from: 0x10_0000, to: range.upperBound - middle, by: 0x1_0000) {
      let page = mmap(
        UnsafeMutableRawPointer(bitPattern: (middle + distance) & ~4095), 4096,
        PROT_READ | PROT_WRITE | PROT_EXEC,
        MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_FIXED_NOREPLACE), -1, 0)
      guard page != MAP_FAILED, let page else { continue }
      pages.append(UInt(bitPattern: page))
      return UInt(bitPattern: page)
    }
    return nil
  }
}

/// The sites of a piece of code, in a class because `#expect` can't look into what is not copyable.
final class TestSites {
  private var sites: SystemCallSites
  private let code: CodeBuffer

  init(_ code: CodeBuffer, threshold: Int = 1, entry: UInt = UInt(test_entry_address())) {
    self.code = code
    sites = SystemCallSites(entry: entry, threshold: threshold)
  }

  @discardableResult func trap(
    at site: UInt? = nil, number: Int, threads: ThreadPresence = .alone,
    setAccess: (Range<UInt>, SystemCallSites.Access) -> Bool = { _, _ in true }
  ) -> UInt {
    let trap = SystemCallSites.Trap(
      site: site ?? code.site, number: number, threads: threads, window: code.window)
    return sites.handle(trap, mapPage: code.pages.map, setAccess: setAccess)
  }

  @discardableResult func rewriteNow(
    number: Int, following plan: SitePlanning? = nil
  ) -> SitePlanning? {
    let trap = SystemCallSites.Trap(
      site: code.site, number: number, threads: .alone, window: code.window)
    return sites.rewriteNow(
      trap, following: plan, mapPage: code.pages.map, setAccess: { _, _ in true })
  }

  func redirect(_ address: UInt) -> UInt { sites.redirect(address, in: code.window) }
  func programAddress(of address: UInt) -> UInt { sites.programAddress(of: address) }
  func isTrampoline(_ address: UInt) -> Bool { sites.isTrampoline(address) }
}

extension test_registers {
  /// The registers by name, to compare and to show.
  var values: [String: UInt64] {
    [
      "rax": rax, "rbx": rbx, "rcx": rcx, "rdx": rdx, "rsi": rsi, "rdi": rdi, "rbp": rbp, "r8": r8,
      "r9": r9, "r10": r10, "r11": r11, "r12": r12, "r13": r13, "r14": r14, "r15": r15,
      "flags": flags, "red zone": red_zone,
    ]
  }
}
