/// What a trampoline looks like, so that an address in it can be told to the program as one of its
/// own, and the other way round.
public struct TrampolineLayout: Sendable {
  var size: UInt8 = 0
  /// Displaced instructions: at most three, since three bytes are enough.
  var copyCount: UInt8 = 0
  /// Where copied instructions began, from the site.
  var originals = InlineArray<3, UInt8>(repeating: 0)
  /// Where their copies begin, from the trampoline.
  var copies = InlineArray<3, UInt8>(repeating: 0)
  /// Where the jump behind the patch begins, from the trampoline.
  var back: UInt8 = 0
}

/// Writes a trampoline, the way from a rewritten site into the kernel.
///
/// A trampoline enters the kernel by a jump through a slot of its page, with
///
///     rax   the call's number
///     rcx   where to go on: behind the site, or in the trampoline
///     r11   what the program must find in rcx: the address behind the site
///
/// and everything else, flags and stack included, as the program left it. Linux changes rcx and
/// r11 in a system call, so both are free.
struct TrampolineWriter {
  private let plan: SitePlan
  private let window: CodeWindow
  private let start: UInt
  private var address: UInt
  private var isInReach = true
  private var layout = TrampolineLayout()

  /// Writes the trampoline of `plan` at `start`, with the kernel's address in the 8 bytes at
  /// `slot`. The memory is writable and has room for `plan.trampolineSize` bytes.
  ///
  /// - Returns: nil if something is too far away; then what was written is of no use.
  static func write(
    _ plan: SitePlan, at start: UInt, slot: UInt, window: CodeWindow
  ) -> TrampolineLayout? {
    var writer = TrampolineWriter(plan: plan, window: window, start: start)
    writer.writeEntry(slot: slot)
    if plan.kind == .displacement { writer.writeDisplacedCode() }
    writer.layout.size = UInt8(writer.address - start)
    return writer.isInReach ? writer.layout : nil
  }

  private init(plan: SitePlan, window: CodeWindow, start: UInt) {
    self.plan = plan
    self.window = window
    self.start = start
    address = start
  }

  private mutating func writeEntry(slot: UInt) {
    switch plan.kind {
    case .lead:
      let lead = plan.patch.lowerBound
      if let instruction = window.instruction(at: lead) { emitCopy(of: instruction, at: lead) }
      emitLoadOfAfterSite()
    case .hop:
      emitLoadOfAfterSite()
    case .displacement:
      emit([0x48, 0x8d, 0x0d])  // lea copies(%rip), %rcx
      emit(UInt32(13))  // the two instructions in between
      emit([0x4c, 0x8d, 0x1d])  // lea afterSite(%rip), %r11
      emitDistance(to: plan.afterSite)
    }
    emit([0xff, 0x25])  // jmp *slot(%rip)
    emitDistance(to: slot)
  }

  private mutating func emitLoadOfAfterSite() {
    emit([0x48, 0x8d, 0x0d])  // lea afterSite(%rip), %rcx
    emitDistance(to: plan.afterSite)
    emit([0x49, 0x89, 0xcb])  // mov %rcx, %r11
  }

  // MARK: - Displaced code

  private mutating func writeDisplacedCode() {
    var original = plan.afterSite
    while original < plan.patch.upperBound, let instruction = window.instruction(at: original) {
      noteCopy(of: original)
      if instruction.isRelativeBranch {
        emitBranch(instruction, at: original)
      } else {
        emitCopy(of: instruction, at: original)
      }
      original += UInt(instruction.length)
      if instruction.endsPath { break }
    }
    layout.back = UInt8(address - start)
    emit([0xe9])  // jmp back
    emitDistance(to: plan.patch.upperBound)
  }

  private mutating func noteCopy(of original: UInt) {
    let index = Int(layout.copyCount)
    layout.originals[index] = UInt8(original - plan.site)
    layout.copies[index] = UInt8(address - start)
    layout.copyCount += 1
  }

  private mutating func emitBranch(_ branch: Instruction, at original: UInt) {
    let end = Int(original) + Int(branch.length)
    if branch.flow == .conditionalJump {
      emit([0x0f, 0x80 | branch.condition])
    } else {
      emit([0xe9])
    }
    emitDistance(to: UInt(bitPattern: end + Int(branch.distance)))
  }

  private mutating func emitCopy(of instruction: Instruction, at original: UInt) {
    let copy = address
    for offset in 0..<UInt(instruction.length) { emit([window[original + offset]]) }
    guard instruction.usesRIPRelativeOperand else { return }
    let field = UInt(instruction.displacementOffset)
    let moved = Int(original) - Int(copy)
    let end = address
    address = copy + field
    emit(distance: Int(window.signed32(at: original + field)) + moved)
    address = end
  }

  // MARK: - Bytes

  private mutating func emit<let count: Int>(_ bytes: InlineArray<count, UInt8>) {
    for index in 0..<count { CodeMemory.store(bytes[index], at: address + UInt(index)) }
    address += UInt(count)
  }

  private mutating func emit(_ word: UInt32) {
    CodeMemory.store(UInt64(word), count: 4, at: address)
    address += 4
  }

  /// The last field of an instruction: how far `target` is from its end.
  private mutating func emitDistance(to target: UInt) {
    emit(distance: Int(bitPattern: target) - Int(bitPattern: address) - 4)
  }

  private mutating func emit(distance: Int) {
    if Int32(exactly: distance) == nil { isInReach = false }
    emit(UInt32(bitPattern: Int32(truncatingIfNeeded: distance)))
  }
}
