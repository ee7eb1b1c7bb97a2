import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// /proc/PID/net: the tables of the container's network, which the host has, and of the guest
/// kernel's own sockets.
enum NetworkFiles {
  static func directory(in parent: GuestNode, inode: UInt64) -> GuestDirectory {
    NetworkDirectory(
      .processes, name: Text(ProcessEntry.net.name).bytes, parent: parent, permissions: 0o555,
      inode: inode)
  }

  /// Where a file's text comes from.
  enum Source {
    /// PV_NETWORK_*.
    case host(Int)
    case unixSockets
    /// There is never more than the head of the table.
    case head(StaticString)
  }

  static var count: Int { 25 }

  static func file(_ index: Int) -> (name: StaticString, source: Source) {
    switch index {
    case 0: ("dev", .host(Int(PV_NETWORK_DEV)))
    case 1: ("route", .host(Int(PV_NETWORK_ROUTE)))
    case 2: ("tcp", .host(Int(PV_NETWORK_TCP)))
    case 3: ("tcp6", .host(Int(PV_NETWORK_TCP6)))
    case 4: ("udp", .host(Int(PV_NETWORK_UDP)))
    case 5: ("udp6", .host(Int(PV_NETWORK_UDP6)))
    case 6: ("raw", .host(Int(PV_NETWORK_RAW)))
    case 7: ("raw6", .host(Int(PV_NETWORK_RAW6)))
    case 8: ("icmp", .host(Int(PV_NETWORK_ICMP)))
    case 9: ("icmp6", .host(Int(PV_NETWORK_ICMP6)))
    case 10: ("arp", .host(Int(PV_NETWORK_ARP)))
    case 11: ("if_inet6", .host(Int(PV_NETWORK_IF_INET6)))
    case 12: ("ipv6_route", .host(Int(PV_NETWORK_IPV6_ROUTE)))
    case 13: ("snmp", .host(Int(PV_NETWORK_SNMP)))
    case 14: ("snmp6", .host(Int(PV_NETWORK_SNMP6)))
    case 15: ("netstat", .host(Int(PV_NETWORK_NETSTAT)))
    case 16: ("sockstat", .host(Int(PV_NETWORK_SOCKSTAT)))
    case 17: ("sockstat6", .host(Int(PV_NETWORK_SOCKSTAT6)))
    case 18: ("igmp", .host(Int(PV_NETWORK_IGMP)))
    case 19: ("igmp6", .host(Int(PV_NETWORK_IGMP6)))
    case 20: ("dev_mcast", .host(Int(PV_NETWORK_DEV_MCAST)))
    case 21: ("protocols", .host(Int(PV_NETWORK_PROTOCOLS)))
    case 22: ("unix", .unixSockets)
    case 23:
      (
        "netlink",
        .head(
          """
          sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode

          """)
      )
    default:
      ("packet", .head("sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"))
    }
  }

  static func text(of source: Source) throws(Errno) -> [UInt8] {
    switch source {
    case .host(let kind):
      let number = try Broker.call(Int(PV_OP_NETWORK_TEXT), kind)
      return try HostMemory.readAndClose(HostDescriptor(Int32(truncatingIfNeeded: number)))
    case .unixSockets:
      return try kernel.sockets.family(Int32(AddressFamily.AF_UNIX), type: 1).listing()
    case .head(let text): return Text(text).bytes
    }
  }
}

private final class NetworkDirectory: GuestDirectory {
  override var mayHoldMounts: Bool { false }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    for index in 0..<NetworkFiles.count where NetworkFiles.file(index).name.equals(name) {
      return NetworkText(
        fileSystem, name: name, parent: self, mode: FileMode.S_IFREG | 0o444,
        inode: inode + UInt64(index) + 1, source: NetworkFiles.file(index).source)
    }
    return nil
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    for index in 0..<NetworkFiles.count where index + 2 >= position {
      let entry = DirectoryEntry(
        name: Text(NetworkFiles.file(index).name).bytes, inode: inode + UInt64(index) + 1, type: 8,
        next: index + 3)
      guard add(entry) else { return false }
    }
    return true
  }
}

private final class NetworkText: TextNode {
  private let source: NetworkFiles.Source

  init(
    _ fileSystem: FileSystemKind, name: [UInt8], parent: Node, mode: UInt32, inode: UInt64,
    source: NetworkFiles.Source
  ) {
    self.source = source
    super.init(fileSystem, name: name, parent: parent, mode: mode, inode: inode)
  }

  override func text(_ task: Task) throws(Errno) -> [UInt8] { try NetworkFiles.text(of: source) }
}
