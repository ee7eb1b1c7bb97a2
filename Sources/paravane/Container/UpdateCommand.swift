import ArgumentParser
import HostOS
import OCIRuntime
import OCISpec

/// `paravane update`: other limits for a running container.
struct UpdateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Change the limits of a container.")

  @ParentCommand var parent: Paravane

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Resources as in config.json, - for standard input.", valueName: "FILE"))
  var resources: String?

  @Option(help: "cpu.shares") var cpuShare: UInt64?
  @Option(help: "CPU time in a period, in microseconds") var cpuQuota: Int64?
  @Option(help: "The period, in microseconds") var cpuPeriod: UInt64?
  @Option(help: "What may be saved up, in microseconds") var cpuBurst: UInt64?
  @Option(help: "1: only when nobody else wants the CPU") var cpuIdle: Int64?
  @Option(help: "CPUs, as 0-3,7") var cpusetCpus: String?
  @Option(help: "Memory nodes, as 0-1") var cpusetMems: String?
  @Option(help: "Bytes of memory, -1 for no limit") var memory: Int64?
  @Option(help: "Bytes that are kept when memory is short") var memoryReservation: Int64?
  @Option(help: "Bytes of memory and swap together, -1 for no limit") var memorySwap: Int64?
  @Option(help: "Processes and threads, -1 for no limit") var pidsLimit: Int64?
  @Option(help: "10 to 1000") var blkioWeight: UInt16?

  @Option(help: .hidden) var cpuRtPeriod: UInt64?
  @Option(help: .hidden) var cpuRtRuntime: Int64?
  @Option(help: .hidden) var kernelMemory: Int64?
  @Option(help: .hidden) var kernelMemoryTcp: Int64?
  @Option(help: .hidden) var l3CacheSchema: String?
  @Option(help: .hidden) var memBwSchema: String?

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  func run() throws {
    let lifecycle = try parent.lifecycle()
    try refuse()
    try lifecycle.update(identifier, resources.map(read) ?? fromOptions())
  }

  private func refuse() throws {
    let refused: [(name: String, isThere: Bool)] = [
      ("--cpu-rt-period", cpuRtPeriod ?? 0 != 0), ("--cpu-rt-runtime", cpuRtRuntime ?? 0 != 0),
      ("--l3-cache-schema", l3CacheSchema != nil), ("--mem-bw-schema", memBwSchema != nil),
    ]
    for option in refused where option.isThere {
      throw RuntimeError("cannot update '\(identifier)': \(option.name) is not supported")
    }
  }

  private func read(_ path: String) throws -> Spec.Resources {
    let what = "cannot update '\(identifier)': resources"
    let text = try explaining(what) { () throws(HostError) in
      path == "-" ? try Descriptor.standardInput.readAll() : try HostFile.readAll(path)
    }
    do { return try Spec.Resources.read(text) } catch {
      throw RuntimeError("\(what): \(error)")
    }
  }

  private func fromOptions() -> Spec.Resources {
    var resources = Spec.Resources()
    resources.cpuShares = cpuShare
    resources.cpuQuota = cpuQuota
    resources.cpuPeriod = cpuPeriod
    resources.cpuBurst = cpuBurst
    resources.cpuIdle = cpuIdle
    resources.cpus = cpusetCpus
    resources.mems = cpusetMems
    resources.memoryLimit = memory
    resources.memoryReservation = memoryReservation
    resources.memorySwap = memorySwap
    resources.processLimit = pidsLimit
    resources.blockWeight = blkioWeight
    return resources
  }
}
