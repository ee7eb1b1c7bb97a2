import ConnectionAudit
import ConnectionPolicy
import Glibc
import HostOS
import PVBackend

extension ContainerServer {
  /// Puts a policy in force that the command has read and checked already.
  func setPolicy(kill: Bool, _ files: DescriptorList, _ socket: Descriptor) {
    let answer: ControlAnswer
    do throws(HostError) {
      let text = try withExtendedLifetime(files) { () throws(HostError) in
        guard let file = files.descriptors.first else { throw HostError(EINVAL) }
        return try file.readAll()
      }
      let policy: Policy
      do throws(PolicyError) { policy = try Policy(yaml: text) } catch {
        throw HostError(EINVAL)
      }
      let count = try running.backend.replacePolicy(with: policy, killing: kill)
      answer = .counted(UInt32(truncatingIfNeeded: count))
    } catch {
      answer = .refused(error)
    }
    // Whoever does not wait for the answer does not get it.
    try? socket.send(answer.bytes)
  }

  /// Answers with a file, which may be long.
  func report(_ request: ControlRequest, to socket: Descriptor) {
    do throws(HostError) {
      let bytes =
        request == .connections
        ? try running.backend.gate.report()
        : Array(running.backend.metrics().map { $0.record + "\n" }.joined().utf8)
      let file = try OwnedDescriptor.memory(name: "report", bytes: bytes)
      try socket.send(ControlAnswer.file.bytes, descriptors: [file.descriptor])
    } catch {
      try? socket.send(ControlAnswer.refused(error).bytes)
    }
  }
}

extension ContainerConnection {
  /// Puts a policy in force, as YAML; returns how many connections it ended.
  public func setPolicy(_ text: [UInt8], killing: Bool) throws(HostError) -> Int {
    let file = try OwnedDescriptor.memory(name: "policy", bytes: text)
    try descriptor.send(
      ControlRequest.policy(kill: killing).bytes, descriptors: [file.descriptor])
    switch try answer().answer {
    case .counted(let count): return Int(count)
    case .refused(let error): throw error
    case .done, .running, .failed, .ended, .file: throw HostError(EPROTO)
    }
  }

  /// One line of JSON for each open connection.
  public func connections() throws(HostError) -> [UInt8] { try report(.connections) }

  /// The container's numbers.
  public func metrics() throws(HostError) -> [MetricSample] {
    String(decoding: try report(.metrics), as: UTF8.self).split(separator: "\n").compactMap {
      MetricSample(record: $0)
    }
  }

  private func report(_ request: ControlRequest) throws(HostError) -> [UInt8] {
    try descriptor.send(request.bytes)
    let (answer, descriptors) = try answer()
    let files = DescriptorList(owning: descriptors)
    switch answer {
    case .file:
      return try withExtendedLifetime(files) { () throws(HostError) in
        guard let file = files.descriptors.first else { throw HostError(EPROTO) }
        return try file.readAll(limit: 256 << 20)
      }
    case .refused(let error): throw error
    case .done, .running, .failed, .ended, .counted: throw HostError(EPROTO)
    }
  }

  private func answer() throws(HostError) -> (answer: ControlAnswer, [Descriptor]) {
    guard let message = try descriptor.receive() else { throw HostError(EPIPE) }
    guard let answer = ControlAnswer(message.bytes) else {
      for descriptor in message.descriptors { descriptor.close() }
      throw HostError(EPROTO)
    }
    return (answer, message.descriptors)
  }
}
