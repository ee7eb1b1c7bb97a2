import ConnectionPolicy
import Glibc
import HostOS

/// Serves one page by HTTP/1.1 (RFC 9112), one request after the other.
public struct MetricsServer: ~Copyable {
  private let listener: OwnedDescriptor

  private static let requestLimit = 8192
  /// A scraper that says nothing for so long is not waited for.
  private static let patienceMilliseconds: Int32 = 2000
  private static let contentType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8"

  /// `127.0.0.1:9464`, `[::1]:9464`.
  public init(address text: String) throws(RuntimeError) {
    guard let endpoint = MetricsServer.socketAddress(text) else {
      throw RuntimeError("cannot listen on '\(text)': it is not ADDRESS:PORT")
    }
    listener = try explaining("cannot listen on '\(text)'") { () throws(HostError) in
      let socket = try OwnedDescriptor.socket(
        domain: endpoint.domain, type: 1, protocolNumber: 0)
      try socket.descriptor.reuseAddress()
      try socket.descriptor.bind(to: endpoint.bytes)
      try socket.descriptor.listen(backlog: 16)
      return socket
    }
  }

  /// Serves until the process ends.
  public func serve(_ page: () throws -> String) throws(RuntimeError) -> Never {
    while true {
      try explaining("cannot serve") { () throws(HostError) in
        _ = try Readiness.wait([listener.descriptor])
      }
      // Whoever has gone again is not served.
      guard let client = try? listener.descriptor.accept() else { continue }
      try? MetricsServer.serve(client.descriptor, page)
    }
  }

  private static func serve(_ client: Descriptor, _ page: () throws -> String) throws {
    guard let head = try readHead(client) else { return }
    let words = head.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" }.split(separator: " ")
    let answer: String
    switch (words.first, words.dropFirst().first) {
    case ("GET"?, "/metrics"?): answer = response("200 OK", try page())
    case ("GET"?, _): answer = response("404 Not Found", "")
    case (nil, _): return
    default: answer = response("405 Method Not Allowed", "")
    }
    try write(answer, to: client)
  }

  private static func response(_ status: String, _ body: String) -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: \(contentType)\r\n"
      + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
  }

  /// Up to the empty line; nil when it does not come.
  private static func readHead(_ client: Descriptor) throws(HostError) -> String? {
    var bytes: [UInt8] = []
    while bytes.count < requestLimit {
      guard try Readiness.wait([client], timeoutMilliseconds: patienceMilliseconds)[0] else {
        return nil
      }
      var piece = [UInt8](repeating: 0, count: 1024)
      let count = try check { recv(client.rawValue, &piece, piece.count, 0) }
      if count == 0 { return nil }
      bytes += piece[..<count]
      let text = String(decoding: bytes, as: UTF8.self)
      if text.contains("\r\n\r\n") || text.contains("\n\n") { return text }
    }
    return nil
  }

  /// The socket takes what fits; a client that reads nothing is left.
  private static func write(_ text: String, to client: Descriptor) throws(HostError) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      guard try Readiness.waitWritable(client, timeoutMilliseconds: patienceMilliseconds) else {
        return
      }
      let bytes = Array(rest.prefix(65536))
      let count = try check {
        send(client.rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      }
      rest = rest.dropFirst(count)
    }
  }

  /// struct sockaddr_in or sockaddr_in6.
  static func socketAddress(_ text: String) -> (domain: Int32, bytes: [UInt8])? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = text[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    if isBracketed { host = host.dropFirst().dropLast() }
    guard let address = IPAddress(host), isBracketed == host.contains(":") else { return nil }
    let portBytes = [UInt8(port >> 8), UInt8(port & 0xff)]
    if let v4 = address.v4, !isBracketed {
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: v4 >> (24 - 8 * $0)) }
      return (AF_INET, [2, 0] + portBytes + bytes + [UInt8](repeating: 0, count: 8))
    }
    return (AF_INET6, [10, 0] + portBytes + [0, 0, 0, 0] + address.bytes + [0, 0, 0, 0])
  }
}
