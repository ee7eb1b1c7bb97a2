import Glibc
import HostOS

/// How a container engine is told of a runtime: by files that name it; see docs/engines/.
struct EngineRegistration: Sendable {
  let engine: String
  /// The page that says how.
  let page: String
  /// The engine's own configuration.
  let files: [String]
  /// Directories with pieces of it.
  let directories: [String]

  static let all = [
    EngineRegistration(
      engine: "podman", page: "docs/engines/podman.md",
      files: ["/etc/containers/containers.conf", "/usr/share/containers/containers.conf"]
        + ownFiles,
      directories: ["/etc/containers/containers.conf.d"]),
    EngineRegistration(
      engine: "docker", page: "docs/engines/docker.md", files: ["/etc/docker/daemon.json"],
      directories: []),
    EngineRegistration(
      engine: "containerd", page: "docs/engines/containerd.md",
      files: ["/etc/containerd/config.toml"], directories: ["/etc/containerd/conf.d"]),
    EngineRegistration(
      engine: "crio", page: "docs/engines/cri-o.md", files: ["/etc/crio/crio.conf"],
      directories: ["/etc/crio/crio.conf.d"]),
  ]

  /// What rootless Podman reads besides.
  private static var ownFiles: [String] {
    guard let home = CurrentProcess.environment("HOME"), geteuid() != 0 else { return [] }
    return ["\(home)/.config/containers/containers.conf"]
  }

  /// The file that names the runtime, nil when none does.
  ///
  /// `root` is where the machine's files are, for tests.
  func file(naming runtime: String, root: String = "") -> String? {
    var candidates = files
    for directory in directories {
      candidates += EngineRegistration.names(in: root + directory).map { "\(directory)/\($0)" }
    }
    return candidates.first { path in
      guard let text = try? HostFile.readText(root + path) else { return false }
      return EngineRegistration.mentions(runtime, in: text)
    }
  }

  /// None in a directory that is not there.
  private static func names(in directory: String) -> [String] {
    guard let owner = try? HostFile.open(directory, flags: O_RDONLY | O_DIRECTORY),
      let names = try? owner.descriptor.names(in: ".")
    else { return [] }
    return names.sorted()
  }

  /// Outside of comments.
  static func mentions(_ runtime: String, in text: String) -> Bool {
    text.split(separator: "\n").contains { line in
      line.first { $0 != " " && $0 != "\t" } != "#" && line.contains(runtime)
    }
  }
}
