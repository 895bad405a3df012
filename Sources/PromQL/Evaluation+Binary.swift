// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Binary operations with a vector: with a scalar, with another vector, and between sets of series.

extension Evaluation {
  func binaryRows(_ binary: Binary, at steps: Steps, _ body: RowBody) throws(QueryError) {
    guard let matching = binary.matching else { return try scalarOperationRows(binary, at: steps, body) }
    switch binary.operation {
    case .and, .unless: try filteredRows(binary, matching, at: steps, body)
    case .or: try unionRows(binary, matching, at: steps, body)
    default: try matchedRows(binary, matching, at: steps, body)
    }
  }

  private func scalarOperationRows(_ binary: Binary, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let vectorIsLeft = binary.left.valueType == .vector
    let scalars = try scalar(vectorIsLeft ? binary.right : binary.left, at: steps)
    let operation = SampleOperation(binary)
    let dropsName = operation.changesUnit || binary.returnsBool
    try rows(of: vectorIsLeft ? binary.left : binary.right, at: steps) { (row: inout Row) throws(QueryError) in
      if vectorIsLeft {
        row.combine { value, step in operation.combine(value, scalars[step], kept: value) }
      } else {
        row.combine { value, step in operation.combine(scalars[step], value, kept: value) }
      }
      if dropsName { row.dropsName = true }
      try body(&row)
    }
  }

  /// `and`, `unless`: series of the left by whether the right has a match at the step.
  private func filteredRows(
    _ binary: Binary, _ matching: Binary.Matching, at steps: Steps, _ body: RowBody
  ) throws(QueryError) {
    var right = Presence(steps: steps)
    try rows(of: binary.right, at: steps) { (row: inout Row) throws(QueryError) in
      right.add(row, signature: row.labels.matched(by: matching))
    }
    let keepsMatched = binary.operation == .and
    try rows(of: binary.left, at: steps) { (row: inout Row) throws(QueryError) in
      if let isMatched = right[row.labels.matched(by: matching)] {
        row.combine { value, step in isMatched[step] == keepsMatched ? value : absent }
        try body(&row)
      } else if !keepsMatched {
        try body(&row)
      }
    }
  }

  /// `or`: all of the left, and of the right what has no match there at the step.
  private func unionRows(
    _ binary: Binary, _ matching: Binary.Matching, at steps: Steps, _ body: RowBody
  ) throws(QueryError) {
    var union = try frame(of: binary.left, at: steps)
    var left = Presence(steps: steps)
    for row in union.rows { left.add(row, signature: row.labels.matched(by: matching)) }
    try rows(of: binary.right, at: steps) { (row: inout Row) throws(QueryError) in
      if let isMatched = left[row.labels.matched(by: matching)] {
        row.combine { value, step in isMatched[step] ? absent : value }
      }
      try self.keep(&row, in: &union)
    }
    // A series may be the left's at one step and the right's at another.
    union.rows = try joined(union.rows)
    try handOn(&union, body)
  }

  private func matchedRows(
    _ binary: Binary, _ matching: Binary.Matching, at steps: Steps, _ body: RowBody
  ) throws(QueryError) {
    var left = try frame(of: binary.left, at: steps)
    var right = try frame(of: binary.right, at: steps)
    let match = VectorMatch(binary, matching, steps: steps)
    let result: [Row]
    if matching.cardinality == .oneToMany {
      result = try match.rows(many: &right.rows, one: left.rows)
    } else {
      result = try match.rows(many: &left.rows, one: right.rows)
    }
    try budget.work((left.rows.count + right.rows.count) * steps.count)
    budget.release(left.cost + right.cost)
    for var row in try joined(result) { try body(&row) }
  }
}

extension Row {
  @inline(__always)
  fileprivate mutating func combine(_ transform: (_ value: Double, _ step: Int) -> Double) {
    for step in values.indices {
      let value = values[step]
      if !isAbsent(value) { values[step] = transform(value, step) }
    }
  }
}

/// At which steps there is a series of a signature.
private struct Presence {
  private var columns: [Labels: [Bool]] = [:]
  private let stepCount: Int

  init(steps: Steps) {
    stepCount = steps.count
  }

  mutating func add(_ row: Row, signature: Labels) {
    var column = columns.removeValue(forKey: signature) ?? Array(repeating: false, count: stepCount)
    for step in row.values.indices where !isAbsent(row.values[step]) { column[step] = true }
    columns[signature] = column
  }

  subscript(_ signature: Labels) -> [Bool]? { columns[signature] }
}
