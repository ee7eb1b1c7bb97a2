// swift-tools-version: 6.2
import PackageDescription

let root = Context.packageDirectory

// MARK: - The layers

/// What each guest module may import. The host twin and the image are built from the same edges.
let guestModules: [(name: String, imports: [String])] = [
  ("LinuxABI", []),
  ("PVCalls", ["CPVCalls"]),
  ("Platform", ["LinuxABI", "CPVCalls", "CPlatform"]),
  ("PVFrontend", ["LinuxABI", "Platform", "PVCalls", "CPVCalls", "CPlatform"]),
  (
    "KernelCore",
    ["LinuxABI", "Platform", "PVFrontend", "PVCalls", "CPVCalls", "CPlatform"]
  ),
  (
    "KernelFS",
    ["LinuxABI", "KernelCore", "Platform", "PVFrontend", "PVCalls", "CPVCalls", "CPlatform"]
  ),
  (
    "KernelNet",
    ["LinuxABI", "KernelCore", "Platform", "PVFrontend", "PVCalls", "CPVCalls", "CPlatform"]
  ),
  (
    "KernelSyscalls",
    ["LinuxABI", "KernelCore", "Platform", "PVFrontend", "CPVCalls", "CPlatform"]
  ),
]

// MARK: - The kernel image: freestanding, no vector registers, no red zone

let noVectors = [
  "-mno-red-zone", "-mno-sse", "-msoft-float",
  "-Xclang", "-target-feature", "-Xclang", "+soft-float",
]
let imageC: [CSetting] = [
  .unsafeFlags(
    ["-O2", "-g", "-ffreestanding", "-fno-builtin", "-fno-stack-protector", "-fcf-protection=none"]
      + noVectors)
]
/// An unoptimised image compiles in a third of the time; nothing is measured or shipped with it.
let imageOptimization = Context.environment["KERNEL_UNOPTIMIZED"] == nil ? "-O" : "-Onone"
func imageSwift(aliases: [String]) -> [SwiftSetting] {
  [
    .enableExperimentalFeature("Embedded"),
    .enableExperimentalFeature("Extern"),
    .define("KERNEL_IMAGE"),
    .unsafeFlags(
      [
        "-wmo", imageOptimization, "-g", "-target", "x86_64-unknown-none-elf",
        "-Xfrontend", "-disable-stack-protector", "-Xfrontend", "-function-sections",
        // The hooks of the dynamic checks are empty in the image; calling them costs all the same.
        "-enforce-exclusivity=unchecked",
      ] + noVectors.flatMap { ["-Xcc", $0] }
        + aliases.flatMap { ["-module-alias", "\($0)=\($0)Image"] }),
  ]
}
let imageLink: [LinkerSetting] = [
  .unsafeFlags([
    "-use-ld=lld", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-static",
    "-Xlinker", "--gc-sections", "-Xlinker", "--build-id=sha1",
    "-Xlinker", "-T", "-Xlinker", "\(root)/Sources/KernelImage/image.ld",
  ])
]
let guestNames = guestModules.map(\.name)
func imageDependency(_ name: String) -> Target.Dependency {
  .target(name: guestNames.contains(name) ? "\(name)Image" : name)
}

let imageTargets: [Target] =
  guestModules.map { module in
    .target(
      name: "\(module.name)Image",
      dependencies: module.imports.map(imageDependency),
      path: "Image/\(module.name)",
      swiftSettings: imageSwift(aliases: module.imports.filter(guestNames.contains)))
  } + [
    .target(
      name: "CKernelRuntime", dependencies: ["CPVCalls", "CPlatform"], cSettings: imageC),
    .executableTarget(
      name: "KernelImage",
      dependencies: ["CKernelRuntime", "CPVCalls", "CPlatform"]
        + guestNames.map { .target(name: "\($0)Image") },
      exclude: ["image.ld"],
      swiftSettings: imageSwift(aliases: guestNames), linkerSettings: imageLink),
  ]

// MARK: - The host

let twinSwift: [SwiftSetting] = [.enableExperimentalFeature("Extern")]

let package = Package(
  name: "paravane",
  products: [.executable(name: "paravane", targets: ["paravane"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "CPVCalls"),
    .target(name: "CPlatform", dependencies: ["CPVCalls"]),
    .target(name: "CHostOS"),
  ]
    + guestModules.map { module in
      .target(
        name: module.name, dependencies: module.imports.map { .target(name: $0) },
        swiftSettings: twinSwift)
    }
    + [
      .target(name: "HostOS", dependencies: ["CHostOS"]),
      .target(name: "OCISpec"),
      .target(name: "DBus", dependencies: ["HostOS"]),
      .target(name: "ConnectionPolicy", dependencies: ["HostOS"]),
      .target(name: "ConnectionAudit", dependencies: ["ConnectionPolicy", "HostOS"]),
      .target(
        name: "PVBackend",
        dependencies: [
          "LinuxABI", "PVCalls", "CPVCalls", "ConnectionPolicy", "ConnectionAudit", "HostOS",
        ]),
      .target(name: "PlatformHost", dependencies: ["PVCalls", "CPVCalls", "HostOS"]),
      .target(
        name: "Sandbox",
        dependencies: [
          "PlatformHost", "PVBackend", "PVCalls", "CPVCalls", "ConnectionPolicy",
          "ConnectionAudit", "DBus", "HostOS",
        ]),
      .target(
        name: "OCIRuntime",
        dependencies: ["OCISpec", "Sandbox", "ConnectionPolicy", "ConnectionAudit", "HostOS"]),
      .executableTarget(
        name: "paravane",
        dependencies: [
          "OCIRuntime", "OCISpec", "HostOS",
          .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ],
        // Dynamic linking would be more than half of the start-up time. The libraries are what
        // FoundationEssentials needs and only its static module would name.
        linkerSettings: [
          .unsafeFlags(["-static-executable"]), .linkedLibrary("_FoundationCollections"),
          .linkedLibrary("_FoundationCShims"),
        ]),
      .testTarget(name: "TidyTests"),
      .testTarget(name: "PVCallsTests", dependencies: ["PVCalls", "CPVCalls"]),
      .target(name: "CTestMachine", path: "Tests/CTestMachine"),
      .target(name: "RandomSequence", path: "Tests/RandomSequence"),
      .testTarget(name: "PlatformTests", dependencies: ["Platform", "CTestMachine"]),
      .testTarget(
        name: "KernelCoreTests", dependencies: ["KernelCore", "CTestMachine", "RandomSequence"]),
      .testTarget(name: "KernelNetTests", dependencies: ["KernelNet", "CTestMachine"]),
      .testTarget(name: "KernelFSTests", dependencies: ["KernelFS", "CTestMachine"]),
      .testTarget(name: "HostOSTests", dependencies: ["HostOS"]),
      .testTarget(name: "OCISpecTests", dependencies: ["OCISpec"]),
      .testTarget(name: "DBusTests", dependencies: ["DBus", "HostOS", "RandomSequence"]),
      .testTarget(
        name: "ConnectionAuditTests",
        dependencies: ["ConnectionAudit", "ConnectionPolicy", "HostOS"], exclude: ["validate.py"]),
      .testTarget(
        name: "ConnectionPolicyTests", dependencies: ["ConnectionPolicy", "RandomSequence"],
        exclude: ["oracle.py"]),
      .testTarget(
        name: "OCIRuntimeTests",
        // The kernel's own judgement on the filters that the host writes.
        dependencies: ["OCIRuntime", "OCISpec", "Sandbox", "HostOS", "KernelCore", "CTestMachine"]),
      .testTarget(
        name: "PlatformHostTests",
        dependencies: ["PlatformHost", "PVCalls", "CPVCalls", "HostOS", "RandomSequence"]),
      .testTarget(
        name: "PVBackendTests",
        dependencies: [
          "PVBackend", "CPVCalls", "ConnectionPolicy", "ConnectionAudit", "HostOS",
          "RandomSequence",
        ]),
      .testTarget(name: "SandboxTests", dependencies: ["Sandbox", "DBus", "HostOS", "PVBackend"]),
      .target(name: "Comparison", path: "Tests/Comparison"),
      .testTarget(name: "ConformanceTests", dependencies: ["Comparison"]),
      .testTarget(name: "ProgramsTests", dependencies: ["Comparison"]),
      .testTarget(name: "AttackTests"),
    ] + imageTargets
)

// Sanitizers and coverage can't build the freestanding image; the host twin needs neither.
if Context.environment["HOST_ONLY"] != nil {
  package.targets.removeAll { target in imageTargets.contains { $0.name == target.name } }
}
