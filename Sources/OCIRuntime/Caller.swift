import HostOS

/// Who called us, and in which surroundings.
struct Caller {
  let user: UInt32
  let group: UInt32
  let additionalGroups: [UInt32]
  let umask: UInt32
  let hostname: String
  let domainname: String
  /// Each `NAME=VALUE`.
  let environment: [String]

  init() {
    let identity = CurrentProcess.identity()
    (user, group) = (identity.user, identity.group)
    additionalGroups = identity.additionalGroups
    umask = CurrentProcess.fileCreationMask()
    let names = HostNames.current()
    hostname = names.host
    domainname = names.domain
    environment = CurrentProcess.environment()
  }
}
