import Glibc

/// A moment of the wall clock, as RFC 3339 writes it in UTC with nanoseconds.
public struct Timestamp: Equatable, Sendable, CustomStringConvertible {
  /// Since 1970.
  let seconds: Int64
  let nanoseconds: Int64

  init(seconds: Int64, nanoseconds: Int64) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  public static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }

  public var description: String { String(decoding: bytes, as: UTF8.self) }

  /// The text, made without intermediate strings: every line of the log starts with one.
  var bytes: [UInt8] {
    let (days, second) = Timestamp.divided(seconds, by: 86_400)
    let (year, month, day) = Timestamp.date(day: days)
    var text = Array("0000-00-00T00:00:00.000000000Z".utf8)
    Timestamp.put(year, endingAt: 4, in: &text)
    Timestamp.put(month, endingAt: 7, in: &text)
    Timestamp.put(day, endingAt: 10, in: &text)
    Timestamp.put(second / 3600, endingAt: 13, in: &text)
    Timestamp.put(second / 60 % 60, endingAt: 16, in: &text)
    Timestamp.put(second % 60, endingAt: 19, in: &text)
    Timestamp.put(nanoseconds, endingAt: 29, in: &text)
    return text
  }

  private static func put(_ number: Int64, endingAt end: Int, in text: inout [UInt8]) {
    var (rest, position) = (number, end)
    while rest > 0, position > 0 {
      position -= 1
      text[position] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }

  private static func divided(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
    let rest = value % divisor
    return rest < 0 ? (value / divisor - 1, rest + divisor) : (value / divisor, rest)
  }

  /// The Gregorian date of a day since 1970: years from March on, in cycles of 400.
  private static func date(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (cycle, dayOfCycle) = divided(day + 719_468, by: 146_097)
    let yearOfCycle =
      (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }
}

/// The clock that only goes forward.
public enum MonotonicClock {
  public static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
