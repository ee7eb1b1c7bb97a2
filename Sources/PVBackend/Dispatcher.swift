import HostOS

extension Worker {
  /// From an operation to the function that serves it.
  func perform(_ request: Request) throws(HostError) -> Answer {
    switch request.operation {
    case .exit: try exit(request)
    case .panic: panic(request)
    case .log: .value(log(request))

    case .open: .descriptor(try open(request))
    case .memoryFile: .descriptor(try memoryFile(request))
    case .eventCounter: .descriptor(try eventCounter(request))
    case .epoll: .descriptor(try OwnedDescriptor.epoll())
    case .lostDescriptor: .descriptor(try lostDescriptor())

    case .status: .value(try status(request))
    case .readLink: .value(try readLink(request))
    case .makeDirectory: .value(try makeDirectory(request))
    case .makeNode: .value(try makeNode(request))
    case .unlink: .value(try unlink(request))
    case .rename: .value(try rename(request))
    case .link: .value(try link(request))
    case .makeSymbolicLink: .value(try makeSymbolicLink(request))

    case .setMode: .value(try setMode(request))
    case .setOwner: .value(try setOwner(request))
    case .setTimes: .value(try setTimes(request))
    case .attribute: .value(try attribute(request))
    case .setAttribute: .value(try setAttribute(request))
    case .listAttributes: .value(try listAttributes(request))
    case .removeAttribute: .value(try removeAttribute(request))

    case .truncate: .value(try truncate(request))
    case .allocate: .value(try allocate(request))
    case .fileSystemStatus: .value(try fileSystemStatus(request))
    case .descriptorPath: .value(try descriptorPath(request))
    case .copyRange: .value(try copyRange(request))
    case .sendFile: .value(try sendFile(request))
    case .pipeBytes: .value(try pipeBytes(request))
    case .sync: .value(try sync(request))
    case .syncRange: .value(try syncRange(request))
    case .seals: .value(try seals(request))
    case .splice: .value(try splice(request))
    case .tee: .value(try tee(request))
    case .duplicate: .descriptor(try descriptor(0, of: request))

    case .hostText: .value(try hostText(request))
    case .taskStatistics: .value(try taskStatistics(request))
    case .affinity: .value(try affinity(request))
    case .setAffinity: .value(try setAffinity(request))
    case .priority: .value(try priority(request))
    case .limit: .value(try limit(request))
    case .readMemory: .value(try readMemory(request))
    case .writeMemory: .value(try writeMemory(request))
    case .resident: .value(try resident(request))
    case .mappedPath: .value(try mappedPath(request))

    case .programReady: try programReady(request)
    case .programFailed: .value(try programFailed(request))
    case .programEnded: .value(try programEnded(request))
    case .programRead: .value(try programRead(request))
    case .programDescriptor: .descriptor(try programDescriptor(request))

    case .socket: .descriptor(try makeSocket(request))
    case .bind: .value(try bind(request))
    case .listen: .value(try listen(request))
    case .connect: .value(try connect(request))
    case .connectResult: .value(try connectResult(request))
    case .accept: .descriptor(try accept(request))
    case .shutDown: .value(try shutDown(request))
    case .socketName: .value(try socketName(request))
    case .option: .value(try option(request))
    case .setOption: .value(try setOption(request))
    case .send: .value(try send(request))
    case .receive: .value(try receive(request))
    case .socketQueue: .value(try socketQueue(request))
    case .interface: .value(try interface(request))
    case .routeQuery: .descriptor(try routeQuery(request))
    case .networkText: .descriptor(try networkText(request))
    case .forgetListener: .value(try forgetListener(request))
    }
  }
}
