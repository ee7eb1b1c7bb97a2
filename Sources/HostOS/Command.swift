import CHostOS
import Glibc

/// Another program of the host, run for what it prints.
public enum Command {
  /// Its standard output. ENOENT when there is no such program.
  public static func output(of arguments: [String]) throws(HostError) -> String {
    let pipe = try Pipe()
    let child = try ProcessID(rawValue: spawn(arguments, output: pipe.writing.descriptor))
    let reading = pipe.intoReadingEnd()
    let bytes = try reading.descriptor.readAll(limit: 1 << 20)
    _ = try child.wait()
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func spawn(_ arguments: [String], output: Descriptor) throws(HostError) -> Int32 {
    // SAFETY: the strings live until the call is over, which has copied them by then.
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    defer { for word in words { free(word) } }
    words.append(nil)
    return try check { host_spawn(words, output.rawValue) }
  }
}
