// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// histogram_quantile() and histogram_fraction() over classic histograms. Native ones do not exist here.

extension Evaluation {
  func histogramRows(_ call: Call, at steps: Steps, _ body: RowBody) throws(QueryError) {
    guard call.function.name == "histogram_quantile" else { return try fractionRows(call, at: steps, body) }
    let argument = call.arguments[1].unwrapped
    let quantiles = try scalar(call.arguments[0], at: steps)
    for quantile in quantiles.all where !Quantile.isValid(quantile) {
      annotations.invalidQuantile(quantile, at: call.arguments[0].unwrapped.range)
    }
    try eachHistogram(of: argument, at: steps, body) { histogram, metric, step in
      histogram.quantile(
        quantiles[step], repair: { self.annotations.forcedMonotonicity($0, metric: metric, at: argument.range) },
        timeMs: steps.timeMs(step))
    }
  }

  private func fractionRows(_ call: Call, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let lower = try scalar(call.arguments[0], at: steps)
    let upper = try scalar(call.arguments[1], at: steps)
    try eachHistogram(of: call.arguments[2].unwrapped, at: steps, body) { histogram, _, step in
      histogram.fraction(from: lower[step], through: upper[step])
    }
  }

  /// Hands on a row for each histogram, with what `compute` makes of its buckets at each step.
  private func eachHistogram(
    of argument: Expr, at steps: Steps, _ body: RowBody,
    _ compute: (_ histogram: inout ClassicHistogram, _ metric: String, _ step: Int) -> Double
  ) throws(QueryError) {
    var histograms: [BucketRows] = []
    var places: [Labels: Int] = [:]
    var cost = 0
    try rows(of: argument, at: steps) { (row: inout Row) throws(QueryError) in
      let text = row.labels[BucketRows.boundLabel] ?? ""
      guard !row.isEmpty else { return }
      guard let bound = Double(text) else {
        self.annotations.badBucketLabel(text, metric: row.labels.metricName, at: argument.range)
        return
      }
      cost += steps.count
      try self.budget.take(steps.count)
      let labels = row.labels.removing([BucketRows.boundLabel])
      let place = places[labels] ?? histograms.count
      if place == histograms.count {
        places[labels] = place
        histograms.append(BucketRows(labels: labels))
      }
      histograms[place].append(bound: bound, counts: row.takeValues())
    }
    budget.release(cost)
    var buckets = ClassicHistogram()
    for histogram in histograms {
      let sorted = histogram.sorted()
      try budget.work(sorted.bucketCount * steps.count)
      var row = Row(labels: sorted.labels, dropsName: true, values: Array(repeating: absent, count: steps.count))
      for step in 0..<steps.count {
        sorted.copy(step, to: &buckets)
        if !buckets.bounds.isEmpty { row.values[step] = compute(&buckets, sorted.labels.metricName, step) }
      }
      try body(&row)
    }
  }
}

/// The buckets of one histogram at all steps.
private struct BucketRows {
  static let boundLabel = "le"

  let labels: Labels
  private var bounds: [Double] = []
  private var counts: [[Double]] = []

  init(labels: Labels) {
    self.labels = labels
  }

  var bucketCount: Int { bounds.count }

  mutating func append(bound: Double, counts: [Double]) {
    bounds.append(bound)
    self.counts.append(counts)
  }

  /// Ascending by bound.
  func sorted() -> BucketRows {
    var result = BucketRows(labels: labels)
    for index in bounds.indices.sorted(by: { bounds[$0] < bounds[$1] }) {
      result.append(bound: bounds[index], counts: counts[index])
    }
    return result
  }

  func copy(_ step: Int, to histogram: inout ClassicHistogram) {
    histogram.removeAll()
    for index in bounds.indices {
      let count = counts[index][step]
      if !isAbsent(count) { histogram.append(bound: bounds[index], count: count) }
    }
  }
}
