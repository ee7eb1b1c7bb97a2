import Glibc

/// The clock that times to live are counted by. It starts above zero.
enum MonotonicSeconds {
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) + 1
  }
}
