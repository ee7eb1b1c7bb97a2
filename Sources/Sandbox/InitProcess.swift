import Glibc
import HostOS
import PlatformHost

/// Descriptors of the backend that the guest starts with.
struct GuestSources {
  let events: Descriptor
  let memory: Descriptor
  let trace: Descriptor?
}

/// Pid 1 of the sandbox's namespaces: starts the first guest process and buries all of them.
///
/// It runs no code of the guest and the guest can't signal it: signals from inside reach a pid 1
/// only if it has handlers.
enum InitProcess {
  static func run(
    _ plan: SandboxPlan, image: borrowing KernelImage, _ sources: GuestSources,
    statusSocket: Descriptor, isInGroup: Bool
  ) -> Never {
    do throws(RuntimeError) {
      try prepare(plan, statusSocket: statusSocket, isInGroup: isInGroup)
      let fork = try explaining("cannot start the first guest process") { () throws(HostError) in
        try CurrentProcess.fork()
      }
      if case .child = fork {
        try FirstProcess.run(plan, image: image, sources, statusSocket: statusSocket)
      }
      try explaining("cannot wait for guest processes") { () throws(HostError) in
        let statusSocket = try settle(statusSocket: statusSocket)
        try bury(statusSocket: statusSocket)
      }
      CurrentProcess.exit(0)
    } catch {
      // Without the socket the backend is gone, and we with it.
      try? StatusRecord.failure(error).send(to: statusSocket)
      CurrentProcess.exit(1)
    }
  }

  private static func prepare(
    _ plan: SandboxPlan, statusSocket: Descriptor, isInGroup: Bool
  ) throws(RuntimeError) {
    try explaining("cannot tie the sandbox to its backend") { () throws(HostError) in
      try CurrentProcess.dieWithParent(signal: SIGKILL)
    }
    try plan.group.enter(includingUnified: !isInGroup)
    try enterNetwork(plan.configuration.network)
    try explaining("cannot prepare the sandbox's namespaces") { () throws(HostError) in
      try Namespaces.controlGroup.unshare()
    }
  }

  /// Init is where the container's network namespace is to be found.
  private static func enterNetwork(_ network: NetworkConfiguration) throws(RuntimeError) {
    switch network {
    case .host: return
    case .fresh:
      try explaining("cannot prepare the sandbox's network") { () throws(HostError) in
        try NetworkNamespace.prepareFresh()
      }
    case .joined(let path):
      try explaining("cannot join the network namespace '\(path)'") { () throws(HostError) in
        let namespace = try HostFile.open(path, flags: O_RDONLY)
        try NetworkNamespace.enter(namespace.descriptor)
      }
    }
  }

  /// Leaves init with what it needs for the rest of its life: the status socket, under a new
  /// number, and a view of the guest's processes for the backend, but no privileges.
  private static func settle(statusSocket: Descriptor) throws(HostError) -> Descriptor {
    let mount = try DetachedMount.create(
      type: "proc", source: "proc", options: [("subset", "pid")],
      attributes: [.noSetUserID, .noDevices, .noExecution])
    let kept = try CurrentProcess.keepOnly([statusSocket, mount.release()])
    try CurrentProcess.dropCapabilities()
    try StatusRecord.proc(number: kept[1].rawValue).send(to: kept[0])
    return kept[0]
  }

  /// Tells of every guest process that did not end by its kernel's leave. Returns after the last.
  private static func bury(statusSocket: Descriptor) throws(HostError) {
    CurrentProcess.forgetCode()
    while let ended = try CurrentProcess.waitForAnyChild() {
      if ended.waitStatus != 0 { try StatusRecord.death(ended).send(to: statusSocket) }
    }
  }
}
