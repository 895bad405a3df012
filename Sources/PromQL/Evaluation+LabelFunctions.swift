// SPDX-License-Identifier: Apache-2.0

internal import RegularExpressions
internal import TimeSeries

// label_replace() and label_join(): they change labels, so that series may become the same.

extension Evaluation {
  func labelReplaceRows(_ call: Call, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let texts = call.arguments.dropFirst().map(\.stringValue)
    let (target, template, source, pattern) = (texts[0], texts[1], texts[2], texts[3])
    let expression: RegularExpression
    do {
      expression = try RegularExpression(pattern, anchored: true)
    } catch {
      throw QueryError(.execution, "invalid regular expression in label_replace(): \(pattern)")
    }
    try checkLabelName(target, "invalid destination label name in label_replace()")
    try relabeledRows(call, target, at: steps, body) { labels in
      expression.expanding(template, in: labels[source] ?? "")
    }
  }

  func labelJoinRows(_ call: Call, at steps: Steps, _ body: RowBody) throws(QueryError) {
    let texts = call.arguments.dropFirst().map(\.stringValue)
    let (target, separator, sources) = (texts[0], texts[1], texts.dropFirst(2))
    for source in sources { try checkLabelName(source, "invalid source label name in label_join()") }
    try checkLabelName(target, "invalid destination label name in label_join()")
    try relabeledRows(call, target, at: steps, body) { labels in
      sources.map { labels[$0] ?? "" }.joined(separator: separator)
    }
  }

  private func checkLabelName(_ name: String, _ fault: String) throws(QueryError) {
    if !name.isLabelName { throw QueryError(.execution, "\(fault): \(name)") }
  }

  /// - Parameter value: the new value of the label, nil to leave it.
  private func relabeledRows(
    _ call: Call, _ target: String, at steps: Steps, _ body: RowBody, _ value: (Labels) -> String?
  ) throws(QueryError) {
    var frame = try frame(of: call.arguments[0], at: steps)
    for index in frame.rows.indices {
      guard let value = value(frame.rows[index].labels) else { continue }
      frame.rows[index].labels = frame.rows[index].labels.replacing(target, with: value)
      // A name that is set is meant to stay.
      if target == Labels.metricLabel { frame.rows[index].dropsName = false }
    }
    frame.rows = try joined(frame.rows)
    try handOn(&frame, body)
  }
}

extension String {
  /// Any text is one, as of Prometheus 3, but no bytes that are no text: the parser puts U+FFFD in their place.
  var isLabelName: Bool { !isEmpty && !unicodeScalars.contains("\u{FFFD}") }
}
