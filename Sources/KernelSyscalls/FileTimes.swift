import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// UTIME_NOW and UTIME_OMIT of utimensat(2).
private let utimeNow: Int64 = 0x3fff_ffff, utimeOmit: Int64 = 0x3fff_fffe

/// Implements utimensat(2) and futimens(3).
func sysUtimensat(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ times: UserAddress, _ flags: PathFlags
) throws(Errno) -> Int {
  var values: (Int64, Int64, Int64, Int64) = (0, utimeNow, 0, utimeNow)
  if !times.isNull {
    values = try UserMemory.load((Int64, Int64, Int64, Int64).self, from: times)
  }
  return try setTimes(task, directory, path, values, flags)
}

private func setTimes(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ times: (Int64, Int64, Int64, Int64),
  _ flags: PathFlags
) throws(Errno) -> Int {
  func isValid(_ nanoseconds: Int64) -> Bool {
    (nanoseconds >= 0 && nanoseconds < 1_000_000_000) || nanoseconds == utimeNow
      || nanoseconds == utimeOmit
  }
  guard isValid(times.1), isValid(times.3) else { throw .EINVAL }
  if times.1 == utimeOmit && times.3 == utimeOmit { return 0 }
  // One time alone says that the file was read, or written.
  let events: FileEvents =
    times.1 == utimeOmit ? .IN_MODIFY : times.3 == utimeOmit ? .IN_ACCESS : .IN_ATTRIB
  func set(_ node: Node) throws(Errno) {
    let status = try node.status(task)
    try checkTimes(task, status, times, task.credentials.permits(2, status))
    let now = try Host.clock(0)
    func time(_ seconds: Int64, _ nanoseconds: Int64) -> (Int64, Int64)? {
      if nanoseconds == utimeOmit { return nil }
      if nanoseconds != utimeNow { return (seconds, nanoseconds) }
      return (now / 1_000_000_000, now % 1_000_000_000)
    }
    try node.setTimes(access: time(times.0, times.1), modification: time(times.2, times.3))
  }
  func send(_ path: HostPath) throws(Errno) -> Int {
    // SAFETY: the payload of the request has room for 32 bytes and is aligned for them.
    UnsafeMutableRawPointer(Broker.payload).storeBytes(
      of: times, as: (Int64, Int64, Int64, Int64).self)
    return try task.byBackend(
      path, Int(PV_OP_UTIMENS), 0, Int(flags.rawValue), payloadSize: 32)
  }
  if path.isNull {
    let file = try task.directoryFile(directory)
    guard file.hostDescriptor.isValid else {
      // What has no name either, an eventfd for example, keeps no times that anybody could see.
      if let node = file.node { try set(node) }
      return 0
    }
    if !task.credentials.has(Capability.CAP_FOWNER) {
      let status = try file.stat()
      try checkTimes(task, status, times, task.permits(2, status, of: file))
    }
    Broker.path[0] = 0
    let result = try send(
      HostPath(directory: file.hostDescriptor, path: UnsafePointer(Broker.path), isChecked: true))
    file.note(events)
    return result
  }
  return try change(
    task, directory, path, flags, needsOwner: false, events: events,
    { (path) throws(Errno) -> Int in
      if !task.credentials.isFileRoot {
        let status = try task.hostStatus(path, flags)
        try checkTimes(task, status, times, task.permits(2, status, at: path, flags))
      }
      return try send(path)
    },
    node: { (node) throws(Errno) -> Void in try set(node) })
}

private func checkTimes(
  _ task: Task, _ status: FileStatus, _ times: (Int64, Int64, Int64, Int64),
  _ mayWrite: @autoclosure () -> Bool
) throws(Errno) {
  let credentials = task.credentials
  if credentials.fileUser == status.user || credentials.has(Capability.CAP_FOWNER) { return }
  guard times.1 == utimeNow, times.3 == utimeNow else { throw .EPERM }
  guard mayWrite() else { throw .EACCES }
}

/// Implements utime(2).
func sysUtime(_ task: Task, _ path: UserAddress, _ times: UserAddress) throws(Errno) -> Int {
  var values: (Int64, Int64, Int64, Int64) = (0, utimeNow, 0, utimeNow)
  if !times.isNull {
    let seconds = try UserMemory.load((Int64, Int64).self, from: times)
    values = (seconds.0, 0, seconds.1, 0)
  }
  return try setTimes(task, AT_FDCWD, path, values, [])
}

/// Implements utimes(2) and futimesat(2).
func sysUtimes(_ task: Task, _ directory: Int32, _ path: UserAddress, _ times: UserAddress)
  throws(Errno) -> Int
{
  var values: (Int64, Int64, Int64, Int64) = (0, utimeNow, 0, utimeNow)
  if !times.isNull {
    values = try UserMemory.load((Int64, Int64, Int64, Int64).self, from: times)
    guard values.1 >= 0, values.1 < 1_000_000, values.3 >= 0, values.3 < 1_000_000 else {
      throw .EINVAL
    }
    values.1 *= 1000
    values.3 *= 1000
  }
  return try setTimes(task, directory, path, values, [])
}
