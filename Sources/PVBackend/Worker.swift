import CPVCalls
import ConnectionAudit
import Glibc
import HostOS

/// Serves requests, one after the other, in a thread of its own.
///
/// The thread stands inside the sandbox: its root and mount namespace are the guest's, so that no
/// path leads anywhere else.
final class Worker {
  let backend: Backend
  private let head = ByteBuffer(capacity: Int(PV_REQUEST_PATH))
  var path = PathBuffer(capacity: Int(PV_PATH_SIZE))
  var path2 = PathBuffer(capacity: Int(PV_PATH_SIZE))
  let payload = ByteBuffer(capacity: Int(PV_PAYLOAD_SIZE))
  /// Bytes of the payload that the answer carries.
  var answerSize = 0
  /// Whose turn it is to receive, if it is this worker's.
  var claim: ReceivingTurn.Claim?
  /// The call that is being served.
  var notification: SeccompNotification?
  /// Where the caller of the last request ran, by its own word; nil when it said nothing.
  private(set) var callerProcessor: UInt32?
  /// Who makes the request that is being served, as the host counts.
  private(set) var requester = ProcessID(rawValue: 0)
  private var isRequesterWaiting: () -> Bool = { false }
  private var descriptors = GuestDescriptors()
  private var identity: (user: UInt32, group: UInt32) = (0, 0)
  /// The thread's own since `unshareDirectories`.
  private var mask: UInt32 = 0
  private var networkFacts: NetworkFacts?

  init(backend: Backend) { self.backend = backend }

  var network: NetworkFacts {
    _read {
      precondition(networkFacts != nil, "a worker enters the sandbox before it serves")
      yield networkFacts!
    }
  }

  var files: GuestFiles {
    _read { yield backend.view.files }
  }

  /// Confines the calling thread to the sandbox's network and files.
  func enterSandbox() throws(HostError) {
    try enterNetwork()
    try CurrentThread.dropSupplementaryGroups()
    try CurrentThread.unshareDirectories()
    try CurrentThread.enter(mountNamespace: backend.view.files.mountNamespace.descriptor)
    try CurrentThread.changeRoot(to: backend.view.files.root.descriptor)
    // No path of a guest starts in the working directory; see `Attributes`.
    try CurrentThread.changeDirectory(to: backend.view.facts.ownDescriptors.descriptor)
  }

  /// On the container's network, and with no privilege on it: what a guest asks of a socket is up
  /// to the host's kernel.
  private func enterNetwork() throws(HostError) {
    try backend.view.network.enter()
    networkFacts = try NetworkFacts(proc: backend.view.facts.root.descriptor)
    try CurrentThread.dropNetworkCapabilities()
  }

  /// Serves the record at an address of the guest.
  func serve(
    address: UInt64, requester: ProcessID, isWaiting: @escaping () -> Bool
  ) -> Answer {
    self.requester = requester
    isRequesterWaiting = isWaiting
    callerProcessor = nil
    guard let offset = offset(ofRecordAt: address) else { return .value(-Int64(EFAULT)) }
    answerSize = 0
    let answer: Answer
    do throws(HostError) {
      answer = try perform(recordAt: offset)
    } catch {
      answerSize = 0
      answer = .value(-Int64(error.number))
    }
    writeAnswer(answer.result, to: offset)
    return answer
  }

  private func offset(ofRecordAt address: UInt64) -> Int? {
    let addresses = backend.view.memoryAddresses
    guard address % 16 == 0, addresses.contains(address),
      addresses.upperBound - address >= UInt64(PV_REQUEST_SIZE)
    else { return nil }
    return Int(address - addresses.lowerBound)
  }

  /// Copies the record out, field by field, and does what it says.
  private func perform(recordAt offset: Int) throws(HostError) -> Answer {
    let memory = backend.view.memory
    memory.copy(at: offset, count: head.capacity, into: head)
    let request = try Request(head)
    callerProcessor = request.processor
    try memory.copyString(at: offset + Int(PV_REQUEST_PATH), into: &path)
    try memory.copyString(at: offset + Int(PV_REQUEST_PATH2), into: &path2)
    memory.copy(
      at: offset + Int(PV_REQUEST_PAYLOAD), count: request.payloadSize, into: payload)
    if request.operation.takesLong, let claim { backend.turn.handOver(claim) }
    let start = MonotonicClock.nanoseconds()
    defer {
      backend.statistics.add(
        request.operation, nanoseconds: MonotonicClock.nanoseconds() - start)
    }
    return try perform(request)
  }

  private func writeAnswer(_ result: Int64, to offset: Int) {
    let memory = backend.view.memory
    if answerSize > 0 {
      memory.write(payload, count: answerSize, at: offset + Int(PV_REQUEST_PAYLOAD))
    }
    memory.store(UInt32(answerSize), at: offset + Int(PV_REQUEST_PAYLOAD_SIZE))
    memory.store(result, at: offset + Int(PV_REQUEST_RESULT))
  }

  // MARK: - What operations ask

  /// Where a stretch of the kernel's memory lies, as an offset of ours.
  func kernelMemory(at address: UInt64, count: Int) throws(HostError) -> Int {
    let addresses = backend.view.memoryAddresses
    guard addresses.contains(address), addresses.upperBound - address >= UInt64(count) else {
      throw HostError(EFAULT)
    }
    return Int(address - addresses.lowerBound)
  }

  /// A duplicate of the guest's descriptor in an argument.
  func descriptor(_ index: Int, of request: Request) throws(HostError) -> OwnedDescriptor {
    try descriptors.duplicate(
      try request.descriptor(index), for: requester, isWaiting: isRequesterWaiting)
  }

  /// Where a path starts: the directory in an argument, or the root for an absolute path.
  func directory(
    _ index: Int, of request: Request, for path: borrowing PathBuffer
  ) throws(HostError) -> StartDirectory {
    if path.isAbsolute { return StartDirectory(root: backend.view.files.root.descriptor) }
    // The guest's working directories are the guest kernel's: AT_FDCWD has no meaning here.
    if request[index] == UInt64(bitPattern: Int64(AT_FDCWD)) { throw HostError(EINVAL) }
    return StartDirectory(try descriptor(index, of: request))
  }

  /// The umask of what this thread makes from now on. It is the host that takes it off, because it
  /// doesn't where a directory has a default access control list.
  func assumeMask(_ index: Int, of request: Request) throws(HostError) {
    let new = try request.flags(index, allowed: 0o777)
    if new != mask { CurrentThread.setFileCreationMask(new) }
    mask = new
  }

  /// Connects as the request's user and group.
  func connect(
    _ socket: Descriptor, to address: [UInt8], as request: Request
  ) throws(HostError) {
    defer { identity = (0, 0) }
    try socket.connect(to: address, user: request.user, group: request.group)
  }

  /// What this thread makes from now on belongs to the request's user and group.
  func assumeIdentity(of request: Request) throws(HostError) {
    guard identity != (request.user, request.group) else { return }
    try CurrentThread.setFileSystemIDs(user: request.user, group: request.group)
    identity = (request.user, request.group)
  }
}

/// The directory, or the file, that a look-up starts from, open for as long as this lives.
struct StartDirectory: ~Copyable {
  private let owner: OwnedDescriptor?
  let descriptor: Descriptor

  init(_ owner: consuming OwnedDescriptor) {
    descriptor = owner.descriptor
    self.owner = consume owner
  }

  /// The sandbox's root, which the backend keeps open.
  init(root: Descriptor) {
    owner = nil
    descriptor = root
  }
}
