// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Range vectors: of a selector the samples themselves, of a subquery the inner expression's values at its own steps.

/// A range vector at the steps of a query.
struct RangeVector {
  enum Origin {
    case selector(VectorSelector)
    case subquery(Subquery)
  }

  let origin: Origin
  let rangeMs: Int64
  /// The steps less the offset: where the windows end.
  let ends: Steps

  /// The first time inside of the first window.
  var fromMs: Int64 { ends.fromMs - rangeMs + 1 }
}

extension Evaluation {
  func rangeVector(of expr: Expr, at steps: Steps) -> RangeVector {
    switch expr.node {
    case .matrix(let selector, let rangeMs):
      RangeVector(origin: .selector(selector), rangeMs: rangeMs, ends: steps.shifted(selector.shift, query: query))
    case .subquery(let subquery):
      RangeVector(
        origin: .subquery(subquery), rangeMs: subquery.rangeMs, ends: steps.shifted(subquery.shift, query: query))
    default: preconditionFailure("\(expr.node) is no range vector")
    }
  }

  /// Hands each series of a range vector to `body` with the samples of all its windows, stale markers left out.
  func eachSeries(
    of vector: RangeVector, _ body: (borrowing RowHead, SampleBuffer) throws(QueryError) -> Void
  ) throws(QueryError) {
    switch vector.origin {
    case .selector(let selector):
      let throughMs = vector.ends.throughMs
      try samples(of: selector, fromMs: vector.fromMs, throughMs: throughMs) { labels, samples throws(QueryError) in
        samples.removeStaleMarkers()
        if samples.count > 0 { try body(RowHead(labels: labels, dropsName: false), samples) }
      }
    case .subquery(let subquery):
      try eachSeries(of: subquery, for: vector, body)
    }
  }

  private func eachSeries(
    of subquery: Subquery, for vector: RangeVector, _ body: (borrowing RowHead, SampleBuffer) throws(QueryError) -> Void
  ) throws(QueryError) {
    let stepMs = subquery.stepMs ?? settings.subqueryStepMs
    let fromMs = Evaluation.firstMultiple(of: stepMs, after: vector.fromMs - 1)
    let steps = Steps(fromMs: fromMs, throughMs: vector.ends.throughMs, stepMs: stepMs)
    var samples = SampleBuffer()
    try rows(of: subquery.expr, at: steps) { (row: inout Row) throws(QueryError) in
      samples.removeAll()
      for step in 0..<steps.count where !isAbsent(row.values[step]) {
        samples.append(timeMs: steps.timeMs(step), value: row.values[step])
      }
      try self.budget.work(steps.count)
      if samples.count > 0 { try body(RowHead(labels: row.labels, dropsName: row.dropsName), samples) }
    }
  }

  /// Steps of a subquery are multiples of its step, wherever the query begins.
  private static func firstMultiple(of stepMs: Int64, after timeMs: Int64) -> Int64 {
    let multiple = timeMs / stepMs * stepMs
    return multiple > timeMs ? multiple : multiple + stepMs
  }

  /// A range vector as the value of an instant query.
  func rangeValue(ofVector expr: Expr, at steps: Steps) throws(QueryError) -> [SampleSeries] {
    let vector = rangeVector(of: expr, at: steps)
    var result: [SampleSeries] = []
    var windows = Windows()
    try eachSeries(of: vector) { head, samples throws(QueryError) in
      windows.find(in: samples, ends: vector.ends, rangeMs: vector.rangeMs)
      let window = windows.lows[0]..<windows.highs[0]
      guard !window.isEmpty else { return }
      try self.budget.take(window.count)
      result.append(
        SampleSeries(
          labels: head.dropsName ? head.labels.droppingName() : head.labels, timesMs: Array(samples.timesMs[window]),
          values: Array(samples.values[window])))
    }
    return result.sorted { Labels.precede($0.labels, $1.labels) }
  }
}

/// A series without its values.
struct RowHead {
  let labels: Labels
  let dropsName: Bool
}
