import HostOS
import OCISpec

/// The labels of the host's security modules that a configuration asks for.
///
/// They keep a container's processes from things of the host. Guest processes reach none of them,
/// so the labels are passed over, with a warning. But a host without the module could apply none to
/// anybody: then the configuration is not for it, and every runtime says so.
enum SecurityLabels {
  private static let modules = [
    (field: "apparmorProfile", name: "AppArmor", mark: "/sys/module/apparmor/parameters/enabled"),
    (field: "selinuxLabel", name: "SELinux", mark: "/sys/fs/selinux/enforce"),
    (field: "mountLabel", name: "SELinux", mark: "/sys/fs/selinux/enforce"),
  ]

  /// Throws for the first of these fields that the host can't have meant.
  static func check(_ unsupported: [String]) throws(SpecError) {
    for name in unsupported {
      let module = modules.first { name == "process.\($0.field)" || name == "linux.\($0.field)" }
      guard let module else { continue }
      if (try? HostFile.status(module.mark)) == nil {
        throw SpecError(name, "can not be applied: this host has no \(module.name)")
      }
    }
  }
}
