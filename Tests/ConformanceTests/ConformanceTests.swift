import Comparison
import Testing

/// Every C program of `Conformance/` prints the same on Linux and in a sandbox.
///
/// `scripts/compare.sh` builds, runs, compares and ends a program that hangs; the test only gives
/// each program a name in the report. `scripts/conformance.sh` is the same without the build.
@Suite struct ConformanceTests {
  @Test(arguments: try Comparison.all(in: "Conformance", suffix: "c"))
  func programBehavesAsOnLinux(name: String) throws {
    let verdict = try Comparison.run("Conformance/\(name).c")
    #expect(verdict.passed, "\(verdict.report)")
  }
}
