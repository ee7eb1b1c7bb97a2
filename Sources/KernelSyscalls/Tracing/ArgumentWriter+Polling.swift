import KernelCore
import LinuxABI
import Platform

/// What poll(2), select(2), epoll(7), fcntl(2) and ioctl(2) take.
extension ArgumentWriter {
  mutating func addPolling(_ format: ArgumentFormat, _ address: UInt64, _ index: Int) -> Bool {
    switch format {
    case .pollEntries: addPollEntries(address, count: Int(word(index + 1) & 0xffff_ffff))
    case .set: text.add(descriptorsIn: address, limit: int(0))
    case .epollEvent: addEpollEvent(address)
    case .epollEvents: addEpollEvents(address)
    case .fcntlArgument: addFcntlArgument(index)
    case .ioctlArgument: addIoctlArgument(index)
    default: false
    }
  }

  private mutating func addPollEntries(_ address: UInt64, count: Int) -> Bool {
    addList(address, count: count, stride: 8) { writer, entry in
      guard let value = writer.load(entry) else { return false }
      writer.text.add("{fd=")
      writer.text.add(Int(Int32(truncatingIfNeeded: value)))
      let descriptor = Int32(truncatingIfNeeded: value)
      if descriptor >= 0 {
        writer.text.add(", events=")
        writer.text.add(pollEvents: value >> 32 & 0xffff)
      }
      writer.text.add("}")
      return true
    }
    return true
  }

  private mutating func addEpollEvent(_ address: UInt64) -> Bool {
    guard let events = load32(address), let low = load32(address &+ 4),
      let high = load32(address &+ 8)
    else { return false }
    text.add("{events=")
    text.add(epollEvents: UInt64(events))
    text.add(", data={u32=")
    text.add(unsigned: UInt64(low))
    text.add(", u64=")
    let data = UInt64(low) | UInt64(high) << 32
    if data < 0x1_0000 { text.add(unsigned: data) } else { text.add(prefixedHexadecimal: data) }
    text.add("}}")
    return true
  }

  private mutating func addEpollEvents(_ address: UInt64) -> Bool {
    addList(address, count: result ?? 0, stride: 12) { writer, event in
      writer.addEpollEvent(event)
    }
    return true
  }

  private mutating func addFcntlArgument(_ index: Int) -> Bool {
    switch int(index - 1) {
    case 2: text.add(word(index) & 1 != 0 ? "FD_CLOEXEC" : "0")
    case 4: text.add(word(index) & 0xffff_ffff, flags: .openFlags)
    case 5, 6, 7, 36, 37, 38: return addRecordLock(word(index))
    case 10: text.add(signal: int(index))
    case 1033: text.add(number: word(index))
    default: text.add(Int(int(index)))
    }
    return true
  }

  private mutating func addRecordLock(_ address: UInt64) -> Bool {
    guard let type = load16(address), let whence = load16(address &+ 2),
      let start = load(address &+ 8), let length = load(address &+ 16)
    else { return false }
    text.add("{l_type=")
    switch type {
    case 0: text.add("F_RDLCK")
    case 1: text.add("F_WRLCK")
    case 2: text.add("F_UNLCK")
    default: text.add(Int(type))
    }
    text.add(", l_whence=")
    text.add(UInt64(whence), flags: .whence)
    text.add(", l_start=")
    text.add(Int(truncatingIfNeeded: start))
    text.add(", l_len=")
    text.add(Int(truncatingIfNeeded: length))
    text.add("}")
    return true
  }

  private mutating func addIoctlArgument(_ index: Int) -> Bool {
    switch UInt32(truncatingIfNeeded: word(index - 1)) {
    case TerminalRequest.TIOCSPGRP, TerminalRequest.TIOCGPGRP, TerminalRequest.TIOCGSID,
      TerminalRequest.TIOCOUTQ, TerminalRequest.TIOCGPTN, TerminalRequest.TIOCSPTLCK,
      TerminalRequest.FIONREAD, 0x5421:
      guard let number = load32(word(index)) else { return false }
      text.add("[")
      text.add(Int(Int32(bitPattern: number)))
      text.add("]")
      return true
    case TerminalRequest.TIOCSWINSZ, TerminalRequest.TIOCGWINSZ:
      guard let size = load(word(index)) else { return false }
      text.add("{ws_row=")
      text.add(unsigned: size & 0xffff)
      text.add(", ws_col=")
      text.add(unsigned: size >> 16 & 0xffff)
      text.add(", ...}")
      return true
    default: return false
    }
  }
}

extension Text {
  /// The members of an fd_set below `limit`.
  mutating func add(descriptorsIn address: UInt64, limit: Int32) -> Bool {
    let limit = Int(min(max(limit, 0), 1024))
    guard let bytes = try? UserMemory.copyIn(UserAddress(address), count: (limit + 63) / 64 * 8)
    else { return false }
    add("[")
    var isFirst = true
    for number in 0..<limit where bytes[number / 8] >> UInt8(number % 8) & 1 != 0 {
      if !isFirst { add(" ") }
      isFirst = false
      add(number)
    }
    add("]")
    return true
  }

  /// ` ([{fd=3, revents=POLLIN}])`.
  mutating func add(foundEntries call: TracedCall) {
    let count = Int(call.arguments[1] & 0xffff_ffff)
    var isFirst = true
    add(" ([")
    for index in 0..<min(count, TraceLimit.elements) {
      let address = UserAddress(call.arguments[0] &+ UInt64(index) * 8)
      guard let entry = try? UserMemory.load(UInt64.self, from: address) else { break }
      if entry >> 48 == 0 { continue }
      add(isFirst ? "{fd=" : ", {fd=")
      isFirst = false
      add(Int(Int32(truncatingIfNeeded: entry)))
      add(", revents=")
      add(pollEvents: entry >> 48)
      add("}")
    }
    add("])")
  }

  /// ` (in [3], out [4])`.
  mutating func add(foundIn call: TracedCall) {
    let names: InlineArray<3, StaticString> = ["in ", "out ", "except "]
    var isFirst = true
    for index in 0..<3 where call.arguments[index + 1] != 0 {
      var members = Text()
      guard
        members.add(
          descriptorsIn: call.arguments[index + 1],
          limit: Int32(truncatingIfNeeded: call.arguments[0])), members.bytes.count > 2
      else { continue }
      add(isFirst ? " (" : ", ")
      isFirst = false
      add(names[index])
      add(members.bytes)
    }
    if !isFirst { add(")") }
  }
}
