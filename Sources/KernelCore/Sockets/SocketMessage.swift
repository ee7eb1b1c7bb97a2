import LinuxABI
import Platform

/// A socket's address as the program gave it: the family in the first two bytes, then its own.
public struct SocketAddress {
  /// Of struct sockaddr_storage.
  public static let limit = 128
  public let bytes: [UInt8]

  public init(bytes: [UInt8]) { self.bytes = bytes }

  public init(family: UInt16, _ rest: [UInt8]) {
    bytes = [UInt8(truncatingIfNeeded: family), UInt8(truncatingIfNeeded: family >> 8)] + rest
  }

  /// nil when it is too short to hold one.
  public var family: UInt16? {
    bytes.count < 2 ? nil : UInt16(bytes[0]) | UInt16(bytes[1]) << 8
  }
}

/// struct ucred.
public struct SenderCredentials: BitwiseCopyable, Equatable, Sendable {
  public var process: Int32
  public var user: UInt32
  public var group: UInt32

  public init(process: Int32, user: UInt32, group: UInt32) {
    self.process = process
    self.user = user
    self.group = group
  }

  /// What SO_PEERCRED says of a socket without a peer.
  public static var nobody: SenderCredentials {
    SenderCredentials(process: 0, user: UInt32.max, group: UInt32.max)
  }
}

extension Task {
  /// Who sends a message, unless the message claims somebody else.
  public var senderCredentials: SenderCredentials {
    SenderCredentials(process: group.id, user: credentials.user, group: credentials.group)
  }

  /// Who connects or listens.
  public var peerCredentials: SenderCredentials {
    SenderCredentials(
      process: group.id, user: credentials.effectiveUser, group: credentials.effectiveGroup)
  }
}

/// Open files on their way in a message. Each is held until `release`.
public final class PassedFiles {
  /// SCM_MAX_FD of Linux.
  public static let limit = 253
  public let files: [OpenFile]

  /// Takes over one hold of each.
  public init(files: [OpenFile]) { self.files = files }

  public func copied() -> PassedFiles {
    for file in files { file.hold() }
    return PassedFiles(files: files)
  }

  public func release() {
    for file in files { file.release() }
  }
}

/// What one sendmsg(2) sends.
public struct OutgoingMessage {
  public let buffers: BufferVector
  public let flags: MessageFlags
  public var name: SocketAddress?
  public var credentials: SenderCredentials?
  /// Who takes them sets this to nil; the caller releases what is left.
  public var files: PassedFiles?
  /// Control messages of the families' own levels, as cmsg(3) lays them out.
  public var control: [UInt8] = []

  public init(_ buffers: BufferVector, _ flags: MessageFlags) {
    self.buffers = buffers
    self.flags = flags
  }
}

/// Where one recvmsg(2) receives to, and what came beside the bytes.
public struct IncomingMessage {
  public let buffers: BufferVector
  public let flags: MessageFlags
  /// The caller has no use for the name otherwise.
  public let wantsName: Bool
  /// Bytes that the caller has for control messages.
  public let controlRoom: Int
  public var name: SocketAddress?
  public var credentials: SenderCredentials?
  /// The caller releases them.
  public var files: PassedFiles?
  public var resultFlags: MessageFlags = []
  /// Control messages of the families' own levels, as cmsg(3) lays them out.
  public var control: [UInt8] = []

  public init(
    _ buffers: BufferVector, _ flags: MessageFlags, wantsName: Bool = false, controlRoom: Int = 0
  ) {
    self.buffers = buffers
    self.flags = flags
    self.wantsName = wantsName
    self.controlRoom = controlRoom
  }
}

/// A place in the program's buffers, which moves on with every copy.
public struct BufferCursor {
  private let buffers: BufferVector
  private var index = 0
  private var offset = 0

  public init(_ buffers: BufferVector) { self.buffers = buffers }

  /// The next stretch of at most `limit` bytes; nil at the end.
  private mutating func next(_ limit: Int) throws(Errno) -> UserBuffer? {
    while index < buffers.count {
      let rest = try buffers[index].dropFirst(offset)
      if rest.count > 0 {
        let part = rest.prefix(limit)
        offset += part.count
        return part
      }
      index += 1
      offset = 0
    }
    return nil
  }

  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  /// Fills kernel memory from the program's buffers, which hold as much.
  public mutating func copyIn(to target: UnsafeMutablePointer<UInt8>, count: Int) throws(Errno) {
    var done = 0
    while done < count, let part = try next(count - done) {
      try UserMemory.copyIn(part.address, to: target + done, count: part.count)
      done += part.count
    }
  }

  /// Copies kernel memory to the program's buffers, which have the room.
  public mutating func copyOut(_ source: UnsafePointer<UInt8>, count: Int) throws(Errno) {
    var done = 0
    while done < count, let part = try next(count - done) {
      try UserMemory.copyOut(source + done, to: part.address, count: part.count)
      done += part.count
    }
  }
}
