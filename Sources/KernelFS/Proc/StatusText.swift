import CPVCalls
import KernelCore
import LinuxABI
import Platform

/// /proc/PID/status.
enum StatusText {
  static func make(_ facts: ProcessFacts) throws(Errno) -> [UInt8] {
    let statistics = facts.statistics()
    var text = Text("Name:\t")
    text.add(escaping: "\n", facts.name)
    if let umask = facts.umask {
      text.add("\nUmask:\t")
      text.add(octal: UInt64(umask), digits: 4)
    }
    text.add("\nState:\t")
    text.add(stateName(statistics.state))
    addIdentity(facts, to: &text)
    if let memory = facts.memory { addSizes(memory, statistics, to: &text) }
    text.add("\nThreads:\t")
    text.add(facts.isZombie ? 1 : facts.threadCount)
    addSignals(facts, to: &text)
    addCapabilities(facts.credentials, to: &text)
    add("Seccomp", facts.seccompMode, to: &text)
    add("Seccomp_filters", facts.seccompFilterCount, to: &text)
    addProcessors(facts.processors(), to: &text)
    return text.bytes
  }

  private static func stateName(_ letter: UInt8) -> StaticString {
    switch letter {
    case 82: "R (running)"
    case 68: "D (disk sleep)"
    case 84: "T (stopped)"
    case 90: "Z (zombie)"
    default: "S (sleeping)"
    }
  }

  private static func addIdentity(_ facts: ProcessFacts, to text: inout Text) {
    let credentials = facts.credentials
    add("Tgid", facts.processID, to: &text)
    add("Ngid", 0, to: &text)
    add("Pid", facts.id, to: &text)
    add("PPid", facts.parentID, to: &text)
    add("TracerPid", 0, to: &text)
    add(
      "Uid",
      [
        credentials.user, credentials.effectiveUser, credentials.savedUser, credentials.fileUser,
      ], to: &text)
    add(
      "Gid",
      [
        credentials.group, credentials.effectiveGroup, credentials.savedGroup,
        credentials.fileGroup,
      ], to: &text)
    add("FDSize", Int32(facts.descriptorCount), to: &text)
    text.add("\nGroups:\t")
    for group in credentials.groups {
      text.add(unsigned: UInt64(group))
      text.add(byte: 32)
    }
    add("NStgid", facts.processID, to: &text)
    add("NSpid", facts.id, to: &text)
    add("NSpgid", facts.processGroup, to: &text)
    add("NSsid", facts.session, to: &text)
  }

  private static func addSizes(
    _ memory: AddressSpace, _ statistics: TaskStatistics, to text: inout Text
  ) {
    let sizes = MemorySizes(memory)
    add("VmPeak", bytes: sizes.total, to: &text)
    add("VmSize", bytes: sizes.total, to: &text)
    add("VmLck", bytes: 0, to: &text)
    add("VmPin", bytes: 0, to: &text)
    add("VmHWM", bytes: statistics.residentBytes, to: &text)
    add("VmRSS", bytes: statistics.residentBytes, to: &text)
    add("VmData", bytes: sizes.data, to: &text)
    add("VmStk", bytes: sizes.stack, to: &text)
    add("VmExe", bytes: sizes.code, to: &text)
    add("VmLib", bytes: 0, to: &text)
    add("VmPTE", bytes: 0, to: &text)
    add("VmSwap", bytes: 0, to: &text)
  }

  private static func addSignals(_ facts: ProcessFacts, to text: inout Text) {
    text.add("\nSigQ:\t")
    text.add((facts.pending | facts.sharedPending).nonzeroBitCount)
    text.add("/")
    text.add(unsigned: min(facts.signalLimit, UInt64(Int64.max)))
    add("SigPnd", mask: facts.pending, to: &text)
    add("ShdPnd", mask: facts.sharedPending, to: &text)
    add("SigBlk", mask: facts.blocked, to: &text)
    add("SigIgn", mask: facts.ignored, to: &text)
    add("SigCgt", mask: facts.caught, to: &text)
  }

  private static func addCapabilities(_ credentials: Credentials, to text: inout Text) {
    add("CapInh", mask: credentials.inheritable, to: &text)
    add("CapPrm", mask: credentials.permitted, to: &text)
    add("CapEff", mask: credentials.effective, to: &text)
    add("CapBnd", mask: credentials.bounding, to: &text)
    add("CapAmb", mask: credentials.ambient, to: &text)
    add("NoNewPrivs", credentials.noNewPrivileges ? 1 : 0, to: &text)
  }

  private static func addProcessors(_ processors: ProcessorSet, to text: inout Text) {
    text.add("\nCpus_allowed:\t")
    text.add(mask: processors)
    text.add("\nCpus_allowed_list:\t")
    text.add(list: processors)
    text.add("\nMems_allowed:\t1\nMems_allowed_list:\t0")
    text.add("\nvoluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n")
  }

  private static func add(_ name: StaticString, _ value: Int32, to text: inout Text) {
    text.add(byte: 10)
    text.add(name)
    text.add(":\t")
    text.add(Int(value))
  }

  private static func add(_ name: StaticString, _ values: [UInt32], to text: inout Text) {
    text.add(byte: 10)
    text.add(name)
    text.add(byte: 58)
    for value in values {
      text.add(byte: 9)
      text.add(unsigned: UInt64(value))
    }
  }

  private static func add(_ name: StaticString, bytes: UInt64, to text: inout Text) {
    text.add(byte: 10)
    text.add(name)
    text.add(":\t")
    text.add(unsigned: bytes / 1024, width: 8)
    text.add(" kB")
  }

  private static func add(_ name: StaticString, mask: UInt64, to text: inout Text) {
    text.add(byte: 10)
    text.add(name)
    text.add(":\t")
    text.add(hexadecimal: mask, digits: 16)
  }
}
