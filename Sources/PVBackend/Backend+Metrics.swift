import ConnectionAudit
import ConnectionPolicy
import HostOS

extension Backend {
  /// The numbers of this container.
  public func metrics() -> [MetricSample] {
    view.network.gate.metrics() + callMetrics() + guestCallMetrics() + memoryMetrics()
  }

  private func callMetrics() -> [MetricSample] {
    statistics.current.used.flatMap { operation, histogram in
      let label = (name: "operation", value: "\(operation)")
      return [
        MetricSample(.calls, suffix: "_total", labels: [label], value: "\(histogram.count)")
      ] + seconds(histogram, label)
    }
  }

  private func seconds(
    _ histogram: BrokerStatistics.Histogram, _ label: (name: String, value: String)
  ) -> [MetricSample] {
    var samples: [MetricSample] = []
    var sum: UInt64 = 0
    for index in histogram.buckets.indices {
      sum += histogram.buckets[index]
      let bound =
        BrokerStatistics.bounds.indices.contains(index)
        ? "\(Double(BrokerStatistics.bounds[index]) / 1e9)" : "+Inf"
      samples.append(
        MetricSample(
          .callSeconds, suffix: "_bucket", labels: [label, (name: "le", value: bound)],
          value: "\(sum)"))
    }
    samples.append(
      MetricSample(.callSeconds, suffix: "_count", labels: [label], value: "\(sum)"))
    samples.append(
      MetricSample(
        .callSeconds, suffix: "_sum", labels: [label],
        value: "\(Double(histogram.nanoseconds) / 1e9)"))
    return samples
  }

  private func guestCallMetrics() -> [MetricSample] {
    var samples = zip(GuestCalls.kinds, guestCalls.read(view)).map { kind, count in
      MetricSample(
        .guestCalls, suffix: "_total", labels: [(name: "kind", value: kind)], value: "\(count)")
    }
    var panics = 0
    if case .panicked? = currentOutcome() { panics = 1 }
    samples.append(MetricSample(.panics, suffix: "_total", value: "\(panics)"))
    return samples
  }

  private func memoryMetrics() -> [MetricSample] {
    var samples: [MetricSample] = []
    if let bytes = view.memory.residentBytes() {
      samples.append(MetricSample(.kernelMemory, value: "\(bytes)"))
    }
    // The second number of statm is the pages that are resident: proc(5).
    if let text = try? HostFile.readText("/proc/self/statm"),
      let pages = text.split(separator: " ").dropFirst().first.flatMap({ UInt64($0) })
    {
      samples.append(MetricSample(.backendMemory, value: "\(pages * 4096)"))
    }
    return samples
  }
}

extension NetworkGate {
  func metrics() -> [MetricSample] {
    let numbers = counters.current
    var samples: [MetricSample] = []
    for event in ConnectionEvent.allCases {
      for outcome in ConnectionCounters.Outcome.allCases {
        samples.append(
          MetricSample(
            .attempts, suffix: "_total",
            labels: [(name: "event", value: event.name), (name: "outcome", value: "\(outcome)")],
            value: "\(numbers.attempts(event, outcome))"))
      }
    }
    samples.append(MetricSample(.connections, value: "\(openCount())"))
    // Without a log nobody hears of ends, and their bytes.
    guard let live = liveBytes() else { return samples }
    for (name, value) in [
      ("sent", numbers.bytesSent &+ live.sent),
      ("received", numbers.bytesReceived &+ live.received),
    ] {
      samples.append(
        MetricSample(
          .bytes, suffix: "_total", labels: [(name: "direction", value: name)], value: "\(value)"))
    }
    return samples
  }
}
