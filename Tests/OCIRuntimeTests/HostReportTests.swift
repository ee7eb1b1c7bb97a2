import Foundation
import Testing

@testable import OCIRuntime

/// `paravane doctor`, on whatever machine the tests run.
@Suite(.serialized) struct HostReportTests {
  let report = HostReport(LaunchOptions())

  @Test func everyQuestionIsAnsweredOnce() {
    let subjects = report.findings.map(\.subject)
    #expect(Set(subjects).count == subjects.count)
    for subject in [
      "root", "CAP_SYS_ADMIN", "CAP_SYS_RESOURCE", "descriptor limit of 4096 or more",
      "control groups", "pids controller", "systemd", "seccomp user notification",
      "seccomp synchronous wake-up", "syscall user dispatch", "overlay file system",
      "user namespaces", "hardware virtualization", "kernel image", "podman", "docker",
      "containerd",
    ] {
      #expect(subjects.contains(subject), "\(subject)")
    }
  }

  @Test func whatIsMissingHasAReasonAndARemedy() {
    for finding in report.findings where !finding.isThere {
      #expect(!finding.detail.isEmpty && !finding.remedy.isEmpty, "\(finding.line)")
    }
    for finding in report.findings { #expect(!finding.line.contains("\n")) }
  }

  @Test func aLineSaysWhetherItMatters() {
    func line(_ isThere: Bool, optional: Bool) -> String {
      HostReport.Finding(
        subject: "thing", isThere: isThere, isOptional: optional, detail: "detail",
        remedy: "buy one"
      ).line
    }
    #expect(line(true, optional: false) == "ok      thing: detail")
    #expect(line(false, optional: true) == "absent  thing: detail; buy one")
    #expect(line(false, optional: false) == "missing thing: detail; buy one")
  }

  /// The flag decides: some machines let /dev/kvm be opened and emulate.
  @Test func virtualizationIsWhatTheProcessorSays() throws {
    let flags =
      try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
      .split(separator: "\n").first { $0.hasPrefix("flags") }?.split(separator: " ") ?? []
    let finding = try #require(report.findings.first { $0.subject == "hardware virtualization" })
    if !flags.contains("vmx") && !flags.contains("svm") { #expect(!finding.isThere) }
    #expect(finding.isOptional)
  }

  @Test func anEngineKnowsTheRuntimeByAFileThatNamesIt() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "doctor-\(UUID())")
    defer { try? FileManager.default.removeItem(at: root) }
    let podman = try #require(EngineRegistration.all.first { $0.engine == "podman" })
    #expect(podman.file(naming: "paravane", root: root.path) == nil)
    let directory = root.appending(path: "etc/containers/containers.conf.d")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let file = directory.appending(path: "runtime.conf")
    try "[engine.runtimes]\n  # paravane = []\n".write(to: file, atomically: true, encoding: .utf8)
    #expect(podman.file(naming: "paravane", root: root.path) == nil)
    try "[engine.runtimes]\nparavane = [\"/usr/bin/paravane\"]\n"
      .write(to: file, atomically: true, encoding: .utf8)
    #expect(
      podman.file(naming: "paravane", root: root.path)
        == "/etc/containers/containers.conf.d/runtime.conf")
  }

  @Test func eachRegistrationHasItsPage() {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    for registration in EngineRegistration.all {
      let page = root.appending(path: registration.page).path
      #expect(FileManager.default.fileExists(atPath: page), "\(registration.page)")
    }
  }
}
