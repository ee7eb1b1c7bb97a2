import KernelCore
import LinuxABI
import Platform

/// /proc/net/unix; see unix(7) and proc_net(5).
extension UnixTable {
  func listing() -> [UInt8] {
    var text: [UInt8] = []
    text.add("Num       RefCount Protocol Flags    Type St Inode Path\n")
    for (inode, row) in allRows() {
      text.add("0000000000000000: 00000002 00000000 ")
      text.add(row.state == .listening ? "00010000 " : "00000000 ")
      text.addHexadecimal(UInt32(bitPattern: row.type), digits: 4)
      text.add(row.state == .connected ? " 03 " : " 01 ")
      text.addDecimal(inode, width: 5)
      if let name = row.name, !name.isEmpty {
        text.append(32)
        // An abstract name is shown with "@" for each NUL, a path to its NUL.
        let isAbstract = name[0] == 0
        for byte in name {
          if byte == 0 && !isAbstract { break }
          text.append(byte == 0 ? 64 : byte)
        }
      }
      text.append(10)
    }
    return text
  }
}

extension [UInt8] {
  fileprivate mutating func add(_ text: StaticString) {
    // SAFETY: a literal's bytes live for ever, and there are as many as it says.
    append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  fileprivate mutating func addHexadecimal(_ number: UInt32, digits: Int) {
    for index in (0..<digits).reversed() {
      let digit = UInt8(number >> UInt32(index * 4) & 15)
      append(digit < 10 ? 48 + digit : 55 + digit)
    }
  }

  fileprivate mutating func addDecimal(_ number: UInt64, width: Int) {
    var digits: [UInt8] = []
    var rest = number
    repeat {
      digits.append(UInt8(48 + rest % 10))
      rest /= 10
    } while rest > 0
    if digits.count < width { append(contentsOf: repeatElement(32, count: width - digits.count)) }
    append(contentsOf: digits.reversed())
  }
}
