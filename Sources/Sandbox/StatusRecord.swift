import HostOS
import PVBackend

/// What the sandbox's init and its first process tell the backend, one record each, through a
/// socket that is closed before anything of the guest runs.
enum StatusRecord: Equatable {
  /// From the first process: the number of its filter's listener. It waits for one byte.
  case listener(number: Int32)
  /// From init: the number of its procfs of the new pid namespace.
  case proc(number: Int32)
  /// From the first process: mounts that no path leads to.
  case mounts(ids: [UInt64])
  /// From the first process: one of its mounts is a volume.
  case volume(id: UInt64, VolumePlace)
  case warning(String)
  /// The sandbox could not be built.
  case failure(RuntimeError)
  /// From the first process: its files are mounted, and it waits for a record with the host's
  /// number of init before it enters them.
  case built
  /// From init: a guest process, as the guest counts, died other than by its kernel's leave.
  case death(EndedProcess)

  /// Longer messages are cut.
  static let textLimit = 2048

  var bytes: [UInt8] {
    switch self {
    case .listener(let number): little(1) + little(UInt32(bitPattern: number))
    case .proc(let number): little(2) + little(UInt32(bitPattern: number))
    case .mounts(let ids): little(3) + ids.flatMap(littleNumber)
    case .volume(let id, let place):
      little(8) + littleNumber(id) + little(place.isFile ? 1 : 0) + place.path.utf8
    case .warning(let text): little(4) + text.utf8.prefix(StatusRecord.textLimit)
    case .failure(let error):
      little(5) + little(UInt32(bitPattern: error.exitStatus.rawValue))
        + error.message.utf8.prefix(StatusRecord.textLimit)
    case .death(let ended):
      little(6) + little(UInt32(bitPattern: ended.process.rawValue))
        + little(UInt32(bitPattern: ended.waitStatus))
    case .built: little(7)
    }
  }

  /// Nil for what no `bytes` looks like.
  init?(_ bytes: [UInt8]) {
    func word(_ index: Int) -> UInt32? {
      let bytes = bytes.dropFirst(4 * index).prefix(4)
      return bytes.count == 4 ? bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } : nil
    }
    func text(from index: Int) -> String {
      String(decoding: bytes.dropFirst(4 * index), as: UTF8.self)
    }
    func number(_ index: Int) -> UInt64 {
      UInt64(word(index) ?? 0) | UInt64(word(index + 1) ?? 0) << 32
    }
    func numbers() -> [UInt64] { stride(from: 1, to: bytes.count / 4 - 1, by: 2).map(number) }
    switch (word(0), word(1), word(2)) {
    case (1, let number?, _): self = .listener(number: Int32(bitPattern: number))
    case (2, let number?, _): self = .proc(number: Int32(bitPattern: number))
    case (3, _, _): self = .mounts(ids: numbers())
    case (8, _, _?):
      self = .volume(id: number(1), VolumePlace(path: text(from: 4), isFile: word(3) == 1))
    case (4, _, _): self = .warning(text(from: 1))
    case (5, let status?, _):
      self = .failure(
        RuntimeError(text(from: 2), exitStatus: ExitStatus(rawValue: Int32(bitPattern: status))))
    case (6, let process?, let status?):
      self = .death(
        EndedProcess(
          process: ProcessID(rawValue: Int32(bitPattern: process)),
          waitStatus: Int32(bitPattern: status)))
    case (7, nil, _): self = .built
    default: return nil
    }
  }

  func send(to socket: Descriptor) throws(HostError) { try socket.writeRecord(bytes) }

  /// The kind of the record that the last step before the guest writes, which is no Swift code.
  static let listenerKind: UInt32 = 1
}

private func littleNumber(_ value: UInt64) -> [UInt8] {
  little(UInt32(value & 0xffff_ffff)) + little(UInt32(value >> 32))
}

private func little(_ value: UInt32) -> [UInt8] {
  (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
