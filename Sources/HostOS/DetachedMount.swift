import CHostOS
import Glibc

/// A mount that no path leads to yet, and that ends with its owner unless it is attached.
///
/// The descriptor works as a directory for the `*at` calls, attached or not.
public struct DetachedMount: ~Copyable {
  public let owner: OwnedDescriptor

  public init(owner: consuming OwnedDescriptor) { self.owner = owner }

  public var descriptor: Descriptor { owner.descriptor }

  /// A copy of the mount at `path`, which starts at that file or directory.
  public static func clone(
    of path: String, at directory: Descriptor = .workingDirectory, recursively: Bool = false
  ) throws(HostError) -> DetachedMount {
    var flags = HOST_OPEN_TREE_CLONE
    if path.isEmpty { flags |= HOST_AT_EMPTY_PATH }
    if recursively { flags |= HOST_AT_RECURSIVE }
    return DetachedMount(
      owner: try OwnedDescriptor { host_open_tree(directory.rawValue, path, flags) })
  }

  /// A new file system. An option without a value is a flag.
  public static func create(
    type: String, source: String, options: [(key: String, value: String?)] = [],
    attributes: MountAttributes
  ) throws(HostError) -> DetachedMount {
    let context = try OwnedDescriptor { host_fsopen(type) }
    let raw = context.rawValue
    try check { host_fsconfig_string(raw, "source", source) }
    for option in options {
      try check {
        if let value = option.value {
          host_fsconfig_string(raw, option.key, value)
        } else {
          host_fsconfig_flag(raw, option.key)
        }
      }
    }
    try check { host_fsconfig_create(raw) }
    return DetachedMount(
      owner: try OwnedDescriptor { host_fsmount(raw, attributes.rawValue) })
  }

  /// Stacks the mount on the file or directory that `target` refers to.
  public func attach(on target: Descriptor) throws(HostError) {
    try descriptor.attachMount(on: target)
  }

  public func setAttributes(
    _ attributes: MountAttributes, clearing cleared: MountAttributes = [], recursively: Bool = false
  ) throws(HostError) {
    try descriptor.setMountAttributes(attributes, clearing: cleared, recursively: recursively)
  }

  /// Owners are shown, and set, as the user namespace maps them: mount_setattr(2), "ID-mapped
  /// mounts". EINVAL for a file system that can't, and for a mount that has a map already.
  public func mapIDs(
    of userNamespace: Descriptor, recursively: Bool = false
  ) throws(HostError) {
    let raw = owner.rawValue
    let flags = recursively ? HOST_AT_RECURSIVE : 0
    try check { host_mount_map_ids(raw, flags, userNamespace.rawValue) }
  }

  /// Only the descriptor, when it is to be known as no more than a directory.
  public consuming func takeOwner() -> OwnedDescriptor { owner }

  /// Gives up the ownership: the mount lives as long as the descriptor is open or it is attached.
  public consuming func release() -> Descriptor { owner.release() }
}

extension Descriptor {
  /// Stacks the detached mount of which this is the top directory on `target`.
  public func attachMount(on target: Descriptor) throws(HostError) {
    try check { host_attach_mount(rawValue, target.rawValue) }
  }

  /// Changes the mount of which this descriptor is the top directory.
  public func setMountAttributes(
    _ attributes: MountAttributes, clearing cleared: MountAttributes = [], recursively: Bool = false
  ) throws(HostError) {
    let changesTimes = !attributes.isDisjoint(with: .accessTimeField)
    let cleared = changesTimes ? cleared.union(.accessTimeField) : cleared
    let flags = recursively ? HOST_AT_RECURSIVE : 0
    try check { host_mount_setattr(rawValue, flags, attributes.rawValue, cleared.rawValue) }
  }
}
