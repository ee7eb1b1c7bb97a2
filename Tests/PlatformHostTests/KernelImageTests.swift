import CPVCalls
import HostOS
import RandomSequence
import Testing

@testable import PlatformHost

@Suite struct KernelImageTests {
  @Test func aValidImageIsLoaded() throws {
    let image = try ImageFile().load()
    #expect(image.writableSize == Int(ImageFile.writableSize))
    #expect(image.boot.entry == ImageFile.text)
    #expect(image.boot.writable.lowerBound == ImageFile.writable)
  }

  @Test func theWritableMemoryStartsWithTheFilesBytes() throws {
    var file = ImageFile()
    file.store(UInt64(0x1122_3344_5566_7788), at: 0x4ff8)
    let image = try file.load()
    let memory = try image.makeWritableMemory()
    let bytes = try memory.descriptor.bytes(at: 0x2ff8, count: 16)
    #expect(
      bytes == [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11] + [UInt8](repeating: 0, count: 8))
    #expect(try memory.descriptor.status().size == Int64(ImageFile.writableSize))
  }

  @Test func nobodyCanChangeTheSizeOfTheMemory() throws {
    let memory = try ImageFile().load().makeWritableMemory()
    #expect(throws: HostError(1)) { try memory.descriptor.truncate(to: 0) }
    #expect(throws: HostError(1)) { try memory.descriptor.truncate(to: 1 << 30) }
  }

  @Test func aMissingImageIsNamed() {
    #expect(throws: RuntimeError("cannot load kernel image '/nowhere': no such file or directory"))
    {
      _ = try KernelImage(path: "/nowhere")
    }
  }

  @Test func everyTruncationIsRefused() {
    for length in [0, 1, 63, 64, 100, 175, 0x1000, 0x1fff, 0x2000, 0x2100, 0x4fff] {
      var file = ImageFile()
      file.bytes.removeLast(file.bytes.count - length)
      #expect(file.complaint() != nil, "\(length) bytes")
    }
  }

  @Test(arguments: [
    (0, 0, "it is not an ELF file"),
    (4, 1, "it is not for x86-64"),
    (5, 2, "it is not for x86-64"),
    (18, 183, "it is not for x86-64"),
    (16, 3, "it is not linked at a fixed address"),
    (54, 32, "its program headers are damaged"),
    (56, 0, "its program headers are damaged"),
    (56, 17, "its program headers are damaged"),
  ])
  func aDamagedHeaderIsRefused(offset: Int, value: UInt8, complaint: String) {
    var file = ImageFile()
    file.bytes[offset] = value
    #expect(file.complaint() == complaint)
  }

  @Test func segmentsStayInTheKernelsPartOfTheAddressSpace() {
    for address in [0, 0x1fff_ffff_f000, 0x2000_8000_0000, 0xffff_ffff_ffff_f000] as [UInt64] {
      var file = ImageFile()
      file.store(address, at: ImageFile.secondHeader + 16)
      #expect(
        file.complaint() == "a segment lies outside the kernel's part of the address space")
    }
  }

  @Test func sizesThatOverflowAreRefused() {
    for offset in [8, 32, 40] {
      for value in [UInt64.max, UInt64.max - 4095, 1 << 63] {
        var file = ImageFile()
        file.store(value, at: ImageFile.secondHeader + offset)
        #expect(file.complaint() != nil, "\(offset) \(value)")
      }
    }
  }

  @Test func noSegmentIsBothWritableAndCode() {
    var file = ImageFile()
    file.store(UInt32(7), at: ImageFile.secondHeader + 4)
    #expect(file.complaint() == "a segment has the access flags 7")
  }

  @Test func overlappingSegmentsAreRefused() {
    var file = ImageFile()
    file.store(ImageFile.text, at: ImageFile.secondHeader + 16)
    #expect(file.complaint() == "its segments overlap")
  }

  @Test func thereIsExactlyOneWritableSegment() {
    var file = ImageFile()
    file.store(UInt32(5), at: ImageFile.secondHeader + 4)
    #expect(file.complaint() != nil)
    file = ImageFile()
    file.store(UInt32(6), at: ImageFile.firstHeader + 4)
    #expect(file.complaint() == "it does not have exactly one writable segment")
  }

  @Test func anotherProgramIsNoKernelImage() {
    var file = ImageFile()
    file.storeBoot(UInt64(7), \.magic)
    #expect(file.complaint() == "it is no kernel image")
  }

  @Test func anotherVersionIsNamed() {
    var file = ImageFile()
    file.storeBoot(UInt32(2), \.version)
    #expect(file.complaint() == "it speaks version 2 of the PV calls, not 1")
  }

  @Test func entriesAreCode() {
    for field in [\pv_boot.entry, \.signal_entry, \.signal_restorer] {
      for address in [0, ImageFile.text - 1, ImageFile.text + 0x1000, ImageFile.writable] {
        var file = ImageFile()
        file.storeBoot(address, field)
        #expect(file.complaint() == "an entry of its boot record is no code")
      }
    }
  }

  @Test func stringsStayInsideTheMemoryAndBehindTheData() {
    for start in [0, ImageFile.writable, ImageFile.writable + ImageFile.writableSize - 4095] {
      var file = ImageFile()
      file.storeBoot(UInt64(start), \.blob_start)
      #expect(file.complaint() == "the room for strings lies outside its memory")
    }
    var file = ImageFile()
    file.storeBoot(UInt64.max, \.blob_size)
    #expect(file.complaint() == "the room for strings lies outside its memory")
  }

  /// Whatever the bytes are, loading ends, and what is loaded keeps its promises.
  @Test func randomDamageNeverLoadsAnImageThatCannotBeMapped() throws {
    var random = SplitMix(state: 1)
    for _ in 0..<2000 {
      var file = ImageFile()
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let isHeader = Bool.random(using: &random)
        let offset = Int.random(
          in: isHeader ? 0..<176 : ImageFile.bootRecord..<ImageFile.bootRecord + 112,
          using: &random)
        file.bytes[offset] = UInt8.random(in: .min ... .max, using: &random)
      }
      guard let image = try? file.load() else { continue }
      #expect(image.segments.allSatisfy { $0.address >= ImageFile.text })
      #expect(image.segments.allSatisfy { $0.end <= UInt64(PV_IMAGE_LIMIT) })
      #expect(image.boot.blob.upperBound <= image.boot.writable.upperBound)
    }
  }
}
