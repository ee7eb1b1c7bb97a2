import CPVCalls
import KernelCore
import LinuxABI
import Platform

/// /proc/sys: what programs ask about limits of the kernel; see proc_sys(5).
enum SystemControls {
  static func add(to directory: StaticDirectory) {
    let root = directory.addDirectory("sys")
    addKernel(to: root.addDirectory("kernel"))
    addMemory(to: root.addDirectory("vm"))
    addFiles(to: root.addDirectory("fs"))
    addNetwork(to: root.addDirectory("net"))
    setConfigured(in: root)
  }

  /// What the container's configuration says: "net/ipv4/ip_forward=1".
  private static func setConfigured(in root: StaticDirectory) {
    var position = kernel.boot.pointee.control_offset
    for _ in 0..<kernel.boot.pointee.control_count {
      let setting = Kernel.bootString(kernel.boot, position)
      position += UInt32(setting.count) + 1
      guard let equals = setting.firstIndex(of: 61) else { continue }
      let path = setting[..<equals].split(separator: 47).map { Array($0) }
      if !path.isEmpty { root.set(path, text: Array(setting[(equals + 1)...]) + [10]) }
    }
  }

  private static func addKernel(to directory: StaticDirectory) {
    directory.addText("ostype", "Linux\n")
    directory.addText("osrelease") { _ in kernel.release + [10] }
    directory.addText("version") { _ in kernel.version + [10] }
    directory.add(
      ComputedTextNode(
        "hostname", in: directory, permissions: 0o644,
        writer: { (text, task) throws(Errno) in
          kernel.hostName = try hostName(text, task)
        },
        reader: { _ in kernel.hostName + [10] }))
    directory.add(
      ComputedTextNode(
        "domainname", in: directory, permissions: 0o644,
        writer: { (text, task) throws(Errno) in
          kernel.domainName = try hostName(text, task)
        },
        reader: { _ in kernel.domainName + [10] }))
    directory.addText("pid_max") { _ in Text(Int(TaskTable.idLimit)).bytes + [10] }
    directory.addText("threads-max") { _ in Text(Int(PV_THREAD_LIMIT)).bytes + [10] }
    directory.addText("ngroups_max", "65536\n")
    directory.addText("cap_last_cap") { _ in Text(Capability.CAP_LAST_CAP).bytes + [10] }
    directory.addText("overflowuid", "65534\n")
    directory.addText("overflowgid", "65534\n")
    directory.addText("core_pattern", "core\n")
    directory.addText("core_uses_pid", "0\n")
    directory.addText("randomize_va_space", "2\n")
    directory.addText("tainted", "0\n")
    directory.addText("panic", "0\n")
    directory.addText("dmesg_restrict", "1\n")
    directory.addText("shmmax", "18446744073692774399\n")
    directory.addText("shmall", "18446744073692774399\n")
    directory.addText("shmmni", "4096\n")
    directory.addText("msgmax", "8192\n")
    directory.addText("msgmnb", "16384\n")
    directory.addText("msgmni", "32000\n")
    directory.addText("shm_rmid_forced", "0\n")
    directory.addText("sem", "32000\t1024000000\t500\t32000\n")
    addRandom(to: directory.addDirectory("random"))
  }

  private static func addRandom(to directory: StaticDirectory) {
    let bootIdentifier = uuid()
    directory.addText("boot_id") { _ in bootIdentifier }
    directory.addText("uuid") { _ in uuid() }
    directory.addText("entropy_avail", "256\n")
    directory.addText("poolsize", "256\n")
  }

  /// A random UUID (RFC 9562, version 4).
  private static func uuid() -> [UInt8] {
    let high = Random.shared.next() & ~0xf000 | 0x4000
    let low = Random.shared.next() & ~(3 << 62) | 1 << 63
    var text = Text()
    text.add(hexadecimal: high >> 32, digits: 8)
    text.add(byte: 45)
    text.add(hexadecimal: high >> 16 & 0xffff, digits: 4)
    text.add(byte: 45)
    text.add(hexadecimal: high & 0xffff, digits: 4)
    text.add(byte: 45)
    text.add(hexadecimal: low >> 48, digits: 4)
    text.add(byte: 45)
    text.add(hexadecimal: low & 0xffff_ffff_ffff, digits: 12)
    return text.bytes + [10]
  }

  private static func addMemory(to directory: StaticDirectory) {
    directory.addText("overcommit_memory", "0\n")
    directory.addText("overcommit_ratio", "50\n")
    directory.addText("max_map_count", "65530\n")
    directory.addText("mmap_min_addr", "65536\n")
    directory.addText("swappiness", "60\n")
    directory.addText("nr_hugepages", "0\n")
    directory.addText("dirty_ratio", "20\n")
    directory.addText("dirty_background_ratio", "10\n")
    directory.addText("min_free_kbytes", "67584\n")
  }

  private static func addFiles(to directory: StaticDirectory) {
    directory.addText("file-max", "9223372036854775807\n")
    directory.addText("file-nr", "0\t0\t9223372036854775807\n")
    directory.addText("nr_open", "1048576\n")
    directory.addText("pipe-max-size", "1048576\n")
    directory.addText("pipe-user-pages-soft", "16384\n")
    directory.addText("pipe-user-pages-hard", "0\n")
    directory.addText("aio-max-nr", "65536\n")
    directory.addText("aio-nr", "0\n")
    directory.addText("protected_symlinks", "0\n")
    directory.addText("protected_hardlinks", "0\n")
    let notifications = directory.addDirectory("inotify")
    notifications.addText("max_queued_events", "16384\n")
    notifications.addText("max_user_instances", "128\n")
    notifications.addText("max_user_watches", "65536\n")
    let queues = directory.addDirectory("mqueue")
    queues.addText("msg_default", "10\n")
    queues.addText("msg_max", "10\n")
    queues.addText("msgsize_default", "8192\n")
    queues.addText("msgsize_max", "8192\n")
    queues.addText("queues_max", "256\n")
  }

  private static func addNetwork(to directory: StaticDirectory) {
    let core = directory.addDirectory("core")
    core.addText("somaxconn", "4096\n")
    core.addText("rmem_default", "212992\n")
    core.addText("rmem_max", "212992\n")
    core.addText("wmem_default", "212992\n")
    core.addText("wmem_max", "212992\n")
    core.addText("netdev_max_backlog", "1000\n")
    let internet = directory.addDirectory("ipv4")
    internet.addText("ip_local_port_range", "32768\t60999\n")
    internet.addText("ip_unprivileged_port_start", "1024\n")
    internet.addText("ip_forward", "0\n")
    internet.addText("tcp_rmem", "4096\t131072\t6291456\n")
    internet.addText("tcp_wmem", "4096\t16384\t4194304\n")
    internet.addText("tcp_fin_timeout", "60\n")
    internet.addText("tcp_keepalive_time", "7200\n")
    internet.addText("tcp_keepalive_intvl", "75\n")
    internet.addText("tcp_keepalive_probes", "9\n")
    internet.addText("tcp_max_syn_backlog", "4096\n")
    let local = directory.addDirectory("unix")
    local.addText("max_dgram_qlen", "512\n")
  }

  /// A name to set, without what echo(1) adds.
  private static func hostName(_ text: [UInt8], _ task: Task) throws(Errno) -> [UInt8] {
    guard task.credentials.has(Capability.CAP_SYS_ADMIN) else { throw .EPERM }
    var name: [UInt8] = []
    for byte in text {
      if byte == 10 || byte == 0 { break }
      name.append(byte)
    }
    guard name.count <= 64 else { throw .EINVAL }
    return name
  }
}
