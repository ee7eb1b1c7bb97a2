import CPVCalls
import Glibc
import HostOS

/// The kernel image: an ELF file that is mapped at its link address in every guest process.
public struct KernelImage: ~Copyable {
  public let path: String
  public let file: OwnedDescriptor
  let segments: [Segment]
  /// What the image says about itself at the start of its writable segment.
  public let boot: BootHeader

  /// A part of the file that is mapped.
  struct Segment: Equatable {
    let address: UInt64
    let memorySize: UInt64
    let fileOffset: UInt64
    let fileSize: UInt64
    let access: Access

    enum Access: Equatable { case readOnly, executable, writable }

    var end: UInt64 { address + memorySize }
  }

  /// Opens the image and checks everything that mapping it relies on.
  public init(path: String) throws(RuntimeError) {
    do {
      let file = try HostFile.open(path, flags: O_RDONLY)
      let size = try file.descriptor.status().size
      let segments = try ImageParser(file: file.descriptor, size: size).segments()
      boot = try BootHeader(in: segments, of: file.descriptor)
      self.segments = segments
      self.file = file
      self.path = path
    } catch let error as HostError {
      throw error.explained("cannot load kernel image '\(path)'")
    } catch let error as ImageError {
      throw RuntimeError("cannot load kernel image '\(path)': \(error.reason)")
    } catch {
      throw RuntimeError("cannot load kernel image '\(path)': \(error)")
    }
  }

  /// The bytes of the writable segment's memory, in whole pages.
  public var writableSize: Int { Int(boot.writable.upperBound - boot.writable.lowerBound) }

  /// The memory that all guest processes share, with the segment's initial contents. It is sparse.
  public func makeWritableMemory() throws(RuntimeError) -> OwnedDescriptor {
    do throws(HostError) {
      let memory = try OwnedDescriptor.sealedMemory(name: "paravane", size: writableSize)
      for segment in segments where segment.access == .writable {
        let bytes = try file.descriptor.bytes(
          at: Int64(segment.fileOffset), count: Int(segment.fileSize))
        try memory.descriptor.write(bytes)
      }
      return memory
    } catch {
      throw error.explained("cannot make the kernel's memory")
    }
  }

  /// Maps the image into the calling process at its link address.
  func map(writableMemory: Descriptor) throws(HostError) {
    for segment in segments {
      let size = Int(pageAligned(segment.memorySize))
      switch segment.access {
      case .readOnly: try map(file.descriptor, segment, size, PROT_READ, MAP_PRIVATE)
      case .executable: try map(file.descriptor, segment, size, PROT_READ | PROT_EXEC, MAP_PRIVATE)
      case .writable:
        try map(
          writableMemory, segment, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE)
      }
    }
  }

  private func map(
    _ source: Descriptor, _ segment: Segment, _ size: Int, _ protection: Int32, _ flags: Int32
  ) throws(HostError) {
    let offset = segment.access == .writable ? 0 : off_t(segment.fileOffset)
    let wanted = UnsafeMutableRawPointer(bitPattern: UInt(segment.address))
    // SAFETY: MAP_FIXED_NOREPLACE maps at an address that is free, or nowhere.
    let address = mmap(
      wanted, size, protection, flags | mapFixedNoReplace, source.rawValue, offset)
    if address == MAP_FAILED { throw HostError.last }
    // Kernels before 4.17 take the address for a hint.
    if address != wanted { throw HostError(EEXIST) }
  }
}

/// MAP_FIXED_NOREPLACE of mmap(2).
private let mapFixedNoReplace: Int32 = 0x10_0000

/// Why an image can't be used.
struct ImageError: Error, Equatable {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

func pageAligned(_ size: UInt64) -> UInt64 { (size + 4095) & ~4095 }
