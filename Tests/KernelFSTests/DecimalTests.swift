import KernelCore
import Testing

@testable import KernelFS

@Suite struct DecimalTests {
  @Test(arguments: [
    (1, "1"), (2, "3"), (32, "ffffffff"), (33, "1,ffffffff"), (64, "ffffffff,ffffffff"),
  ])
  func allProcessorsMakeAMask(count: Int, mask: String) {
    var text = Text()
    text.add(mask: ProcessorSet(first: count))
    #expect(String(decoding: text.bytes, as: UTF8.self) == mask)
  }

  @Test(arguments: [
    ([UInt8](), 4, "0", ""), ([1], 4, "1", "0"), ([8], 12, "008", "3"),
    ([0x2f], 8, "2f", "0-3,5"), ([0, 0, 0, 0x80, 3], 40, "03,80000000", "31-33"),
    ([0, 1], 4, "100", "8"), ([1, 0, 0, 0, 0, 0, 0, 0], 33, "0,00000001", "0"),
  ])
  func aSetOfProcessorsIsAMaskAndAList(bytes: [UInt8], count: Int, mask: String, list: String) {
    let set = ProcessorSet(mask: bytes, of: count)
    var (first, second) = (Text(), Text())
    first.add(mask: set)
    second.add(list: set)
    #expect(String(decoding: first.bytes, as: UTF8.self) == mask)
    #expect(String(decoding: second.bytes, as: UTF8.self) == list)
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
