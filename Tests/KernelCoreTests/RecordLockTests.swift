import LinuxABI
import Testing

@testable import KernelCore

@Suite struct RecordLockTests {
  private final class Owner {}
  private let owners = [Owner(), Owner(), Owner()]

  private func lock(
    _ owner: Int, exclusive: Bool = true, _ start: Int64, _ end: Int64
  ) -> RecordLock {
    RecordLock(
      owner: .table(ObjectIdentifier(owners[owner])), process: Int32(owner),
      isExclusive: exclusive, start: start, end: end)
  }

  private func ranges(_ locks: RecordLocks) -> [[Int64]] {
    locks.locks.map { [Int64($0.process), $0.isExclusive ? 1 : 0, $0.start, $0.end] }
  }

  @Test func neighboursOfAKindBecomeOne() {
    var locks = RecordLocks()
    locks.set(lock(0, 0, 4))
    locks.set(lock(0, 10, 14))
    locks.set(lock(0, 5, 9))
    #expect(ranges(locks) == [[0, 1, 0, 14]])
  }

  @Test func anotherKindCutsAHole() {
    var locks = RecordLocks()
    locks.set(lock(0, 0, Int64.max))
    locks.set(lock(0, exclusive: false, 5, 9))
    #expect(ranges(locks) == [[0, 1, 0, 4], [0, 0, 5, 9], [0, 1, 10, Int64.max]])
    locks.clear(lock(0, 0, Int64.max))
    #expect(locks.locks.isEmpty)
  }

  @Test func aLockAtTheLastByteHasNoNeighbourBehindIt() {
    var locks = RecordLocks()
    locks.set(lock(0, Int64.max, Int64.max))
    locks.set(lock(1, exclusive: false, 0, Int64.max - 1))
    #expect(locks.conflict(with: lock(1, Int64.max, Int64.max))?.process == 0)
    #expect(locks.conflict(with: lock(0, 0, 0))?.process == 1)
    #expect(locks.conflict(with: lock(1, 0, 0)) == nil)
  }

  /// Against a model that keeps, for each byte, who holds it and how.
  @Test func manyChangesMatchAModelOfBytes() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      var locks = RecordLocks()
      var model = [[Int]](repeating: [Int](repeating: 0, count: 40), count: 3)
      for _ in 0..<60 {
        let owner = Int.random(in: 0..<3, using: &random)
        let start = Int64.random(in: 0..<40, using: &random)
        let end = Int64.random(in: start..<40, using: &random)
        let kind = Int.random(in: 0..<3, using: &random)
        let wanted = lock(owner, exclusive: kind == 2, start, end)
        if kind == 0 {
          locks.clear(wanted)
        } else {
          let isFree = !(0..<3).contains { other in
            other != owner
              && model[other][Int(start)...Int(end)].contains { $0 == 2 || ($0 == 1 && kind == 2) }
          }
          #expect((locks.conflict(with: wanted) == nil) == isFree)
          guard isFree else { continue }
          locks.set(wanted)
        }
        for byte in Int(start)...Int(end) { model[owner][byte] = kind }
        #expect(ranges(locks).sorted { ($0[2], $0[0]) < ($1[2], $1[0]) } == expected(model))
      }
    }
  }

  private func expected(_ model: [[Int]]) -> [[Int64]] {
    var found: [[Int64]] = []
    for (owner, bytes) in model.enumerated() {
      var byte = 0
      while byte < bytes.count {
        let first = byte
        while byte < bytes.count && bytes[byte] == bytes[first] { byte += 1 }
        if bytes[first] != 0 {
          found.append([Int64(owner), bytes[first] == 2 ? 1 : 0, Int64(first), Int64(byte - 1)])
        }
      }
    }
    return found.sorted { ($0[2], $0[0]) < ($1[2], $1[0]) }
  }
}
