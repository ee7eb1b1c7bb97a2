/// The edges between modules that Package.swift declares.
struct Manifest {
  /// What each module of `Sources` may import, besides the system's modules.
  let imports: [String: Set<String>]
  /// The modules that are built into the kernel image too.
  let guests: Set<String>

  /// Reads the two notations of the manifest: the table of guest modules, and targets.
  init(text: String) {
    var imports: [String: Set<String>] = [:]
    var guests: Set<String> = []
    for match in text.matches(of: /\(\s*"(\w+)",\s*\[([^\]]*)\]\s*\)/) {
      let name = String(match.1)
      guests.insert(name)
      imports[name] = Manifest.names(in: match.2)
    }
    let target =
      /\.(?:target|executableTarget)\(\s*name: "(\w+)"(?:,\s*dependencies: \[([^\]]*)\])?/
    for match in text.matches(of: target) {
      imports[String(match.1), default: []].formUnion(Manifest.names(in: match.2 ?? ""))
    }
    self.imports = imports
    self.guests = guests
  }

  /// The quoted names of a list; of a product, its own name and its package's.
  private static func names(in list: Substring) -> Set<String> {
    Set(list.matches(of: /"([\w-]+)"/).map { String($0.1) })
  }
}
