import Foundation
import Testing

/// `docs/compatibility/syscalls.md` says call by call what `SyscallTable` does.
@Suite struct SystemCallPageTests {
  struct Row {
    let name: Substring
    let status: Substring
  }

  /// Rows of the page, by number.
  let rows: [Int: Row]
  /// Numbers that the dispatch table serves with something else than ENOSYS.
  let served: Set<Int>
  /// The names of the table of formats, which has every call of Linux.
  let names: [Int: Substring]

  init() throws {
    let page = try SourceTree.text("docs/compatibility/syscalls.md")
    var rows: [Int: Row] = [:]
    for match in page.matches(of: /\| ([0-9]+) \| (\w+) \| (.+) \|\n/) {
      let number = Int(match.1)!
      try #require(rows[number] == nil, "\(number) has two rows")
      rows[number] = Row(name: match.2, status: match.3)
    }
    self.rows = rows
    let table = try SourceTree.text("Sources/KernelSyscalls/SyscallTable.swift")
    var served: Set<Int> = []
    for match in table.matches(of: /\n    case ([0-9, ]+):([^\n]*)/)
    where !match.2.contains("throw .ENOSYS") {
      served.formUnion(match.1.split(separator: ",").compactMap { Int($0.filter(\.isNumber)) })
    }
    self.served = served
    let formats = try SourceTree.text(
      "Sources/KernelSyscalls/Tracing/CallFormat+Table.swift")
    names = Dictionary(
      formats.matches(of: /case ([0-9]+):\s+CallFormat\(\s*"(\w+)"/).map { (Int($0.1)!, $0.2) },
      uniquingKeysWith: { first, _ in first })
  }

  @Test func theTablesAreUnderstood() {
    #expect(served.isSuperset(of: [0, 13, 59, 231, 435]) && !served.contains(334))
    #expect(served.count > 200 && names.count > 370)
  }

  @Test func everyCallHasARowWithItsName() {
    #expect(rows.keys.sorted() == names.keys.sorted())
    for (number, row) in rows { #expect(row.name == names[number], "\(number)") }
  }

  @Test func onlyCallsThatAreServedHaveAStatus() {
    for (number, row) in rows.sorted(by: { $0.key < $1.key }) {
      #expect((row.status != "none") == served.contains(number), "\(number) \(row.name)")
    }
  }

  @Test func aPartOfACallSaysWhichPart() {
    for (number, row) in rows {
      let isKnown = ["full", "none"].contains(row.status)
      let isExplained = row.status.wholeMatch(of: /partial: .{4,}/) != nil
      #expect(isKnown || isExplained, "\(number) \(row.name): \(row.status)")
    }
  }

  /// The numbers of the machine's own headers, if they are installed.
  @Test func theNamesAreThoseOfLinux() throws {
    let path = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
    guard let header = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    for match in header.matches(of: /#define __NR_(\w+) ([0-9]+)/) {
      #expect(names[Int(match.2)!] == match.1)
    }
  }
}
