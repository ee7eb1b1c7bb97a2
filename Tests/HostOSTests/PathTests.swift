import Testing

@testable import HostOS

@Suite struct PathTests {
  @Test(arguments: [
    ("/", "/"), ("/a/../../b/./c//", "/b/c"), ("/a/b/..", "/a"), ("", "/"), ("a", "/a"),
  ])
  func normalizingStaysBelowTheRoot(path: String, expected: String) {
    #expect(PathText.normalized(path) == expected)
  }

  @Test func onlyWholeComponentsLieBelow() {
    #expect(PathText.isAtOrBelow("/dev/shm", "/dev"))
    #expect(PathText.isAtOrBelow("/dev", "/dev"))
    #expect(PathText.isAtOrBelow("/x", "/"))
    #expect(!PathText.isAtOrBelow("/device", "/dev"))
    #expect(!PathText.isAtOrBelow("/", "/dev"))
  }

  @Test func aHostErrorSpeaksInLowercase() {
    #expect(HostError(2).description == "no such file or directory")
    let explained = HostError(13).explained("cannot open 'x'", exitStatus: .notExecutable)
    #expect(explained.message == "cannot open 'x': permission denied")
    #expect(explained.exitStatus.rawValue == 126)
  }

  @Test(arguments: [(0, 0), (7 << 8, 7), (9, 137), (11 | 0x80, 139)] as [(Int32, Int32)])
  func aWaitStatusBecomesAnExitStatus(waitStatus: Int32, expected: Int32) {
    #expect(ExitStatus(waitStatus: waitStatus).rawValue == expected)
  }
}
