import LinuxABI
import RandomSequence
import Testing

@testable import KernelCore

/// What Linux makes of a script's first line; Conformance/exec/shebang.c asks Linux itself.
@Suite struct InterpreterLineTests {
  private func read(_ text: String) throws -> InterpreterLine? {
    let bytes = Array(text.utf8.prefix(InterpreterLine.limit))
    return try bytes.withUnsafeBufferPointer { try InterpreterLine.read($0) }
  }

  private func line(_ interpreter: String, _ argument: String? = nil) -> InterpreterLine {
    InterpreterLine(interpreter: Array(interpreter.utf8), argument: argument.map { Array($0.utf8) })
  }

  @Test(arguments: ["", "#", "\u{7f}ELF", " #!/bin/sh", "echo"])
  func otherFilesAreNoScripts(text: String) throws {
    #expect(try read(text) == nil)
  }

  @Test func allWordsAfterTheFirstAreOneArgument() throws {
    #expect(try read("#!/bin/sh\n") == line("/bin/sh"))
    #expect(try read("#! \t/bin/sh \t \nrest") == line("/bin/sh"))
    #expect(try read("#!/bin/sh  -e \t-u \n") == line("/bin/sh", "-e \t-u"))
    #expect(try read("#!/bin/sh\r\n") == line("/bin/sh\r"))
  }

  @Test func aFileMayEndBeforeTheLineDoes() throws {
    #expect(try read("#!/bin/sh") == line("/bin/sh"))
    #expect(try read("#!/bin/sh -e") == line("/bin/sh", "-e"))
    #expect(try read("#!/bin/sh  ") == line("/bin/sh", ""))
    #expect(try read("#!") == line(""))
  }

  @Test func aNULEndsTheLine() throws {
    #expect(try read("#!/bin/a\0b\n") == line("/bin/a"))
    #expect(try read("#!/bin/a b\0c\n") == line("/bin/a", "b"))
  }

  @Test(arguments: ["#!\n", "#!  \t\n", "#!" + String(repeating: " ", count: 400)])
  func aLineWithoutAnInterpreterIsNoProgram(text: String) {
    #expect(throws: Errno.ENOEXEC) { try read(text) }
  }

  @Test func aLongArgumentIsCutAndALongNameRefused() throws {
    let start = "#!/bin/sh "
    let cut = String(repeating: "z", count: 255 - start.count)
    #expect(try read(start + String(repeating: "z", count: 400)) == line("/bin/sh", cut))
    let name = "/" + String(repeating: "y", count: 252)
    #expect(try read("#!" + name + " \n") == line(name))
    #expect(try read("#!" + name + "\n") == line(name))
    #expect(throws: Errno.ENOEXEC) { try read("#!" + name + "y") }
    #expect(throws: Errno.ENOEXEC) { try read("#!" + name + "yyyyy\n") }
  }

  @Test func anyBytesAreALineOrNone() {
    var random = SplitMix(state: 1)
    let alphabet = Array("#! \t\n\0/ab".utf8)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...InterpreterLine.limit, using: &random)
      var bytes = Array("#!".utf8)
      while bytes.count < count { bytes.append(alphabet.randomElement(using: &random)!) }
      let result = bytes.withUnsafeBufferPointer { bytes in
        try? InterpreterLine.read(bytes)
      }
      guard let line = result else { continue }
      #expect(!line.interpreter.contains { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 0 })
      #expect(!(line.argument ?? []).contains { $0 == 10 || $0 == 0 })
    }
  }
}
