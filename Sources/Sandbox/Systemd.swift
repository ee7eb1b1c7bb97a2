import DBus
import Glibc
import HostOS

/// The few calls of org.freedesktop.systemd1(5) that a container takes, on a connection of its own.
struct Systemd: ~Copyable {
  private var connection: DBusConnection

  private static let name = "org.freedesktop.systemd1"
  private static let path = "/org/freedesktop/systemd1"
  private static let interface = "org.freedesktop.systemd1.Manager"
  /// For a whole conversation, the job included.
  private static let patienceSeconds = 30
  /// A property as a method takes it.
  private static let propertyType = DBusType.structure([.string, .variant])

  // MARK: - The connection

  /// Without a bus where systemd lets us, since that works before there is one, too.
  static func connect(to instance: SystemdUnit.Instance) throws(DBusError) -> Systemd {
    let deadline = Deadline(seconds: Systemd.patienceSeconds)
    let sockets = Systemd.sockets(of: instance)
    var failure = DBusError.host(.notFound)
    let places = sockets.direct.map { ($0, isBus: false) } + sockets.buses.map { ($0, isBus: true) }
    for (path, isBus) in places {
      do throws(DBusError) {
        var systemd = Systemd(
          connection: try DBusConnection.connect(path: path, deadline: deadline))
        try systemd.begin(onBus: isBus)
        return systemd
      } catch {
        // A socket that is not there says less than one that is.
        if failure == .host(.notFound) { failure = error }
      }
    }
    throw failure
  }

  private init(connection: consuming DBusConnection) { self.connection = connection }

  static func sockets(
    of instance: SystemdUnit.Instance,
    environment: (String) -> String? = CurrentProcess.environment
  ) -> (direct: [String], buses: [String]) {
    switch instance {
    case .system:
      return (["/run/systemd/private"], ["/run/dbus/system_bus_socket"])
    case .user:
      var buses: [String] = []
      if let address = environment("DBUS_SESSION_BUS_ADDRESS"), let path = path(of: address) {
        buses.append(path)
      }
      guard let directory = environment("XDG_RUNTIME_DIR"), directory.hasPrefix("/") else {
        return ([], buses)
      }
      return ([directory + "/systemd/private"], buses + [directory + "/bus"])
    }
  }

  /// Of the first address that is a socket with a plain path: D-Bus specification, Addresses.
  private static func path(of addresses: String) -> String? {
    for address in addresses.split(separator: ";") where address.hasPrefix("unix:") {
      for pair in address.dropFirst("unix:".count).split(separator: ",")
      where pair.hasPrefix("path=/") && !pair.contains("%") {
        return String(pair.dropFirst("path=".count))
      }
    }
    return nil
  }

  /// A bus wants to be greeted, and told what its client wants to hear.
  private mutating func begin(onBus: Bool) throws(DBusError) {
    // Otherwise the numbers of our processes are others' there.
    guard connection.hasVisiblePeer else {
      throw .invalid("systemd is in another pid namespace")
    }
    connection.listen(interface: Systemd.interface, member: "JobRemoved")
    guard onBus else { return }
    let bus = "org.freedesktop.DBus"
    func call(_ member: String, _ arguments: [DBusValue] = []) -> DBusCall {
      DBusCall(
        destination: bus, path: "/org/freedesktop/DBus", interface: bus, member: member,
        arguments: arguments)
    }
    try connection.call(call("Hello"), returning: "s")
    let rule =
      "type='signal',sender='\(Systemd.name)',path='\(Systemd.path)',"
      + "interface='\(Systemd.interface)',member='JobRemoved'"
    try connection.call(call("AddMatch", [.string(rule)]), returning: "")
    try ask("Subscribe", returning: "")
  }

  // MARK: - Questions

  /// 252 of "252.38-1~deb12u1"; zero for what is no number.
  mutating func version() throws(DBusError) -> Int {
    Int(try property("Version").prefix { $0.isASCII && $0.isNumber }) ?? 0
  }

  /// Below which systemd has its units: "" or a path.
  mutating func controlGroup() throws(DBusError) -> String {
    let path = try property("ControlGroup")
    let elements = path.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = elements.dropFirst().allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    guard path.isEmpty || path == "/" || (elements[0].isEmpty && isPlain) else {
      throw .malformed("ControlGroup")
    }
    return path == "/" ? "" : path
  }

  private mutating func property(_ name: String) throws(DBusError) -> String {
    let values = try connection.call(
      DBusCall(
        destination: Systemd.name, path: Systemd.path,
        interface: "org.freedesktop.DBus.Properties", member: "Get",
        arguments: [.string(Systemd.interface), .string(name)]), returning: "v")
    guard case .variant(.string(let text)) = values[0] else { throw .malformed(name) }
    return text
  }

  // MARK: - Units

  /// Returns the job. A unit that is left over from a failure gives way.
  mutating func start(
    _ unit: String, _ properties: [SystemdProperty]
  ) throws(DBusError) -> String {
    let arguments: [DBusValue] = [
      .string(unit), .string("replace"), Systemd.value(properties),
      .array(.structure([.string, .array(Systemd.propertyType)]), []),
    ]
    do throws(DBusError) { return try job("StartTransientUnit", arguments) } catch {
      guard error.name == "\(Systemd.name).UnitExists" else { throw error }
      // The first failure is the one to tell of.
      guard (try? ask("ResetFailedUnit", [.string(unit)], returning: "")) != nil else {
        throw error
      }
      return try job("StartTransientUnit", arguments)
    }
  }

  /// Waits for a job's end: "done", or why not.
  mutating func result(of job: String) throws(DBusError) -> String {
    while true {
      let values = try connection.nextSignal().arguments
      guard values.count == 4, case .objectPath(let path) = values[1],
        case .string(let result) = values[3]
      else { throw .malformed("JobRemoved") }
      if path == job { return result }
    }
  }

  /// Returns when it is gone.
  mutating func stop(_ unit: String) throws(DBusError) {
    do throws(DBusError) {
      let job = try job("StopUnit", [.string(unit), .string("replace")])
      _ = try result(of: job)
      // One that has failed would stay, with its name.
      try ask("ResetFailedUnit", [.string(unit)], returning: "")
    } catch {
      // As a scope does by itself, after its last process.
      guard error.name == "\(Systemd.name).NoSuchUnit" else { throw error }
    }
  }

  mutating func set(_ properties: [SystemdProperty], of unit: String) throws(DBusError) {
    // Not beyond the machine's next start.
    try ask(
      "SetUnitProperties", [.string(unit), .boolean(true), Systemd.value(properties)],
      returning: "")
  }

  private mutating func job(
    _ member: String, _ arguments: [DBusValue]
  ) throws(DBusError) -> String {
    guard case .objectPath(let path) = try ask(member, arguments, returning: "o")[0] else {
      throw .malformed(member)
    }
    return path
  }

  @discardableResult
  private mutating func ask(
    _ member: String, _ arguments: [DBusValue] = [], returning signature: String
  ) throws(DBusError) -> [DBusValue] {
    try connection.call(
      DBusCall(
        destination: Systemd.name, path: Systemd.path, interface: Systemd.interface,
        member: member, arguments: arguments), returning: signature)
  }

  private static func value(_ properties: [SystemdProperty]) -> DBusValue {
    .array(
      propertyType,
      properties.map { .structure([.string($0.name), .variant($0.value)]) })
  }
}
