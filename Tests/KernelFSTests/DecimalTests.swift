import KernelCore
import Testing

@testable import KernelFS

@Suite struct DecimalTests {
  @Test(arguments: [
    (1, "1"), (2, "3"), (32, "ffffffff"), (33, "1,ffffffff"), (64, "ffffffff,ffffffff"),
  ])
  func allProcessorsMakeAMask(count: Int, mask: String) {
    var text = Text()
    text.add(processorMask: count)
    #expect(String(decoding: text.bytes, as: UTF8.self) == mask)
  }

  @Test func onlyPlainNumbersNameProcesses() {
    let names = ["0", "1", "32767", "", "01", "1x", "-1", "+1", " 1", "99999999999"]
    #expect(
      names.map { decimal(Array($0.utf8)) } == [0, 1, 32767] + [Int32?](repeating: nil, count: 7))
  }

  @Test func aWrittenNumberMayHaveASignAndANewline() {
    let texts = ["5\n", " -17 \n", "0", "-", "", "1-", "x"]
    #expect(texts.map { writtenNumber(Array($0.utf8)) } == [5, -17, 0, nil, nil, nil, nil])
  }
}
