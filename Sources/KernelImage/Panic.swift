import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// The kernel's last words.
enum Panic {
  /// Tells the backend the signal, the address of the trap and the return addresses on the stack.
  static func report(signal: Int32, address: UInt64, stack: UInt64, fault: UInt64, base: UInt64)
    -> Never
  {
    var length = 0
    append("signal ", &length)
    length = Broker.writeDecimal(Int(signal), to: Broker.payload, at: length)
    append(" at ", &length)
    appendHexadecimal(address, &length)
    append(" address ", &length)
    appendHexadecimal(fault, &length)
    append(" stack", &length)
    let top = Machine.thread.pointee.kernel_stack_top
    let boot = textRange
    var position = stack & ~7
    var found = 0
    while position < top && stack >= top - 0x8000 && found < 16 {
      // SAFETY: inside the current thread's kernel stack.
      let word = UnsafePointer<UInt64>(bitPattern: UInt(position)).unsafelyUnwrapped.pointee
      if boot.contains(word) {
        append(" ", &length)
        appendHexadecimal(word, &length)
        found += 1
      }
      position += 8
    }
    while true { _ = try? Broker.call(Int(PV_OP_PANIC), payloadSize: length) }
  }

  private static var textRange: Range<UInt64> {
    let boot = bootRecord.pointee
    return boot.text_start..<boot.text_end
  }

  private static func append(_ text: StaticString, _ length: inout Int) {
    for index in 0..<text.utf8CodeUnitCount {
      Broker.payload[length] = text.utf8Start[index]
      length += 1
    }
  }

  private static func appendHexadecimal(_ value: UInt64, _ length: inout Int) {
    length = Broker.writeHexadecimal(value, to: Broker.payload, at: length)
  }
}
