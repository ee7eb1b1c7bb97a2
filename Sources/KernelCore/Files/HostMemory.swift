import LinuxABI
import PVFrontend
import Platform

/// Answers of the backend that do not fit into a payload: files in memory.
public enum HostMemory {
  private static var sizeLimit: Int { 16 << 20 }
  private static var pieceSize: Int { 16_384 }

  /// All bytes of a fresh file in memory, which is closed.
  public static func readAndClose(_ file: HostDescriptor) throws(Errno) -> [UInt8] {
    defer { Host.close(file) }
    // SAFETY: the piece lives until the end, and the host stays within its size.
    let piece = UnsafeMutablePointer<UInt8>.allocate(capacity: pieceSize)
    defer { piece.deallocate() }
    var bytes: [UInt8] = []
    while bytes.count < sizeLimit {
      let count = try Host.read(file, into: piece, count: pieceSize, offset: Int64(bytes.count))
      if count == 0 { break }
      bytes.append(contentsOf: UnsafeBufferPointer(start: UnsafePointer(piece), count: count))
    }
    return bytes
  }
}
