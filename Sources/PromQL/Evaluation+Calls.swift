// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Function calls that return an instant vector: which code computes them, and the short ones themselves.

extension Evaluation {
  func callRows(_ call: Call, range: Range<Int>, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let name = call.function.name
    if let function = RangeFunction(rawValue: name) { return try rangeRows(function, call, at: steps, body) }
    if let function = MathFunctions.byName[name] { return try mappedRows(call, at: steps, body, function) }
    if let part = DateFunctions.byName[name] { return try dateRows(part, call, at: steps, body) }
    switch name {
    case "absent": try absentRows(call, at: steps, body)
    case "clamp", "clamp_min", "clamp_max": try clampedRows(call, at: steps, body)
    case "round": try roundedRows(call, at: steps, body)
    case "vector": try vectorRows(call, at: steps, body)
    case "timestamp": try timestampRows(call, at: steps, body)
    case "sort", "sort_desc": try sortedRows(call, range: range, at: steps, body)
    case "label_replace": try labelReplaceRows(call, at: steps, body)
    case "label_join": try labelJoinRows(call, at: steps, body)
    case "histogram_quantile", "histogram_fraction": try histogramRows(call, at: steps, body)
    // Of native histograms only: there are none, but what the argument has to say is said.
    case "histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar":
      try rows(of: call.arguments[0], at: steps) { _ in }
    default: preconditionFailure("\(name)() returns no instant vector")
    }
  }

  private func mappedRows(
    _ call: Call, at steps: Steps, _ body: RowBody, _ function: (Double) -> Double
  ) throws(QueryError) {
    try rows(of: call.arguments[0], at: steps) { (row: inout Row) throws(QueryError) in
      row.map(function)
      row.dropsName = true
      try body(&row)
    }
  }

  private func dateRows(
    _ part: (CivilTime) -> Int, _ call: Call, at steps: Steps, _ body: RowBody
  ) throws(QueryError) {
    guard let argument = call.arguments.first else {
      var row = Row(values: (0..<steps.count).map { Double(part(CivilTime(timeMs: steps.timeMs($0)))) })
      return try body(&row)
    }
    try rows(of: argument, at: steps) { (row: inout Row) throws(QueryError) in
      row.map { DateFunctions.value(of: part, atSeconds: $0) }
      row.dropsName = true
      try body(&row)
    }
  }

  private func clampedRows(_ call: Call, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let bounds = call.arguments.dropFirst()
    let lower = call.function.name == "clamp_max" ? nil : bounds.first
    let upper = call.function.name == "clamp_min" ? nil : bounds.last
    let minimum = try lower.map { (expr) throws(QueryError) in try scalar(expr, at: steps) }
    let maximum = try upper.map { (expr) throws(QueryError) in try scalar(expr, at: steps) }
    try rows(of: call.arguments[0], at: steps) { (row: inout Row) throws(QueryError) in
      for step in row.values.indices where !isAbsent(row.values[step]) {
        let (least, greatest) = (minimum?[step] ?? -.infinity, maximum?[step] ?? .infinity)
        row.values[step] = MathFunctions.clamp(row.values[step], least, greatest)
      }
      row.dropsName = true
      try body(&row)
    }
  }

  private func roundedRows(_ call: Call, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let nearest = call.arguments.count > 1 ? try scalar(call.arguments[1], at: steps) : ScalarValues(constant: 1)
    try rows(of: call.arguments[0], at: steps) { (row: inout Row) throws(QueryError) in
      for step in row.values.indices where !isAbsent(row.values[step]) {
        row.values[step] = MathFunctions.round(row.values[step], toNearest: nearest[step])
      }
      row.dropsName = true
      try body(&row)
    }
  }

  private func vectorRows(_ call: Call, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let values = try scalar(call.arguments[0], at: steps)
    var row = Row(values: (0..<steps.count).map { values[$0] })
    try body(&row)
  }

  private func timestampRows(_ call: Call, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let argument = call.arguments[0].unwrapped
    if case .selector(let selector) = argument.node { return try timestampRows(selector, at: steps, body) }
    try rows(of: argument, at: steps) { (row: inout Row) throws(QueryError) in
      for step in row.values.indices where !isAbsent(row.values[step]) {
        row.values[step] = Double(steps.timeMs(step)) / 1000
      }
      row.dropsName = true
      try body(&row)
    }
  }

  /// Only the value of an instant query has an order; NaN comes last in both.
  private func sortedRows(
    _ call: Call, range: Range<Int>, at steps: Steps, _ body: RowBody
  ) throws(QueryError) {
    if steps.count > 1 { annotations.sortInRangeQuery(at: range) }
    var frame = try frame(of: call.arguments[0], at: steps)
    if steps.count == 1 {
      let isDescending = call.function.name == "sort_desc"
      frame.rows.sort { left, right in
        let (left, right) = (left.values[0], right.values[0])
        if left.isNaN || right.isNaN { return !left.isNaN }
        return isDescending ? left > right : left < right
      }
    }
    try handOn(&frame, body)
  }

  /// Hands the rows of a frame on one by one and gives their cost back.
  func handOn(_ frame: inout Frame, _ body: RowBody) throws(QueryError) {
    budget.release(frame.cost)
    for index in frame.rows.indices {
      var row = Row()
      swap(&row, &frame.rows[index])
      try body(&row)
    }
  }
}

extension Evaluation {
  /// 1 at the steps where the argument has no sample.
  private func absentRows(_ call: Call, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let argument = call.arguments[0].unwrapped
    var row = Row(labels: argument.labelsWhenAbsent, values: Array(repeating: 1, count: steps.count))
    try rows(of: argument, at: steps) { (found: inout Row) throws(QueryError) in
      row.clear(where: found)
    }
    try body(&row)
  }

  private func rangeRows(
    _ function: RangeFunction, _ call: Call, at steps: Steps, _ body: RowBody
  ) throws(QueryError) {
    guard let argument = call.matrixArgument else { preconditionFailure("\(function) has no range vector") }
    guard function == .absent else { return try windowRows(function, argument, call, at: steps, body) }
    var row = Row(labels: argument.labelsWhenAbsent, values: Array(repeating: 1, count: steps.count))
    try windowRows(function, argument, call, at: steps) { (found: inout Row) throws(QueryError) in
      row.clear(where: found)
    }
    try body(&row)
  }

  private func windowRows(
    _ function: RangeFunction, _ argument: Expr, _ call: Call, at steps: Steps, _ body: RowBody
  ) throws(QueryError) {
    let parameter = try call.scalarArgument.map { (expr) throws(QueryError) in try scalar(expr, at: steps) }
    let vector = rangeVector(of: argument, at: steps)
    var windowed = WindowedFunction(function, over: vector, at: steps, parameter: parameter)
    var row = Row()
    try eachSeries(of: vector) { head, samples throws(QueryError) in
      row.reset(head.labels, dropsName: head.dropsName || function.dropsName, count: steps.count)
      try windowed.apply(to: samples, &row.values) { (count) throws(QueryError) in try self.budget.work(count) }
      try self.budget.checkRoom(for: windowed.windows.longest)
      self.annotate(function, row, call, parameter)
      try body(&row)
    }
  }

  private func annotate(_ function: RangeFunction, _ row: Row, _ call: Call, _ parameter: ScalarValues?) {
    switch function {
    case .rate, .increase:
      let name = row.labels.metricName
      guard !name.isEmpty, !name.isNameOfCounter, row.presentCount > 0 else { return }
      annotations.possibleNonCounter(metric: name, at: call.arguments[0].unwrapped.range)
    case .quantile:
      guard let parameter, parameter.all.contains(where: { !Quantile.isValid($0) }) else { return }
      for step in row.values.indices where !isAbsent(row.values[step]) && !Quantile.isValid(parameter[step]) {
        annotations.invalidQuantile(parameter[step], at: call.arguments[0].unwrapped.range)
      }
    default: break
    }
  }
}

extension Row {
  /// Takes the sample away where the other has one.
  fileprivate mutating func clear(where other: Row) {
    for step in values.indices where !isAbsent(other.values[step]) { values[step] = absent }
  }
}

extension String {
  fileprivate var isNameOfCounter: Bool {
    hasSuffix("_total") || hasSuffix("_bucket") || hasSuffix("_count") || hasSuffix("_sum")
  }
}

extension Expr {
  /// What `absent` says is not there: the labels that a selector asks for by `=`, once each.
  fileprivate var labelsWhenAbsent: Labels {
    let matchers: [Matcher]
    switch node {
    case .selector(let selector), .matrix(let selector, _): matchers = selector.matchers
    default: return .none
    }
    var values: [String: String] = [:]
    var seen: Set<String> = []
    for matcher in matchers where matcher.name != Labels.metricLabel {
      // Two conditions on a label leave its value open.
      let isFirst = matcher.operation == .equal && seen.insert(matcher.name).inserted
      values[matcher.name] = isFirst ? matcher.value : nil
    }
    return Labels(values.map { Label($0.key, $0.value) })
  }
}
