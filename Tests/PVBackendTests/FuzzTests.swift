import CPVCalls
import Glibc
import HostOS
import RandomSequence
import Testing

@testable import PVBackend

/// Hostile bytes: whatever a guest writes, the backend answers and stays whole.
@Suite struct FuzzTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func everyRequestIsAnswered(seed: UInt64) throws {
    let answers = try GuestFixture.run { fixture, worker in
      var fuzzer = RequestFuzzer(seed: seed, thread: UInt64(fixture.process.rawValue))
      var results: [Int64] = []
      for _ in 0..<3000 {
        fuzzer.write(to: fixture.memory)
        results.append(fixture.serve(worker, address: GuestFixture.start))
      }
      // The fixture's root still works, and so does the worker.
      _ = fixture.call(
        worker, Int(PV_OP_MKDIR), [Int64(GuestFixture.rootNumber), 0, 0o700], path: "last")
      return (results, try HostFile.status("/last").isDirectory)
    }
    #expect(answers.0.count == 3000)
    #expect(answers.0.allSatisfy { $0 >= -4095 })
    #expect(answers.0.contains { $0 >= 0 })
    #expect(answers.1)
  }

  @Test func noiseIsRefused() throws {
    let results = try GuestFixture.run { fixture, worker in
      var random = SplitMix(state: 7)
      let noise = ByteBuffer(capacity: Int(PV_REQUEST_SIZE))
      return (0..<200).map { _ in
        for offset in stride(from: 0, to: noise.capacity - 7, by: 8) {
          noise.store(random.next(), at: offset)
        }
        fixture.memory.write(noise, count: noise.capacity, at: 0)
        return fixture.serve(worker, address: GuestFixture.start)
      }
    }
    #expect(results.allSatisfy { $0 == -Int64(EINVAL) || $0 == -Int64(ENOSYS) })
  }
}

/// Writes records that are often nearly right: those reach furthest.
private struct RequestFuzzer {
  private var random: SplitMix
  private let thread: UInt64

  init(seed: UInt64, thread: UInt64) {
    random = SplitMix(state: seed)
    self.thread = thread
  }

  private static let names = [
    "", "a", "b", "a/b", "b/a", ".", "..", "../..", "/", "/a", "//a/./b", "/proc/self/exe", "0",
    "3",
    "a/../../../../etc/passwd", "user.x", "trusted.x", "security.capability",
    String(repeating: "x", count: 255), String(repeating: "x/", count: 2000),
  ]

  mutating func write(to memory: SharedMemory) {
    let record = ByteBuffer(capacity: Int(PV_REQUEST_SIZE))
    // Ending the sandbox is no news; everything else may happen.
    let operations = Operation.allCases.filter { $0 != .exit && $0 != .panic }
    record.store(operations.randomElement(using: &random)!.rawValue, at: 0)
    record.store(chance(30) ? random.next32() : UInt32(PV_PROTOCOL_VERSION), at: 4)
    for index in 0..<6 { record.store(argument(), at: Int(PV_REQUEST_ARGUMENTS) + 8 * index) }
    record.store(chance(2) ? random.next32() : 0, at: Int(PV_REQUEST_USER))
    record.store(chance(2) ? random.next32() : 0, at: Int(PV_REQUEST_GROUP))
    record.store(payloadSize(), at: Int(PV_REQUEST_PAYLOAD_SIZE))
    writeName(to: record, at: Int(PV_REQUEST_PATH))
    writeName(to: record, at: Int(PV_REQUEST_PATH2))
    for offset in stride(from: 0, to: 64, by: 8) {
      record.store(random.next(), at: Int(PV_REQUEST_PAYLOAD) + offset)
    }
    // Now and then the payload begins like an address: 127.0.0.1, or one of version 6.
    if chance(2) {
      record.store(UInt16(chance(2) ? 2 : 10), at: Int(PV_REQUEST_PAYLOAD))
      record.store(UInt32(0x0100_007f), at: Int(PV_REQUEST_PAYLOAD) + 4)
    }
    memory.write(record, count: record.capacity, at: 0)
  }

  /// True once in `count` times.
  private mutating func chance(_ count: Int) -> Bool {
    Int.random(in: 0..<count, using: &random) == 0
  }

  /// Descriptors and threads that exist are the fixture's own, so that nothing else is hit.
  private mutating func argument() -> UInt64 {
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1, 2: return UInt64(GuestFixture.rootNumber)
    case 3:
      let numbers = [
        GuestFixture.foreignFileNumber, GuestFixture.streamNumber, GuestFixture.datagramNumber,
        GuestFixture.localNumber,
      ]
      return UInt64(numbers.randomElement(using: &random)!)
    case 4: return thread
    case 5: return [0, 0x100, 0x1000, 0o644, 0o10644, 0o102, 32].randomElement(using: &random)!
    case 6: return [.max, 1 << 63, 1 << 31, 1 << 20].randomElement(using: &random)!
    default: return random.next() | 1 << 40
    }
  }

  private mutating func payloadSize() -> UInt32 {
    chance(20)
      ? random.next32() : [0, 8, 32, UInt32(PV_PAYLOAD_SIZE)].randomElement(using: &random)!
  }

  private mutating func writeName(to record: borrowing ByteBuffer, at offset: Int) {
    if chance(20) {
      for index in 0..<Int(PV_PATH_SIZE) { record.store(UInt8(0x78), at: offset + index) }
      return
    }
    for (index, byte) in RequestFuzzer.names.randomElement(using: &random)!.utf8.enumerated() {
      record.store(byte, at: offset + index)
    }
  }
}
