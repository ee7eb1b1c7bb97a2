import Foundation
import Glibc
import HostOS
import Testing

@testable import Sandbox

/// Builds root file systems in mount namespaces that end with the test's thread.
@Suite(.serialized, .enabled(if: canMount, "needs root and mount namespaces"))
struct RootFileSystemTests {
  @Test func theHostIsOutOfReach() throws {
    try withBundle { bundle in
      let seen = try inOwnNamespace {
        _ = try bundle.build(.readOnly)
        return (exists(bundle.path), exists("/etc/hello"), exists("/../../..\(bundle.path)"))
      }
      #expect(seen == (false, true, false))
    }
  }

  @Test func aReadOnlyRootRefusesWrites() throws {
    try withBundle { bundle in
      let errors = try inOwnNamespace {
        _ = try bundle.build(.readOnly)
        return (refusal("/new"), refusal("/etc/hello"))
      }
      #expect(errors == (EROFS, EROFS))
    }
  }

  @Test func aThrownAwayLayerLeavesNoTrace() throws {
    try withBundle { bundle in
      let seen = try inOwnNamespace {
        _ = try bundle.build(.throwAwayOverlay)
        let errors = (refusal("/new"), refusal("/etc/hello"))
        unlink("/etc/hello")
        return (errors.0, errors.1, exists("/new"), exists("/etc/hello"), rename("/etc", "/etc2"))
      }
      #expect(seen == (0, 0, true, false, 0))
      #expect(!exists("\(bundle.path)/rootfs/new"))
      #expect(exists("\(bundle.path)/rootfs/etc/hello"))
    }
  }

  @Test func theGuestsFileSystemsAreClosedAndOnOneDevice() throws {
    try withBundle { bundle in
      let seen = try inOwnNamespace {
        let files = try bundle.build(
          .readOnly,
          [
            MountConfiguration(kind: .proc, source: "proc", destination: "/proc"),
            MountConfiguration(kind: .sysfs, source: "sysfs", destination: "/sys"),
            MountConfiguration(kind: .tmpfs, source: "tmpfs", destination: "/dev"),
            MountConfiguration(kind: .devpts, source: "devpts", destination: "/dev/pts"),
          ])
        let statuses = try ["/proc", "/sys", "/dev"].map { try HostFile.status($0) }
        return (files.hiddenDevice, statuses, files.mounts.map(\.kind), exists("/dev/pts"))
      }
      #expect(seen.1.allSatisfy { $0.device == seen.0 && $0.mode & 0o777 == 0 })
      #expect(seen.1.allSatisfy { $0.user == 65534 })
      #expect(seen.2 == [.host, .proc, .sys, .dev, .devpts])
      #expect(!seen.3)
    }
  }

  @Test func aMountBelowAGuestFileSystemComesAsADescriptor() throws {
    try withBundle { bundle in
      let seen = try inOwnNamespace {
        let files = try bundle.build(
          .writable,
          [
            MountConfiguration(kind: .devtmpfs, source: "devtmpfs", destination: "/dev"),
            MountConfiguration(
              kind: .tmpfs, source: "shm", destination: "/dev/shm", options: ["size=64k"]),
            MountConfiguration(
              kind: .bind, source: "\(bundle.path)/volume", destination: "/dev/volume"),
          ])
        let descriptors = files.mounts.compactMap(\.descriptor)
        let shared = try #require(descriptors.first)
        try shared.makeFile("x")
        let volume = try #require(descriptors.last)
        return (descriptors.count, try volume.handle(inRoot: "../data").descriptor.rawValue >= 0)
      }
      #expect(seen == (2, true))
    }
  }

  @Test func aReadOnlyVolumeIsReadOnly() throws {
    try withBundle { bundle in
      let seen = try inOwnNamespace {
        _ = try bundle.build(
          .readOnly,
          [
            MountConfiguration(kind: .tmpfs, source: "tmpfs", destination: "/tmp"),
            MountConfiguration(
              kind: .bind, source: "\(bundle.path)/volume", destination: "/tmp/a/b",
              options: ["rbind", "ro"]),
            MountConfiguration(
              kind: .bind, source: "\(bundle.path)/volume/data", destination: "/tmp/file",
              options: ["ro"]),
            MountConfiguration(
              kind: .bind, source: "\(bundle.path)/volume", destination: "/tmp/c"),
          ])
        return (refusal("/tmp/a/b/x"), refusal("/tmp/file"), refusal("/tmp/c/x"))
      }
      #expect(seen == (EROFS, EROFS, 0))
      #expect(exists("\(bundle.path)/volume/x"))
    }
  }

  @Test func aSymbolicLinkOfTheContainerLeadsNowhereElse() throws {
    try withBundle { bundle in
      try FileManager.default.createSymbolicLink(
        atPath: "\(bundle.path)/rootfs/out", withDestinationPath: "/../../..\(bundle.path)/volume")
      let seen = try inOwnNamespace {
        do throws(RuntimeError) {
          _ = try bundle.build(
            .writable, [MountConfiguration(kind: .tmpfs, source: "t", destination: "/out/x")])
          return ""
        } catch {
          return error.message
        }
      }
      #expect(seen == "cannot mount 't' on '/out/x': no such file or directory")
      #expect(!exists("\(bundle.path)/volume/x"))
    }
  }

  @Test(arguments: [
    ("/nowhere", "cannot mount '/nowhere' on '/x': no such file or directory"),
    (
      "/proc",
      "cannot mount '/proc' on '/x': it shows the host's kernel, which a sandbox "
        + "does not share"
    ),
  ])
  func aVolumeThatCanNotBeIsExplained(source: String, expected: String) throws {
    try withBundle { bundle in
      let mount = MountConfiguration(kind: .bind, source: source, destination: "/x")
      let seen = try inOwnNamespace {
        do throws(RuntimeError) {
          _ = try bundle.build(.readOnly, [mount])
          return ""
        } catch {
          return error.message
        }
      }
      #expect(seen == expected)
    }
  }

  @Test func theSizeOfATmpfsIsALimit() throws {
    try withBundle { bundle in
      let written = try inOwnNamespace {
        _ = try bundle.build(
          .readOnly,
          [
            MountConfiguration(
              kind: .tmpfs, source: "tmpfs", destination: "/tmp", options: ["size=64k"])
          ])
        let file = try HostFile.open("/tmp/x", flags: O_WRONLY | O_CREAT, mode: 0o600)
        let block = [UInt8](repeating: 1, count: 1 << 20)
        return write(file.rawValue, block, block.count)
      }
      #expect(written == 65536)
    }
  }
}
