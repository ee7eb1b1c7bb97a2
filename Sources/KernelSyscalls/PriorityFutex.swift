import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// The futexes that inherit priority, without the inheritance; see futex(2).
///
/// The word holds the owner's id of the guest, which the host does not know, so the protocol is
/// kept
/// here and the host's plain futex only makes waiters sleep.
enum PriorityFutex {
  private static var ownerMask: UInt32 { 0x3fff_ffff }
  private static var ownerDied: UInt32 { 0x4000_0000 }
  private static var waiters: UInt32 { 0x8000_0000 }

  static func serve(_ task: Task, _ a: Arguments, _ command: Int) throws(Errno) -> Int {
    let word = a.address(0)
    let isPrivate = a.int(1) & 128
    switch command {
    case 6, 13:  // FUTEX_LOCK_PI counts CLOCK_REALTIME, FUTEX_LOCK_PI2 what it is told
      let clock = command == 6 ? 256 : a.int(1) & 256
      return try lock(task, word, until: a.address(3), options: isPrivate | clock)
    case 7: return try unlock(task, word, isPrivate)
    case 8: return try tryLock(task, word)
    case 11: return try waitAndLock(task, a, isPrivate)
    case 12: return try requeue(a, isPrivate)
    default: throw .ENOSYS
    }
  }

  /// Takes the word if nobody owns it; the value found otherwise.
  private static func take(_ task: Task, _ word: UserAddress, keeping flags: UInt32) throws(Errno)
    -> UInt32?
  {
    var value = try UserMemory.load(UInt32.self, from: word)
    while value & ownerMask == 0 {
      let wanted = UInt32(bitPattern: task.id) | value & ~ownerMask | flags
      let found = try UserMemory.exchange(word, expected: value, desired: wanted)
      if found == value { return nil }
      value = found
    }
    let owner = Int32(value & ownerMask)
    guard owner != task.id else { throw .EDEADLOCK }
    guard kernel.tasks.lock.withLock({ kernel.tasks.task(owner) != nil }) else { throw .ESRCH }
    return value
  }

  private static func tryLock(_ task: Task, _ word: UserAddress) throws(Errno) -> Int {
    guard try take(task, word, keeping: 0) == nil else { throw .EAGAIN }
    return 0
  }

  private static func lock(
    _ task: Task, _ word: UserAddress, until deadline: UserAddress, options: Int
  ) throws(Errno) -> Int {
    if !deadline.isNull { _ = try loadTime(deadline) }
    // Whoever has waited can't know whether others still do.
    var hasWaited = false
    while let value = try take(task, word, keeping: hasWaited ? waiters : 0) {
      let marked = value | waiters
      if value != marked {
        guard try UserMemory.exchange(word, expected: value, desired: marked) == value else {
          continue
        }
      }
      try task.acceptInterrupts()
      let result = Machine.blockingCall(
        202, word.argument, 9 | options, Int(marked), deadline.argument, 0, 0xffff_ffff)
      if result == -4 { throw .ERESTARTSYS }
      if result == -110 { throw .ETIMEDOUT }
      hasWaited = true
    }
    return 0
  }

  private static func unlock(_ task: Task, _ word: UserAddress, _ isPrivate: Int) throws(Errno)
    -> Int
  {
    var value = try UserMemory.load(UInt32.self, from: word)
    while true {
      guard value & ownerMask == UInt32(bitPattern: task.id) else { throw .EPERM }
      let free = value & waiters
      let found = try UserMemory.exchange(word, expected: value, desired: free)
      if found == value { break }
      value = found
    }
    guard value & waiters != 0 else { return 0 }
    // The one that wakes marks the word again; without one the mark was left over.
    if Machine.call(202, word.argument, 1 | isPrivate, 1) == 0 {
      _ = try UserMemory.exchange(word, expected: waiters, desired: 0)
    }
    return 0
  }

  /// FUTEX_WAIT_REQUEUE_PI: waits on one word, then locks the other.
  private static func waitAndLock(_ task: Task, _ a: Arguments, _ isPrivate: Int) throws(Errno)
    -> Int
  {
    if !a.address(3).isNull { _ = try loadTime(a.address(3)) }
    try task.acceptInterrupts()
    let result = Machine.blockingCall(
      202, a.address(0).argument, 9 | isPrivate | a.int(1) & 256, a.int(2), a.address(3).argument,
      0, 0xffff_ffff)
    if result == -4 { throw .ERESTARTSYS }
    _ = try check(result)
    return try lock(task, a.address(4), until: .null, options: isPrivate)
  }

  /// FUTEX_CMP_REQUEUE_PI: wakes those that would be moved, since each then locks for itself.
  private static func requeue(_ a: Arguments, _ isPrivate: Int) throws(Errno) -> Int {
    guard a.int(2) == 1 else { throw .EINVAL }
    guard try UserMemory.load(UInt32.self, from: a.address(0)) == a.uint32(5) else {
      throw .EAGAIN
    }
    let count = 1 + max(0, min(a.int(3), Int(Int32.max) - 1))
    return try check(Machine.call(202, a.address(0).argument, 1 | isPrivate, count))
  }
}
