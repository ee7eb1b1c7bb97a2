import HostOS

/// The writable layers of a throw-away root: directories of a tmpfs that no path of the sandbox
/// leads to and that ends with it.
struct OverlayLayers: ~Copyable {
  let scratch: DetachedMount

  /// Mounts the tmpfs over `oldRoot`, because overlayfs takes layers only from the mount namespace
  /// of its caller. It goes with the old root.
  static func mounted(on oldRoot: Descriptor) throws(HostError) -> OverlayLayers {
    let scratch = try DetachedMount.create(
      type: "tmpfs", source: "paravane", options: [("mode", "0700")],
      attributes: [.noSetUserID, .noDevices, .noExecution])
    try scratch.attach(on: oldRoot)
    return OverlayLayers(scratch: scratch)
  }

  /// A file system that shows `lower` and keeps what is written to it in a layer called `name`.
  ///
  /// The layers are named by descriptor, so that no character of a path has a meaning.
  func overlay(
    on lower: borrowing OwnedDescriptor, name: String, attributes: MountAttributes
  ) throws(HostError) -> DetachedMount {
    let (upper, work) = ("\(name).upper", "\(name).work")
    let layers = scratch.descriptor
    try layers.makeDirectory(upper)
    try layers.makeDirectory(work)
    // The top directory of an overlay has the attributes of its upper layer.
    do throws(HostError) {
      try layers.setOwnership(of: upper, like: try lower.descriptor.status())
    } catch  where error == .invalid {
      // This user namespace does not have the owner.
    }
    let places: [(key: String, value: String?)] = [
      ("lowerdir", lower.descriptor.procPath),
      ("upperdir", "\(layers.procPath)/\(upper)"),
      ("workdir", "\(layers.procPath)/\(work)"),
      ("index", "off"), ("metacopy", "off"), ("xino", "auto"),
    ]
    // Without redirect_dir a directory of the lower layer could not be renamed, but by copying.
    let marks: [(key: String, value: String?)] =
      CurrentProcess.isHostsRoot ? [("redirect_dir", "on")] : [("userxattr", nil)]
    return try DetachedMount.create(
      type: "overlay", source: "overlay", options: places + marks, attributes: attributes)
  }
}
