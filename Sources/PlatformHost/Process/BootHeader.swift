import CPVCalls
import HostOS

/// The half of struct pv_boot that the image fills in at link time.
public struct BootHeader: Equatable, Sendable {
  /// The shared memory of the sandbox: all requests lie in it.
  public let writable: Range<UInt64>
  let entry: UInt64
  let signalEntry: UInt64
  let signalRestorer: UInt64
  /// Room for strings.
  let blob: Range<UInt64>

  /// Reads the record and checks that every address lies where it belongs.
  init(in segments: [KernelImage.Segment], of file: Descriptor) throws {
    guard let home = segments.first(where: { $0.access == .writable }) else {
      throw ImageError("it has no writable segment")
    }
    let size = MemoryLayout<pv_boot>.size
    let bytes = try file.bytes(at: Int64(home.fileOffset), count: size)
    guard bytes.count == size, home.fileSize >= UInt64(size) else {
      throw ImageError("it has no boot record")
    }
    // SAFETY: the array is as long as the record, whose fields are all integers.
    let record = bytes.withUnsafeBytes { $0.loadUnaligned(as: pv_boot.self) }
    try self.init(record, in: home, among: segments)
  }

  private init(
    _ record: pv_boot, in home: KernelImage.Segment, among segments: [KernelImage.Segment]
  ) throws {
    guard record.magic == UInt64(PV_BOOT_MAGIC) else { throw ImageError("it is no kernel image") }
    guard record.version == PV_PROTOCOL_VERSION,
      Int(record.size) >= MemoryLayout<pv_boot>.size, UInt64(record.size) <= home.fileSize
    else {
      throw ImageError(
        "it speaks version \(record.version) of the PV calls, not \(PV_PROTOCOL_VERSION)")
    }
    guard record.writable_start == home.address, record.writable_end >= home.end,
      pageAligned(record.writable_end) == pageAligned(home.end)
    else { throw ImageError("its boot record contradicts its segments") }
    let code = segments.filter { $0.access == .executable }
    for address in [record.entry, record.signal_entry, record.signal_restorer] {
      guard code.contains(where: { $0.address <= address && address < $0.end }) else {
        throw ImageError("an entry of its boot record is no code")
      }
    }
    let (blobEnd, overflow) = record.blob_start.addingReportingOverflow(record.blob_size)
    guard !overflow, record.blob_start >= home.address + home.fileSize, blobEnd <= home.end,
      record.blob_size <= UInt64(UInt32.max)
    else { throw ImageError("the room for strings lies outside its memory") }
    writable = home.address..<pageAligned(home.end)
    entry = record.entry
    signalEntry = record.signal_entry
    signalRestorer = record.signal_restorer
    blob = record.blob_start..<blobEnd
  }
}
