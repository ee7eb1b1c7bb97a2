import CPVCalls
import HostOS
import PVCalls
import Testing

@testable import PlatformHost

@Suite struct SeccompFilterTests {
  let filter = FilterInterpreter(program: SeccompFilter.program())

  private func verdict(_ call: FilteredCall) -> SeccompVerdict? {
    filter.run(call).flatMap { SeccompVerdict(rawValue: $0.verdict) }
  }

  @Test func everyNumberGetsTheVerdictOfTheTable() {
    let unchecked = Set(directCalls.filter { $0.check == .none }.map { UInt32($0.number) })
    let checked = Set(directCalls.filter { $0.check != .none }.map { UInt32($0.number) })
    for number in UInt32(0)..<40000 where !checked.contains(number) {
      let expected: SeccompVerdict =
        switch number {
        case UInt32(PV_DOORBELL): .notify
        case 219: .interrupted  // restart_syscall
        default: unchecked.contains(number) ? .allow : .trap
        }
      #expect(verdict(FilteredCall(number: number)) == expected, "\(number)")
    }
  }

  @Test(arguments: [0x4000_0000, 0x4000_0001, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] as [UInt32])
  func numbersOfTheX32TableAndBeyondKill(number: UInt32) {
    #expect(verdict(FilteredCall(number: number)) == .kill)
  }

  @Test(arguments: [0x4000_0003, 0, 0xc000_00b7] as [UInt32])
  func anotherArchitectureKillsWhateverTheNumber(architecture: UInt32) {
    for number in UInt32(0)..<500 {
      let call = FilteredCall(number: number, architecture: architecture)
      #expect(verdict(call) == .kill, "\(number)")
    }
  }

  /// The host kernel keeps a bitmap of the numbers that are allowed whatever the arguments. It
  /// finds them by running the program: one that looks further than the number has no bit.
  @Test func callsWithoutChecksAreDecidedByTheNumber() {
    for call in directCalls where call.check == .none {
      #expect(
        filter.run(FilteredCall(number: UInt32(call.number)))?.loads == [4, 0], "\(call.name)")
    }
  }

  @Test func noVerdictDependsOnTheInstructionPointer() {
    for number in UInt32(0)..<500 {
      let loads = filter.run(FilteredCall(number: number))?.loads ?? []
      #expect(!loads.contains(8) && !loads.contains(12), "\(number)")
    }
  }

  @Test func anArgumentWithForbiddenBitsIsTrapped() {
    for call in directCalls {
      guard case .clear(let index, let mask) = call.check else { continue }
      for bit in 0..<64 {
        let isForbidden = bit < 32 && mask & 1 << bit != 0
        let result = verdict(call, argument: 1 << bit, at: index)
        #expect(result == (isForbidden ? .trap : .allow), "\(call.name) bit \(bit)")
      }
      #expect(verdict(call, argument: UInt64(~mask), at: index) == .allow)
      #expect(verdict(call, argument: .max, at: index) == .trap)
    }
  }

  @Test func anArgumentMustBeOneOfTheListed() {
    for call in directCalls {
      guard case .oneOf(let index, let values) = call.check else { continue }
      let allowed = Set(values)
      for value in allowed.flatMap({ [$0 &- 1, $0, $0 &+ 1] }) + [0, .max] {
        let expected: SeccompVerdict = allowed.contains(value) ? .allow : .trap
        #expect(verdict(call, argument: UInt64(value), at: index) == expected, "\(call.name)")
        // Linux takes these arguments as int, so their upper halves decide nothing.
        let extended = UInt64(value) | 0xdead_beef << 32
        #expect(verdict(call, argument: extended, at: index) == expected, "\(call.name)")
      }
    }
  }

  @Test func theOtherArgumentsOfACheckedCallDecideNothing() {
    for call in directCalls {
      let checked: Int
      switch call.check {
      case .none: continue
      case .clear(let index, _), .oneOf(let index, _): checked = index
      }
      var filtered = FilteredCall(number: UInt32(call.number))
      let expected = verdict(filtered)
      for index in 0..<6 where index != checked { filtered.arguments[index] = .max }
      #expect(verdict(filtered) == expected, "\(call.name)")
    }
  }

  @Test func theTableIsShortAndNamesNoNumberTwice() {
    #expect(directCalls.count <= 40)
    #expect(Set(directCalls.map(\.number)).count == directCalls.count)
  }

  private func verdict(_ call: DirectCall, argument: UInt64, at index: Int) -> SeccompVerdict? {
    var filtered = FilteredCall(number: UInt32(call.number))
    filtered.arguments[index] = argument
    return verdict(filtered)
  }
}
