import Glibc
import HostOS
import OCISpec
import Sandbox

/// The directory with all containers' states: `--root`.
///
/// Each container has a directory of its own. Whoever changes a container holds its lock, which is
/// the directory's flock(2); who only reads takes none, since files are replaced as a whole. A
/// directory without the lock and without a finished state is what a killed `create` left behind:
/// its backend has ended or is about to, and the container does not exist.
public struct ContainerStore: Sendable {
  public let root: String

  /// Root's, or the user's own where root is only root of a user namespace: rootless engines call
  /// without `--root`, as they call runc.
  static func defaultRoot(
    isHostsRoot: Bool = CurrentProcess.isHostsRoot,
    runtimeDirectory: String? = CurrentProcess.environment("XDG_RUNTIME_DIR"),
    user: String? = CurrentProcess.environment("USER")
  ) -> String {
    guard !isHostsRoot, user != "root", let runtimeDirectory, runtimeDirectory.hasPrefix("/") else {
      return "/run/paravane"
    }
    return runtimeDirectory + "/paravane"
  }

  public init(root: String?) throws(RuntimeError) {
    let path = root ?? ContainerStore.defaultRoot()
    let start = path.hasPrefix("/") ? "/" : (try? HostFile.workingDirectory()) ?? "/"
    self.root = PathText.normalized(PathText.joined(start, path))
  }

  private func path(of identifier: String) -> String { "\(root)/\(identifier)" }

  // MARK: - Containers that are there

  /// The container, of which only what does not change may be read.
  public func find(_ identifier: String) throws(RuntimeError) -> Container {
    try Bundle.check(identifier: identifier)
    guard let container = try open(identifier), try container.exists() else {
      throw ContainerStore.missing
    }
    return container
  }

  /// The same, with the lock for as long as it lives. Waits for who has it.
  public func lock(_ identifier: String) throws(RuntimeError) -> Container {
    try Bundle.check(identifier: identifier)
    while true {
      guard let container = try open(identifier) else { throw ContainerStore.missing }
      try container.lock()
      guard isCurrent(container, identifier) else { continue }
      if container.hasState { return container }
      container.discard()
      throw ContainerStore.missing
    }
  }

  /// What engines look for.
  static let missing = RuntimeError("container does not exist")

  /// All names; some may be gone by the time they are looked at.
  public func identifiers() throws(RuntimeError) -> [String] {
    do throws(HostError) { return try HostFile.directoryNames(root).sorted() } catch {
      if error == .notFound { return [] }
      throw error.explained("cannot list containers in '\(root)'")
    }
  }

  private func open(_ identifier: String) throws(RuntimeError) -> Container? {
    let path = path(of: identifier)
    do throws(HostError) {
      return Container(
        identifier: identifier, path: path,
        directory: try HostFile.open(path, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    } catch {
      if error == .notFound { return nil }
      throw error.explained("cannot open '\(path)'")
    }
  }

  /// The name may lead to another directory by the time the lock is taken.
  private func isCurrent(_ container: borrowing Container, _ identifier: String) -> Bool {
    guard let named = try? HostFile.status(path(of: identifier)),
      let own = try? container.directory.descriptor.status()
    else { return false }
    return named.inode == own.inode && named.device == own.device
  }

  // MARK: - A new container

  /// Makes the directory of a new container, and takes its lock.
  public func make(_ identifier: String) throws(RuntimeError) -> Container {
    try Bundle.check(identifier: identifier)
    try explaining("cannot make '\(root)'") { () throws(HostError) in
      try HostFile.makeDirectories(root, mode: 0o711)
    }
    let path = path(of: identifier)
    for _ in 0..<100 {
      do throws(HostError) {
        try HostFile.makeDirectory(path, mode: 0o700)
      } catch {
        guard error.number == EEXIST else { throw error.explained("cannot make '\(path)'") }
        try removeLeftover(identifier)
        continue
      }
      guard let container = try open(identifier) else { continue }
      try container.lock()
      if isCurrent(container, identifier) { return container }
    }
    throw RuntimeError("cannot make '\(path)': another command removes it")
  }

  private func removeLeftover(_ identifier: String) throws(RuntimeError) {
    guard let container = try open(identifier) else { return }
    guard !container.hasState, try container.tryLock(), isCurrent(container, identifier),
      !container.hasState
    else {
      throw RuntimeError("container with given ID already exists")
    }
    container.discard()
  }
}

/// A container's directory and what it says.
public struct Container: ~Copyable {
  public let identifier: String
  public let path: String
  public let directory: OwnedDescriptor

  init(identifier: String, path: String, directory: consuming OwnedDescriptor) {
    self.identifier = identifier
    self.path = path
    self.directory = directory
  }

  // MARK: - Locks

  func lock() throws(RuntimeError) {
    try explaining("cannot lock '\(path)'") { () throws(HostError) in
      try directory.descriptor.lock()
    }
  }

  func unlock() throws(RuntimeError) {
    try explaining("cannot unlock '\(path)'") { () throws(HostError) in
      try directory.descriptor.unlock()
    }
  }

  func tryLock() throws(RuntimeError) -> Bool {
    try explaining("cannot lock '\(path)'") { () throws(HostError) in
      try directory.descriptor.tryLock()
    }
  }

  // MARK: - State

  var hasState: Bool { directory.descriptor.hasFile(ContainerFiles.state) }

  /// Whether it is a container rather than what a killed command left behind.
  func exists() throws(RuntimeError) -> Bool {
    if hasState { return true }
    // Being created by whoever has the lock.
    return try !tryLock()
  }

  public func state() throws(RuntimeError) -> ContainerState {
    let bytes: [UInt8]
    do throws(HostError) {
      bytes = try directory.descriptor.readFile(ContainerFiles.state)
    } catch {
      if error == .notFound { throw ContainerStore.missing }
      throw error.explained("cannot read '\(path)/\(ContainerFiles.state)'")
    }
    let json: JSON
    do throws(SpecError) { json = try JSON.parse(bytes) } catch {
      throw RuntimeError("cannot use '\(path)/\(ContainerFiles.state)': \(error)")
    }
    return try ContainerState(json)
  }

  func write(_ state: ContainerState) throws(RuntimeError) {
    try explaining("cannot write '\(path)/\(ContainerFiles.state)'") { () throws(HostError) in
      try directory.descriptor.replace(
        ContainerFiles.state, with: Array(state.json.text().utf8))
    }
  }

  public func status(of state: ContainerState) -> ContainerStatus {
    if !state.process.isAlive { return .stopped }
    if state.isCreating { return .creating }
    if state.group.isFrozen { return .paused }
    return directory.descriptor.hasFile(ContainerFiles.created) ? .created : .running
  }

  /// As `state` shows it.
  public func specifiedState() throws(RuntimeError) -> SpecifiedState {
    guard hasState else {
      return SpecifiedState(
        ociVersion: Features.specificationVersion, identifier: identifier, status: .creating,
        process: 0, bundle: "", annotations: [])
    }
    let state = try state()
    let status = status(of: state)
    return SpecifiedState(
      ociVersion: state.ociVersion, identifier: identifier, status: status,
      process: status == .stopped ? 0 : state.process.id.rawValue, bundle: state.bundle,
      annotations: state.annotations, root: state.root, created: state.created)
  }

  /// The configuration that it was created with.
  func spec() throws(RuntimeError) -> Spec {
    let bytes = try explaining("cannot read '\(path)/\(ContainerFiles.configuration)'") {
      () throws(HostError) in try directory.descriptor.readFile(ContainerFiles.configuration)
    }
    do throws(SpecError) { return try Spec.read(bytes).spec } catch {
      throw RuntimeError("cannot use '\(path)/\(ContainerFiles.configuration)': \(error)")
    }
  }

  /// Removes the directory.
  func discard() { ContainerFiles.remove(directory.descriptor, path: path) }

  func connect() throws(RuntimeError) -> ContainerConnection {
    try explaining("cannot reach the container's backend") { () throws(HostError) in
      try ContainerConnection(in: directory.descriptor)
    }
  }
}
