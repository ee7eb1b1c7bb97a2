import CPVCalls
import Glibc
import HostOS

extension Worker {
  /// A piece of a text file of the host's procfs.
  func hostText(_ request: Request) throws(HostError) -> Int64 {
    if request[0] == UInt64(PV_TEXT_GROUP) { return try groupText(request) }
    guard let file = backend.view.facts.text(request[0]) else { throw HostError(EINVAL) }
    answerSize = try file.readBytes(at: try request.size(1), into: payload)
    return Int64(answerSize)
  }

  /// Made anew for each piece: it fits into one, as it is.
  private func groupText(_ request: Request) throws(HostError) -> Int64 {
    let text = backend.view.group().utf8
    let offset = Int(clamping: try request.size(1))
    let piece = Array(text.dropFirst(offset).prefix(payload.capacity))
    for (index, byte) in piece.enumerated() { payload.store(byte, at: index) }
    answerSize = piece.count
    return Int64(answerSize)
  }
}
