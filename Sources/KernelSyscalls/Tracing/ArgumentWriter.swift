import KernelCore
import LinuxABI
import Platform

/// Writes a call's arguments: at its begin those before the first that it fills, at its end the
/// rest.
struct ArgumentWriter {
  var text = Text()
  let call: TracedCall
  /// The program's stack pointer at the begin.
  let stack: UInt64
  /// nil at the begin.
  let result: Int?

  init(_ call: TracedCall, stack: UInt64, result: Int?) {
    self.call = call
    self.stack = stack
    self.result = result
  }

  func word(_ index: Int) -> UInt64 { call.arguments[index] }
  func int(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: word(index)) }
  func address(_ index: Int) -> UserAddress { UserAddress(word(index)) }
  /// The call has filled its memory.
  var hasSucceeded: Bool { (result ?? -1) >= 0 }

  mutating func addArguments(_ format: CallFormat) {
    var hasEnd = false
    for index in 0..<6 where format.arguments[index] != .none {
      guard isUsed(format.arguments[index], index) else { continue }
      // Where the two halves meet, the comma belongs to the first.
      let isFirstOfEnd = format.arguments[index].isResult && !hasEnd
      if format.arguments[index].isResult { hasEnd = true }
      if index > 0 && (hasEnd && !isFirstOfEnd) == (result != nil) { text.add(", ") }
      if hasEnd == (result != nil) { add(format.arguments[index], index) }
    }
  }

  private mutating func add(_ format: ArgumentFormat, _ index: Int) {
    switch format {
    case .none: break
    case .cloneFlags: text.add(cloneFlags: word(index))
    case .cloneStack: addNamed("child_stack=", 1)
    case .cloneFlagsOf:
      text.add("flags=")
      text.add(cloneFlags: word(0))
    case .cloneParent: addNamed("parent_tid=", index)
    case .cloneChild: addNamed("child_tidptr=", index)
    case .cloneTLS: addNamed("tls=", index)
    case .nodeMode: add(fileMode: UInt32(truncatingIfNeeded: word(index)))
    case .prctlArgument:
      if int(0) == 15 {
        addString(word(index), limit: 16)
      } else {
        text.add(number: word(index))
      }
    case .futexValue: text.add(unsigned: word(index) & 0xffff_ffff)
    case .futexTime: addFutexTime(index)
    case .int, .descriptor: text.add(Int(int(index)))
    case .uint: text.add(unsigned: word(index) & 0xffff_ffff)
    case .long: text.add(Int(truncatingIfNeeded: word(index)))
    case .size: text.add(unsigned: word(index))
    case .hexadecimal: text.add(number: word(index))
    case .address: text.add(address: word(index))
    case .octal, .mode, .createMode: text.add(mode: word(index) & 0xffff_ffff)
    case .device:
      text.add("makedev(")
      text.add(device: word(index))
      text.add(")")
    case .directory:
      if int(index) == AT_FDCWD { text.add("AT_FDCWD") } else { text.add(Int(int(index))) }
    case .signal: text.add(signal: int(index))
    case .userID:
      if int(index) == -1 { text.add("-1") } else { text.add(unsigned: word(index) & 0xffff_ffff) }
    case .path: addString(word(index), limit: 4096)
    case .string: addString(word(index), limit: TraceLimit.bytes)
    case .strings: addStrings(word(index))
    case .environment: addEnvironment(word(index))
    case .input: addBytes(word(index), count: word(index + 1))
    case .value: addOptionValue(word(index), size: word(index + 1))
    case .output: addOutput(index)
    case .outputString:
      if hasSucceeded {
        addString(word(index), limit: 4096)
      } else {
        text.add(address: word(index))
      }
    case .inputVector: addVector(word(index), count: Int(int(index + 1)), limit: Int.max)
    case .outputVector:
      if hasSucceeded {
        addVector(word(index), count: Int(int(index + 1)), limit: result ?? 0)
      } else {
        text.add(address: word(index))
      }
    case .entries: addEntries(index)
    case .pipe, .socketPair, .waitStatus, .signalInfo, .usage, .limit, .limitOut, .mask, .maskOut,
      .signalSet, .signalSetOut, .signalAction, .signalActionOut, .signalStack, .signalStackOut,
      .signalFrame, .time, .timeOut, .microtime, .microtimeOut, .interval, .intervalOut,
      .microinterval, .microintervalOut, .times, .microtimes, .schedulingParameter, .identity,
      .count, .status, .extendedStatus, .fileSystemStatus, .systemName, .cloneArguments, .openHow:
      addStructure(format, index)
    case .pollEntries, .set, .epollEvent, .epollEvents, .fcntlArgument, .ioctlArgument:
      addStructure(format, index)
    case .socketAddress, .socketAddressOut, .lengthInOut, .message, .messageOut, .socketOption,
      .valueOut:
      addSocketArgument(format, index)
    default: text.add(word(index), flags: format)
    }
  }

  private mutating func addNamed(_ name: StaticString, _ index: Int) {
    text.add(name)
    text.add(address: word(index))
  }

  /// The timeout, or how many others to wake.
  private mutating func addFutexTime(_ index: Int) {
    if Futex(word(1)).hasTimeout {
      addStructure(.time, index)
    } else {
      text.add(number: word(index))
    }
  }
}

extension Text {
  /// Zero, or in hexadecimal.
  mutating func add(number: UInt64) {
    if number == 0 { add("0") } else { add(prefixedHexadecimal: number) }
  }

  /// Octal with a leading zero, and three digits at least.
  mutating func add(mode: UInt64) {
    let digits = mode < 0o10 ? 3 : 1
    if mode >= 0o10 { add("0") }
    add(octal: mode, digits: digits)
  }

  /// Major and minor number, in hexadecimal.
  mutating func add(device: UInt64) {
    let major = (device >> 8 & 0xfff) | (device >> 32 & 0xffff_f000)
    let minor = (device & 0xff) | (device >> 12 & 0xffff_ff00)
    add(number: major)
    add(", ")
    add(number: minor)
  }
}
