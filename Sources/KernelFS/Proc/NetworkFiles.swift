import KernelCore
import LinuxABI

/// /proc/PID/net: tables of the network, which lies outside, with their heads only.
enum NetworkFiles {
  static func directory(in parent: GuestNode, inode: UInt64) -> GuestDirectory {
    NetworkDirectory(
      .processes, name: Text(ProcessEntry.net.name).bytes, parent: parent, permissions: 0o555,
      inode: inode)
  }
}

private final class NetworkDirectory: GuestDirectory {
  override var mayHoldMounts: Bool { false }

  private static var fileCount: Int { 13 }

  private static func file(_ index: Int) -> (name: StaticString, text: StaticString) {
    switch index {
    case 0:
      (
        "dev",
        """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs \
        drop fifo colls carrier compressed

        """
      )
    case 1: ("unix", "Num       RefCount Protocol Flags    Type St Inode Path\n")
    case 2:
      (
        "tcp",
        """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  \
        timeout inode                                                     

        """
      )
    case 3:
      (
        "tcp6",
        """
          sl  local_address                         remote_address                        st \
        tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode

        """
      )
    case 4:
      (
        "udp",
        """
           sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  \
        timeout inode ref pointer drops             

        """
      )
    case 5:
      (
        "udp6",
        """
          sl  local_address                         remote_address                        st \
        tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops

        """
      )
    case 6:
      (
        "raw",
        """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  \
        timeout inode ref pointer drops

        """
      )
    case 7:
      (
        "route",
        """
        Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT    \
                                                                                       

        """
      )
    case 8:
      (
        "arp",
        "IP address       HW type     Flags       HW address            Mask     Device\n"
      )
    case 9: ("if_inet6", "")
    case 10:
      (
        "netlink",
        """
        sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode

        """
      )
    case 11:
      ("packet", "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n")
    default: ("protocols", "protocol  size sockets  memory press maxhdr  slab module\n")
    }
  }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    for index in 0..<Self.fileCount where Self.file(index).name.equals(name) {
      return NetworkText(
        fileSystem, name: name, parent: self, mode: FileMode.S_IFREG | 0o444,
        inode: inode + UInt64(index) + 1, text: Self.file(index).text)
    }
    return nil
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    for index in 0..<Self.fileCount where index + 2 >= position {
      let entry = DirectoryEntry(
        name: Text(Self.file(index).name).bytes, inode: inode + UInt64(index) + 1, type: 8,
        next: index + 3)
      guard add(entry) else { return false }
    }
    return true
  }
}

private final class NetworkText: TextNode {
  private let content: StaticString

  init(
    _ fileSystem: FileSystemKind, name: [UInt8], parent: Node, mode: UInt32, inode: UInt64,
    text: StaticString
  ) {
    content = text
    super.init(fileSystem, name: name, parent: parent, mode: mode, inode: inode)
  }

  override func text(_ task: Task) throws(Errno) -> [UInt8] { Text(content).bytes }
}
