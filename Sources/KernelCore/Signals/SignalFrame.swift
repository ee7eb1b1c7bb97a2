import CPlatform
import LinuxABI
import Platform

/// Linux's struct rt_sigframe on x86-64: return address, ucontext_t, siginfo_t.
enum SignalFrame {
  static var contextOffset: Int { 8 }
  static var infoOffset: Int { 8 + 304 }
  static var size: Int { 8 + 304 + 128 }

  /// ucontext_t as far as the kernel fills it: 304 bytes.
  struct Context: BitwiseCopyable {
    var flags: UInt64 = 7  // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
    var link: UInt64 = 0
    var stackAddress: UInt64 = 0
    var stackFlags: UInt64 = 0
    var stackSize: UInt64 = 0
    var r8: UInt64 = 0, r9: UInt64 = 0, r10: UInt64 = 0, r11: UInt64 = 0
    var r12: UInt64 = 0, r13: UInt64 = 0, r14: UInt64 = 0, r15: UInt64 = 0
    var rdi: UInt64 = 0, rsi: UInt64 = 0, rbp: UInt64 = 0, rbx: UInt64 = 0
    var rdx: UInt64 = 0, rax: UInt64 = 0, rcx: UInt64 = 0, rsp: UInt64 = 0
    var rip: UInt64 = 0, eflags: UInt64 = 0
    var segments: UInt64 = 0x002b_0000_0000_0033
    var error: UInt64 = 0, trap: UInt64 = 0, oldMask: UInt64 = 0, faultAddress: UInt64 = 0
    var vectors: UInt64 = 0
    var reserved: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
      (0, 0, 0, 0, 0, 0, 0, 0)
    var mask: UInt64 = 0

    init() {}

    init(_ frame: Frame) {
      let f = frame.pointee
      (r8, r9, r10, r11, r12, r13, r14, r15) = (
        f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15
      )
      (rdi, rsi, rbp, rbx, rdx, rax, rcx) = (f.rdi, f.rsi, f.rbp, f.rbx, f.rdx, f.rax, f.rcx)
      (rsp, rip, eflags) = (f.rsp, f.rip, f.eflags)
    }

    func restore(to frame: Frame) {
      frame.pointee.r8 = r8
      frame.pointee.r9 = r9
      frame.pointee.r10 = r10
      frame.pointee.r11 = r11
      frame.pointee.r12 = r12
      frame.pointee.r13 = r13
      frame.pointee.r14 = r14
      frame.pointee.r15 = r15
      frame.pointee.rdi = rdi
      frame.pointee.rsi = rsi
      frame.pointee.rbp = rbp
      frame.pointee.rbx = rbx
      frame.pointee.rdx = rdx
      frame.pointee.rax = rax
      frame.pointee.rcx = rcx
      frame.pointee.rsp = rsp
      frame.pointee.rip = rip
      // CF PF AF ZF SF DF OF and AC are the program's; the rest stays as it is.
      let own: UInt64 = 0x40cd5
      frame.pointee.eflags = frame.pointee.eflags & ~own | eflags & own
    }
  }

  static func store(
    at address: UserAddress, frame: Frame, vectors: UInt64, mask: SignalSet, stack: SignalStack,
    restorer: UInt64, info: SignalInfo
  ) throws(Errno) {
    var context = Context(frame)
    context.vectors = vectors
    context.mask = mask
    context.stackAddress = stack.address
    context.stackSize = stack.size
    context.stackFlags = UInt64(UInt32(bitPattern: stack.flags))
    if info.code > 0 && info.signal.bit & 0x4d8 != 0 {
      context.faultAddress = info.fields.0
      context.trap = info.fields.1
      context.error = info.fields.2
    }
    try UserMemory.store(restorer, to: address)
    try withUnsafeBytes(of: &context) { (bytes) throws(Errno) -> Void in
      try UserMemory.copyOut(bytes.baseAddress!, to: address + contextOffset, count: 304)
    }
    var info = info
    if info.code > 0 && info.signal.bit & 0x4d8 != 0 {
      info.fields.1 = 0
      info.fields.2 = 0
    }
    try info.store(to: address + infoOffset)
  }
}
