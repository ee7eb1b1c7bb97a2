import DBus
import HostOS
import Testing

@testable import Sandbox

/// A unit's properties, as systemd's documentation has their names and types.
@Suite struct SystemdPropertyTests {
  private func properties(
    _ version: ControlGroupHierarchy.Version, systemd: Int = 252,
    _ change: (inout ControlGroupConfiguration) -> Void
  ) -> [String: DBusValue] {
    var configuration = ControlGroupConfiguration()
    change(&configuration)
    let list = configuration.unitProperties(systemdVersion: systemd) { _ in version }
    return Dictionary(list.map { ($0.name, $0.value) }) { first, _ in first }
  }

  @Test func memoryHasOtherNamesInBothVersions() {
    func limits(_ configuration: inout ControlGroupConfiguration) {
      configuration.memoryBytes = 100
      configuration.memorySwapBytes = 150
      configuration.memoryReservationBytes = 50
    }
    #expect(properties(.one, limits) == ["MemoryLimit": .uint64(100)])
    #expect(
      properties(.two, limits)
        == ["MemoryMax": .uint64(100), "MemorySwapMax": .uint64(50), "MemoryLow": .uint64(50)])
    #expect(properties(.two) { $0.memoryBytes = -1 } == ["MemoryMax": .uint64(.max)])
  }

  @Test func processorsHaveSharesOrWeights() {
    #expect(properties(.one) { $0.cpuShares = 1024 } == ["CPUShares": .uint64(1024)])
    #expect(properties(.two) { $0.cpuShares = 1024 } == ["CPUWeight": .uint64(39)])
    #expect(properties(.two) { $0.blockWeight = 500 } == ["IOWeight": .uint64(4950)])
    #expect(properties(.one) { $0.blockWeight = 500 } == ["BlockIOWeight": .uint64(500)])
  }

  @Test(arguments: [
    (25_500, 100_000, 260_000), (50_000, 0, 500_000), (1, 1_000_000, 10_000),
    (200_000, 100_000, 2_000_000),
  ])
  func timeIsRoundedUpToAPercent(quota: Int64, period: UInt64, perSecond: UInt64) {
    let found = properties(.two) {
      $0.cpuQuotaMicroseconds = quota
      if period != 0 { $0.cpuPeriodMicroseconds = period }
    }
    #expect(found["CPUQuotaPerSecUSec"] == .uint64(perSecond))
    #expect(found["CPUQuotaPeriodUSec"] == (period == 0 ? nil : .uint64(period)))
  }

  @Test func noLimitIsTheLargestNumber() {
    #expect(properties(.two) { $0.processCount = -1 } == ["TasksMax": .uint64(.max)])
    #expect(
      properties(.two) { $0.cpuQuotaMicroseconds = -1 } == ["CPUQuotaPerSecUSec": .uint64(.max)])
  }

  @Test func anOldSystemdIsNotAskedForWhatItDoesNotKnow() {
    func limits(_ configuration: inout ControlGroupConfiguration) {
      configuration.cpuPeriodMicroseconds = 50_000
      configuration.processors = "0-1"
    }
    #expect(properties(.two, systemd: 239, limits).keys.sorted() == ["CPUQuotaPerSecUSec"])
    #expect(
      properties(.two, systemd: 244, limits).keys.sorted()
        == ["AllowedCPUs", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec"])
  }

  @Test func processorsAreBits() {
    let bits = ControlGroupConfiguration.bits
    #expect(bits("0") == [1])
    #expect(bits("0-2,9\n") == [7, 2])
    #expect(bits("16") == [0, 0, 1])
    for text in ["", "a", "2-1", "-1", "1-", "1-2-3", "0-99999999999", "70000"] {
      #expect(bits(text) == nil, "\(text)")
    }
  }

  @Test func filesOfVersionTwoHaveNamesToo() {
    let found = properties(.two) {
      $0.unified = [
        .init(file: "memory.high", value: "4096"), .init(file: "pids.max", value: "max"),
        .init(file: "cpu.max", value: "50000 100000"), .init(file: "cpuset.cpus", value: "1"),
        .init(file: "memory.oom.group", value: "1"),
      ]
    }
    #expect(
      found == [
        "MemoryHigh": .uint64(4096), "TasksMax": .uint64(.max),
        "CPUQuotaPerSecUSec": .uint64(500_000), "CPUQuotaPeriodUSec": .uint64(100_000),
        "AllowedCPUs": .bytes([2]),
      ])
  }

  @Test func annotationsAreProperties() {
    func property(_ name: String, _ text: String) -> SystemdProperty? {
      SystemdProperty(name: name, text: text)
    }
    #expect(
      property("TimeoutStopUSec", "uint64 5") == SystemdProperty("TimeoutStopUSec", .uint64(5)))
    for text in ["7", "uint16 7", "7.0", "int64 7", "byte 7"] {
      #expect(
        property("TimeoutStopSec", text) == SystemdProperty("TimeoutStopUSec", .uint64(7_000_000)))
    }
    #expect(
      property("After", "['crio.service']") == SystemdProperty("After", .strings(["crio.service"])))
    #expect(property("IOAccountingXSec", "1") == SystemdProperty("IOAccountingXSec", .int32(1)))
    for (name, text) in [
      ("TimeoutStopSec", "'a'"), ("TimeoutStopSec", "-1"), ("ab", "true"), ("A1b", "true"),
      ("", "true"), ("After", "[x]"), ("TimeoutStopSec", "uint64 18446744073709551615"),
    ] { #expect(property(name, text) == nil, "\(name) \(text)") }
  }

  @Test func aUsersSystemdIsWhereTheSessionSays() {
    func sockets(_ environment: [String: String]) -> (direct: [String], buses: [String]) {
      Systemd.sockets(of: .user) { environment[$0] }
    }
    let both = sockets([
      "XDG_RUNTIME_DIR": "/run/user/1",
      "DBUS_SESSION_BUS_ADDRESS": "tcp:host=a;unix:abstract=b;unix:guid=1,path=/c",
    ])
    #expect(both.direct == ["/run/user/1/systemd/private"])
    #expect(both.buses == ["/c", "/run/user/1/bus"])
    #expect(sockets(["XDG_RUNTIME_DIR": "relative"]).direct.isEmpty)
    #expect(sockets([:]).buses.isEmpty)
  }
}
