extension Spec {
  /// Reads the text of a config.json and checks its form. Also returns the names of the fields that
  /// have no effect: `linux.seccomp`.
  public static func read(
    _ text: [UInt8]
  ) throws(SpecError) -> (spec: Spec, unsupported: [String]) {
    let json = try JSONParser.parse(text)
    let spec = try Spec(SpecField(json))
    try spec.validate()
    return (spec, SupportedFields.config.missing(in: json))
  }

  init(_ field: SpecField) throws(SpecError) {
    ociVersion = try field["ociVersion"].text()
    root = try field["root"].object { field throws(SpecError) in try Root(field) }
    mounts = try field["mounts"].list { field throws(SpecError) in try Mount(field) }
    process = try field["process"].object { field throws(SpecError) in try Process(field) }
    hostname = try field["hostname"].text()
    domainname = try field["domainname"].text()
    linux = try field["linux"].object { field throws(SpecError) in try Linux(field) }
  }
}

extension Spec.Root {
  init(_ field: SpecField) throws(SpecError) {
    path = try field["path"].text()
    readonly = try field["readonly"].truth()
  }
}

extension Spec.Mount {
  init(_ field: SpecField) throws(SpecError) {
    destination = try field["destination"].text()
    type = try field["type"].text()
    source = try field["source"].text()
    options = try field["options"].texts()
  }
}

extension Spec.Process {
  init(_ field: SpecField) throws(SpecError) {
    terminal = try field["terminal"].truth()
    user = try field["user"].object { field throws(SpecError) in try Spec.User(field) }
    args = try field["args"].texts()
    env = try field["env"].texts()
    cwd = try field["cwd"].text()
    capabilities = try field["capabilities"].object { field throws(SpecError) in
      try Spec.Capabilities(field)
    }
    rlimits = try field["rlimits"].list { field throws(SpecError) in
      try Spec.ResourceLimit(field)
    }
    noNewPrivileges = try field["noNewPrivileges"].truth()
  }
}

extension Spec.User {
  init(_ field: SpecField) throws(SpecError) {
    uid = try field["uid"].integer()
    gid = try field["gid"].integer()
    umask = try field["umask"].integer()
    additionalGids = try field["additionalGids"].list { field throws(SpecError) in
      try field.integer(UInt32.self)
    }
  }
}

extension Spec.Capabilities {
  init(_ field: SpecField) throws(SpecError) {
    bounding = try field["bounding"].texts()
    effective = try field["effective"].texts()
    inheritable = try field["inheritable"].texts()
    permitted = try field["permitted"].texts()
    ambient = try field["ambient"].texts()
  }
}

extension Spec.ResourceLimit {
  init(_ field: SpecField) throws(SpecError) {
    type = try field["type"].text()
    soft = try field["soft"].integer()
    hard = try field["hard"].integer()
  }
}

extension Spec.Linux {
  init(_ field: SpecField) throws(SpecError) {
    cgroupsPath = try field["cgroupsPath"].text()
    resources = try field["resources"].object { field throws(SpecError) in
      try Spec.Resources(field)
    }
    namespaces = try field["namespaces"].list { field throws(SpecError) in
      try Spec.Namespace(field)
    }
  }
}

extension Spec.Namespace {
  init(_ field: SpecField) throws(SpecError) {
    type = try field["type"].text()
    path = try field["path"].text()
  }
}

extension Spec.Resources {
  init(_ field: SpecField) throws(SpecError) {
    memoryLimit = try field["memory"]["limit"].integer()
    cpuShares = try field["cpu"]["shares"].integer()
    cpuQuota = try field["cpu"]["quota"].integer()
    cpuPeriod = try field["cpu"]["period"].integer()
    processLimit = try field["pids"]["limit"].integer()
  }
}
