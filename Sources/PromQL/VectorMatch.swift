// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Arithmetic and comparisons between two vectors: which series meet, and what may not be.
// https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching

/// Matches the series of a "many" side with those of a "one" side. One-to-one, both sides are "one", and the left is
/// called many.
struct VectorMatch {
  private let operation: SampleOperation
  private let returnsBool: Bool
  private let matching: Binary.Matching
  private let stepCount: Int

  init(_ binary: Binary, _ matching: Binary.Matching, steps: Steps) {
    operation = SampleOperation(binary)
    returnsBool = binary.returnsBool
    self.matching = matching
    stepCount = steps.count
  }

  /// The result, maybe with several rows of the same labels at different steps.
  ///
  /// - Parameter many: their values become the result's.
  func rows(many: inout [Row], one: [Row]) throws(QueryError) -> [Row] {
    var matches: [Labels: [Int]] = [:]
    for index in one.indices { matches[one[index].labels.matched(by: matching), default: []].append(index) }
    try checkOneSide(matches, one: one, many: many)
    let rivals = rivals(among: many)
    var claims = Claims(stepCount: stepCount)
    var result: [Row] = []
    for index in many.indices {
      let signature = many[index].labels.matched(by: matching)
      guard let partners = matches[signature] else { continue }
      for partner in partners {
        let labels = resultLabels(many: many[index].labels, one: one[partner].labels)
        if rivals.contains(index) { try claim(signature, labels, &claims, many[index], one[partner]) }
        let dropsName = many[index].dropsName || returnsBool
        let values = partners.count == 1 ? many[index].takeValues() : many[index].values
        result.append(Row(labels: labels, dropsName: dropsName, values: combined(values, one[partner].values)))
      }
    }
    return result
  }

  private func combined(_ many: consuming [Double], _ one: [Double]) -> [Double] {
    let swaps = matching.cardinality == .oneToMany
    for step in many.indices {
      let (value, other) = (many[step], one[step])
      if isAbsent(value) || isAbsent(other) {
        many[step] = absent
      } else {
        // A filter keeps the value of the left side.
        many[step] = swaps ? operation.combine(other, value, kept: other) : operation.combine(value, other, kept: value)
      }
    }
    return many
  }

  private func resultLabels(many: Labels, one: Labels) -> Labels {
    var labels = operation.changesUnit ? many.droppingName() : many
    if matching.cardinality == .oneToOne {
      labels = matching.isOn ? labels.keeping(matching.labels) : labels.removing(matching.labels)
    }
    for name in matching.included { labels = labels.replacing(name, with: one[name] ?? "") }
    return labels
  }

  /// On the "one" side a signature has one series at a step.
  private func checkOneSide(_ matches: [Labels: [Int]], one: [Row], many: [Row]) throws(QueryError) {
    for (signature, indices) in matches where indices.count > 1 {
      for step in 0..<stepCount where many.contains(where: { !isAbsent($0.values[step]) }) {
        let present = indices.filter { !isAbsent(one[$0].values[step]) }
        guard present.count > 1 else { continue }
        throw duplicate(signature, present.map { one[$0].labels })
      }
    }
  }

  private func duplicate(_ signature: Labels, _ series: [Labels]) -> QueryError {
    let side = matching.cardinality == .oneToMany ? "left" : "right"
    let pair = series.prefix(2).map(\.braces).sorted().joined(separator: ", ")
    return QueryError(
      .execution,
      "found duplicate series for the match group \(signature.braces) on the \(side) hand-side of the operation: "
        + "[\(pair)];many-to-many matching not allowed: matching labels must be unique on one side")
  }

  /// Series of the other side that may claim the same result, and so must be looked at step by step.
  private func rivals(among many: [Row]) -> Set<Int> {
    var places: [Labels: [Int]] = [:]
    for index in many.indices {
      let labels = many[index].labels
      let isOneToOne = matching.cardinality == .oneToOne
      let key = isOneToOne ? labels.matched(by: matching) : labels.droppingName().removing(matching.included)
      places[key, default: []].append(index)
    }
    return Set(places.values.filter { $0.count > 1 }.joined())
  }

  /// On the other side too, unless it is "many": then the result's labels must tell its series apart.
  private func claim(
    _ signature: Labels, _ labels: Labels, _ claims: inout Claims, _ many: Row, _ one: Row
  ) throws(QueryError) {
    let isOneToOne = matching.cardinality == .oneToOne
    let key = isOneToOne ? [signature] : [signature, labels]
    guard !claims.add(key, many, one) else { return }
    throw QueryError(
      .execution,
      isOneToOne
        ? "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        : "multiple matches for labels: grouping labels must ensure unique matches")
  }
}

/// The steps at which a key has had a match.
private struct Claims {
  private var columns: [[Labels]: [Bool]] = [:]
  private let stepCount: Int

  init(stepCount: Int) {
    self.stepCount = stepCount
  }

  /// - Returns: whether the key had no match before at any of these steps.
  mutating func add(_ key: [Labels], _ left: Row, _ right: Row) -> Bool {
    var column = columns.removeValue(forKey: key) ?? Array(repeating: false, count: stepCount)
    for step in column.indices where !isAbsent(left.values[step]) && !isAbsent(right.values[step]) {
      if column[step] { return false }
      column[step] = true
    }
    columns[key] = column
    return true
  }
}
