import KernelCore
import LinuxABI
import Platform

/// What the calls of socket(7) take.
extension ArgumentWriter {
  mutating func addSocketArgument(_ format: ArgumentFormat, _ index: Int) {
    switch format {
    case .socketAddress:
      addSocketAddress(word(index), size: Int(int(index + 1)))
    case .socketAddressOut:
      guard hasSucceeded, let size = load32(word(index + 1)) else {
        text.add(address: word(index))
        return
      }
      addSocketAddress(word(index), size: Int(Int32(bitPattern: size)))
    case .lengthInOut:
      guard let size = load32(word(index)) else {
        text.add(address: word(index))
        return
      }
      text.add("[")
      text.add(Int(Int32(bitPattern: size)))
      text.add("]")
    case .message: addMessage(word(index), limit: Int.max)
    case .messageOut:
      if hasSucceeded {
        addMessage(word(index), limit: result ?? 0)
      } else {
        text.add(address: word(index))
      }
    case .socketOption:
      if int(index - 1) == SocketOption.SOL_SOCKET {
        text.add(word(index), flags: .socketOption)
      } else {
        text.add(number: word(index) & 0xffff_ffff)
      }
    case .valueOut:
      guard hasSucceeded, let size = load32(word(index + 1)) else {
        text.add(address: word(index))
        return
      }
      addOptionValue(word(index), size: UInt64(size))
    default: break
    }
  }

  /// An integer option shows as such, anything else as bytes.
  mutating func addOptionValue(_ address: UInt64, size: UInt64) {
    guard size == 4, let value = load32(address) else {
      addBytes(address, count: size)
      return
    }
    text.add("[")
    text.add(Int(Int32(bitPattern: value)))
    text.add("]")
  }

  /// struct sockaddr of `size` bytes.
  private mutating func addSocketAddress(_ address: UInt64, size: Int) {
    guard size >= 2, size <= 128,
      let bytes = try? UserMemory.copyIn(UserAddress(address), count: size)
    else {
      text.add(address: address)
      return
    }
    let family = UInt64(bytes[0]) | UInt64(bytes[1]) << 8
    text.add("{sa_family=")
    text.add(family, flags: .socketFamily)
    switch UInt16(family) {
    case AddressFamily.AF_UNIX where size > 2: addUnixName(Array(bytes[2...]))
    case AddressFamily.AF_INET where size >= 8:
      addPort(", sin_port=htons(", bytes)
      text.add(", sin_addr=inet_addr(\"")
      for index in 4..<8 {
        if index > 4 { text.add(".") }
        text.add(Int(bytes[index]))
      }
      text.add("\")")
    case AddressFamily.AF_INET6 where size >= 24:
      addPort(", sin6_port=htons(", bytes)
      text.add(", sin6_addr=")
      text.add(quoted: Array(bytes[8..<24]))
    default:
      if size > 2 {
        text.add(", sa_data=")
        text.add(quoted: Array(bytes[2...]))
      }
    }
    text.add("}")
  }

  private mutating func addUnixName(_ name: [UInt8]) {
    text.add(", sun_path=")
    // An abstract name begins with NUL, for which strace(1) writes @.
    if name[0] == 0 && name.count > 1 {
      text.add("@")
      text.add(quoted: Array(name[1...]), limit: 108)
      return
    }
    var path = name
    if let end = path.firstIndex(of: 0) { path.removeLast(path.count - end) }
    text.add(quoted: path, limit: 108)
  }

  private mutating func addPort(_ name: StaticString, _ bytes: [UInt8]) {
    text.add(name)
    text.add(Int(bytes[2]) << 8 | Int(bytes[3]))
    text.add(")")
  }

  /// struct msghdr, with no more than `limit` bytes of data.
  private mutating func addMessage(_ address: UInt64, limit: Int) {
    guard let name = load(address), let nameSize = load32(address &+ 8),
      let vector = load(address &+ 16), let count = load(address &+ 24),
      let control = load(address &+ 32), let controlSize = load(address &+ 40),
      let flags = load32(address &+ 48)
    else {
      text.add(address: address)
      return
    }
    text.add("{msg_name=")
    if name == 0 {
      text.add("NULL")
    } else {
      addSocketAddress(name, size: Int(Int32(bitPattern: nameSize)))
    }
    text.add(", msg_namelen=")
    text.add(Int(Int32(bitPattern: nameSize)))
    text.add(", msg_iov=")
    addVector(vector, count: Int(min(count, 1024)), limit: limit)
    text.add(", msg_iovlen=")
    text.add(unsigned: count)
    if control != 0 && controlSize > 0 {
      text.add(", msg_control=")
      addControl(control, size: Int(min(controlSize, 4096)))
    }
    text.add(", msg_controllen=")
    text.add(unsigned: controlSize)
    text.add(", msg_flags=")
    text.add(UInt64(flags), flags: .messageFlags)
    text.add("}")
  }

  /// The control messages of cmsg(3).
  private mutating func addControl(_ address: UInt64, size: Int) {
    text.add("[")
    var offset = 0
    while offset + 16 <= size {
      guard let length = load(address &+ UInt64(offset)),
        let kind = load(address &+ UInt64(offset) &+ 8), length >= 16,
        length <= UInt64(size - offset)
      else { break }
      if offset > 0 { text.add(", ") }
      addControlMessage(address &+ UInt64(offset), length: Int(length), kind: kind)
      offset += (Int(length) + 7) & ~7
    }
    text.add("]")
  }

  private mutating func addControlMessage(_ address: UInt64, length: Int, kind: UInt64) {
    let level = Int32(truncatingIfNeeded: kind)
    let type = Int32(truncatingIfNeeded: kind >> 32)
    let isSocketLevel = level == SocketOption.SOL_SOCKET
    text.add("{cmsg_len=")
    text.add(length)
    text.add(", cmsg_level=")
    text.add(UInt64(UInt32(bitPattern: level)), flags: .socketLevel)
    text.add(", cmsg_type=")
    if isSocketLevel && type == ControlMessage.SCM_RIGHTS {
      text.add("SCM_RIGHTS, cmsg_data=")
      addList(address &+ 16, count: (length - 16) / 4, stride: 4) { writer, element in
        guard let number = writer.load32(element) else { return false }
        writer.text.add(Int(Int32(bitPattern: number)))
        return true
      }
    } else if isSocketLevel && type == ControlMessage.SCM_CREDENTIALS,
      let process = load32(address &+ 16), let user = load32(address &+ 20),
      let group = load32(address &+ 24)
    {
      text.add("SCM_CREDENTIALS, cmsg_data={pid=")
      text.add(Int(Int32(bitPattern: process)))
      text.add(", uid=")
      text.add(unsigned: UInt64(user))
      text.add(", gid=")
      text.add(unsigned: UInt64(group))
      text.add("}")
    } else {
      text.add(Int(type))
      text.add(", cmsg_data=")
      addBytes(address &+ 16, count: UInt64(length - 16))
    }
    text.add("}")
  }
}
