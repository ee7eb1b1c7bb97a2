import LinuxABI
import Testing

@testable import KernelCore

/// Values as strace(1) shows them: nothing of a program's reaches a terminal as it is.
@Suite struct QuotingTests {
  private func text(_ body: (inout Text) -> Void) -> String {
    var text = Text()
    body(&text)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  @Test func whatIsNotPrintableIsEscaped() {
    #expect(text { $0.add(quoted: Array("a\"b\\\t\n\r".utf8)) } == #""a\"b\\\t\n\r""#)
    #expect(text { $0.add(quoted: [0x1b, 0x5b, 0x32, 0x4a]) } == #""\33[2J""#)
    #expect(text { $0.add(quoted: [0, 0x31]) } == #""\0001""#)
    #expect(text { $0.add(quoted: [0xff, 0x78]) } == #""\377x""#)
  }

  @Test func longStringsAreCut() {
    let long = [UInt8](repeating: 0x61, count: 40)
    #expect(text { $0.add(quoted: long, limit: 4) } == #""aaaa"..."#)
    #expect(text { $0.add(quoted: [0x61], isWhole: false) } == #""a"..."#)
    #expect(text { $0.add(quoted: [0, 0x31], limit: 1) } == #""\0"..."#)
  }

  @Test func everyByteComesOutPrintable() {
    for byte in UInt8.min...UInt8.max {
      var shown = Text()
      shown.add(quoted: [byte, byte])
      #expect(shown.bytes.allSatisfy { $0 >= 32 && $0 <= 126 })
    }
  }

  @Test func signalsHaveNames() {
    #expect(text { $0.add(signal: 9) } == "SIGKILL")
    #expect(text { $0.add(signal: 33) } == "SIGRT_1")
    #expect(text { $0.add(signal: 65) } == "65" && text { $0.add(signal: -1) } == "-1")
    #expect(text { $0.add(signalSet: Signal.SIGINT.bit | Signal.SIGCHLD.bit) } == "[INT CHLD]")
    #expect(text { $0.add(signalSet: ~Signal.SIGKILL.bit) } == "~[KILL]")
    #expect(text { $0.add(signalSet: 0) } == "[]")
  }

  @Test func siginfoSaysWhatItsCodeMeans() {
    let child = SignalInfo(child: 7, user: 3, code: 1, status: 2, ticks: (4, 5))
    #expect(
      text { $0.add(signalInfo: child) }
        == "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_uid=3, si_status=2, si_utime=4, "
        + "si_stime=5}")
    let fault = SignalInfo(.SIGSEGV, code: 1, address: 0xbeef)
    #expect(
      text { $0.add(signalInfo: fault) }
        == "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0xbeef}")
  }
}
