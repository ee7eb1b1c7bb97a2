import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

extension Task {
  /// Maps a program into empty memory and points the registers at it.
  func load(_ image: ProgramImage, isSecure: Bool) throws(Errno) {
    let random = Random.shared
    let base: UInt =
      image.interpreter == nil && image.elf.isPositionIndependent
      ? 0x7f00_0000_0000 : 0x5555_5555_4000
    let program = try image.elf.map(
      into: memory, at: base + UInt(random.next() & 0xfff_ffff) * pageSize / 4096 * 4096)
    var entry = UInt(image.elf.entry) &+ program.bias
    var interpreterBase: UInt = 0
    if let interpreter = image.interpreter {
      let mapped = try interpreter.map(into: memory, at: nil)
      interpreterBase = mapped.bias
      entry = UInt(interpreter.entry) &+ mapped.bias
    }
    // Behind the program is room for the trampolines of its call sites.
    memory.breakStart =
      AddressSpace.roundedUp(program.end) + UInt(16 + random.next() & 0xfff) * pageSize
    memory.breakEnd = memory.breakStart
    let stackTop = try mapStack(isExecutable: image.elf.hasExecutableStack)
    let stack = try fillStack(
      image, top: stackTop, bias: program.bias, interpreterBase: interpreterBase,
      isSecure: isSecure)
    tellHost(code: UInt64(program.start), stack: UInt64(stack))
    memory.useKnownSites(of: image.elf.mapped.identity)
    setRegisters(entry: entry, stack: stack)
  }

  /// The host's ps(1), and engines that call it, show a guest process by what it runs.
  private func tellHost(code: UInt64, stack: UInt64) {
    Host.setName(name)
    Host.describeMemory(
      MemoryLayoutRequest(
        code: code, breakStart: UInt64(memory.breakStart), stack: stack,
        arguments: group.argumentsRange, environment: group.environmentRange))
  }

  private func setRegisters(entry: UInt, stack: UInt) {
    let frame = frame
    frame.initialize(to: pv_frame())
    frame.pointee.rip = UInt64(entry)
    frame.pointee.rsp = UInt64(stack)
    frame.pointee.eflags = 0x202
    frame.pointee.cs = 0x33
    frame.pointee.ss = 0x2b
    frame.pointee.orig_rax = UInt64.max
    pv_set_fs_base(0)
    pv_reset_vectors()
  }

  /// The stack: as large as RLIMIT_STACK says, reserved but not committed, below a guard page.
  private func mapStack(isExecutable: Bool) throws(Errno) -> UInt {
    let size = AddressSpace.stackSize(limit: group.limits[Resource.RLIMIT_STACK].soft)
    var protection: Protection = [.PROT_READ, .PROT_WRITE]
    if isExecutable { protection.insert(.PROT_EXEC) }
    for _ in 0..<16 {
      let top = 0x7ffe_0000_0000 - UInt(Random.shared.next() & 0x3f_ffff) * pageSize
      do throws(Errno) {
        let start = try memory.map(
          at: top - UInt(size), size: size, protection,
          [.MAP_PRIVATE, .MAP_ANONYMOUS, .MAP_NORESERVE, .MAP_STACK, .MAP_FIXED_NOREPLACE], .none,
          file: nil, offset: 0, label: .stack)
        memory.stackTop = start + UInt(size)
        return memory.stackTop
      } catch {
        guard error == .EEXIST else { throw error }
      }
    }
    throw .ENOMEM
  }

  /// Strings, auxiliary vector, environment, arguments: the stack of a new program.
  private func fillStack(
    _ image: ProgramImage, top: UInt, bias: UInt, interpreterBase: UInt, isSecure: Bool
  ) throws(Errno) -> UInt {
    let strings = image.strings
    var position = top - 8
    position -= UInt(image.path.count + 1)
    let pathAddress = position
    var path = image.path
    path.append(0)
    try UserMemory.copyOut(path, to: UserAddress(pathAddress))
    position -= UInt(strings.bytes.count)
    let stringsAddress = position
    try UserMemory.copyOut(strings.bytes, to: UserAddress(stringsAddress))
    group.argumentsRange = (
      UInt64(stringsAddress), UInt64(stringsAddress) + UInt64(strings.environmentStart)
    )
    group.environmentRange = (
      group.argumentsRange.1, UInt64(stringsAddress) + UInt64(strings.bytes.count)
    )
    position = (position - 16) & ~15
    let randomAddress = position
    var random: [UInt8] = []
    for _ in 0..<16 { random.append(UInt8(truncatingIfNeeded: Random.shared.next())) }
    try UserMemory.copyOut(random, to: UserAddress(randomAddress))
    position -= 16
    let platformAddress = position
    try UserMemory.copyOut(
      Array("x86_64\0".utf8), to: UserAddress(platformAddress))  // x86_64

    var words: [UInt64] = [UInt64(strings.argumentCount)]
    appendPointers(&words, strings, at: stringsAddress)
    let vector = auxiliaryVector(
      image, bias: bias, interpreterBase: interpreterBase, isSecure: isSecure,
      path: pathAddress, random: randomAddress, platform: platformAddress)
    memory.auxiliaryVector = vector
    words.append(contentsOf: vector)
    let stack = (position - UInt(words.count * 8)) & ~15
    try UserMemory.copyOut(words, to: UserAddress(stack))
    return stack
  }

  /// The argument and environment pointers, each list with its NULL.
  private func appendPointers(
    _ words: inout [UInt64], _ strings: ProgramStrings, at address: UInt
  ) {
    var offset = 0
    for part in 0..<2 {
      let count = part == 0 ? strings.argumentCount : strings.environmentCount
      for _ in 0..<count {
        words.append(UInt64(address) + UInt64(offset))
        while strings.bytes[offset] != 0 { offset += 1 }
        offset += 1
      }
      words.append(0)
    }
  }

  /// See getauxval(3).
  private func auxiliaryVector(
    _ image: ProgramImage, bias: UInt, interpreterBase: UInt, isSecure: Bool, path: UInt,
    random: UInt, platform: UInt
  ) -> [UInt64] {
    let boot = kernel.boot.pointee
    var headers = image.elf.headerOffset
    for segment in image.elf.segments where segment.type == 1 {
      if segment.offset <= headers && headers < segment.offset + segment.fileSize {
        headers = headers - segment.offset + segment.address
        break
      }
    }
    var vector: [UInt64] = []
    func add(_ key: UInt64, _ value: UInt64) {
      vector.append(key)
      vector.append(value)
    }
    if boot.vdso_address != 0 { add(33, boot.vdso_address) }
    add(51, boot.minimum_signal_stack)
    add(16, boot.hardware_capabilities)
    add(6, 4096)
    add(17, boot.clock_ticks)
    add(3, headers &+ UInt64(bias))
    add(4, 56)
    add(5, UInt64(image.elf.headerCount))
    add(7, UInt64(interpreterBase))
    add(8, 0)
    add(9, image.elf.entry &+ UInt64(bias))
    add(11, UInt64(credentials.user))
    add(12, UInt64(credentials.effectiveUser))
    add(13, UInt64(credentials.group))
    add(14, UInt64(credentials.effectiveGroup))
    add(23, isSecure ? 1 : 0)
    add(25, UInt64(random))
    add(26, boot.hardware_capabilities2)
    add(31, UInt64(path))
    add(15, UInt64(platform))
    add(0, 0)
    return vector
  }
}
