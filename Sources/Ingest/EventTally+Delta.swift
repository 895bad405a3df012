// SPDX-License-Identifier: Apache-2.0

// From label numbers to series: which metrics a row stands for, and under which labels.

import TimeSeries

/// A metric made from events, and which labels beside service and cache it has.
private enum CacheMetric: UInt8 {
  case hits, misses, bypasses, sets, staleHits, invalidations, invalidationErrors, invalidatedKeys, errors
  case lookupFailures, duration, breakerState, breakerTransitions, entries, capacity, memoryBytes, checks, failedChecks
  case activeUsers

  var name: String {
    switch self {
    case .hits: "cache_hits_total"
    case .misses: "cache_misses_total"
    case .bypasses: "cache_bypasses_total"
    case .sets: "cache_sets_total"
    case .staleHits: "cache_stale_hits_total"
    case .invalidations: "cache_invalidations_total"
    case .invalidationErrors: "cache_invalidation_errors_total"
    case .invalidatedKeys: "cache_invalidated_keys_total"
    case .errors: "cache_errors_total"
    case .lookupFailures: "cache_lookup_failures_total"
    case .duration: "cache_operation_duration_seconds"
    case .breakerState: "cache_circuit_breaker_state"
    case .breakerTransitions: "cache_circuit_breaker_transitions_total"
    case .entries: "cache_entries"
    case .capacity: "cache_capacity_entries"
    case .memoryBytes: "cache_memory_bytes"
    case .checks: "cache_consistency_checks_total"
    case .failedChecks: "cache_consistency_checks_failed_total"
    case .activeUsers: MetricFamily.activeUsers
    }
  }

  var kind: SeriesKind {
    switch self {
    case .duration: .histogram
    case .breakerState, .entries, .capacity, .memoryBytes, .activeUsers: .gauge
    default: .counter
    }
  }

  /// Misses, bypasses and invalidations happen in no tier, whatever the line they came in says.
  func hasTier(_ kind: CacheEvent.Kind) -> Bool {
    switch self {
    case .hits, .sets, .staleHits, .entries, .capacity, .memoryBytes: true
    case .duration: kind == .hit || kind == .bulk
    default: false
    }
  }

  var hasCohort: Bool {
    switch self {
    case .hits, .misses, .bypasses, .lookupFailures, .duration: true
    default: false
    }
  }

  /// The bits of a row's word that become labels.
  func labelMask(_ kind: CacheEvent.Kind) -> UInt64 {
    var mask = RowLabels.placeMask
    if hasTier(kind) { mask |= RowLabels.tierMask }
    if hasCohort { mask |= RowLabels.cohortMask }
    if self == .duration { mask |= RowLabels.kindMask }
    if detailLabel != nil { mask |= RowLabels.detailMask }
    return mask
  }

  /// What the row's detail is called.
  var detailLabel: String? {
    switch self {
    case .bypasses: "reason"
    case .errors: "operation"
    case .breakerState, .breakerTransitions: "state"
    default: nil
    }
  }
}

extension EventTally {
  /// What the counted events add. Each series, and each series in each window, appears once.
  func delta(_ labels: EventLabels) -> BatchDelta {
    var builder = DeltaBuilder(labels: labels, seed: seed)
    for row in rows { builder.addCounts(row) }
    for (index, row) in rows.enumerated() { builder.addDistribution(row, buckets.buckets(ofRow: index)) }
    for moment in moments { builder.addGauges(moment, rows[moment.row]) }
    for seen in users.seen() { builder.addUsers(seen) }
    builder.addExemplars(exemplars, rows)
    return builder.delta
  }
}

private struct DeltaBuilder {
  let labels: EventLabels
  var delta = BatchDelta()
  private let spellings: EventLabels.Spellings
  private var seriesNumbers: PairTable
  private var countNumbers: PairTable
  private var distributionNumbers: PairTable
  private var exemplarNumbers: PairTable

  init(labels: EventLabels, seed: UInt64) {
    self.labels = labels
    spellings = labels.spellings()
    seriesNumbers = PairTable(seed: seed)
    countNumbers = PairTable(seed: seed)
    distributionNumbers = PairTable(seed: seed)
    exemplarNumbers = PairTable(seed: seed)
  }

  mutating func addCounts(_ row: EventTally.Row) {
    switch row.labels.kind {
    case .hit:
      add(.hits, row, row.count)
      if row.staleHits > 0 { add(.staleHits, row, row.staleHits) }
    case .miss: add(.misses, row, row.count)
    case .bypass: add(.bypasses, row, row.count)
    case .bulk:
      if row.keysOrHits > 0 { add(.hits, row, row.keysOrHits) }
      if row.bulkMisses > 0 { add(.misses, row, row.bulkMisses) }
    case .set: add(.sets, row, row.count)
    case .invalidation:
      add(.invalidations, row, row.count)
      if row.failures > 0 { add(.invalidationErrors, row, row.failures) }
      if row.keysOrHits > 0 { add(.invalidatedKeys, row, row.keysOrHits) }
    case .error: add(.errors, row, row.count)
    case .breaker: add(.breakerTransitions, row, row.count)
    case .stats: break
    case .consistencyCheck:
      add(.checks, row, row.count)
      if row.failures > 0 { add(.failedChecks, row, row.failures) }
    }
    switch row.labels.kind {
    case .hit, .miss, .bypass, .bulk: if row.failures > 0 { add(.lookupFailures, row, row.failures) }
    default: break
    }
  }

  /// - Parameter buckets: of this row, ascending.
  mutating func addDistribution(_ row: EventTally.Row, _ buckets: [BatchDelta.BucketCount]) {
    guard !buckets.isEmpty else { return }
    let series = series(.duration, row.labels)
    let sum = row.durationSumMs / 1000
    let next = delta.distributions.count
    let number = distributionNumbers.number(UInt64(series), UInt64(bitPattern: row.windowStartMs), next: next)
    guard number < next else {
      delta.distributions.append(
        .init(series: series, windowStartMs: row.windowStartMs, buckets: buckets, sum: sum))
      return
    }
    delta.distributions[number].sum += sum
    delta.distributions[number].buckets = DeltaBuilder.merged(delta.distributions[number].buckets, buckets)
  }

  mutating func addGauges(_ moment: EventTally.Moment, _ row: EventTally.Row) {
    if row.labels.kind == .breaker {
      for state in CacheEvent.BreakerState.allCases {
        let labels = RowLabels(
          .breaker, .unknown, .none, service: row.labels.service, cache: row.labels.cache, detail: Int(state.rawValue))
        addGauge(.breakerState, labels, moment.timestampMs, Int(state.rawValue) == row.labels.detail ? 1 : 0)
      }
      return
    }
    if let entries = moment.entries { addGauge(.entries, row.labels, moment.timestampMs, entries) }
    if let capacity = moment.capacity { addGauge(.capacity, row.labels, moment.timestampMs, capacity) }
    if let bytes = moment.memoryBytes { addGauge(.memoryBytes, row.labels, moment.timestampMs, bytes) }
  }

  mutating func addUsers(_ seen: UserTally.Seen) {
    let labels = RowLabels(.hit, .unknown, .none, service: seen.service, cache: seen.cache, detail: 0)
    let series = series(.activeUsers, labels)
    delta.users.append(.init(series: series, sliceStartMs: seen.sliceStartMs, registers: seen.registers))
  }

  mutating func addExemplars(_ exemplars: ExemplarTally, _ rows: [EventTally.Row]) {
    delta.exemplarText = exemplars.text
    var textStart = 0
    // Those of a row follow each other more often than not.
    var last: (row: Int32, series: Int) = (-1, -1)
    for entry in exemplars.entries {
      if entry.row != last.row { last = (entry.row, series(.duration, rows[Int(entry.row)].labels)) }
      add(
        .init(
          series: last.series, bucket: entry.bucket, timeMs: entry.timeMs, seconds: entry.seconds,
          text: textStart..<entry.textEnd))
      textStart = entry.textEnd
    }
  }

  private mutating func add(_ exemplar: BatchDelta.BucketExemplar) {
    let next = delta.exemplars.count
    let number = exemplarNumbers.number(UInt64(exemplar.series), UInt64(exemplar.bucket), next: next)
    if number == next {
      delta.exemplars.append(exemplar)
    } else if exemplar.timeMs >= delta.exemplars[number].timeMs {
      delta.exemplars[number] = exemplar
    }
  }

  private mutating func addGauge(_ metric: CacheMetric, _ labels: RowLabels, _ timestampMs: Int64, _ value: Double) {
    delta.gauges.append(.init(series: series(metric, labels), timestampMs: timestampMs, value: value))
  }

  private mutating func add(_ metric: CacheMetric, _ row: EventTally.Row, _ increment: Int64) {
    let series = series(metric, row.labels)
    let next = delta.counts.count
    let number = countNumbers.number(UInt64(series), UInt64(bitPattern: row.windowStartMs), next: next)
    if number < next {
      delta.counts[number].increment += increment
    } else {
      delta.counts.append(.init(series: series, windowStartMs: row.windowStartMs, increment: increment))
    }
  }

  /// Rows that differ in what this metric has no label for, and values that Unicode calls equal, are one series.
  private mutating func series(_ metric: CacheMetric, _ row: RowLabels) -> Int {
    let word = spellings.first(of: row).word & metric.labelMask(row.kind)
    let next = delta.series.count
    let number = seriesNumbers.number(word, UInt64(metric.rawValue), next: next)
    if number == next { delta.series.append(SeriesKey(kind: metric.kind, labels: seriesLabels(metric, row))) }
    return number
  }

  private func seriesLabels(_ metric: CacheMetric, _ row: RowLabels) -> Labels {
    var list = [Label("service", labels.services.value(row.service)), Label("cache", labels.caches.value(row.cache))]
    if metric.hasTier(row.kind) { list.append(Label("tier", row.tier.label)) }
    if metric.hasCohort { list.append(Label("cohort", row.cohort.label)) }
    if metric == .duration { list.append(Label("operation", EventTally.operation(of: row.kind) ?? "")) }
    if let name = metric.detailLabel {
      let isState = row.kind == .breaker
      list.append(
        Label(name, isState ? CacheEvent.BreakerState.allCases[row.detail].label : labels.details.value(row.detail)))
    }
    return Labels(metric: metric.name, list)
  }

  private static func merged(
    _ left: [BatchDelta.BucketCount], _ right: [BatchDelta.BucketCount]
  ) -> [BatchDelta.BucketCount] {
    var sums: [Int32: Int64] = [:]
    for entry in left + right { sums[entry.bucket, default: 0] += entry.count }
    return sums.keys.sorted().map { .init(bucket: $0, count: sums[$0]!) }
  }
}

extension CacheEvent.Tier {
  var label: String {
    switch self {
    case .unknown: "unknown"
    case .l1: "L1"
    case .l2: "L2"
    }
  }
}

extension CacheEvent.Cohort {
  var label: String {
    switch self {
    case .none: ""
    case .treatment: "treatment"
    case .control: "control"
    }
  }
}

extension CacheEvent.BreakerState {
  var label: String {
    switch self {
    case .closed: "closed"
    case .open: "open"
    case .halfOpen: "half_open"
    }
  }
}
