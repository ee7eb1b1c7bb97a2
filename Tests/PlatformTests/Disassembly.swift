import Foundation

@testable import Platform

/// What objdump(1) says about the code of a file: the oracle for our own decoder.
///
/// There are hundreds of thousands of lines, so nothing but numbers is kept of them.
struct Disassembly {
  struct Line {
    let address: UInt
    /// Where the instruction's bytes are in `code`, and how many.
    let offset: Int
    let count: Int
    /// Where the line is in the output.
    fileprivate let text: Range<Int>
  }

  private(set) var lines: [Line] = []
  /// The bytes of all lines, and some more so that decoding has something to read.
  private(set) var code: [UInt8] = []
  private let output: Data

  /// Disassembles up to `limit` bytes of the code from `address` on.
  init(path: String, from address: UInt, limit: UInt) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/objdump")
    process.arguments = [
      "-d", "-w", "-z", "--start-address=\(address)", "--stop-address=\(address + limit)", path,
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    parse()
    code += [UInt8](repeating: 0x90, count: InstructionDecoder.maximumLength)
  }

  /// What our decoder makes of a line.
  func instruction(at line: Line) -> Instruction? {
    code.withUnsafeBufferPointer {
      InstructionDecoder.decode(
        $0.baseAddress! + line.offset, available: InstructionDecoder.maximumLength)
    }
  }

  func text(of line: Line) -> String {
    String(decoding: output[line.text], as: UTF8.self)
  }

  /// Not data among the code: objdump calls what it can't read bad or a byte, and shows prefixes
  /// that belong to nothing on their own. An `fwait` it takes for part of the next instruction.
  func isInstruction(_ line: Line) -> Bool {
    let text = text(of: line)
    return code[line.offset] != 0x9b && !["(bad)", ".byte", "rex"].contains { text.contains($0) }
  }

  /// Lines look like `  401000:\tf3 0f 1e fa          \tendbr64`.
  private mutating func parse() {
    output.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      var start = 0
      var index = 0
      while index < bytes.count {
        if bytes[index] == UInt8(ascii: "\n") {
          parse(bytes, start..<index)
          start = index + 1
        }
        index += 1
      }
    }
  }

  private mutating func parse(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) {
    var index = line.lowerBound
    var address: UInt = 0
    while index < line.upperBound, bytes[index] == UInt8(ascii: " ") { index += 1 }
    while index < line.upperBound, let digit = bytes[index].hexDigit {
      address = address << 4 | UInt(digit)
      index += 1
    }
    guard index + 1 < line.upperBound, index > line.lowerBound, bytes[index] == UInt8(ascii: ":"),
      bytes[index + 1] == UInt8(ascii: "\t")
    else { return }
    index += 2
    let offset = code.count
    while index + 1 < line.upperBound, let high = bytes[index].hexDigit,
      let low = bytes[index + 1].hexDigit
    {
      code.append(high << 4 | low)
      index += 3
    }
    guard code.count > offset else { return }
    lines.append(Line(address: address, offset: offset, count: code.count - offset, text: line))
  }
}

/// The largest executable segment of an ELF file: where it is loaded, and its bytes.
struct ExecutableSegment {
  let address: UInt
  let bytes: [UInt8]
  var size: UInt { UInt(bytes.count) }

  /// Nil if there is no such file.
  init?(path: String) {
    guard let file = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    else {
      return nil
    }
    func field(_ offset: Int, _ size: Int) -> UInt {
      (0..<size).reduce(0) { $0 | UInt(file[offset + $1]) << UInt(8 * $1) }
    }
    let headers = (0..<Int(field(56, 2))).map { Int(field(32, 8)) + $0 * Int(field(54, 2)) }
    let isExecutable: (Int) -> Bool = { field($0, 4) == 1 && field($0 + 4, 4) & 1 != 0 }
    let size: (Int) -> UInt = { field($0 + 32, 8) }
    guard let header = headers.filter(isExecutable).max(by: { size($0) < size($1) }) else {
      return nil
    }
    let offset = Int(field(header + 8, 8))
    address = field(header + 16, 8)
    bytes = [UInt8](file[offset..<offset + Int(size(header))])
  }
}

extension UInt8 {
  fileprivate var hexDigit: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
