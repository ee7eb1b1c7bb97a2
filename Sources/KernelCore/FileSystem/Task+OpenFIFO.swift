import CPVCalls
import LinuxABI
import PVFrontend
import Platform

/// What the backend opens for us. It waits for nobody, so whoever opens a FIFO waits here for the
/// other end; see fifo(7).
///
/// The host wakes nobody from outside its own open(2): so this asks again, now and then.
extension Task {
  func openByBackend(_ path: HostPath, _ flags: OpenFlags, mode: UInt32) throws(Errno)
    -> HostDescriptor
  {
    let waits = flags.isDisjoint(with: [.O_NONBLOCK, .O_PATH])
    switch flags.rawValue & 3 {
    case 0 where waits:
      let descriptor = try openByBackendAtOnce(path, flags, mode: mode)
      do throws(Errno) { try waitForWriter(descriptor) } catch {
        Host.close(descriptor)
        throw error
      }
      return descriptor
    case 1 where waits: return try openForReader(path, flags, mode: mode)
    default: return try openByBackendAtOnce(path, flags, mode: mode)
    }
  }

  private static var shortestPause: Int64 { 500_000 }
  private static var longestPause: Int64 { 16_000_000 }

  /// Linux has no open file of the writer's until there is a reader, and nor have we.
  private func openForReader(_ path: HostPath, _ flags: OpenFlags, mode: UInt32) throws(Errno)
    -> HostDescriptor
  {
    var pause = Self.shortestPause
    while true {
      do throws(Errno) { return try openByBackendAtOnce(path, flags, mode: mode) } catch {
        let follow: PathFlags = flags.contains(.O_NOFOLLOW) ? .AT_SYMLINK_NOFOLLOW : []
        guard error == .ENXIO, try hostStatus(path, follow).isFIFO else { throw error }
      }
      let deadline = try Host.clock(1) + pause
      prepareToSleep()
      do throws(Errno) { try sleep(until: deadline) } catch {
        if error != .ETIMEDOUT { throw error }
      }
      pause = min(2 * pause, Self.longestPause)
    }
  }

  /// Waits until the FIFO has a writer, or had one since it was opened.
  private func waitForWriter(_ reader: HostDescriptor) throws(Errno) {
    guard try FileStatus.ofHost(reader).isFIFO else { return }
    let (scratchOutput, scratch) = try Host.pipe(flags: .O_CLOEXEC)
    defer {
      Host.close(scratchOutput)
      Host.close(scratch)
    }
    var pause = Self.shortestPause
    while try !hasWriter(reader, scratch) {
      do throws(Errno) {
        noteInterrupts()
        if try !Host.wait(reader, for: .POLLIN, nanoseconds: pause).isEmpty { return }
      } catch {
        // A kick without a signal is no reason to give up.
        guard error == .ERESTARTSYS, !hasWork else { throw error }
      }
      pause = min(2 * pause, Self.longestPause)
    }
  }

  /// tee(2) tells without taking anything out: nothing to be had is an end without writers.
  private func hasWriter(_ reader: HostDescriptor, _ scratch: HostDescriptor) throws(Errno) -> Bool
  {
    do throws(Errno) {
      return try Broker.call(PV_OP_TEE, Int(reader.number), Int(scratch.number), 0, 0, 1) > 0
    } catch {
      guard error == .EAGAIN else { throw error }
      return true
    }
  }
}
