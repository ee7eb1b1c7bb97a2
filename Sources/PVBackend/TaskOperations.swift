import CPVCalls
import Glibc
import HostOS

extension Worker {
  /// The thread in argument 0: the guest's number, or 0 for the requester itself.
  private func thread(of request: Request) throws(HostError) -> ProcessID {
    request[0] == 0 ? requester : try backend.view.tasks.hostThread(request[0])
  }

  func taskStatistics(_ request: Request) throws(HostError) -> Int64 {
    guard let process = Int32(exactly: request[0]), process > 0 else { throw HostError(ESRCH) }
    guard let thread = Int32(exactly: request[1]), thread >= 0 else { throw HostError(ESRCH) }
    let path = thread == 0 ? "\(process)/stat" : "\(process)/task/\(thread)/stat"
    let file = try backend.view.tasks.proc.descriptor.open(inRoot: path, flags: O_RDONLY)
    let text = String(decoding: try file.descriptor.readAll(limit: 4096), as: UTF8.self)
    guard let statistics = TaskStatistics(stat: text) else { throw HostError(ESRCH) }
    answerSize = statistics.write(to: payload)
    return 0
  }

  /// A file of /proc/PID for a process of the sandbox.
  private func processFile(
    _ name: String, of request: Request, flags: Int32
  ) throws(HostError) -> OwnedDescriptor {
    let directory = try backend.view.tasks.directory(of: request[0])
    return try directory.descriptor.open(inRoot: name, flags: flags)
  }

  func readMemory(_ request: Request) throws(HostError) -> Int64 {
    let address = try request.size(1)
    let count = Int(min(try request.size(2), Int64(payload.capacity)))
    let file = try processFile("mem", of: request, flags: O_RDONLY)
    answerSize = min(try file.descriptor.readBytes(at: address, into: payload), count)
    return Int64(answerSize)
  }

  func writeMemory(_ request: Request) throws(HostError) -> Int64 {
    let address = try request.size(1)
    let file = try processFile("mem", of: request, flags: O_WRONLY)
    return Int64(
      try file.descriptor.writeBytes(of: payload, count: request.payloadSize, at: address))
  }

  /// From proc_pid_pagemap(5), whose entries have bit 63 set for a page that is present.
  func resident(_ request: Request) throws(HostError) -> Int64 {
    let page = try request.size(1) / Int64(sysconf(Int32(_SC_PAGESIZE)))
    let count = Int(min(try request.size(2), Int64(payload.capacity)))
    let file = try processFile("pagemap", of: request, flags: O_RDONLY)
    let entries = ByteBuffer(capacity: 8 * count)
    let found = try file.descriptor.readBytes(at: page * 8, into: entries) / 8
    for index in 0..<found {
      payload.store(UInt8(entries.load(UInt64.self, at: 8 * index) >> 63), at: index)
    }
    answerSize = found
    return Int64(found)
  }

  /// From proc_pid_maps(5), whose paths start at this thread's root: the container's.
  func mappedPath(_ request: Request) throws(HostError) -> Int64 {
    guard let address = UInt64(exactly: try request.size(1)) else { throw HostError(EINVAL) }
    let file = try processFile("maps", of: request, flags: O_RDONLY)
    let path = try backend.reading.withLock { (_) throws(HostError) -> [UInt8]? in
      try MapsLine.path(at: address, in: file.descriptor, limit: Worker.mapsLimit)
    }
    guard let path else { throw HostError(ENOENT) }
    guard path.count <= payload.capacity else { throw HostError(ENAMETOOLONG) }
    for (index, byte) in path.enumerated() { payload.store(byte, at: index) }
    answerSize = path.count
    return Int64(path.count)
  }

  /// More than `vm.max_map_count` lines as it usually is.
  private static var mapsLimit: Int64 { 16 << 20 }

  func affinity(_ request: Request) throws(HostError) -> Int64 {
    answerSize = try thread(of: request).affinity(into: payload)
    return Int64(answerSize)
  }

  /// The CPUs stay those that the sandbox's control group allows.
  func setAffinity(_ request: Request) throws(HostError) -> Int64 {
    let count = Int(try request.size(1))
    guard count > 0, count <= request.payloadSize else { throw HostError(EINVAL) }
    try thread(of: request).setAffinity(payload, count: count)
    return 0
  }

  /// A sandbox is never nicer to itself than the host has been.
  func priority(_ request: Request) throws(HostError) -> Int64 {
    let thread = try thread(of: request)
    if request[1] == UInt64(Int64.max) { return Int64(20 - (try thread.nice())) }
    let nice = Int32(bitPattern: try request.word(1))
    guard (-20...19).contains(nice) else { throw HostError(EINVAL) }
    guard nice >= backend.view.tasks.niceFloor else { throw HostError(EPERM) }
    try thread.setNice(nice)
    return 0
  }

  /// Limits of a guest process on the host go down only.
  func limit(_ request: Request) throws(HostError) -> Int64 {
    let thread = try thread(of: request)
    let resource = Int32(bitPattern: try request.word(1))
    guard (0..<16).contains(resource), request[2] <= request[3] else { throw HostError(EINVAL) }
    guard request[3] <= (try thread.limit(of: resource)).hard else { throw HostError(EPERM) }
    try thread.setLimit(of: resource, soft: request[2], hard: request[3])
    return 0
  }
}

/// A line of proc_pid_maps(5): `start-end perms offset device inode  path`.
enum MapsLine {
  /// The path of the line whose range holds the address; nil when there is none, or it has no path.
  ///
  /// Reads a piece at a time and no further than that line: they ascend.
  static func path(
    at address: UInt64, in file: Descriptor, limit: Int64
  ) throws(HostError) -> [UInt8]? {
    let piece = ByteBuffer(capacity: 1 << 16)
    var (position, rest): (Int64, [UInt8]) = (0, [])
    while position < limit {
      let count = try file.readBytes(at: position, into: piece)
      position += Int64(count)
      rest += piece.bytes(count: count)
      // What is behind the last line's end is no line yet, unless nothing follows.
      let end =
        count == 0 ? rest.endIndex : (rest.lastIndex(of: UInt8(ascii: "\n")) ?? rest.startIndex)
      for line in rest[..<end].split(separator: UInt8(ascii: "\n")) {
        guard let range = range(of: line) else { return nil }
        if address < range.upperBound {
          return range.contains(address) ? path(in: line).map(Array.init) : nil
        }
      }
      if count == 0 { return nil }
      rest.removeFirst(end)
    }
    return nil
  }

  private static func range(of line: ArraySlice<UInt8>) -> Range<UInt64>? {
    guard let field = line.split(separator: UInt8(ascii: " "), maxSplits: 1).first else {
      return nil
    }
    let bounds = field.split(separator: UInt8(ascii: "-"))
    guard bounds.count == 2,
      let start = UInt64(String(decoding: bounds[0], as: UTF8.self), radix: 16),
      let end = UInt64(String(decoding: bounds[1], as: UTF8.self), radix: 16), start < end
    else { return nil }
    return start..<end
  }

  private static func path(in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
    guard fields.count == 6 else { return nil }
    let path = fields[5].drop { $0 == UInt8(ascii: " ") }
    return path.first == UInt8(ascii: "/") ? path : nil
  }
}

/// struct pv_task_statistics, from the words of /proc/PID/stat (proc_pid_stat(5)).
struct TaskStatistics: Equatable {
  var userNanoseconds: UInt64
  var systemNanoseconds: UInt64
  var residentBytes: UInt64
  var virtualBytes: UInt64
  var minorFaults: UInt64
  var majorFaults: UInt64
  var state: UInt8

  /// Nil when the text is not what Linux writes.
  init?(stat text: String) {
    // The name in the second field may hold anything, so counting starts after its last ")".
    guard let end = text.lastIndex(of: ")") else { return nil }
    let words = text[text.index(after: end)...].split(separator: " ")
    let fields = words.map { UInt64($0) }
    /// Fields are counted from 1 in the man page, and the first one here is 3.
    func field(_ number: Int) -> UInt64? {
      fields.indices.contains(number - 3) ? fields[number - 3] : nil
    }
    guard let minor = field(10), let major = field(12), let user = field(14),
      let system = field(15), let size = field(23), let resident = field(24),
      let state = words.first?.utf8.first
    else { return nil }
    let tick = 1_000_000_000 / UInt64(max(sysconf(Int32(_SC_CLK_TCK)), 1))
    userNanoseconds = user &* tick
    systemNanoseconds = system &* tick
    residentBytes = resident &* UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 1))
    virtualBytes = size
    minorFaults = minor
    majorFaults = major
    self.state = state
  }

  /// Returns the bytes written.
  func write(to buffer: borrowing ByteBuffer) -> Int {
    let fields = [
      userNanoseconds, systemNanoseconds, residentBytes, virtualBytes, minorFaults, majorFaults,
      UInt64(state),
    ]
    for (index, field) in fields.enumerated() { buffer.store(field, at: 8 * index) }
    return 8 * fields.count
  }
}
