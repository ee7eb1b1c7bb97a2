import Glibc
import HostOS
import PVBackend

/// What a command and the backend of a container say to each other.
///
/// Each is one record of a socket in the container's own directory, which only the host's root can
/// reach: both ends are this program. A connection carries one request and its answers.
enum ControlRequest: Equatable {
  /// Lets the first program start.
  case start
  /// Sends a signal to the first program, or to every process.
  case signal(Int32, toAll: Bool)
  /// Starts a program beside the first. Descriptors come along: the record of the program in a
  /// file, then its open files from 0 on.
  case program
  /// On a connection whose program runs.
  case programSignal(Int32)
  case window(WindowSize)
  /// Puts a policy in force: its text comes along in a file. With `kill`, connections that it
  /// forbids end.
  case policy(kill: Bool)
  /// The open connections, and the numbers of the container; the answer is a file.
  case connections
  case metrics
  /// Whether the program will say that it is ready: `done` if it can, and again when it has.
  case readiness

  private var words: [UInt32] {
    switch self {
    case .start: [1]
    case .signal(let signal, let toAll): [2, UInt32(bitPattern: signal), toAll ? 1 : 0]
    case .program: [3]
    case .programSignal(let signal): [4, UInt32(bitPattern: signal)]
    case .window(let size): [5, UInt32(size.rows), UInt32(size.columns)]
    case .policy(let kill): [6, kill ? 1 : 0]
    case .connections: [7]
    case .metrics: [8]
    case .readiness: [9]
    }
  }

  var bytes: [UInt8] { littleEndian(words) }

  init?(_ bytes: [UInt8]) {
    let words = wordsOf(bytes)
    switch (words.first, words.count) {
    case (1, 1): self = .start
    case (2, 3): self = .signal(Int32(bitPattern: words[1]), toAll: words[2] != 0)
    case (3, 1): self = .program
    case (4, 2): self = .programSignal(Int32(bitPattern: words[1]))
    case (5, 3):
      self = .window(
        WindowSize(
          rows: UInt16(truncatingIfNeeded: words[1]), columns: UInt16(truncatingIfNeeded: words[2]))
      )
    case (6, 2): self = .policy(kill: words[1] != 0)
    case (7, 1): self = .connections
    case (8, 1): self = .metrics
    case (9, 1): self = .readiness
    default: return nil
    }
  }
}

enum ControlAnswer: Equatable {
  case done
  /// The program runs, as this process of the host.
  case running(ProcessID)
  case failed(ProgramFailure)
  case ended(waitStatus: Int32)
  case refused(HostError)
  /// So many connections have ended.
  case counted(UInt32)
  /// A file comes along.
  case file

  var bytes: [UInt8] {
    switch self {
    case .done: littleEndian([1])
    case .running(let process): littleEndian([2, UInt32(bitPattern: process.rawValue)])
    case .failed(let failure):
      littleEndian([3, UInt32(bitPattern: failure.error), failure.step.rawValue])
    case .ended(let status): littleEndian([4, UInt32(bitPattern: status)])
    case .refused(let error): littleEndian([5, UInt32(bitPattern: error.number)])
    case .counted(let count): littleEndian([6, count])
    case .file: littleEndian([7])
    }
  }

  init?(_ bytes: [UInt8]) {
    let words = wordsOf(bytes)
    switch (words.first, words.count) {
    case (1, 1): self = .done
    case (2, 2): self = .running(ProcessID(rawValue: Int32(bitPattern: words[1])))
    case (3, 3):
      guard let step = Programs.Step(rawValue: words[2]) else { return nil }
      self = .failed(ProgramFailure(error: Int32(bitPattern: words[1]), step: step))
    case (4, 2): self = .ended(waitStatus: Int32(bitPattern: words[1]))
    case (5, 2): self = .refused(HostError(Int32(bitPattern: words[1])))
    case (6, 2): self = .counted(words[1])
    case (7, 1): self = .file
    default: return nil
    }
  }
}

/// What the backend tells the command that creates a container, until that lets it go.
enum SetupRecord: Equatable {
  /// The root is built, and hooks may run; init's number.
  case built(ProcessID)
  /// The first program was found and waits.
  case ready
  case warning(String)
  case failure(RuntimeError)

  /// From the command: hooks have run; the container is to stay.
  static let goOn: [UInt8] = [1]
  static let commit: [UInt8] = [2]

  private static let textLimit = 2048

  var bytes: [UInt8] {
    switch self {
    case .built(let process): littleEndian([1, UInt32(bitPattern: process.rawValue)])
    case .ready: littleEndian([2])
    case .warning(let text): littleEndian([3]) + text.utf8.prefix(SetupRecord.textLimit)
    case .failure(let error):
      littleEndian([4, UInt32(bitPattern: error.exitStatus.rawValue)])
        + error.message.utf8.prefix(SetupRecord.textLimit)
    }
  }

  init?(_ bytes: [UInt8]) {
    let words = wordsOf(Array(bytes.prefix(8)))
    func text(from offset: Int) -> String {
      String(decoding: bytes.dropFirst(offset), as: UTF8.self)
    }
    switch words.first {
    case 1 where words.count == 2:
      self = .built(ProcessID(rawValue: Int32(bitPattern: words[1])))
    case 2: self = .ready
    case 3: self = .warning(text(from: 4))
    case 4 where words.count == 2:
      self = .failure(
        RuntimeError(
          text(from: 8), exitStatus: ExitStatus(rawValue: Int32(bitPattern: words[1]))))
    default: return nil
    }
  }
}

private func littleEndian(_ words: [UInt32]) -> [UInt8] {
  words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
}

private func wordsOf(_ bytes: [UInt8]) -> [UInt32] {
  stride(from: 0, to: bytes.count - 3, by: 4).map { start in
    bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}
