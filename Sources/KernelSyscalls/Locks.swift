import KernelCore
import LinuxABI
import Platform

/// Implements the record locks of fcntl(2).
func sysFileLock(_ task: Task, _ file: OpenFile, _ command: Int32, _ address: UserAddress)
  throws(Errno) -> Int
{
  throw .ENOSYS
}
