import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// A program that is ready to replace the one that called execve(2): everything that can fail for
/// the caller to see was done.
public final class ProgramImage {
  let elf: ELFFile
  let running: RunningFile
  let interpreter: ELFFile?
  let strings: ProgramStrings
  /// The path as given, for AT_EXECFN, and the last component for the task's name.
  public let path: [UInt8]
  let status: FileStatus
  /// False on a mount whose programs run as who runs them.
  let allowsSetID: Bool

  init(
    elf: ELFFile, _ running: RunningFile, interpreter: ELFFile?, strings: ProgramStrings,
    path: [UInt8], status: FileStatus, allowsSetID: Bool
  ) {
    self.elf = elf
    self.running = running
    self.interpreter = interpreter
    self.strings = strings
    self.path = path
    self.status = status
    self.allowsSetID = allowsSetID
    interpreter?.file.hold()
  }

  deinit { interpreter?.file.release() }
}

extension Task {
  /// Finds out what to run: follows interpreter scripts, reads the ELF headers.
  ///
  /// A path that leads through a descriptor which execve(2) closes is no use to an interpreter.
  public func prepareProgram(
    _ file: OpenFile, path: [UInt8], closesPath: Bool = false, _ strings: ProgramStrings
  ) throws(Errno) -> ProgramImage {
    var file = file
    var strings = strings
    var scriptPath = path
    file.hold()
    defer { file.release() }
    for _ in 0..<6 {
      guard let host = file as? HostFile else { throw .EACCES }
      let status = try host.stat()
      guard host.isRegular, status.mode & 0o111 != 0, permits(1, status, of: host) else {
        throw .EACCES
      }
      let mount = try mountFlags(ofProgram: host, status)
      let running = try RunningFile(host)
      guard let line = try interpreterLine(host) else {
        return try prepareELF(
          running, path: path, strings, status, allowsSetID: !mount.contains(.noSetID))
      }
      // No name at all leads Linux to the working directory, which is no program.
      if line.interpreter.isEmpty { throw .EACCES }
      if closesPath { throw .ENOENT }
      var arguments = [line.interpreter]
      if let argument = line.argument { arguments.append(argument) }
      arguments.append(scriptPath)
      strings.replaceFirst(with: arguments)
      scriptPath = line.interpreter
      let next = try openProgram(AT_FDCWD, line.interpreter)
      next.hold()
      file.release()
      file = next
    }
    throw .ELOOP
  }

  private func prepareELF(
    _ running: RunningFile, path: [UInt8], _ strings: ProgramStrings, _ status: FileStatus,
    allowsSetID: Bool
  ) throws(Errno) -> ProgramImage {
    let elf = try ELFFile(running.file, mapped: running.file.mapped)
    var interpreter: ELFFile?
    if let name = elf.interpreter {
      let opened = try openProgram(AT_FDCWD, name)
      opened.hold()
      defer { opened.release() }
      guard let host = opened as? HostFile else { throw .EACCES }
      let rights = try host.stat()
      guard host.isRegular else { throw .EACCES }
      _ = try RunningFile(host)
      guard rights.mode & 0o111 != 0, permits(1, rights, of: host) else { throw .EACCES }
      _ = try mountFlags(ofProgram: host, rights)
      do throws(Errno) { interpreter = try ELFFile(host, mapped: host.mapped) } catch {
        throw .ELIBBAD
      }
      return ProgramImage(
        elf: elf, running, interpreter: interpreter, strings: strings, path: path, status: status,
        allowsSetID: allowsSetID)
    }
    return ProgramImage(
      elf: elf, running, interpreter: nil, strings: strings, path: path, status: status,
      allowsSetID: allowsSetID)
  }

  /// What the mount of a program's file forbids. Only where some mount of its file system forbids
  /// what matters here is the file's path looked for.
  private func mountFlags(
    ofProgram file: HostFile, _ status: FileStatus
  ) throws(Errno) -> MountFlags {
    var relevant: MountFlags = .noExecution
    if status.mode & (FileMode.S_ISUID | FileMode.S_ISGID) != 0 { relevant.insert(.noSetID) }
    guard !kernel.mounts.restrictions(ofDevice: status.device).isDisjoint(with: relevant) else {
      return []
    }
    let flags = kernel.mounts.flags(ofPath: try canonicalPath(of: file))
    if flags.contains(.noExecution) { throw .EACCES }
    return flags
  }

  /// The first line of an interpreter script, or nil when the file is none.
  private func interpreterLine(_ file: HostFile) throws(Errno) -> InterpreterLine? {
    let limit = InterpreterLine.limit
    return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: limit) {
      (bytes) throws(Errno) -> InterpreterLine? in
      let count = try Host.read(file.descriptor, into: bytes.baseAddress!, count: limit, offset: 0)
      // SAFETY: the memory lives for the call, and the host has written `count` bytes of it.
      return try InterpreterLine.read(UnsafeBufferPointer(rebasing: bytes[0..<count]))
    }
  }

  // MARK: The point of no return

  /// Replaces the program; true when it must go on in a fresh host process, since this one's
  /// memory is shared with a parent that vfork(2)ed.
  public func execute(_ image: ProgramImage) throws(Errno) -> Bool {
    try endOtherThreads()
    becomeLeader()
    releaseFutexes()
    guard memory.isShared else {
      become(image, hasMoved: false)
      return false
    }
    let table = kernel.tasks
    let fresh = try table.lock.withLock { () throws(Errno) -> ThreadArea in
      try table.allocateArea()
    }
    fresh.pointee.task = area.pointee.task
    let freshFrame = UnsafeMutablePointer<pv_frame>(
      bitPattern: UInt(fresh.pointee.frame)
    ).unsafelyUnwrapped
    freshFrame.pointee = frame.pointee
    let host: CloneFlags = [.CLONE_FILES, .CLONE_PARENT, .CLONE_PARENT_SETTID]
    area.pointee.clone_flags = host.rawValue
    area.pointee.clone_area = UInt64(UInt(bitPattern: fresh))
    area.pointee.clone_is_retained = 1
    continuation = image
    return true
  }

  /// In the old host process, after the fresh one was cloned: it ends, the task has moved.
  func execCloned(_ result: Int) throws(Errno) -> Bool {
    let table = kernel.tasks
    guard result < 0 else {
      table.lock.withLock { table.retire(Machine.thread) }
      return true
    }
    continuation = nil
    area.pointee.clone_is_retained = 0
    table.lock.withLock {
      guard let fresh = ThreadArea(bitPattern: UInt(area.pointee.clone_area)) else { return }
      fresh.pointee.in_use = 0
      table.retire(fresh)
    }
    throw Errno(result: result)
  }

  /// In the fresh host process: takes the task over and finishes the execve(2). False when this is
  /// no such process but a child.
  public func continueExec() -> Bool {
    guard let image = continuation else { return false }
    continuation = nil
    area = Machine.thread
    area.pointee.host_process = area.pointee.host_thread
    memory.leave()
    use(memory: AddressSpace())
    become(image, hasMoved: true)
    // A kick of the last moments went to the old area.
    area.pointee.pending = 1
    return true
  }

  private func endOtherThreads() throws(Errno) {
    let table = kernel.tasks
    table.lock.lock()
    if group.isExiting || group.execTask != nil {
      table.lock.unlock()
      throw .ERESTARTSYS
    }
    group.execTask = self
    for task in group.tasks where task !== self {
      task.isKilled = true
      task.interrupt()
    }
    table.lock.unlock()
    while true {
      prepareToSleep()
      if group.tasks.count == 1 { break }
      do throws(Errno) { try sleep() } catch {
        if group.isExiting {
          group.execTask = nil
          throw error
        }
        Machine.acceptKicks()
      }
    }
    table.lock.withLock { group.execTask = nil }
  }

  /// Takes the first thread's place, as execve(2) of another thread does.
  private func becomeLeader() {
    guard id != group.id else { return }
    let table = kernel.tasks
    table.lock.withLock {
      let old = id
      table.remove(self)
      id = group.id
      table.insert(self)
      for child in group.children where child.creator == old { child.creator = id }
    }
  }

  /// Everything the old program had is gone after this.
  private func become(_ image: ProgramImage, hasMoved: Bool) {
    let isSetID = takeIdentity(of: image)
    // Before the parent can know of it: by vfork(2), or by a pipe that execve(2) closes.
    group.hasExecuted = true
    finishVfork()
    if files.isShared {
      let own = files.copied()
      files.leave()
      use(files: own)
    }
    files.closeOnExecFiles()
    use(paths: paths.copied())
    let handlers = group.handlers.copied()
    handlers.reset()
    use(handlers: handlers)
    signalStack = SignalStack()
    savedMask = nil
    restartDeadline = nil
    group.timers.resetForExec(hasMoved: hasMoved)
    tearDownMemory()
    do throws(Errno) {
      try load(image, isSecure: isSetID)
    } catch {
      // The old program is gone, so there is nobody to tell: as Linux does, kill.
      exitGroup(status: Signal.SIGKILL.number)
      area.pointee.pending = 1
    }
  }

  private func takeIdentity(of image: ProgramImage) -> Bool {
    let isSetID = credentials.transform(
      fileMode: image.status.mode, owner: image.status.user, fileGroup: image.status.group,
      allowsSetID: image.allowsSetID)
    group.isDumpable = !isSetID
    if isSetID { group.parentDeathSignal = 0 }
    var start = image.path.count
    while start > 0 && image.path[start - 1] != 47 { start -= 1 }
    for index in 0..<16 {
      name[index] = index < 15 && start + index < image.path.count ? image.path[start + index] : 0
    }
    use(executable: image.running)
    return isSetID
  }

  /// Unmaps all but the kernel and the vDSO.
  private func tearDownMemory() {
    let boot = kernel.boot
    use(memory: memoryForExec())
    let kept = (UInt(boot.pointee.vdso_start), UInt(boot.pointee.vdso_end))
    let low: UInt = 0x1000
    try? Host.munmap(low, Int(UInt(PV_IMAGE_BASE) - low))
    let afterKernel = UInt(boot.pointee.writable_end)
    if kept.0 == 0 {
      try? Host.munmap(afterKernel, Int(userAddressLimit - afterKernel))
    } else {
      try? Host.munmap(afterKernel, Int(kept.0 - afterKernel))
      try? Host.munmap(kept.1, Int(userAddressLimit - kept.1))
    }
  }

  private func memoryForExec() -> AddressSpace {
    let new = AddressSpace()
    new.sizeLimit = group.limits[Resource.RLIMIT_AS].soft
    let boot = kernel.boot.pointee
    if boot.vdso_start != 0 {
      new.record(
        Mapping(
          start: UInt(boot.vdso_start), end: UInt(boot.vdso_address), protection: .PROT_READ,
          isShared: false, file: nil, offset: 0, label: .vvar))
      new.record(
        Mapping(
          start: UInt(boot.vdso_address), end: UInt(boot.vdso_end),
          protection: [.PROT_READ, .PROT_EXEC], isShared: false, file: nil, offset: 0, label: .vdso)
      )
    }
    return new
  }
}
