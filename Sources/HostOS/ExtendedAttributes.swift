import CHostOS
import Glibc

/// Whether a call acts on a symbolic link or on what it points to.
public enum LinkTreatment: Sendable {
  case follow, itself

  var record: host_link { self == .follow ? HOST_LINK_FOLLOW : HOST_LINK_ITSELF }
}

/// Calls that know no directory descriptor: their paths start in the calling thread's own working
/// directory, which the caller has set.
public enum WorkingDirectoryFile {
  public static func open(_ path: borrowing PathBuffer, flags: UInt32) throws(HostError)
    -> OwnedDescriptor
  {
    let start = path.start
    return try OwnedDescriptor { host_open_link(start, flags) }
  }

  public static func setMode(
    of path: borrowing PathBuffer, to mode: UInt32
  ) throws(HostError) {
    let start = path.start
    try check { chmod(start, mode) }
  }

  public static func attribute(
    of path: borrowing PathBuffer, _ link: LinkTreatment, name: borrowing PathBuffer, size: Int,
    into buffer: borrowing ByteBuffer
  ) throws(HostError) -> Int {
    precondition(size >= 0 && size <= buffer.capacity, "the value fits into the buffer")
    let (start, name, bytes) = (path.start, name.start, buffer.bytes)
    return try check { host_get_attribute(link.record, start, name, bytes, size) }
  }

  public static func setAttribute(
    of path: borrowing PathBuffer, _ link: LinkTreatment, name: borrowing PathBuffer,
    value: borrowing ByteBuffer, size: Int, flags: Int32
  ) throws(HostError) {
    precondition(size >= 0 && size <= value.capacity, "the value lies inside the buffer")
    let (start, name, bytes) = (path.start, name.start, value.bytes)
    try check { host_set_attribute(link.record, start, name, bytes, size, flags) }
  }

  public static func attributes(
    of path: borrowing PathBuffer, _ link: LinkTreatment, size: Int,
    into buffer: borrowing ByteBuffer
  ) throws(HostError) -> Int {
    precondition(size >= 0 && size <= buffer.capacity, "the list fits into the buffer")
    let (start, bytes) = (path.start, buffer.bytes)
    return try check { host_list_attributes(link.record, start, bytes, size) }
  }

  public static func removeAttribute(
    of path: borrowing PathBuffer, _ link: LinkTreatment, name: borrowing PathBuffer
  ) throws(HostError) {
    let (start, name) = (path.start, name.start)
    try check { host_remove_attribute(link.record, start, name) }
  }
}
