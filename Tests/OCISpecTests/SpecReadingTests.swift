import Testing

@testable import OCISpec

@Suite struct SpecReadingTests {
  /// A whole configuration with one field replaced or, without a value, left out.
  private func config(_ field: String = "", _ value: String? = nil) -> [UInt8] {
    var fields = [
      "ociVersion": #""1.0.2""#,
      "root": #"{"path": "rootfs"}"#,
      "process": #"{"args": ["sh"], "cwd": "/"}"#,
    ]
    if !field.isEmpty { fields[field] = value }
    return Array("{\(fields.map { "\"\($0)\": \($1)" }.joined(separator: ","))}".utf8)
  }

  private func process(_ fields: String) -> [UInt8] {
    config("process", #"{"args": ["sh"], "cwd": "/", \#(fields)}"#)
  }

  private func message(_ json: [UInt8]) -> String? {
    do throws(SpecError) {
      _ = try Spec.read(json)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func theSmallestConfigurationIsRead() throws {
    let spec = try Spec.read(config()).spec
    #expect(spec.process?.args == ["sh"])
    #expect(spec.root?.readonly == nil)
  }

  @Test(
    arguments: [
      ("process", nil, "process: is missing"),
      ("root", nil, "root: is missing"),
      ("ociVersion", nil, "ociVersion: is missing"),
      ("ociVersion", #""2.0.0""#, "ociVersion: '2.0.0' is not supported, only 1.x is"),
      ("root", #"{"path": ""}"#, "root.path: must not be empty"),
      ("root", #"{"path": 5}"#, "root.path: must be a string"),
      ("root", #""rootfs""#, "root: must be an object"),
      ("process", #"{"cwd": "/"}"#, "process.args: is missing"),
      ("process", #"{"args": [], "cwd": "/"}"#, "process.args: must not be empty"),
      ("process", #"{"args": [""], "cwd": "/"}"#, "process.args[0]: must not be empty"),
      ("process", #"{"args": "sh", "cwd": "/"}"#, "process.args: must be a list"),
      ("process", #"{"args": ["sh", 1], "cwd": "/"}"#, "process.args[1]: must be a string"),
      ("process", #"{"args": ["sh"]}"#, "process.cwd: is missing"),
      ("process", #"{"args": ["sh"], "cwd": "tmp"}"#, "process.cwd: must be an absolute path"),
      ("mounts", #"[{"type": "proc"}]"#, "mounts[0].destination: is missing"),
      (
        "mounts", #"[{"destination": "/a\u0000b"}]"#,
        "mounts[0].destination: must not contain a NUL character"
      ),
      ("hostname", "7", "hostname: must be a string"),
      (
        "linux", #"{"namespaces": [{"type": "user"}]}"#,
        "linux.uidMappings: is missing: the namespace of type user is a new one"
      ),
      (
        "linux", #"{"uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]}"#,
        "linux.uidMappings: means nothing without a namespace of type user"
      ),
      (
        "linux",
        #"{"namespaces": [{"type": "user", "path": "/a"}], "uidMappings": "#
          + #"[{"containerID": 0, "hostID": 0, "size": 9}, "#
          + #"{"containerID": 9, "hostID": 8, "size": 1}]}"#,
        "linux.uidMappings[1]: overlaps another"
      ),
      (
        "linux", #"{"timeOffsets": {"boottime": {"secs": 1}}}"#,
        "linux.timeOffsets: means nothing without a new namespace of type time"
      ),
    ] as [(String, String?, String)])
  func anErrorNamesItsField(field: String, value: String?, expected: String) {
    #expect(message(config(field, value)) == expected)
  }

  @Test(arguments: [
    (#""env": ["A"]"#, "process.env[0]: must be NAME=VALUE"),
    (#""terminal": 1"#, "process.terminal: must be true or false"),
    (#""user": {"uid": -1}"#, "process.user.uid: is out of range"),
    (
      #""rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]"#,
      "process.rlimits[0].type: 'RLIMIT_X' is not a resource limit"
    ),
    (
      #""rlimits": [{"type": "RLIMIT_AS", "soft": 2, "hard": 1}]"#,
      "process.rlimits[0].soft: must not be above the hard limit"
    ),
    (#""rlimits": [{"type": "RLIMIT_AS", "hard": 1}]"#, "process.rlimits[0].soft: is missing"),
    (
      #""execCPUAffinity": {"final": "3-1"}"#,
      "process.execCPUAffinity.final: '3-1' is not a list of processors"
    ),
    (
      #""execCPUAffinity": {"initial": "1024"}"#,
      "process.execCPUAffinity.initial: '1024' is not a list of processors"
    ),
  ])
  func anErrorOfTheProcessNamesItsField(fields: String, expected: String) {
    #expect(message(process(fields)) == expected)
  }

  @Test(arguments: ["", "{", "[]", "nonsense", "{\"ociVersion\": }", "\u{0}"])
  func brokenTextIsAnError(text: String) {
    #expect(message(Array(text.utf8)) != nil)
  }

  @Test(arguments: ["[", #"{"a":"#])
  func aDeepNestIsAnErrorAndNoCrash(opening: String) {
    let nest = String(repeating: opening, count: 100_000)
    #expect(message(Array(nest.utf8))?.contains("too many levels") == true)
  }

  @Test(arguments: [("0", [0]), ("0-2,7", [0, 1, 2, 7]), ("1023", [1023])])
  func aListOfProcessorsIsRead(text: String, expected: [Int]) throws {
    let json = process(#""execCPUAffinity": {"final": "\#(text)"}"#)
    #expect(try Spec.read(json).spec.process?.execCPUAffinity?.final == expected)
  }

  @Test func theLargestLimitIsNoLimit() throws {
    let json = process(
      #""rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 18446744073709551615}]"#)
    #expect(try Spec.read(json).spec.process?.rlimits?.first?.hard == UInt64.max)
  }
}
