import CPVCalls
import HostOS

/// Fills in the host's half of the boot record, in the mapped memory of the kernel.
///
/// SAFETY: made only in a process that has mapped the image, of which the header was checked: the
/// record and the room for strings lie inside its writable memory, and nobody else runs yet.
struct BootRecord {
  private let record: UnsafeMutablePointer<pv_boot>
  private var blob: BlobWriter

  init(header: BootHeader) {
    record = UnsafeMutablePointer(bitPattern: UInt(header.writable.lowerBound))!
    blob = BlobWriter(
      start: UnsafeMutablePointer(bitPattern: UInt(header.blob.lowerBound))!,
      size: header.blob.count)
  }

  mutating func fill(with parameters: BootParameters) throws(RuntimeError) {
    fillDescriptors(parameters)
    try fillMounts(parameters.mounts)
    record.pointee.hidden_device = parameters.hiddenDevice
    fillHostFacts(memoryBytes: parameters.memoryBytes)
    record.pointee.vdso_start = parameters.vdso?.lowerBound ?? 0
    record.pointee.vdso_end = parameters.vdso?.upperBound ?? 0
    try fillNames(parameters)
    try fillProgram(parameters.program)
    record.pointee.filter_offset = try blob.append(words: parameters.callFilter)
    record.pointee.filter_count = UInt32(parameters.callFilter.count)
    record.pointee.control_offset = try blob.append(
      parameters.controls.map { "\($0.path)=\($0.value)" })
    record.pointee.control_count = UInt32(parameters.controls.count)
    record.pointee.personality = parameters.personality
    record.pointee.scheduling_policy = parameters.schedulingPolicy
    record.pointee.out_of_memory_adjustment = parameters.outOfMemoryAdjustment
    record.pointee.user_map_offset = try blob.append(words: words(parameters.users))
    record.pointee.user_map_count = UInt32(parameters.users?.ranges.count ?? 0)
    record.pointee.group_map_offset = try blob.append(words: words(parameters.groups))
    record.pointee.group_map_count = UInt32(parameters.groups?.ranges.count ?? 0)
    record.pointee.clock_offsets_offset = try blob.append(parameters.clockOffsets)
    try fillDevices(parameters.devices)
    record.pointee.window_rows = UInt32(parameters.window?.rows ?? 0)
    record.pointee.window_columns = UInt32(parameters.window?.columns ?? 0)
  }

  private func words(_ map: IDMap?) -> [UInt64] {
    (map?.ranges ?? []).flatMap { [UInt64($0.inside), UInt64($0.outside), UInt64($0.count)] }
  }

  private func fillDescriptors(_ parameters: BootParameters) {
    var flags: UInt32 = 0
    if parameters.isDebugging { flags |= PV_BOOT_DEBUG }
    if parameters.hasTerminal { flags |= PV_BOOT_TERMINAL }
    if parameters.hasNoNewPrivileges { flags |= PV_BOOT_NO_NEW_PRIVILEGES }
    if parameters.logsRefusedCalls { flags |= PV_BOOT_LOG_REFUSALS }
    if parameters.hasInit { flags |= PV_BOOT_INIT }
    record.pointee.flags = flags
    record.pointee.root_descriptor = parameters.root.rawValue
    record.pointee.event_descriptor = parameters.events.rawValue
    record.pointee.trace_descriptor = parameters.trace?.rawValue ?? -1
    record.pointee.log_descriptor = parameters.log?.rawValue ?? -1
    record.pointee.notify_descriptor = parameters.notify?.rawValue ?? -1
    record.pointee.standard_descriptors = (parameters.standardInput.rawValue, 1, 2)
    let inherited = parameters.inherited.prefix(Int(PV_INHERITED_LIMIT))
    let table = pointer(to: \.inherited_descriptors, as: Int32.self)
    for (index, file) in inherited.enumerated() { table[index] = file.rawValue }
    record.pointee.inherited_count = UInt32(inherited.count)
  }

  private mutating func fillMounts(_ mounts: [BootMount]) throws(RuntimeError) {
    guard mounts.count <= Int(PV_MOUNT_COUNT) else {
      throw RuntimeError("cannot start the kernel: more than \(PV_MOUNT_COUNT) mounts")
    }
    let table = pointer(to: \.mounts, as: pv_mount.self)
    for (index, mount) in mounts.enumerated() {
      table[index] = pv_mount(
        kind: mount.kind, flags: mount.flags,
        descriptor: mount.descriptor?.rawValue ?? -1,
        path_offset: try blob.append(mount.path), source_offset: try blob.append(mount.source),
        type_offset: try blob.append(mount.type))
    }
    record.pointee.mount_count = UInt32(mounts.count)
  }

  private mutating func fillDevices(_ devices: [BootDevice]) throws(RuntimeError) {
    guard devices.count <= Int(PV_DEVICE_LIMIT) else {
      throw RuntimeError("cannot start the kernel: more than \(PV_DEVICE_LIMIT) devices")
    }
    let table = pointer(to: \.devices, as: pv_device.self)
    for (index, device) in devices.enumerated() {
      table[index] = pv_device(
        path_offset: try blob.append(device.path), number: device.major << 8 | device.minor,
        mode: device.mode, user: device.user, group: device.group)
    }
    record.pointee.device_count = UInt32(devices.count)
  }

  private func fillHostFacts(memoryBytes: UInt64) {
    let facts = HostFacts.current()
    record.pointee.cpu_count = facts.cpuCount
    record.pointee.vdso_address = facts.vdsoAddress
    record.pointee.hardware_capabilities = facts.hardwareCapabilities
    record.pointee.hardware_capabilities2 = facts.hardwareCapabilities2
    record.pointee.minimum_signal_stack = facts.minimumSignalStack
    record.pointee.clock_ticks = facts.clockTicks
    record.pointee.memory_bytes = memoryBytes == 0 ? facts.memoryBytes : memoryBytes
    record.pointee.xsave_features = facts.vectorFeatures
    record.pointee.xsave_size = facts.vectorSize
    record.pointee.boot_time_seconds = facts.bootTimeSeconds
    var random = SystemRandomNumberGenerator()
    let seed = pointer(to: \.random_seed, as: UInt8.self)
    for index in 0..<32 { seed[index] = UInt8.random(in: .min ... .max, using: &random) }
  }

  private mutating func fillNames(_ parameters: BootParameters) throws(RuntimeError) {
    record.pointee.hostname_offset = try blob.append(parameters.hostname)
    record.pointee.domainname_offset = try blob.append(parameters.domainname)
    record.pointee.release_offset = try blob.append(parameters.release)
    record.pointee.version_offset = try blob.append(parameters.version)
  }

  private mutating func fillProgram(_ program: BootProgram) throws(RuntimeError) {
    record.pointee.working_directory_offset = try blob.append(program.workingDirectory)
    record.pointee.arguments_offset = try blob.append(program.arguments)
    record.pointee.arguments_count = UInt32(program.arguments.count)
    record.pointee.environment_offset = try blob.append(program.environment)
    record.pointee.environment_count = UInt32(program.environment.count)
    record.pointee.user = program.user
    record.pointee.group = program.group
    record.pointee.umask = program.umask
    try fillGroups(program.additionalGroups)
    record.pointee.capabilities_effective = program.capabilities[0]
    record.pointee.capabilities_permitted = program.capabilities[1]
    record.pointee.capabilities_inheritable = program.capabilities[2]
    record.pointee.capabilities_bounding = program.capabilities[3]
    record.pointee.capabilities_ambient = program.capabilities[4]
    let limits = pointer(to: \.rlimits, as: pv_rlimit.self)
    for (index, limit) in program.limits.prefix(16).enumerated() {
      limits[index] = pv_rlimit(soft: limit.soft, hard: limit.hard)
    }
  }

  private func fillGroups(_ groups: [UInt32]) throws(RuntimeError) {
    guard groups.count <= 64 else {
      throw RuntimeError("cannot start the program: more than 64 additional groups")
    }
    let table = pointer(to: \.groups, as: UInt32.self)
    for (index, group) in groups.enumerated() { table[index] = group }
    record.pointee.group_count = UInt32(groups.count)
  }

  /// The first element of a C array inside the record, which Swift sees as a tuple.
  private func pointer<Array, Element>(
    to array: KeyPath<pv_boot, Array>, as element: Element.Type
  ) -> UnsafeMutablePointer<Element> {
    let offset = MemoryLayout<pv_boot>.offset(of: array)!
    return (UnsafeMutableRawPointer(record) + offset).assumingMemoryBound(to: element)
  }
}

/// Writes NUL-terminated strings one after the other into memory of a fixed size.
private struct BlobWriter {
  private let start: UnsafeMutablePointer<UInt8>
  private let size: Int
  private var used = 0

  init(start: UnsafeMutablePointer<UInt8>, size: Int) {
    self.start = start
    self.size = size
  }

  /// Returns the string's offset.
  mutating func append(_ text: String) throws(RuntimeError) -> UInt32 {
    let bytes = text.utf8
    let offset = used
    guard bytes.count < size - used else {
      throw RuntimeError("cannot start the program: arguments and environment exceed \(size) bytes")
    }
    for byte in bytes {
      start[used] = byte
      used += 1
    }
    start[used] = 0
    used += 1
    return UInt32(offset)
  }

  /// Returns the offset of the first of them, which need not be aligned.
  mutating func append(words: [UInt64]) throws(RuntimeError) -> UInt32 {
    let offset = used
    guard words.count * 8 <= size - used else {
      throw RuntimeError("cannot start the program: the filter of its calls is too long")
    }
    for word in words {
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        start[used] = UInt8(truncatingIfNeeded: word >> shift)
        used += 1
      }
    }
    return UInt32(offset)
  }

  /// Returns the offset of the first of them.
  mutating func append(_ texts: [String]) throws(RuntimeError) -> UInt32 {
    let offset = used
    for text in texts { _ = try append(text) }
    return UInt32(offset)
  }
}
