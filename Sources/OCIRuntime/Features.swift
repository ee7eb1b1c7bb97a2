import OCISpec

/// What this runtime supports, as `features` says: OCI runtime specification, Features.
public enum Features {
  public static let specificationVersion = "1.3.0"
  public static let version = "0.1.0"

  public static var json: JSON {
    .members([
      "ociVersionMin": .string("1.0.0"), "ociVersionMax": .string(specificationVersion),
      "hooks": .texts([
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
      ]),
      "mountOptions": .texts(mountOptions), "linux": linux,
      "annotations": .members(["org.paravane.version": .string(version)]),
    ])
  }

  private static let mountOptions = [
    "acl", "async", "atime", "bind", "defaults", "dev", "diratime", "dirsync", "exec", "idmap",
    "iversion", "lazytime", "loud", "mand", "noacl", "noatime", "nodev", "nodiratime", "noexec",
    "noiversion", "nolazytime", "nomand", "norelatime", "nostrictatime", "nosuid", "nosymfollow",
    "private", "ratime", "rbind", "rdev", "rdiratime", "relatime", "remount", "rexec", "ridmap",
    "rnoatime", "rnodev", "rnodiratime", "rnoexec", "rnorelatime", "rnostrictatime", "rnosuid",
    "rnosymfollow", "ro", "rprivate", "rrelatime", "rro", "rrw", "rslave", "rstrictatime", "rsuid",
    "rsymfollow", "runbindable", "rw", "silent", "slave", "strictatime", "suid", "symfollow",
    "sync", "unbindable",
  ]

  private static var linux: JSON {
    .members([
      // All can be new; see docs/compatibility/config.md for those that can be joined.
      "namespaces": .texts([
        "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts",
      ]),
      "capabilities": .texts(CapabilityNames.all),
      "cgroup": .members([
        "v1": .bool(true), "v2": .bool(true), "systemd": .bool(true),
        "systemdUser": .bool(true), "rdma": .bool(false),
      ]),
      "seccomp": .members([
        "enabled": .bool(true),
        "actions": .texts(SeccompAction.allCases.map(\.rawValue)),
        "operators": .texts(SeccompComparison.allCases.map(\.rawValue)),
        "archs": .texts(SeccompArchitecture.allCases.map(\.rawValue)),
        "knownFlags": .texts(SeccompFlag.allCases.map(\.rawValue)),
        "supportedFlags": .texts(SeccompFlag.allCases.map(\.rawValue)),
      ]),
      "apparmor": .members(["enabled": .bool(false)]),
      "selinux": .members(["enabled": .bool(false)]),
      "intelRdt": .members(["enabled": .bool(false)]),
      "mountExtensions": .members(["idmap": .members(["enabled": .bool(true)])]),
    ])
  }
}
