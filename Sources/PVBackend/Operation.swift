/// What a request asks for: PV_OP_* of the wire, whose comments describe the arguments.
enum Operation: UInt32, CaseIterable, Sendable {
  case exit = 1
  case panic, log
  case open, memoryFile, eventCounter, epoll, lostDescriptor

  case status = 16
  case readLink, makeDirectory, makeNode, unlink, rename, link, makeSymbolicLink
  case setMode, setOwner, setTimes, truncate, allocate, fileSystemStatus
  case attribute, setAttribute, listAttributes, removeAttribute
  case descriptorPath, copyRange, sendFile, pipeBytes, sync
  case syncRange, seals, splice, tee, duplicate, advise

  case hostText = 64
  case taskStatistics, affinity, setAffinity, priority, limit, readMemory, writeMemory, resident
  case mappedPath

  case programReady = 80
  case programFailed, programEnded, programRead, programDescriptor

  case socket = 128
  case bind, listen, connect, connectResult, accept, shutDown, socketName
  case option, setOption, send, receive, socketQueue
  case interface, routeQuery, networkText, forgetListener, connectToHost
  case socketQuery, routeListen, routeGroups
}

extension Operation {
  /// Whether it can be expected to wait for a disk, for whoever reads standard error or for a
  /// process of the sandbox, or to read much.
  var takesLong: Bool {
    switch self {
    case .log, .allocate, .truncate, .copyRange, .sendFile, .sync, .syncRange, .splice, .advise,
      .mappedPath, .routeQuery, .networkText, .socketQuery:
      true
    default: false
    }
  }
}
