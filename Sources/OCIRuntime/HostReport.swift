import Glibc
import HostOS
import Sandbox

/// What the host offers, as one line each: `paravane doctor`.
public struct HostReport: Sendable {
  public struct Finding: Sendable {
    public let subject: String
    public let isThere: Bool
    /// Whether sandboxes work without it.
    public let isOptional: Bool
    /// What was found, or what its absence means.
    public let detail: String
    /// What the person can do about it.
    public let remedy: String

    public var line: String {
      let verdict = isThere ? "ok      " : isOptional ? "absent  " : "missing "
      let advice = isThere || remedy.isEmpty ? "" : "; \(remedy)"
      return "\(verdict)\(subject)\(detail.isEmpty ? "" : ": \(detail)")\(advice)"
    }
  }

  public private(set) var findings: [Finding] = []

  /// Whether everything is there that a sandbox can't do without.
  public var isComplete: Bool { findings.allSatisfy { $0.isThere || $0.isOptional } }

  public init(_ options: LaunchOptions) {
    addKernel()
    addPrivileges()
    addSeccomp()
    addFiles()
    addNamespaces()
    addControlGroups()
    addMachine()
    addSoftware(options)
  }

  private mutating func add(
    _ subject: String, _ isThere: Bool, optional: Bool = false, detail: String = "",
    absence: String = "", remedy: String = ""
  ) {
    findings.append(
      Finding(
        subject: subject, isThere: isThere, isOptional: optional,
        detail: isThere ? detail : absence, remedy: remedy))
  }

  // MARK: - Kernel and privileges

  private mutating func addKernel() {
    let names = HostNames.current()
    let numbers = names.release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    let isNew = numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 19)
    add(
      "Linux 5.19 or later", isNew, detail: "\(names.release)", absence: "this is \(names.release)",
      remedy: "install a newer kernel")
    add(
      "x86-64 processor", names.machine == "x86_64", absence: "this is \(names.machine)",
      remedy: "use another machine")
  }

  private mutating func addPrivileges() {
    add(
      "root", geteuid() == 0,
      detail: CurrentProcess.isHostsRoot ? "user 0" : "user 0 of a user namespace",
      absence: "this is user \(geteuid())",
      remedy: "run as root, or in a user namespace as of 'unshare --map-root-user'")
    add(
      "CAP_SYS_ADMIN", HostFeatures.hasCapability(21), absence: "mounts and namespaces need it",
      remedy: "run as root, outside of a container without privileges")
    add(
      "CAP_SYS_RESOURCE", HostFeatures.hasCapability(24), optional: true,
      absence: "limits of programs can't be raised above the caller's own",
      remedy: "give it to the caller if programs need higher limits")
    let limit = try? ProcessID.current.limit(of: Int32(RLIMIT_NOFILE.rawValue))
    let hard = limit?.hard ?? 0
    let words = hard == UInt64.max ? "no limit" : "\(hard)"
    add(
      "descriptor limit of 4096 or more", hard >= 4096, optional: true, detail: words,
      absence: "it is \(words), for all programs of a sandbox together",
      remedy: "raise it with 'ulimit -Hn'")
  }

  private mutating func addSeccomp() {
    let update = "update the kernel, or leave the container that forbids seccomp(2)"
    add(
      "seccomp user notification", HostFeatures.hasSeccompListener,
      absence: "the kernel gives no listener", remedy: update)
    add(
      "seccomp waits that only killing ends", HostFeatures.hasKillableWait,
      absence: "the kernel does not know SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
      remedy: "update to Linux 5.19")
    add(
      "seccomp synchronous wake-up", HostFeatures.hasSynchronousWakeUp, optional: true,
      absence: "calls to the backend are slower", remedy: "update to Linux 6.6")
    add(
      "syscall user dispatch", HostFeatures.hasUserDispatch, optional: true,
      absence: "the kernel does not know it", remedy: "update to Linux 5.11")
    add(
      "FSGSBASE instructions", HostFeatures.hasSegmentBaseInstructions,
      absence: "the kernel does not let programs use them",
      remedy: "update to Linux 5.9, and boot without 'nofsgsbase'")
  }

  // MARK: - Files and namespaces

  private mutating func addFiles() {
    add(
      "mount API of Linux 5.12", HostFeatures.hasMountAPI, absence: "the kernel does not know it",
      remedy: "update the kernel")
    add(
      "overlay file system", HostFeatures.hasFileSystem("overlay"), optional: true,
      absence: "'do' works with --rw only", remedy: "load the module 'overlay', as root")
  }

  private mutating func addNamespaces() {
    let kinds: [(String, Namespaces, isOptional: Bool)] = [
      ("mount", .mount, false), ("pid", .process, false), ("ipc", .interProcess, false),
      ("uts", .hostName, false), ("net", .network, false), ("user", .user, true),
    ]
    for kind in kinds {
      let refusal = HostFeatures.refusal(of: kind.1)
      add(
        "\(kind.0) namespaces", refusal == nil, optional: kind.isOptional,
        absence: refusal?.description ?? "",
        remedy: "see /proc/sys/user/max_\(kind.0 == "mount" ? "mnt" : kind.0)_namespaces")
    }
  }

  private mutating func addControlGroups() {
    let hierarchies = (try? ControlGroupHierarchy.current()) ?? []
    let versions = Set(hierarchies.map { $0.version == .one ? "version 1" : "version 2" }).sorted()
    let layout = versions.joined(separator: " and ") + (versions.count > 1 ? ", hybrid" : "")
    add(
      "control groups", !hierarchies.isEmpty, optional: true,
      detail: layout, absence: "sandboxes have no limits of their own",
      remedy: "mount them on /sys/fs/cgroup")
    for controller in ["pids", "memory", "cpu", "freezer", "devices"] {
      let hierarchy = hierarchies.first { $0.controllers.contains(controller) }
      // Version 2 freezes every group, and filters devices with a program instead of a controller.
      let isBuiltIn =
        (controller == "freezer" || controller == "devices")
        && hierarchies.contains { $0.version == .two }
      let directory = hierarchy?.ownDirectory ?? ""
      let isWritable = isBuiltIn || access(directory, W_OK) == 0
      add(
        "\(controller) controller", (hierarchy != nil || isBuiltIn) && isWritable, optional: true,
        detail: isBuiltIn && hierarchy == nil ? "built into version 2" : directory,
        absence: hierarchy == nil ? "it is not mounted" : "\(directory) can't be written to",
        remedy: "enable it for the caller's control group")
    }
    addSystemd()
  }

  private mutating func addSystemd() {
    let instance: SystemdUnit.Instance = CurrentProcess.isHostsRoot ? .system : .user
    var (isThere, detail) = (SystemdUnit.isRunning(instance), "")
    var absence = "groups are made without it, also with --systemd-cgroup"
    var remedy = "not needed: the default is cgroupfs"
    if isThere {
      do throws(RuntimeError) {
        let version = try SystemdUnit.version(instance)
        detail = "version \(version), which --systemd-cgroup asks for units"
      } catch {
        isThere = false
        absence = "it runs, but \(error.message); --systemd-cgroup fails"
        remedy = "leave --systemd-cgroup out"
      }
    }
    add(
      "systemd", isThere, optional: true, detail: detail, absence: absence, remedy: remedy)
  }

  // MARK: - Machine and software

  private mutating func addMachine() {
    let flag = HostFeatures.virtualizationFlag
    let hasDevice = access("/dev/kvm", R_OK | W_OK) == 0
    add(
      "hardware virtualization", flag != nil && hasDevice, optional: true,
      detail: "\(flag ?? "") and /dev/kvm",
      absence: flag == nil
        ? "the processor shows neither vmx nor svm\(hasDevice ? ", so /dev/kvm emulates" : "")"
        : "/dev/kvm can't be opened",
      remedy: flag == nil
        ? "not needed: the platform 'process' works without"
        : "load the module kvm_intel or kvm_amd")
  }

  private mutating func addSoftware(_ options: LaunchOptions) {
    let kernel = (try? options.kernelPath()) ?? "KernelImage"
    add(
      "kernel image", access(kernel, R_OK) == 0, detail: kernel, absence: "there is no \(kernel)",
      remedy: "build it, or set PARAVANE_KERNEL")
    let directories = (CurrentProcess.environment("PATH") ?? "/usr/bin:/usr/sbin").split(
      separator: ":")
    for engine in ["podman", "docker", "containerd", "crio", "conmon", "runc", "crun", "runsc"] {
      let places: [String] = directories.map { "\($0)/\(engine)" }
      let place = places.first { access($0, X_OK) == 0 }
      add(
        engine, place != nil, optional: true, detail: place ?? "", absence: "it is not in PATH",
        remedy: "not needed to run sandboxes")
      let registration = EngineRegistration.all.first { $0.engine == engine }
      if place != nil, let registration { addRegistration(registration) }
    }
  }

  private mutating func addRegistration(_ registration: EngineRegistration) {
    let file = registration.file(naming: "paravane")
    add(
      "\(registration.engine) knows paravane", file != nil, optional: true, detail: file ?? "",
      absence: "none of its files names it", remedy: "see \(registration.page)")
  }
}
