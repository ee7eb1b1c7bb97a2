import HostOS
import OCISpec
import Sandbox

/// Which control group a container gets, and who makes it.
extension Bundle {
  func controlGroup(
    _ identifier: String, _ options: LaunchOptions
  ) throws(SpecError) -> ControlGroupConfiguration {
    var group = ControlGroupConfiguration(spec.linux?.resources ?? Spec.Resources())
    group.usesEveryHierarchy = true
    let path = spec.linux?.cgroupsPath ?? ""
    guard !options.usesSystemdNames else {
      try Bundle.set(&group, systemd: path, identifier, spec.annotations)
      return group
    }
    if !path.isEmpty {
      group.path = PathText.normalized(path)
      // Its processes are everybody's.
      if group.path == "/" { throw SpecError("linux.cgroupsPath", "must not be the root") }
    }
    return group
  }

  /// A host without systemd gets the same names from us.
  private static func set(
    _ group: inout ControlGroupConfiguration, systemd path: String, _ identifier: String,
    _ annotations: [Spec.Annotation]
  ) throws(SpecError) {
    let instance: SystemdUnit.Instance = CurrentProcess.isHostsRoot ? .system : .user
    let isRunning = SystemdUnit.isRunning(instance)
    if path.isEmpty && !isRunning { return }
    let text = path.isEmpty ? ":paravane:\(identifier)" : path
    guard let named = SystemdGroup(text, instance) else {
      throw SpecError(
        "linux.cgroupsPath", "'\(path)' is not SLICE:PREFIX:NAME, as --systemd-cgroup asks")
    }
    group.path = named.path
    guard isRunning else { return }
    if named.unit.hasSuffix(".slice") {
      throw SpecError(
        "linux.cgroupsPath", "'\(named.unit)' is a slice, in which systemd puts no processes")
    }
    var unit = SystemdUnitConfiguration(
      unit: SystemdUnit(name: named.unit, instance: instance), slice: named.slice)
    unit.properties = try properties(annotations)
    group.unit = unit
  }

  /// What comes before the name of a unit's property in an annotation.
  private static let propertyPrefix = "org.systemd.property."

  private static func properties(
    _ annotations: [Spec.Annotation]
  ) throws(SpecError) -> [SystemdProperty] {
    var properties: [SystemdProperty] = []
    for annotation in annotations where annotation.name.hasPrefix(propertyPrefix) {
      let name = String(annotation.name.dropFirst(propertyPrefix.count))
      guard let property = SystemdProperty(name: name, text: annotation.value) else {
        throw SpecError(
          "annotations.\(annotation.name)", "'\(annotation.value)' is no value of a property")
      }
      properties.append(property)
    }
    return properties
  }
}

/// SLICE:PREFIX:NAME, by which engines that work with systemd name a container's group.
struct SystemdGroup: Equatable {
  let slice: String
  let unit: String

  /// Nil when the text is of another form.
  init?(_ text: String, _ instance: SystemdUnit.Instance = .system) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, !parts[2].isEmpty, !text.contains("/") else { return nil }
    slice = parts[0].isEmpty ? "\(instance.rawValue).slice" : parts[0]
    unit = parts[2].hasSuffix(".slice") ? parts[2] : "\(parts[1])-\(parts[2]).scope"
    guard SystemdUnitConfiguration.path(ofSlice: slice) != nil else { return nil }
  }

  var path: String { "\(SystemdUnitConfiguration.path(ofSlice: slice) ?? "")/\(unit)" }
}
