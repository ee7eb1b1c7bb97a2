/// Of shmget(2), shmat(2) and shmctl(2).
public enum SharedMemoryFlag {
  public static let IPC_PRIVATE: Int32 = 0
  public static let IPC_CREAT: Int32 = 0o1000, IPC_EXCL: Int32 = 0o2000
  public static let SHM_HUGETLB: Int32 = 0o4000
  public static let SHM_EXEC: Int32 = 0o100000
  public static let SHM_RDONLY: Int32 = 0o10000, SHM_RND: Int32 = 0o20000
  public static let SHM_REMAP: Int32 = 0o40000
  public static let IPC_RMID: Int32 = 0, IPC_SET: Int32 = 1, IPC_STAT: Int32 = 2
  public static let IPC_INFO: Int32 = 3
  public static let SHM_LOCK: Int32 = 11, SHM_UNLOCK: Int32 = 12
  public static let SHM_STAT: Int32 = 13, SHM_INFO: Int32 = 14, SHM_STAT_ANY: Int32 = 15
  /// Of a segment's mode: it ends with its last attachment.
  public static let SHM_DEST: UInt32 = 0o1000
  public static let SHM_LOCKED: UInt32 = 0o2000
  /// The default of /proc/sys/kernel/shmmni.
  public static let SHMMNI = 4096
  /// The default of /proc/sys/kernel/shmmax and shmall.
  public static let SHMMAX = UInt64.max - 1 << 24
}
