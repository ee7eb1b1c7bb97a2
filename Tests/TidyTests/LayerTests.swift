import Testing

/// An incremental build lets an undeclared import through. These tests do not.
@Suite struct LayerTests {
  let manifest: Manifest

  init() throws { manifest = Manifest(text: try SourceTree.text("Package.swift")) }

  /// Modules of the toolchain that a host module may use.
  static let system: Set<String> = ["Glibc", "FoundationEssentials", "Synchronization"]

  /// STYLE: the root above which nothing of the host may be seen.
  static let hostModules: Set<String> = [
    "CHostOS", "HostOS", "OCISpec", "OCIRuntime", "PVBackend", "PlatformHost", "Sandbox",
    "ConnectionPolicy", "ConnectionAudit", "DBus", "paravane",
  ]

  @Test func theManifestIsUnderstood() {
    #expect(manifest.guests.isSuperset(of: ["LinuxABI", "KernelCore", "KernelSyscalls"]))
    #expect(
      manifest.imports["OCIRuntime"]
        == ["OCISpec", "Sandbox", "ConnectionPolicy", "ConnectionAudit", "HostOS"])
    #expect(SourceTree.sources.contains { $0.module == "HostOS" && $0.imports == ["Glibc"] })
  }

  @Test(arguments: Set(SourceTree.sources.map(\.module)).sorted())
  func aModuleImportsOnlyWhatTheManifestDeclares(module: String) {
    var allowed = manifest.imports[module] ?? []
    if module == "KernelImage" { allowed.formUnion(manifest.guests) }
    if !manifest.guests.contains(module), module != "KernelImage" { allowed.formUnion(Self.system) }
    for file in SourceTree.sources where file.module == module {
      for name in file.imports {
        #expect(allowed.contains(name), "\(file.path) imports \(name)")
      }
    }
  }

  @Test func noGuestModuleMayImportAHostModule() {
    for guest in manifest.guests {
      let host = manifest.imports[guest, default: []].intersection(Self.hostModules)
      #expect(host.isEmpty, "\(guest) depends on \(host)")
    }
  }

  @Test func theThreeSiblingsNeverMeet() {
    let siblings: Set<String> = ["KernelFS", "KernelNet", "KernelSyscalls"]
    for sibling in siblings {
      #expect(manifest.imports[sibling, default: []].isDisjoint(with: siblings))
    }
  }
}
