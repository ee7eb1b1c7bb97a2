import Foundation
import Glibc
import Testing

@testable import HostOS

@Suite struct DescriptorTests {
  @Test func anErrorHasTheNameOfItsConstant() {
    #expect(HostError(ECONNREFUSED).name == "ECONNREFUSED")
    #expect(HostError(4000).name == "error 4000")
  }

  private func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) != -1 }

  private func withDirectory(_ body: (String) throws -> Void) throws {
    let path = "\(NSTemporaryDirectory())/paravane-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test func aDescriptorIsOpenAsLongAsItsOwner() throws {
    // High enough that no other test takes the number meanwhile.
    let number: Int32
    do {
      let file = try HostFile.open("/dev/null", flags: O_RDONLY)
      let copy = try file.duplicate(atLeast: 900)
      number = copy.rawValue
      #expect(isOpen(number))
    }
    #expect(!isOpen(number))
  }

  @Test func whoReleasesADescriptorClosesIt() throws {
    let file = try HostFile.open("/dev/null", flags: O_RDONLY)
    let released = try file.duplicate(atLeast: 950).release()
    #expect(isOpen(released.rawValue))
    close(released.rawValue)
  }

  @Test func aCallThatFailsThrowsItsErrno() {
    #expect(throws: HostError(ENOENT)) { try HostFile.readText("/no/such/file") }
    #expect(throws: HostError(ENOTDIR)) { try HostFile.status("/dev/null/x") }
  }

  @Test func nothingLeadsOutOfADirectoryThatIsTheRoot() throws {
    try withDirectory { path in
      let files = FileManager.default
      try files.createDirectory(atPath: "\(path)/root/etc", withIntermediateDirectories: true)
      _ = files.createFile(atPath: "\(path)/secret", contents: Data("x".utf8))
      _ = files.createFile(atPath: "\(path)/root/etc/file", contents: Data("y".utf8))
      symlink("/../secret", "\(path)/root/out")
      symlink("/etc/file", "\(path)/root/in")
      let root = try HostFile.handle("\(path)/root")
      #expect(throws: HostError(ENOENT)) {
        _ = try root.descriptor.open(inRoot: "../secret", flags: 0)
      }
      #expect(throws: HostError(ENOENT)) {
        _ = try root.descriptor.open(inRoot: "out", flags: 0)
      }
      let file = try root.descriptor.open(inRoot: "/in", flags: O_RDONLY)
      #expect(try file.descriptor.readAll() == Array("y".utf8))
    }
  }

  @Test func aMountPointIsMadeOfItsOwnKind() throws {
    try withDirectory { path in
      let root = try HostFile.handle(path)
      let directory = try root.descriptor.mountPoint(inRoot: "/a/b/../c", isDirectory: true)
      #expect(try directory.descriptor.status().isDirectory)
      let file = try root.descriptor.mountPoint(inRoot: "/a/c/file", isDirectory: false)
      #expect(try file.descriptor.status().isRegularFile)
      let again = try root.descriptor.mountPoint(inRoot: "a/c/file", isDirectory: false)
      let status = try file.descriptor.status()
      #expect(try again.descriptor.status() == status)
      #expect(throws: HostError(ENOTDIR)) {
        _ = try root.descriptor.mountPoint(inRoot: "/a/c/file/x", isDirectory: true)
      }
    }
  }

  @Test func theDirectoriesOfADirectoryAreListed() throws {
    try withDirectory { path in
      mkdir("\(path)/b", 0o755)
      mkdir("\(path)/a", 0o755)
      _ = FileManager.default.createFile(atPath: "\(path)/c", contents: nil)
      let names = try HostFile.directoryNames(path)
      #expect(names.sorted() == ["a", "b"])
    }
  }
}
