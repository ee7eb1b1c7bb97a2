extension Signal {
  /// The name without `SIG`; nil for a real-time signal but the first. See signal(7).
  public var name: StaticString? {
    switch number {
    case 1: "HUP"
    case 2: "INT"
    case 3: "QUIT"
    case 4: "ILL"
    case 5: "TRAP"
    case 6: "ABRT"
    case 7: "BUS"
    case 8: "FPE"
    case 9: "KILL"
    case 10: "USR1"
    case 11: "SEGV"
    case 12: "USR2"
    case 13: "PIPE"
    case 14: "ALRM"
    case 15: "TERM"
    case 16: "STKFLT"
    case 17: "CHLD"
    case 18: "CONT"
    case 19: "STOP"
    case 20: "TSTP"
    case 21: "TTIN"
    case 22: "TTOU"
    case 23: "URG"
    case 24: "XCPU"
    case 25: "XFSZ"
    case 26: "VTALRM"
    case 27: "PROF"
    case 28: "WINCH"
    case 29: "IO"
    case 30: "PWR"
    case 31: "SYS"
    case 32: "RTMIN"
    default: nil
    }
  }
}
