// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// topk, bottomk and count_values: aggregations whose result has more than one series a group.

extension Evaluation {
  func rankedRows(_ aggregation: Aggregation, at steps: Steps, _ body: RowBody) throws(QueryError) {
    guard let parameter = aggregation.parameter else { preconditionFailure("\(aggregation.operation) has no k") }
    let sizes = try scalar(parameter, at: steps)
    try checkSizes(sizes)
    var ranking = Ranking(aggregation, steps: steps, sizes: sizes)
    var cost = 0
    try rows(of: aggregation.expr, at: steps) { (row: inout Row) throws(QueryError) in
      let taken = try ranking.add(row)
      cost += taken
      try self.budget.take(taken)
      try self.budget.work(steps.count)
    }
    budget.release(cost)
    for var row in ranking.rows { try body(&row) }
  }

  private func checkSizes(_ sizes: ScalarValues) throws(QueryError) {
    if let greatest = sizes.all.max(), greatest < 1 { return }
    if sizes.all.contains(where: \.isNaN) { throw QueryError(.execution, "Parameter value is NaN") }
    if let least = sizes.all.min(), least <= -0x1p63 {
      throw QueryError(.execution, "Scalar value \(GeneralNumber.general(least)) underflows int64")
    }
    if let greatest = sizes.all.max(), greatest >= 0x1p63 {
      throw QueryError(.execution, "Scalar value \(GeneralNumber.general(greatest)) overflows int64")
    }
  }

  /// `count_values`: a series for each value that occurs, with the number of series that have it.
  func valueCountRows(_ aggregation: Aggregation, at steps: Steps, _ body: RowBody) throws(QueryError) {
    guard let label = aggregation.parameter?.stringValue else { preconditionFailure("count_values has no label") }
    guard label.isLabelName else {
      throw QueryError(.execution, "invalid label name \(QuotedText.quoted(label))")
    }
    var aggregation = aggregation
    if !aggregation.isWithout { aggregation.grouping.append(label) }
    var counts = Groups<[Int: Double]>(aggregation)
    var cost = 0
    try rows(of: aggregation.expr, at: steps) { (row: inout Row) throws(QueryError) in
      var places: [String: Int] = [:]
      for step in row.values.indices where !isAbsent(row.values[step]) {
        let text = NumberText.text(row.values[step])
        if places[text] == nil {
          let labeled = Row(labels: row.labels.replacing(label, with: text))
          places[text] = try counts.place(of: labeled) { () throws(QueryError) in [:] }
        }
        guard let place = places[text] else { continue }
        if counts.list[place].content[step] == nil { cost += 1 }
        counts.list[place].content[step, default: 0] += 1
      }
      try self.budget.work(steps.count)
      try self.budget.checkRoom(for: cost)
    }
    for count in counts.list {
      var row = Row(labels: count.labels, values: Array(repeating: absent, count: steps.count))
      for (step, value) in count.content { row.values[step] = value }
      try body(&row)
    }
  }
}
