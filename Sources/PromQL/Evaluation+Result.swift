// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// From rows to the value of a query: names are dropped, series that become the same are one, series are in order.

extension Evaluation {
  func instantValue(of expr: Expr, at steps: Steps) throws(QueryError) -> QueryValue {
    let timeMs = steps.fromMs
    switch expr.valueType {
    case .scalar: return .scalar(try scalar(expr, at: steps)[0], timeMs: timeMs)
    case .string: return .string(expr.stringValue, timeMs: timeMs)
    case .matrix: return .matrix(try rangeValue(ofVector: expr.unwrapped, at: steps))
    case .vector:
      let rows = try finished(try frame(of: expr, at: steps).rows)
      return .vector(rows.map { InstantSample(labels: $0.labels, timeMs: timeMs, value: $0.values[0]) })
    }
  }

  func rangeValue(of expr: Expr, at steps: Steps) throws(QueryError) -> QueryValue {
    switch expr.valueType {
    case .scalar:
      let values = try scalar(expr, at: steps)
      return .matrix(series([Row(values: (0..<steps.count).map { values[$0] })], at: steps))
    case .vector:
      let rows = try finished(try frame(of: expr, at: steps).rows)
      return .matrix(series(rows.sorted { Labels.precede($0.labels, $1.labels) }, at: steps))
    case .matrix, .string:
      let type = QuotedText.quoted(expr.valueType.rawValue)
      throw QueryError(.badData, "invalid expression type \(type) for range query, must be Scalar or instant Vector")
    }
  }

  /// Drops the names that are to be dropped, and joins what then is one series.
  private func finished(_ rows: [Row]) throws(QueryError) -> [Row] {
    var rows = rows
    for index in rows.indices where rows[index].dropsName { rows[index].labels = rows[index].labels.droppingName() }
    return try joined(rows)
  }

  /// Makes one row of those with equal labels, in the place of the first.
  ///
  /// - Throws: where two of them have a sample at the same step.
  func joined(_ rows: [Row]) throws(QueryError) -> [Row] {
    var places: [Labels: Int] = [:]
    places.reserveCapacity(rows.count)
    var result: [Row] = []
    for row in rows {
      if let place = places[row.labels] {
        try result[place].join(row)
      } else {
        places[row.labels] = result.count
        result.append(row)
      }
    }
    return result
  }

  /// Rows without the steps that have no sample; rows with a sample at every step share their times.
  private func series(_ rows: [Row], at steps: Steps) -> [SampleSeries] {
    let times = steps.timesMs
    return rows.compactMap { row in
      let present = row.presentCount
      guard present > 0 else { return nil }
      if present == steps.count { return SampleSeries(labels: row.labels, timesMs: times, values: row.values) }
      let kept = row.values.indices.filter { !isAbsent(row.values[$0]) }
      return SampleSeries(labels: row.labels, timesMs: kept.map { times[$0] }, values: kept.map { row.values[$0] })
    }
  }
}

extension Row {
  fileprivate mutating func join(_ other: Row) throws(QueryError) {
    // The name's fate is that of the earlier sample.
    let isLater = (values.firstIndex { !isAbsent($0) } ?? .max) > (other.values.firstIndex { !isAbsent($0) } ?? .max)
    if isLater { dropsName = other.dropsName }
    for step in values.indices where !isAbsent(other.values[step]) {
      guard isAbsent(values[step]) else { throw .sameLabels }
      values[step] = other.values[step]
    }
  }
}
