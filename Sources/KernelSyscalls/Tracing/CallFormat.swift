/// How `--strace` shows a system call: its name, what its arguments are, and what its result is.
struct CallFormat {
  let name: StaticString
  let arguments: InlineArray<6, ArgumentFormat>
  let result: ResultFormat

  init(
    _ name: StaticString, _ a: ArgumentFormat = .none, _ b: ArgumentFormat = .none,
    _ c: ArgumentFormat = .none, _ d: ArgumentFormat = .none, _ e: ArgumentFormat = .none,
    _ f: ArgumentFormat = .none, result: ResultFormat = .number
  ) {
    self.name = name
    arguments = [a, b, c, d, e, f]
    self.result = result
  }
}

enum ResultFormat {
  case number
  case address
  case octal
  /// The call does not return.
  case none
  /// What poll(2) or select(2) found.
  case events, sets
  /// The flags of F_GETFL and F_GETFD.
  case fcntl
}

/// What an argument is.
enum ArgumentFormat: UInt8 {
  case none
  // Numbers.
  case int, uint, long, size, hexadecimal, address, octal, mode, createMode, nodeMode, device
  case descriptor, directory, signal, userID
  // Memory that the call reads. `input` and its kin have their size in the next argument.
  case path, string, strings, environment, input, inputVector, value
  // Memory that the call fills, shown when it ends.
  case output, outputString, outputVector, valueOut, entries
  // Files.
  case openFlags, descriptorFlags, openHow, accessMode, whence, atFlags, renameFlags,
    closeRangeFlags, lockOperation
  case fallocateMode, fcntlCommand, fcntlArgument, ioctlRequest, ioctlArgument, pipe, memfdFlags
  case status, extendedStatus, statusMask, fileSystemStatus, extendedAttributeFlags
  // Memory.
  case protection, mapFlags, remapFlags, syncFlags, advice
  // Processes.
  case cloneFlags, cloneArguments, cloneStack, cloneFlagsOf, cloneParent, cloneChild, cloneTLS
  case waitStatus, waitOptions, waitIDType, signalInfo, usage
  case prctlOption, prctlArgument, archPrctlCode, resource, limit, limitOut, priorityWhich, policy,
    usageOf
  case schedulingParameter, mask, maskOut
  // Signals.
  case maskHow, signalSet, signalSetOut, signalAction, signalActionOut, signalStack, signalStackOut
  case signalFrame
  // Time.
  case clock, time, timeOut, microtime, microtimeOut, timerFlags, timerWhich, interval, intervalOut
  case microinterval, microintervalOut, times, microtimes
  case futexOperation, futexValue, futexTime, futexSecond, futexThird
  // Readiness.
  case pollEntries, set, epollOperation, epollEvent, epollEvents, epollFlags, eventFlags
  case timerDescriptorFlags, signalDescriptorFlags
  // Sockets.
  case socketFamily, socketType, socketAddress, socketAddressOut, lengthInOut, messageFlags
  case message, messageOut, socketLevel, socketOption, shutdownHow, socketPair
  // The rest.
  case systemName, randomFlags, identity, namespaceFlags, count

  /// Known only when the call has ended.
  var isResult: Bool {
    switch self {
    case .output, .outputString, .outputVector, .valueOut, .entries, .ioctlArgument, .pipe, .status,
      .extendedStatus, .fileSystemStatus, .waitStatus, .signalInfo, .usage, .limitOut, .maskOut,
      .signalSetOut, .signalActionOut, .signalStackOut, .timeOut, .microtimeOut, .intervalOut,
      .microintervalOut, .epollEvents, .socketAddressOut, .lengthInOut, .messageOut, .socketPair,
      .systemName, .identity:
      true
    default: false
    }
  }
}
