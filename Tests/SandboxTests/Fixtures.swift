import Foundation
import Glibc
import HostOS

@testable import Sandbox

/// Whether this process may make mounts in a namespace of its own.
let canMount = HostFeatures.refusal(of: .mount) == nil

/// A directory with a small root file system and a volume.
struct TestBundle: Sendable {
  let path: String

  func build(
    _ access: RootConfiguration.Access, _ mounts: [MountConfiguration] = []
  ) throws(RuntimeError) -> RootFileSystem {
    var configuration = SandboxConfiguration(
      identifier: "test", kernelImagePath: "",
      root: RootConfiguration(path: "\(path)/rootfs", access: access),
      program: ProgramConfiguration(arguments: ["x"], environment: []))
    configuration.mounts = mounts
    return try RootFileSystem.build(configuration)
  }
}

func withBundle(_ body: (TestBundle) throws -> Void) throws {
  let files = FileManager.default
  let path = "\(NSTemporaryDirectory())/paravane-\(UUID().uuidString)"
  defer { try? files.removeItem(atPath: path) }
  for directory in ["etc", "proc", "sys", "dev", "tmp", "x"] {
    try files.createDirectory(
      atPath: "\(path)/rootfs/\(directory)", withIntermediateDirectories: true)
  }
  try files.createDirectory(atPath: "\(path)/volume", withIntermediateDirectories: true)
  files.createFile(atPath: "\(path)/rootfs/etc/hello", contents: Data("hello".utf8))
  files.createFile(atPath: "\(path)/volume/data", contents: Data("data".utf8))
  try body(TestBundle(path: path))
}

/// Runs `body` on a thread that has a mount namespace, and so a root and a directory, of its own.
func inOwnNamespace<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) throws -> Result {
  try onOwnThread {
    try Namespaces.mount.unshare()
    return try body()
  }
}

/// Runs `body` on a thread that ends with it.
func onOwnThread<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) throws -> Result {
  let box = ResultBox<Result>()
  let thread = Thread { box.set(Swift.Result { try body() }) }
  thread.start()
  return try box.wait().get()
}

/// Hands a result from one thread to another.
private final class ResultBox<Success: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var result: Result<Success, any Error>?

  func set(_ result: Result<Success, any Error>) {
    condition.withLock { self.result = result }
    condition.broadcast()
  }

  func wait() -> Result<Success, any Error> {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let result { return result }
      condition.wait()
    }
  }
}

func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

/// The errno with which a file can't be opened for writing, or 0.
func refusal(_ path: String) -> Int32 {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
  if descriptor < 0 { return errno }
  close(descriptor)
  return 0
}
