import ConnectionPolicy

/// One line of the audit log; docs/protocol/audit.schema.json has its form.
public struct AuditEvent: Sendable {
  public var kind: Kind
  /// What was denied.
  public var attempt: ConnectionEvent?
  public var subject: Subject
  public var `protocol`: ConnectionProtocol
  public var local: AuditEndpoint?
  public var remote: AuditEndpoint?
  /// The host kernel's number of the socket: what has the same one is one connection.
  public var connection: UInt64?
  public var decision: Decision
  /// What the program was answered, if it is an error.
  public var error: String?
  public var end: End?

  public enum Kind: String, CaseIterable, Sendable {
    case connect, bind, listen, accept, send, close, denied
  }

  public init(
    _ kind: Kind, attempt: ConnectionEvent? = nil, subject: Subject,
    protocol: ConnectionProtocol, local: AuditEndpoint?, remote: AuditEndpoint?,
    connection: UInt64?, decision: Decision, error: String? = nil, end: End? = nil
  ) {
    self.kind = kind
    self.attempt = attempt
    self.subject = subject
    self.protocol = `protocol`
    self.local = local
    self.remote = remote
    self.connection = connection
    self.decision = decision
    self.error = error
    self.end = end
  }

  /// Who did it.
  public struct Subject: Equatable, Sendable {
    /// In the container, in its kernel's words.
    public let process: Int32
    /// The thread that asked, as the host counts.
    public let hostProcess: Int32
    /// In the container, in its kernel's words.
    public let program: String
    public let user: UInt32

    public init(process: Int32, hostProcess: Int32, program: String, user: UInt32) {
      self.process = process
      self.hostProcess = hostProcess
      self.program = program
      self.user = user
    }
  }

  /// What was decided, and by what.
  public struct Decision: Equatable, Sendable {
    public let verdict: Verdict
    public let reason: Reason
    /// The name of the rule that decided.
    public let rule: String?
    /// The words that the policy's writer gave.
    public let explanation: String

    public enum Verdict: String, CaseIterable, Sendable { case allow, audit, deny }

    public enum Reason: String, CaseIterable, Sendable {
      /// There is no policy.
      case noPolicy = "no-policy"
      /// No rule matched.
      case byDefault = "default"
      case rule
    }

    public static let withoutPolicy = Decision(
      verdict: .allow, reason: .noPolicy, rule: nil, explanation: "")

    /// Of what no container may do unless a policy allows it.
    public static let deniedWithoutPolicy = Decision(
      verdict: .deny, reason: .noPolicy, rule: nil, explanation: "")

    init(verdict: Verdict, reason: Reason, rule: String?, explanation: String) {
      self.verdict = verdict
      self.reason = reason
      self.rule = rule
      self.explanation = explanation
    }

    /// The words behind a verdict.
    public init(_ verdict: ConnectionPolicy.Verdict, of policy: CompiledPolicy) {
      self.verdict =
        switch verdict.answer {
        case .allow: .allow
        case .audit: .audit
        case .deny: .deny
        }
      reason = verdict.rule == nil ? .byDefault : .rule
      rule = verdict.rule == nil ? nil : policy.ruleName(of: verdict)
      explanation = policy.reason(of: verdict)
    }
  }

  /// How a connection ended.
  public struct End: Sendable {
    public let cause: Cause
    public let durationNanoseconds: UInt64
    /// Nil where the host kernel does not count, or was not heard.
    public let bytesSent: UInt64?
    public let bytesReceived: UInt64?

    public enum Cause: String, CaseIterable, Sendable {
      /// One of the two ends closed it.
      case closed
      /// A policy that was put in force forbids it.
      case policy
      /// The container ended first, or the host kernel's word got lost.
      case unknown
    }

    public init(
      cause: Cause, durationNanoseconds: UInt64, bytesSent: UInt64?, bytesReceived: UInt64?
    ) {
      self.cause = cause
      self.durationNanoseconds = durationNanoseconds
      self.bytesSent = bytesSent
      self.bytesReceived = bytesReceived
    }
  }
}

/// One end of a connection.
public enum AuditEndpoint: Equatable, Sendable {
  case internet(IPAddress, port: UInt16)
  case unix(String)
}
