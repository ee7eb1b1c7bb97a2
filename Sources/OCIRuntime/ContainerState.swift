import HostOS
import OCISpec
import Sandbox

/// Where a container is in its life: OCI runtime specification, State.
public enum ContainerStatus: String, Equatable, Sendable, CaseIterable {
  case creating, created, running, paused, stopped

  /// There are processes.
  public var isAlive: Bool { self != .creating && self != .stopped }
}

/// What is kept of a container between commands: state.json in its directory.
public struct ContainerState: Equatable, Sendable {
  /// Of the file's layout.
  public static let version = 1

  /// A process that can't be confused with a later one of the same number.
  public struct Process: Equatable, Sendable {
    public var id: ProcessID
    public var startTime: UInt64

    public init(id: ProcessID, startTime: UInt64) {
      self.id = id
      self.startTime = startTime
    }

    /// Nil when it has ended already.
    public init?(_ id: ProcessID) {
      guard let time = id.startTime() else { return nil }
      self.init(id: id, startTime: time)
    }

    public var isAlive: Bool { id.startTime() == startTime }
  }

  public var ociVersion: String
  public var identifier: String
  public var bundle: String
  public var root: String
  /// RFC 3339.
  public var created: String
  public var isCreating: Bool
  /// Init, whose end is the container's.
  public var process: Process
  public var backend: Process
  public var controlGroups: [ControlGroup.Leaf]
  /// Of systemd, where it made the groups.
  public var unit: SystemdUnit?
  public var annotations: [Spec.Annotation]

  public var group: ControlGroup { ControlGroup(leaves: controlGroups, unit: unit) }

  // MARK: - As JSON

  var json: JSON {
    func json(_ process: Process) -> JSON {
      .members(["pid": .number(process.id.rawValue), "startTime": .number(process.startTime)])
    }
    var members: [JSON.Member] = [
      JSON.Member(name: "annotations", value: ContainerState.json(annotations))
    ]
    if let unit {
      let value = JSON.members([
        "name": .string(unit.name), "instance": .string(unit.instance.rawValue),
      ])
      members.append(JSON.Member(name: "unit", value: value))
    }
    let fixed = JSON.members([
      "version": .number(ContainerState.version), "ociVersion": .string(ociVersion),
      "id": .string(identifier), "bundle": .string(bundle), "rootfs": .string(root),
      "created": .string(created), "creating": .bool(isCreating), "process": json(process),
      "backend": json(backend),
      "controlGroups": .list(
        controlGroups.map {
          .members([
            "version": .number($0.version == .one ? 1 : 2), "controllers": .texts($0.controllers),
            "path": .string($0.path),
          ])
        }),
    ])
    return .object(fixed.fields + members)
  }

  static func json(_ annotations: [Spec.Annotation]) -> JSON {
    .object(annotations.map { JSON.Member(name: $0.name, value: .string($0.value)) })
  }

  init(_ json: JSON) throws(RuntimeError) {
    guard json["version"]?.integer(Int.self) == ContainerState.version else {
      throw RuntimeError("its state is of another version of paravane")
    }
    func text(_ name: String) throws(RuntimeError) -> String {
      guard let text = json[name]?.string else {
        throw RuntimeError("its state is damaged: \(name)")
      }
      return text
    }
    func process(_ name: String) throws(RuntimeError) -> Process {
      guard let id: Int32 = json[name]?["pid"]?.integer(),
        let time: UInt64 = json[name]?["startTime"]?.integer(), id > 0
      else { throw RuntimeError("its state is damaged: \(name)") }
      return Process(id: ProcessID(rawValue: id), startTime: time)
    }
    ociVersion = try text("ociVersion")
    identifier = try text("id")
    bundle = try text("bundle")
    root = try text("rootfs")
    created = try text("created")
    isCreating = json["creating"] == .bool(true)
    self.process = try process("process")
    backend = try process("backend")
    controlGroups = (json["controlGroups"]?.elements ?? []).compactMap { leaf in
      leaf["path"]?.string.map { path in
        ControlGroup.Leaf(
          version: leaf["version"]?.integer(Int.self) == 2 ? .two : .one,
          controllers: (leaf["controllers"]?.elements ?? []).compactMap(\.string), path: path)
      }
    }
    if let unit = json["unit"] {
      guard let name = unit["name"]?.string,
        let instance = unit["instance"]?.string.flatMap(SystemdUnit.Instance.init)
      else { throw RuntimeError("its state is damaged: unit") }
      self.unit = SystemdUnit(name: name, instance: instance)
    }
    annotations = (json["annotations"]?.fields ?? []).compactMap { member in
      member.value.string.map { Spec.Annotation(name: member.name, value: $0) }
    }
  }

  public init(
    ociVersion: String, identifier: String, bundle: String, root: String, process: Process,
    backend: Process, controlGroups: [ControlGroup.Leaf], annotations: [Spec.Annotation]
  ) {
    self.ociVersion = ociVersion
    self.identifier = identifier
    self.bundle = bundle
    self.root = root
    created = WallClock.text()
    isCreating = true
    self.process = process
    self.backend = backend
    self.controlGroups = controlGroups
    self.annotations = annotations
  }
}

/// The state that hooks and the command `state` are told: OCI runtime specification, State.
public struct SpecifiedState: Sendable {
  public var ociVersion: String
  public var identifier: String
  public var status: ContainerStatus
  /// 0 without processes.
  public var process: Int32
  public var bundle: String
  public var annotations: [Spec.Annotation]
  /// Beyond the specification, as runc has them.
  public var root: String?
  public var created: String?

  public var json: JSON {
    var members: [JSON.Member] = [
      JSON.Member(name: "ociVersion", value: .string(ociVersion)),
      JSON.Member(name: "id", value: .string(identifier)),
      JSON.Member(name: "pid", value: .number(process)),
      // The specification knows no "paused"; runc says it, and engines rely on it.
      JSON.Member(name: "status", value: .string(status.rawValue)),
      JSON.Member(name: "bundle", value: .string(bundle)),
    ]
    if let root { members.append(JSON.Member(name: "rootfs", value: .string(root))) }
    if let created { members.append(JSON.Member(name: "created", value: .string(created))) }
    if !annotations.isEmpty {
      members.append(JSON.Member(name: "annotations", value: ContainerState.json(annotations)))
    }
    if root != nil { members.append(JSON.Member(name: "owner", value: .string(""))) }
    return .object(members)
  }
}
