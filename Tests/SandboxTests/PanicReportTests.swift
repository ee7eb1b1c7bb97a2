import Testing

@testable import Sandbox

@Suite struct PanicReportTests {
  @Test func addressesOfTheKernelAreFoundOnce() {
    let message = """
      signal 11 at 0x200000001234 (0x0000000000000010), from 0x2000000abcde: 0x200000001234
      rsp 0x20000a00fff8, rax 0xffffffffffffffff, 0x2000 0x20000000123456
      """
    #expect(
      PanicReport.addresses(in: message)
        == ["0x200000001234", "0x2000000abcde", "0x20000a00fff8"])
  }

  @Test func theFirstLineIsTheHeadline() {
    let report = PanicReport(message: "heap is full\n  in task 3\n", kernelImagePath: "/nowhere")
    #expect(report.headline == "heap is full")
    #expect(report.details == ["  in task 3"])
  }

  @Test func silenceIsNamed() {
    #expect(PanicReport(message: "", kernelImagePath: "/nowhere").headline == "no message")
  }
}
