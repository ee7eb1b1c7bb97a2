import Glibc
import HostOS

/// Builds the tree of a `RootFileSystem`, mount by mount.
struct RootBuilder: ~Copyable {
  private let configuration: SandboxConfiguration
  private let users: SandboxUsers?
  /// The host's mounts as they were before the first of ours.
  private let table: MountTable
  private let layers: OverlayLayers?
  /// The top directory of the new root's mount. It stands on the old root, which stays the calling
  /// process's root until the end.
  private let root: OwnedDescriptor
  private var mounts: [GuestMount] = []
  /// The empty file system that nobody may enter, once there is one.
  private var hidden: OwnedDescriptor?
  private var warnings: [String] = []

  /// The attributes of every host mount of a sandbox.
  private static let confined: MountAttributes = [.noSetUserID, .noDevices]
  /// More would crowd out the mounts that were asked for: see PV_MOUNT_COUNT.
  private static let submountLimit = 32
  private static let mountLimit = 64

  // MARK: - The steps

  /// Mounts the root itself with what the host has mounted below it.
  static func start(
    _ configuration: SandboxConfiguration, _ users: SandboxUsers?
  ) throws(RuntimeError) -> RootBuilder {
    do throws(HostError) {
      try MountNamespace.makePrivate()
      let path = try HostFile.resolved(configuration.root.path)
      let oldRoot = try HostFile.handle("/")
      let table = try MountTable.current()
      switch configuration.root.access {
      case .throwAwayOverlay:
        let layers = try OverlayLayers.mounted(on: oldRoot.descriptor)
        let lower = try HostFile.open(path, flags: O_RDONLY | O_DIRECTORY)
        let tree = try layers.overlay(on: lower, name: "root", attributes: confined)
        try tree.attach(on: oldRoot.descriptor)
        var builder = RootBuilder(
          configuration, users, table, layers: layers, root: tree.takeOwner())
        builder.addRoot(source: "overlay", type: "overlay", path: path)
        return builder
      case .writable, .readOnly:
        // Only a directory has a path below which there are others.
        let tree = try DetachedMount.clone(of: path + "/")
        try tree.setAttributes(confined)
        // There, where createContainer hooks look for the container's files.
        let place = try HostFile.handle(path)
        try tree.attach(on: place.descriptor)
        var builder = RootBuilder(configuration, users, table, layers: nil, root: tree.takeOwner())
        let entry = table.mount(of: path)
        builder.addRoot(source: entry?.source ?? path, type: entry?.type ?? "none", path: path)
        return builder
      }
    } catch {
      let what = "cannot use '\(configuration.root.path)' as the root"
      // mount_namespaces(7), Restrictions: mounts from outside stay "a single unit".
      if error == .invalid, !CurrentProcess.isHostsRoot {
        throw RuntimeError(
          "\(what): in a user namespace the host does not let go of what is mounted below it")
      }
      throw error.explained(what)
    }
  }

  private init(
    _ configuration: SandboxConfiguration, _ users: SandboxUsers?, _ table: MountTable,
    layers: consuming OverlayLayers?, root: consuming OwnedDescriptor
  ) {
    self.configuration = configuration
    self.users = users
    self.table = table
    self.layers = layers
    self.root = root
  }

  private mutating func addRoot(source: String, type: String, path: String) {
    let isReadOnly = configuration.root.access == .readOnly
    mounts = [
      GuestMount(
        kind: .host, attributes: isReadOnly ? .readOnly : [], descriptor: nil, path: "/",
        source: source, type: type)
    ]
    addSubmounts(of: path, on: "/", attributes: isReadOnly ? .readOnly : [])
  }

  mutating func mount(_ mount: MountConfiguration, _ map: MountMap?) throws(RuntimeError) {
    let what = "cannot mount '\(mount.source)' on '\(mount.destination)'"
    let destination = PathText.normalized(mount.destination)
    if destination == "/" { throw RuntimeError("\(what): the root itself is no mount point") }
    if mounts.count == RootBuilder.mountLimit { throw RuntimeError("\(what): too many mounts") }
    if mount.kind == .bind, showsHostKernel(mount.source) {
      if let own = ownFileSystem(insteadOf: mount, at: destination) {
        return try self.mount(own, nil)
      }
      throw RuntimeError("\(what): it shows the host's kernel, which a sandbox does not share")
    }
    do throws(HostError) {
      let options = MountOptions(mount.options, for: mount.kind)
      if options.isRemount { return try remount(options, at: destination) }
      switch mount.kind {
      case .bind: try bind(mount, map, on: destination)
      case .tmpfs where destination == "/dev": try hide(.dev, mount, at: destination)
      case .tmpfs: try addTemporary(mount, on: destination)
      case .cgroup: try hide(.group, mount, at: destination)
      case .proc: try hide(.proc, mount, at: destination)
      case .sysfs: try hide(.sys, mount, at: destination)
      case .devtmpfs: try hide(.dev, mount, at: destination)
      case .devpts: try hide(.devpts, mount, at: destination)
      case .mqueue: try hide(.mqueue, mount, at: destination)
      }
    } catch {
      throw error.explained(what)
    }
  }

  /// FIFOs that are not in the guest's /dev.
  func makePipes() throws(RuntimeError) {
    for pipe in configuration.pipes {
      do throws(HostError) { try make(pipe) } catch {
        throw error.explained("cannot make the FIFO '\(pipe.path)'")
      }
    }
  }

  /// "If a file already exists at path that does not match the requested device, the runtime MUST
  /// generate an error" (OCI runtime specification, Linux, Devices).
  private func make(_ pipe: DeviceConfiguration) throws(HostError) {
    let (directory, name) = HostFile.split(pipe.path)
    let parent = try root.descriptor.mountPoint(inRoot: directory, isDirectory: true)
    do throws(HostError) {
      try parent.descriptor.makePipe(name, mode: pipe.mode & 0o7777)
    } catch  where error.number == EEXIST {
      let status = try parent.descriptor.status(of: name)
      guard status.mode & S_IFMT == S_IFIFO else { throw error }
    }
    let owner = (users?.users.outside(pipe.user), users?.groups.outside(pipe.group))
    try parent.descriptor.setOwner(
      of: name, user: owner.0 ?? pipe.user, group: owner.1 ?? pipe.group)
  }

  /// Hides and write-protects what the configuration names, as far as it is files of the host, and
  /// makes the working directory.
  mutating func protect() throws(RuntimeError) {
    for path in configuration.maskedPaths { try mask(PathText.normalized(path)) }
    for path in configuration.readOnlyPaths { try protect(PathText.normalized(path)) }
    guard configuration.makesWorkingDirectory else { return }
    let directory = PathText.normalized(configuration.program.workingDirectory)
    if directory == "/" || isGuests(directory) { return }
    // A root that can't be written to has it, or the program says that it is missing.
    do throws(HostError) {
      _ = try root.descriptor.mountPoint(inRoot: directory, isDirectory: true)
    } catch { note("cannot make the working directory '\(directory)': \(error)") }
  }

  /// An empty read-only directory or file in the place of what is there.
  private mutating func mask(_ path: String) throws(RuntimeError) {
    if isGuests(path) { return }
    do throws(HostError) {
      let target = try root.descriptor.handle(inRoot: path)
      let isDirectory = try target.descriptor.status().isDirectory
      let empty = try DetachedMount.create(
        type: "tmpfs", source: "tmpfs", options: [("mode", "0555"), ("size", "4k")],
        attributes: RootBuilder.confined)
      let protection = RootBuilder.confined.union([.readOnly, .noExecution])
      if isDirectory {
        try empty.setAttributes(protection)
        try empty.attach(on: target.descriptor)
      } else {
        try empty.descriptor.makeFile("empty", mode: 0o444)
        // Only from a mount of the namespace is there a copy; it goes with the old root.
        let oldRoot = try HostFile.handle("/")
        try empty.attach(on: oldRoot.descriptor)
        let file = try DetachedMount.clone(of: "empty", at: empty.descriptor)
        try file.setAttributes(protection)
        try file.attach(on: target.descriptor)
      }
      mounts.append(
        GuestMount(
          kind: .host, attributes: protection, descriptor: nil, path: path, source: "tmpfs",
          type: "tmpfs"))
    } catch  where error == .notFound || error == .notADirectory {
    } catch {
      throw error.explained("cannot mask '\(path)'")
    }
  }

  private mutating func protect(_ path: String) throws(RuntimeError) {
    if isGuests(path) { return }
    do throws(HostError) {
      let target = try root.descriptor.handle(inRoot: path)
      let mount = try DetachedMount.clone(of: "", at: target.descriptor, recursively: true)
      try mount.setAttributes(.readOnly, recursively: true)
      try mount.attach(on: target.descriptor)
      let entry = mounts.last { PathText.isAtOrBelow(path, $0.path) }
      mounts.append(
        GuestMount(
          kind: .host, attributes: (entry?.attributes ?? []).union(.readOnly), descriptor: nil,
          path: path,
          source: entry?.source ?? "none", type: entry?.type ?? "none"))
    } catch  where error == .notFound || error == .notADirectory {
    } catch {
      throw error.explained("cannot write-protect '\(path)'")
    }
  }

  /// The guest kernel serves the path: nothing of the host is there.
  private func isGuests(_ path: String) -> Bool {
    mounts.last { PathText.isAtOrBelow(path, $0.path) }.map { $0.kind != .host } ?? false
  }

  /// Enters the tree and lets go of the host.
  consuming func finish(showsProcesses: Bool) throws(RuntimeError) -> RootFileSystem {
    do throws(HostError) {
      if configuration.root.access == .readOnly {
        try root.descriptor.setMountAttributes(.readOnly)
      }
      let hiddenDevice = try hidden?.descriptor.status().device ?? 0
      var processes = showsProcesses ? viewOfProcesses() : nil
      try MountNamespace.pivot(to: root.descriptor)
      if let processes = processes.take() { try leave(processes) }
      return RootFileSystem(
        root: try HostFile.open("/", flags: O_RDONLY | O_DIRECTORY), mounts: mounts,
        hiddenDevice: hiddenDevice, warnings: warnings)
    } catch {
      throw error.explained("cannot enter the root '\(configuration.root.path)'")
    }
  }

  /// A procfs of the sandbox, where the guest kernel has one. In a user namespace the host gives
  /// one only to who sees one already: so before the root is entered.
  private func viewOfProcesses() -> DetachedMount? {
    guard mounts.last(where: { PathText.isAtOrBelow("/proc", $0.path) })?.kind == .proc else {
      return nil
    }
    // There is none where the one that is seen has a part covered.
    return try? DetachedMount.create(
      type: "proc", source: "proc",
      attributes: RootBuilder.confined.union([.noExecution, .readOnly]))
  }

  /// Leaves a procfs in the namespace that init stays in, and the guest in a copy without it.
  ///
  /// Engines and administrators join the mount namespace of a container's process and look there,
  /// as `podman top` does. No descriptor of the guest is from that namespace, so no path of the
  /// guest leads to it.
  private func leave(_ proc: consuming DetachedMount) throws(HostError) {
    let place = try HostFile.handle("/proc")
    try proc.attach(on: place.descriptor)
    try Namespaces.mount.unshare()
    // Who writes to the container's files meanwhile must not choose what comes off.
    let copy = try HostFile.handle("/proc")
    guard try copy.descriptor.status().device == proc.descriptor.status().device else {
      throw .invalid
    }
    try MountNamespace.unmount(copy.descriptor)
  }

  // MARK: - What the host serves

  /// Shows a directory or a file of the host.
  private mutating func bind(
    _ mount: MountConfiguration, _ map: MountMap?, on destination: String
  ) throws(HostError) {
    let options = MountOptions(mount.options, for: .bind)
    let source = try HostFile.resolved(mount.source)
    let entry = table.mount(of: source)
    let isBelowGuest = liesBelowGuestFileSystem(destination)
    if isBelowGuest && options.followsHost == true {
      warnings.append(
        "the host's later mounts below '\(mount.source)' do not show at '\(destination)': it is in"
          + " a file system of the guest kernel")
    }
    // A tree without a path can't get submounts one by one, so it takes all or none.
    let takesAll =
      isBelowGuest && options.isRecursive
      && table.visible(below: source).allSatisfy { !kernelFileSystems.contains($0.type) }
    let tree = try DetachedMount.clone(of: source, recursively: takesAll)
    try tree.setAttributes(options.attributes, recursively: takesAll)
    if let map {
      try tree.mapIDs(of: map.namespace, recursively: takesAll && map.isRecursive)
    }
    let id = try tree.descriptor.mountID()
    try place(
      tree,
      GuestMount(
        kind: .host, attributes: options.wanted, descriptor: nil, path: destination,
        source: entry?.source ?? source, type: entry?.type ?? "none", volumeID: id))
    if options.isRecursive && !isBelowGuest {
      addSubmounts(
        of: source, on: destination, attributes: options.wanted,
        map: map?.isRecursive == true ? map : nil)
    }
  }

  /// Other attributes for the last mount on a path; OCI runtime specification, Linux mount options.
  private mutating func remount(
    _ options: MountOptions, at destination: String
  ) throws(HostError) {
    guard let index = mounts.lastIndex(where: { $0.path == destination }), index > 0 else {
      throw .invalid
    }
    if mounts[index].kind == .host {
      let place = mounts[index].descriptor ?? root.descriptor
      let target = try place.handle(
        inRoot: mounts[index].descriptor == nil
          ? destination : mounts[index].isFile ? GuestMount.fileName : "/")
      try target.descriptor.setMountAttributes(
        options.attributes, clearing: [.readOnly, .noExecution, .noDirectoryAccessTimes])
    }
    mounts[index].attributes = options.wanted
  }

  private mutating func addTemporary(
    _ mount: MountConfiguration, on destination: String
  ) throws(HostError) {
    let options = MountOptions(mount.options, for: .tmpfs)
    var words: [(key: String, value: String?)] = []
    for option in options.fileSystemOptions { words.append(try outside(option)) }
    if let count = fileLimit(with: words) { words.append(("nr_inodes", "\(count)")) }
    let tree = try DetachedMount.create(
      type: "tmpfs", source: "tmpfs", options: words,
      attributes: options.attributes)
    if options.copiesContents { try copyContents(of: destination, to: tree.descriptor) }
    try place(
      tree,
      GuestMount(
        kind: .host, attributes: options.wanted, descriptor: nil, path: destination,
        source: mount.source, type: "tmpfs", fileSystemFlags: options.fileSystemFlags))
  }

  /// Under a limit of memory a tmpfs holds as many files as that has pages, unless the mount says
  /// how many: not every control group pays for what the host kernel keeps of empty files.
  private func fileLimit(with options: [(key: String, value: String?)]) -> Int64? {
    guard let bytes = configuration.controlGroup.memoryBytes, bytes > 0,
      !options.contains(where: { $0.key == "nr_inodes" })
    else { return nil }
    return max(RootBuilder.leastFileLimit, bytes / Int64(sysconf(Int32(_SC_PAGESIZE))))
  }

  private static var leastFileLimit: Int64 { 4096 }

  /// What a tmpfs would hide is there as well, in a copy.
  private func copyContents(of path: String, to tree: Descriptor) throws(HostError) {
    if isGuests(path) { return }
    let source: OwnedDescriptor
    do throws(HostError) {
      source = try root.descriptor.open(inRoot: path, flags: O_RDONLY | O_DIRECTORY)
    } catch  where error == .notFound { return }
    try source.descriptor.copyContents(to: tree)
  }

  /// A tmpfs is told its owner in the host's ids.
  private func outside(
    _ option: (key: String, value: String?)
  ) throws(HostError) -> (key: String, value: String?) {
    guard let users, ["uid", "gid"].contains(option.key),
      let id = option.value.flatMap({ UInt32($0) })
    else { return option }
    let map = option.key == "uid" ? users.users : users.groups
    guard let outside = map.outside(id) else { throw .invalid }
    return (option.key, "\(outside)")
  }

  /// Mounts what the host has mounted below `source`, as far as it is files. What can't be mounted
  /// stays an empty directory, as it would be without: nobody asked for these mounts by name.
  private mutating func addSubmounts(
    of source: String, on destination: String, attributes: MountAttributes, map: MountMap? = nil
  ) {
    let isRoot = destination == "/"
    let covered = configuration.mounts.map { PathText.normalized($0.destination) }
    var count = 0
    for entry in table.visible(below: source) where !kernelFileSystems.contains(entry.type) {
      let suffix =
        source == "/" ? entry.mountPoint : String(entry.mountPoint.dropFirst(source.count))
      let path = PathText.normalized(destination + suffix)
      if isRoot, covered.contains(where: { PathText.isAtOrBelow(path, $0) }) { continue }
      guard count < RootBuilder.submountLimit else {
        note("more than \(count) mounts below '\(source)': '\(path)' is left out")
        continue
      }
      do throws(HostError) {
        try addSubmount(
          entry, on: path, attributes: attributes, map,
          layer: isRoot && layers != nil ? "\(count)" : nil, isVolume: !isRoot)
        count += 1
      } catch {
        note("the host's mount '\(entry.mountPoint)' is left out: \(error)")
      }
    }
  }

  /// With a layer's name, what is written goes to that layer, or nowhere.
  private mutating func addSubmount(
    _ entry: MountTable.Entry, on path: String, attributes: MountAttributes, _ map: MountMap?,
    layer: String?, isVolume: Bool
  ) throws(HostError) {
    let target = try root.descriptor.handle(inRoot: path)
    let origin = try RootBuilder.origin(of: entry)
    var attributes = attributes
    var tree: DetachedMount?
    if let layer {
      tree = overlay(on: origin.descriptor, entry.mountPoint, layer, attributes)
      if tree == nil { attributes.insert(.readOnly) }
    }
    let mount =
      if let tree = tree.take() {
        tree
      } else {
        try DetachedMount.clone(of: "", at: origin.descriptor)
      }
    try mount.setAttributes(attributes.union(RootBuilder.confined))
    if let map { try mount.mapIDs(of: map.namespace) }
    let id = try mount.descriptor.mountID()
    try mount.attach(on: target.descriptor)
    mounts.append(
      GuestMount(
        kind: .host, attributes: attributes, descriptor: nil, path: path,
        source: entry.source, type: entry.type, volumeID: isVolume ? id : nil))
  }

  /// The top of a mount of the host. Who may write to a directory above it, as another container
  /// that shares the volume may, can put a link in its place at any time.
  private static func origin(
    of entry: MountTable.Entry
  ) throws(HostError) -> OwnedDescriptor {
    let root = try HostFile.handle("/")
    let top = try root.descriptor.handle(inRootWithoutLinks: entry.mountPoint)
    guard try top.descriptor.mountID() == entry.id else { throw .notFound }
    return top
  }

  /// Nil if this can't be a lower layer: a file, or a file system that overlayfs does not take.
  private mutating func overlay(
    on origin: Descriptor, _ path: String, _ layer: String, _ attributes: MountAttributes
  ) -> DetachedMount? {
    do throws(HostError) {
      let lower = try origin.open(inRoot: ".", flags: O_RDONLY | O_DIRECTORY)
      return try layers?.overlay(on: lower, name: layer, attributes: attributes)
    } catch {
      note("'\(path)' takes no writable layer and is read-only: \(error)")
      return nil
    }
  }

  // MARK: - What the guest kernel serves

  /// Closes a mount point of the guest kernel to direct look-ups.
  private mutating func hide(
    _ kind: GuestMount.Kind, _ mount: MountConfiguration, at destination: String
  ) throws(HostError) {
    if !liesBelowGuestFileSystem(destination) {
      let target = try root.descriptor.mountPoint(inRoot: destination, isDirectory: true)
      try hiddenMount().attach(on: target.descriptor)
    }
    mounts.append(
      GuestMount(
        kind: kind, attributes: MountOptions(mount.options, for: mount.kind).wanted,
        descriptor: nil, path: destination,
        source: mount.source, type: kind == .group ? "cgroup2" : mount.kind.rawValue))
  }

  /// A copy of the one hidden file system; the first time, itself.
  private mutating func hiddenMount() throws(HostError) -> DetachedMount {
    if let hidden = hidden?.descriptor { return try DetachedMount.clone(of: "", at: hidden) }
    let nobody: [(key: String, value: String?)] = [("uid", "65534"), ("gid", "65534")]
    let first: DetachedMount
    do throws(HostError) { first = try emptyFileSystem(nobody) } catch  where error == .invalid {
      // A user namespace may not have them. What counts is the mode: guests have no capabilities.
      first = try emptyFileSystem([])
    }
    hidden = try first.owner.duplicate()
    return first
  }

  private func emptyFileSystem(
    _ owner: [(key: String, value: String?)]
  ) throws(HostError) -> DetachedMount {
    try DetachedMount.create(
      type: "tmpfs", source: "hidden", options: [("mode", "0000"), ("size", "4k")] + owner,
      attributes: RootBuilder.confined.union([.noExecution, .readOnly]))
  }

  /// No path of the host leads below a mount point of the guest kernel.
  private func liesBelowGuestFileSystem(_ path: String) -> Bool {
    mounts.contains { $0.kind != .host && path != $0.path && PathText.isAtOrBelow(path, $0.path) }
  }

  // MARK: - Both

  /// Attaches a tree on its mount point, or keeps its descriptor for the guest kernel to mount.
  private mutating func place(_ tree: consuming DetachedMount, _ mount: GuestMount)
    throws(HostError)
  {
    var mount = mount
    let isDirectory = try tree.descriptor.status().isDirectory
    if liesBelowGuestFileSystem(mount.path), !isDirectory {
      let directory = try RootBuilder.directory(with: tree)
      let file = try directory.descriptor.handle(inRoot: GuestMount.fileName)
      mount.isFile = true
      if mount.volumeID != nil { mount.volumeID = try file.descriptor.mountID() }
      mount.descriptor = directory.release()
    } else if liesBelowGuestFileSystem(mount.path) {
      mount.descriptor = tree.release()
    } else {
      let target = try root.descriptor.mountPoint(inRoot: mount.path, isDirectory: isDirectory)
      try tree.attach(on: target.descriptor)
    }
    mounts.append(mount)
  }

  /// A directory of its own for a file's mount: the guest kernel's paths start in directories.
  private static func directory(
    with file: borrowing DetachedMount
  ) throws(HostError) -> DetachedMount {
    let directory = try DetachedMount.create(
      type: "tmpfs", source: "tmpfs", options: [("mode", "0555"), ("size", "4k")],
      attributes: confined)
    try directory.descriptor.makeFile(GuestMount.fileName, mode: 0o444)
    // Only in the namespace does one mount stand on another; both go with the old root.
    let oldRoot = try HostFile.handle("/")
    try directory.attach(on: oldRoot.descriptor)
    let place = try directory.descriptor.handle(inRoot: GuestMount.fileName)
    try file.attach(on: place.descriptor)
    try directory.setAttributes(.readOnly)
    return try DetachedMount.clone(of: "", at: directory.descriptor, recursively: true)
  }

  /// Rootless engines bind the host's sysfs where they may not mount one, on its own path.
  private func ownFileSystem(
    insteadOf mount: MountConfiguration, at destination: String
  ) -> MountConfiguration? {
    let kinds: [String: MountConfiguration.Kind] = [
      "/proc": .proc, "/sys": .sysfs, "/sys/fs/cgroup": .cgroup, "/dev/mqueue": .mqueue,
    ]
    guard PathText.normalized(mount.source) == destination, let kind = kinds[destination] else {
      return nil
    }
    return MountConfiguration(
      kind: kind, source: kind.rawValue, destination: destination,
      options: mount.options.filter { $0 != "bind" && $0 != "rbind" })
  }

  private func showsHostKernel(_ source: String) -> Bool {
    // A source that is not there fails in its turn, with its own words.
    guard let path = try? HostFile.resolved(source), let entry = table.mount(of: path) else {
      return false
    }
    // Its files are ordinary ones, and its devices do not work here.
    return entry.type != "devtmpfs" && kernelFileSystems.contains(entry.type)
  }

  private mutating func note(_ message: String) {
    if configuration.isDebugging { warnings.append(message) }
  }
}
