import Foundation

/// A script that runs cases by name and prints a PASS or FAIL line for each.
///
/// The work is the script's; the tests only give each case a name in the report.
struct Driver {
  /// Relative to the package.
  let script: String

  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The names of all cases.
  func names() throws -> [String] {
    let (status, output) = try run(["--list"])
    guard status == 0 else { throw DriverError(report: output) }
    return output.split(separator: "\n").map(String.init)
  }

  /// Runs one case; gives the report of a failure, nil after success.
  func failure(of name: String) throws -> String? {
    let (status, output) = try run([name])
    let hasPassed = status == 0 && output.contains("PASS \(name) (")
    return hasPassed ? nil : output
  }

  private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = Self.root.appending(path: script)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }
}

struct DriverError: Error {
  let report: String
}
