import Comparison
import Testing

/// Every script of `Programs/` runs real software to the same end on Linux and in a sandbox.
///
/// `scripts/compare.sh` runs, compares and ends a script that hangs; the test only gives each
/// script a name in the report. `scripts/programs.sh` is the same without the build.
@Suite struct ProgramsTests {
  @Test(arguments: try Comparison.all(in: "Programs", suffix: "sh"))
  func scriptBehavesAsOnLinux(name: String) throws {
    let verdict = try Comparison.run("Programs/\(name).sh")
    #expect(verdict.passed, "\(verdict.report)")
  }
}
