import Glibc
import HostOS

extension Worker {
  /// A piece of a text file of the host's procfs.
  func hostText(_ request: Request) throws(HostError) -> Int64 {
    guard let file = backend.view.facts.text(request[0]) else { throw HostError(EINVAL) }
    answerSize = try file.readBytes(at: try request.size(1), into: payload)
    return Int64(answerSize)
  }
}
