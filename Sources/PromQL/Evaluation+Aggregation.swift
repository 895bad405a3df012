// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Aggregations. Their series stream by: a group holds what it needs of them at each step and not the series.

extension Evaluation {
  func aggregationRows(_ aggregation: Aggregation, at steps: Steps, _ body: RowBody) throws(QueryError) {
    switch aggregation.operation {
    case .sum: try groupRows(SumCell.self, aggregation, at: steps, body)
    case .avg: try groupRows(AverageCell.self, aggregation, at: steps, body)
    case .count: try groupRows(CountCell.self, aggregation, at: steps, body)
    case .min: try groupRows(MinimumCell.self, aggregation, at: steps, body)
    case .max: try groupRows(MaximumCell.self, aggregation, at: steps, body)
    case .group: try groupRows(PresenceCell.self, aggregation, at: steps, body)
    case .stdvar: try groupRows(VarianceCell.self, aggregation, at: steps, body)
    case .stddev: try groupRows(DeviationCell.self, aggregation, at: steps, body)
    case .quantile: try quantileRows(aggregation, at: steps, body)
    case .topk, .bottomk: try rankedRows(aggregation, at: steps, body)
    case .countValues: try valueCountRows(aggregation, at: steps, body)
    }
  }

  private func groupRows<Cell: GroupCell>(
    _: Cell.Type, _ aggregation: Aggregation, at steps: Steps, _ body: RowBody
  ) throws(QueryError) {
    var groups = Groups<CellColumn<Cell>>(aggregation)
    var cost = 0
    try rows(of: aggregation.expr, at: steps) { (row: inout Row) throws(QueryError) in
      guard !row.isEmpty else { return }
      let place = try groups.place(of: row) { () throws(QueryError) in
        cost += steps.count
        try self.budget.take(steps.count)
        return CellColumn(count: steps.count)
      }
      groups.list[place].content.add(row.values)
      try self.budget.work(steps.count)
    }
    budget.release(cost)
    for group in groups.list {
      var row = Row(labels: group.labels, dropsName: group.dropsName, values: group.content.cells.map(\.value))
      try body(&row)
    }
  }

  private func quantileRows(_ aggregation: Aggregation, at steps: Steps, _ body: RowBody) throws(QueryError) {
    guard let parameter = aggregation.parameter else { preconditionFailure("quantile has no φ") }
    let quantiles = try scalar(parameter, at: steps)
    annotateQuantiles(quantiles, at: parameter.unwrapped.range)
    var groups = Groups<ValueColumn>(aggregation)
    var cost = 0
    try rows(of: aggregation.expr, at: steps) { (row: inout Row) throws(QueryError) in
      let present = row.presentCount
      guard present > 0 else { return }
      cost += present
      try self.budget.take(present)
      let place = try groups.place(of: row) { () throws(QueryError) in ValueColumn(count: steps.count) }
      groups.list[place].content.add(row.values)
      try self.budget.work(steps.count)
    }
    budget.release(cost)
    for index in groups.list.indices {
      let values = groups.list[index].content.quantiles(quantiles)
      var row = Row(labels: groups.list[index].labels, dropsName: groups.list[index].dropsName, values: values)
      try body(&row)
    }
  }

  /// Once for the greatest and once for the least, as Prometheus does for an aggregation.
  private func annotateQuantiles(_ quantiles: ScalarValues, at range: Range<Int>) {
    let all = quantiles.all
    if all.contains(where: \.isNaN) { annotations.invalidQuantile(.nan, at: range) }
    if let greatest = all.filter({ $0 > 1 }).max() { annotations.invalidQuantile(greatest, at: range) }
    if let least = all.filter({ $0 < 0 }).min() { annotations.invalidQuantile(least, at: range) }
  }
}

/// The groups of an aggregation in the order of their first series.
struct Groups<Content> {
  struct Group {
    let labels: Labels
    /// Whether one of its series is to lose its name.
    var dropsName: Bool
    var content: Content
  }

  var list: [Group] = []
  private var places: [Labels: Int] = [:]
  private let names: [String]
  private let isWithout: Bool

  init(_ aggregation: Aggregation) {
    isWithout = aggregation.isWithout
    names = aggregation.isWithout ? aggregation.grouping + [Labels.metricLabel] : aggregation.grouping
  }

  /// The group of a series, which must have a sample.
  mutating func place(of row: Row, make: () throws(QueryError) -> Content) throws(QueryError) -> Int {
    let labels = isWithout ? row.labels.removing(names) : names.isEmpty ? .none : row.labels.keeping(names)
    if let place = places[labels] {
      if row.dropsName { list[place].dropsName = true }
      return place
    }
    places[labels] = list.count
    list.append(Group(labels: labels, dropsName: row.dropsName, content: try make()))
    return list.count - 1
  }
}

/// A group's cells, one for each step.
private struct CellColumn<Cell: GroupCell> {
  private(set) var cells: [Cell]

  init(count: Int) {
    cells = Array(repeating: Cell(), count: count)
  }

  mutating func add(_ values: [Double]) {
    for step in values.indices where !isAbsent(values[step]) { cells[step].add(values[step]) }
  }
}

/// A group's values themselves.
private struct ValueColumn {
  private var cells: [[Double]]

  init(count: Int) {
    cells = Array(repeating: [], count: count)
  }

  mutating func add(_ values: [Double]) {
    for step in values.indices where !isAbsent(values[step]) { cells[step].append(values[step]) }
  }

  mutating func quantiles(_ quantiles: ScalarValues) -> [Double] {
    cells.indices.map { cells[$0].isEmpty ? absent : Quantile.of(&cells[$0], quantiles[$0]) }
  }
}
