import Foundation

/// One run of `scripts/compare.sh`.
public struct Comparison {
  /// Exit status of a test which said that it can't run on this machine.
  private static let skippedStatus: Int32 = 77

  public let passed: Bool
  /// The verdict and, after a failure, the evidence.
  public let report: String

  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The names of the tests under `directory`, without their suffix, in a stable order.
  public static func all(in directory: String, suffix: String) throws -> [String] {
    let top = root.appending(path: directory).path
    return try FileManager.default.subpathsOfDirectory(atPath: top)
      .filter { $0.hasSuffix(".\(suffix)") }
      .map { String($0.dropLast(suffix.count + 1)) }
      .sorted()
  }

  /// Compares the test at `path`, relative to the package; the script itself ends a hang.
  public static func run(_ path: String) throws -> Comparison {
    let process = Process()
    process.executableURL = root.appending(path: "scripts/compare.sh")
    process.arguments = [root.appending(path: path).path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let report = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    if process.terminationStatus == skippedStatus { print(report, terminator: "") }
    return Comparison(
      passed: [0, skippedStatus].contains(process.terminationStatus), report: report)
  }
}
