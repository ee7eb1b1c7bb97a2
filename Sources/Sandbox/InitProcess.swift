import Glibc
import HostOS
import PVBackend
import PlatformHost

/// Descriptors of the backend that the guest starts with.
struct GuestSources {
  let events: Descriptor
  let memory: Descriptor
  let trace: Descriptor?
  /// The writing end of the pipe for sd_notify(3).
  let notify: Descriptor?
}

/// Pid 1 of the sandbox's namespaces: starts the first guest process and buries all of them.
///
/// It runs no code of the guest and the guest can't signal it: signals from inside reach a pid 1
/// only if it has handlers. Its own end is the sandbox's: whoever waits for a container waits for
/// this process, and the kernel ends all the others first.
struct InitProcess {
  private let plan: SandboxPlan
  private let sources: GuestSources
  private let isInGroup: Bool
  private var statusSocket: Descriptor
  /// From the backend: the status to end with. At its end the backend is gone.
  private var orders: Descriptor
  /// From the backend: files in memory to be filled, for which the control group is to pay.
  private var memory: Descriptor
  private var children: Descriptor
  /// Opened while the host's /dev is there.
  private let null: Descriptor

  static func run(
    _ plan: SandboxPlan, image: borrowing KernelImage, _ sources: GuestSources,
    statusSocket: Descriptor, orders: Descriptor, memory: Descriptor, isInGroup: Bool
  ) -> Never {
    do throws(RuntimeError) {
      var process = try InitProcess(
        plan, sources, statusSocket: statusSocket, orders: orders, memory: memory,
        isInGroup: isInGroup)
      try process.start(image)
      try explaining("cannot wait for guest processes") { () throws(HostError) in
        try process.bury()
      }
      // Nobody of the guest has said how it ended.
      CurrentProcess.exit(ExitStatus.ownFailure.rawValue)
    } catch {
      // Without the socket the backend is gone, and we with it.
      try? StatusRecord.failure(error).send(to: statusSocket)
      CurrentProcess.exit(1)
    }
  }

  private init(
    _ plan: SandboxPlan, _ sources: GuestSources, statusSocket: Descriptor, orders: Descriptor,
    memory: Descriptor, isInGroup: Bool
  ) throws(RuntimeError) {
    self.plan = plan
    self.sources = sources
    self.statusSocket = statusSocket
    self.orders = orders
    self.memory = memory
    self.isInGroup = isInGroup
    children = try explaining("cannot wait for guest processes") { () throws(HostError) in
      let signals = try SignalDescriptor([SIGCHLD])
      return signals.release()
    }
    null = try explaining("cannot open /dev/null") { () throws(HostError) in
      try HostFile.open("/dev/null", flags: O_RDWR).release()
    }
  }

  private mutating func start(_ image: borrowing KernelImage) throws(RuntimeError) {
    if plan.isContainer {
      CurrentProcess.setTitle("paravane: init of \(plan.configuration.identifier)")
    }
    try prepare()
    let fork = try explaining("cannot start the first guest process") { () throws(HostError) in
      try CurrentProcess.fork()
    }
    if case .child = fork {
      try FirstProcess.run(plan, image: image, sources, statusSocket: statusSocket)
    }
    do throws(HostError) { try settle() } catch {
      throw error.explained("cannot wait for guest processes")
    }
  }

  private func prepare() throws(RuntimeError) {
    if !plan.isContainer {
      try explaining("cannot tie the sandbox to its backend") { () throws(HostError) in
        try CurrentProcess.dieWithParent(signal: SIGKILL)
      }
    }
    if let adjustment = plan.configuration.outOfMemoryAdjustment {
      try explaining("cannot set oom_score_adj to \(adjustment)") { () throws(HostError) in
        try HostFile.writeText("\(adjustment)", to: "/proc/self/oom_score_adj")
      }
    }
    if plan.group.unit == nil {
      try plan.group.enter(includingUnified: !isInGroup)
    } else {
      try waitForUnit()
    }
    try enterNetwork(plan.configuration.network)
    try setNames(plan.configuration)
    for control in plan.configuration.controls where control.path.hasPrefix("net/") {
      try explaining("cannot set '\(control.path)' to '\(control.value)'") {
        () throws(HostError) in
        try HostFile.writeText(control.value, to: "/proc/sys/\(control.path)")
      }
    }
    try schedule(plan.configuration)
    try enterTime(plan.configuration.time)
    try explaining("cannot prepare the sandbox's namespaces") { () throws(HostError) in
      try Namespaces.controlGroup.unshare()
    }
  }

  /// systemd puts us into the group, and the backend says when.
  private func waitForUnit() throws(RuntimeError) {
    let order = try explaining("cannot wait for the control group") { () throws(HostError) in
      try orders.readAll(limit: 1)
    }
    if !order.isEmpty { return }
    // The backend is gone, and may have asked already. systemd notices the end of a process in a
    // unit, but not that one has ended which it is about to put there: that unit would stay.
    for _ in 0..<500 where plan.group.unit?.contains("self") == false { usleep(10_000) }
    CurrentProcess.exit(ExitStatus.ownFailure.rawValue)
  }

  /// The guest kernel has its own names; others of a pod look for them here.
  private func setNames(_ configuration: SandboxConfiguration) throws(RuntimeError) {
    if let path = configuration.namespaceOfNames {
      try explaining("cannot join the UTS namespace '\(path)'") { () throws(HostError) in
        let namespace = try HostFile.open(path, flags: O_RDONLY)
        try Namespaces.hostName.enter(namespace.descriptor)
      }
    }
    try explaining("cannot set the host name") { () throws(HostError) in
      try HostNames.set(host: configuration.hostname, domain: configuration.domainname)
    }
  }

  /// Init and whatever it starts: guest processes inherit both from here.
  private func schedule(_ configuration: SandboxConfiguration) throws(RuntimeError) {
    if let scheduling = configuration.scheduling {
      try explaining("cannot set the scheduling policy") { () throws(HostError) in
        try ProcessID(rawValue: 0).setScheduling(
          policy: scheduling.policy, nice: scheduling.nice, priority: scheduling.priority)
      }
    }
    if let priority = configuration.inputOutputPriority {
      try explaining("cannot set the I/O priority") { () throws(HostError) in
        try ProcessID(rawValue: 0).setInputOutputPriority(priority)
      }
    }
  }

  /// Guest processes are forked from here, so the host's clocks are right by themselves.
  private func enterTime(_ time: TimeConfiguration) throws(RuntimeError) {
    switch time {
    case .runtime: return
    case .fresh(let offsets):
      try explaining("cannot make the time namespace") { () throws(HostError) in
        try TimeNamespace.enterFresh(offsets)
      }
    case .joined(let path):
      try explaining("cannot join the time namespace '\(path)'") { () throws(HostError) in
        let namespace = try HostFile.open(path, flags: O_RDONLY)
        try Namespaces.time.enter(namespace.descriptor)
      }
    }
  }

  /// Init is where the container's network namespace is to be found.
  private func enterNetwork(_ network: NetworkConfiguration) throws(RuntimeError) {
    switch network {
    case .host: return
    case .fresh:
      try explaining("cannot prepare the sandbox's network") { () throws(HostError) in
        if let network = plan.users?.network { try NetworkNamespace.enter(network) }
        try NetworkNamespace.prepareFresh()
      }
    case .joined(let path):
      try explaining("cannot join the network namespace '\(path)'") { () throws(HostError) in
        let namespace = try HostFile.open(path, flags: O_RDONLY)
        try NetworkNamespace.enter(namespace.descriptor)
      }
    }
  }

  /// Leaves init with what it needs for the rest of its life, under new numbers, and a view of the
  /// guest's processes for the backend, but no privileges.
  private mutating func settle() throws(HostError) {
    let mount = try DetachedMount.create(
      type: "proc", source: "proc", options: [("subset", "pid")],
      attributes: [.noSetUserID, .noDevices, .noExecution])
    // Whoever reads the program's output shall see its end when the program closes it.
    for number in Int32(0)...2 { try CurrentProcess.setStandardDescriptor(number, to: null) }
    try plan.users?.enter()
    let kept = try CurrentProcess.keepOnly(
      [statusSocket, orders, children, memory, mount.release()])
    (statusSocket, orders, children, memory) = (kept[0], kept[1], kept[2], kept[3])
    try CurrentProcess.dropCapabilities()
    try StatusRecord.proc(number: kept[4].rawValue).send(to: statusSocket)
  }

  /// Tells of every guest process that did not end by its kernel's leave, and fills files in memory
  /// meanwhile. Returns after the last.
  private func bury() throws(HostError) {
    CurrentProcess.forgetCode()
    while true {
      let ready = try Readiness.wait([orders, children, memory])
      if ready[0] { obey() }
      // Where the backend is gone, so is who would hear of an error; the orders say that it is.
      if ready[2] { _ = try? GroupMember.obey(memory) }
      SignalDescriptor.discardSignals(of: children)
      while let ended = try CurrentProcess.nextEndedChild() {
        if ended.waitStatus != 0 { try StatusRecord.death(ended).send(to: statusSocket) }
      }
      if try !CurrentProcess.hasChildren() { return }
    }
  }

  private func obey() -> Never {
    let status = (try? orders.readAll(limit: 1)) ?? []
    CurrentProcess.exit(status.first.map { Int32($0) } ?? ExitStatus.ownFailure.rawValue)
  }
}
