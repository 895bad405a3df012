// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Walks an expression. Each node is evaluated once for all steps and hands its series on one by one, so that an
// aggregation over many series holds its groups and not the series. One function per kind of node.

/// One query while it runs.
final class Evaluation {
  /// Receives one series. It may take the row's values for itself.
  typealias RowBody = (inout Row) throws(QueryError) -> Void

  let reader: any SampleReader
  let settings: EngineSettings
  /// Of the query as a whole, not of a subquery inside.
  let query: Steps
  var annotations = Annotations()
  var budget: QueryBudget

  init(reader: any SampleReader, settings: EngineSettings, limits: QueryLimits, query: Steps) {
    self.reader = reader
    self.settings = settings
    self.query = query
    budget = QueryBudget(limits)
  }

  /// Hands the series of an instant vector to `body`, some maybe without a sample.
  ///
  /// Dynamic so that the compiler does not look through the recursion: it would make a copy of every kind of node for
  /// every closure that is handed to it, and for those that this makes (Swift 6.3: 50 s instead of 15, at times 20 GB).
  dynamic func rows(of expr: Expr, at steps: Steps, _ body: RowBody) throws(QueryError) {
    guard steps.count > 0 else { return }
    // One row at least is in memory.
    try budget.checkRoom(for: steps.count)
    if steps.count > 1, expr.isStepInvariant { return try invariantRows(of: expr, at: steps, body) }
    switch expr.node {
    case .selector(let selector): try selectorRows(selector, at: steps, body)
    case .call(let call): try callRows(call, range: expr.range, at: steps, body)
    case .aggregation(let aggregation): try aggregationRows(aggregation, at: steps, body)
    case .binary(let binary): try binaryRows(binary, at: steps, body)
    case .negation(let inner): try negationRows(inner, at: steps, body)
    case .parentheses(let inner): try rows(of: inner, at: steps, body)
    case .number, .string, .matrix, .subquery: preconditionFailure("\(expr.node) is no instant vector")
    }
  }

  /// All series of an instant vector that have a sample.
  ///
  /// The caller releases the frame's cost when it is done with it.
  func frame(of expr: Expr, at steps: Steps) throws(QueryError) -> Frame {
    var frame = Frame()
    try rows(of: expr, at: steps) { (row: inout Row) throws(QueryError) in
      try self.keep(&row, in: &frame)
    }
    return frame
  }

  /// A step without a sample costs memory too, but half of what Prometheus spends on a sample.
  func keep(_ row: inout Row, in frame: inout Frame) throws(QueryError) {
    let present = row.presentCount
    guard present > 0 else { return }
    let cost = max(present, row.values.count / 2)
    try budget.take(cost)
    frame.cost += cost
    frame.rows.append(Row(labels: row.labels, dropsName: row.dropsName, values: row.takeValues()))
  }

  /// What does not change from step to step is computed once.
  private func invariantRows(of expr: Expr, at steps: Steps, _ body: RowBody) throws(QueryError) {
    try rows(of: expr, at: steps.first) { (row: inout Row) throws(QueryError) in
      row.values = Array(repeating: row.values[0], count: steps.count)
      try self.budget.work(steps.count)
      try body(&row)
    }
  }

  private func negationRows(_ inner: Expr, at steps: Steps, _ body: RowBody) throws(QueryError) {
    try rows(of: inner, at: steps) { (row: inout Row) throws(QueryError) in
      row.map { -$0 }
      row.dropsName = true
      try body(&row)
    }
  }
}

extension Evaluation {
  /// The value of a scalar at every step.
  func scalar(_ expr: Expr, at steps: Steps) throws(QueryError) -> ScalarValues {
    try budget.checkRoom(for: steps.count)
    if steps.count > 1, expr.isStepInvariant {
      return ScalarValues(constant: try scalar(expr, at: steps.first)[0])
    }
    switch expr.node {
    case .number(let value): return ScalarValues(constant: value)
    case .call(let call): return try scalarCall(call, at: steps)
    case .binary(let binary): return try scalarBinary(binary, at: steps)
    case .negation(let inner): return try scalar(inner, at: steps).map { -$0 }
    case .parentheses(let inner): return try scalar(inner, at: steps)
    case .string, .selector, .matrix, .subquery, .aggregation: preconditionFailure("\(expr.node) is no scalar")
    }
  }

  private func scalarCall(_ call: Call, at steps: Steps) throws(QueryError) -> ScalarValues {
    switch call.function.name {
    case "pi": return ScalarValues(constant: .pi)
    case "time": return ScalarValues(steps: steps.timesMs.map { Double($0) / 1000 })
    case "scalar": return try scalar(ofVector: call.arguments[0], at: steps)
    default: preconditionFailure("\(call.function.name)() returns no scalar")
    }
  }

  /// The value where exactly one series has one, NaN elsewhere.
  private func scalar(ofVector expr: Expr, at steps: Steps) throws(QueryError) -> ScalarValues {
    var values = Array(repeating: absent, count: steps.count)
    var isAmbiguous = Array(repeating: false, count: steps.count)
    try rows(of: expr, at: steps) { (row: inout Row) throws(QueryError) in
      for step in values.indices where !isAbsent(row.values[step]) {
        if isAbsent(values[step]) { values[step] = row.values[step] } else { isAmbiguous[step] = true }
      }
    }
    for step in values.indices where isAmbiguous[step] || isAbsent(values[step]) { values[step] = .nan }
    return ScalarValues(steps: values)
  }

  private func scalarBinary(_ binary: Binary, at steps: Steps) throws(QueryError) -> ScalarValues {
    let left = try scalar(binary.left, at: steps)
    let right = try scalar(binary.right, at: steps)
    let operation = binary.operation
    return ScalarValues(steps: (0..<steps.count).map { Arithmetic.scalar(operation, left[$0], right[$0]) })
  }
}

/// A scalar at every step.
struct ScalarValues: Sendable {
  /// One for each step, or one alone for all.
  private let values: [Double]

  init(constant: Double) {
    values = [constant]
  }

  init(steps: [Double]) {
    values = steps
  }

  @inline(__always)
  subscript(_ step: Int) -> Double { values.count == 1 ? values[0] : values[step] }

  /// Every value at least once.
  var all: [Double] { values }

  func map(_ transform: (Double) -> Double) -> ScalarValues { ScalarValues(steps: values.map(transform)) }
}
