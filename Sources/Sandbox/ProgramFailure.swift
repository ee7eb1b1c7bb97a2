import Glibc
import HostOS
import PVBackend

/// Why a program could not be started, as the guest kernel says.
struct ProgramFailure: Equatable {
  let error: Int32
  let step: Programs.Step

  func explained(_ program: ProgramConfiguration) -> RuntimeError {
    switch step {
    case .program: return explained(name: program.arguments.first ?? "")
    case .workingDirectory:
      return HostError(error).explained(
        "cannot enter '\(program.workingDirectory)'", exitStatus: exitStatus)
    case .resources: return HostError(error).explained("cannot start the program")
    }
  }

  private var exitStatus: ExitStatus {
    error == ENOENT || error == ENOTDIR ? .notFound : .notExecutable
  }

  /// Container engines look for these words of runc's.
  private func explained(name: String) -> RuntimeError {
    let reason: String
    switch error {
    case ENOENT, ENOTDIR:
      reason =
        name.contains("/")
        ? "not found: no such file or directory"
        : "not found: executable file not found in $PATH"
    case EACCES, EPERM: reason = "permission denied"
    case ENOEXEC: reason = "not an x86-64 program or script: exec format error"
    case ELIBBAD: reason = "its interpreter is not an x86-64 program"
    case ENOMEM: reason = "out of memory"
    case ELOOP: reason = "too many levels of links or interpreters"
    default: reason = "\(HostError(error))"
    }
    return RuntimeError("cannot run '\(name)': \(reason)", exitStatus: exitStatus)
  }
}
