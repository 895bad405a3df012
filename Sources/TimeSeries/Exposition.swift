// SPDX-License-Identifier: Apache-2.0

// Writes the Prometheus text format 0.0.4 and OpenMetrics 1.0. It knows formats, not where values come from.
// https://prometheus.io/docs/instrumenting/exposition_formats/, https://prometheus.io/docs/specs/om/open_metrics_spec/

/// Appends metric families to a buffer in one of the two text formats.
package struct Exposition {
  package enum Format: Sendable {
    case text, openMetrics

    package var contentType: StaticString {
      switch self {
      case .text: "text/plain; version=0.0.4; charset=utf-8"
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      }
    }
  }

  package private(set) var bytes: [UInt8] = []
  private let format: Format

  package init(format: Format) {
    self.format = format
  }

  /// Starts a family: its `# HELP` and `# TYPE`. All its samples must follow before the next family starts.
  package mutating func begin(_ family: MetricFamily) {
    let name = format == .openMetrics && family.type == .counter ? String(family.name.dropLast(6)) : family.name
    precondition(family.type != .counter || family.name.hasSuffix("_total"), "\(family.name): a counter ends in _total")
    append("# HELP \(name) \(Exposition.escapedHelp(family.help, format))\n# TYPE \(name) \(family.type.rawValue)\n")
  }

  /// One sample of a counter or gauge.
  package mutating func sample(_ labels: Labels, _ value: Double) {
    append("\(labels.description) \(Exposition.number(value))\n")
  }

  /// One sample of a counter that is known as a whole number.
  package mutating func sample(_ labels: Labels, _ value: Int64) {
    append("\(labels.description) \(value)\n")
  }

  /// The samples of one histogram: cumulative buckets, sum, count.
  ///
  /// - Parameters:
  ///   - exemplars: by bucket; the text format has none.
  ///   - isBrief: of the buckets only the last, which every histogram must have.
  package mutating func histogram(
    _ labels: Labels, _ histogram: Histogram, exemplars: [Int: Exemplar] = [:], isBrief: Bool = false
  ) {
    let name = labels.metricName
    let rest = labels.all.filter { $0.name != Labels.metricLabel }
      .map { "\($0.name)=\"\(Exposition.escapedLabelValue($0.value))\"" }
    let prefix = "\(name)_bucket{" + rest.map { $0 + "," }.joined() + "le=\""
    var cumulative: Int64 = 0
    for (index, count) in histogram.counts.enumerated() {
      cumulative += count
      if isBrief, index < histogram.counts.count - 1 { continue }
      let exemplar = exemplars[index].map { written($0) } ?? ""
      append("\(prefix)\(DurationBuckets.boundNames[index])\"} \(cumulative)\(exemplar)\n")
    }
    let suffix = rest.isEmpty ? "" : "{\(rest.joined(separator: ","))}"
    append("\(name)_sum\(suffix) \(Exposition.number(histogram.sum))\n\(name)_count\(suffix) \(cumulative)\n")
  }

  private func written(_ exemplar: Exemplar) -> String {
    guard format == .openMetrics else { return "" }
    let id = Exposition.escapedLabelValue(exemplar.id)
    return " # {\(Exemplar.label)=\"\(id)\"} \(Exposition.number(exemplar.seconds)) \(Exposition.seconds(exemplar.timeMs))"
  }

  /// Ends the document; OpenMetrics asks for a last line.
  package mutating func end() {
    if format == .openMetrics { append("# EOF\n") }
  }

  private mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }
}

extension Exposition {
  /// Picks the format a scraper asks for: the supported one with the highest `q`, the text format where nothing fits,
  /// as Prometheus' client libraries do.
  ///
  /// - Parameter accept: the `Accept` header, nil when there is none.
  package static func format(accept: String?) -> Format {
    var best: (format: Format, quality: Double) = (.text, 0)
    for offer in (accept ?? "").split(separator: ",") {
      let parts = offer.split(separator: ";").map { part in String(part.filter { $0 != " " }) }
      let quality = parts.first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      let offered: Format? =
        switch parts.first {
        case "application/openmetrics-text": parts.contains("version=0.0.1") ? nil : .openMetrics
        case "text/plain", "text/*", "*/*": .text
        default: nil
        }
      if let offered, quality > best.quality { best = (offered, quality) }
    }
    return best.format
  }

  package static func escapedLabelValue(_ value: String) -> String {
    escaped(value, alsoQuotes: true)
  }

  private static func escapedHelp(_ text: String, _ format: Format) -> String {
    escaped(text, alsoQuotes: format == .openMetrics)
  }

  /// By scalar, not by `Character`: a quote that a combining accent follows is one character, and would pass unescaped.
  private static func escaped(_ text: String, alsoQuotes: Bool) -> String {
    guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x5c || $0 == 0x0a }) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
      case "\"" where alsoQuotes: result.append(contentsOf: "\\\"".unicodeScalars)
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// A time in ms as seconds, always with its three decimals.
  private static func seconds(_ timeMs: Int64) -> String {
    let (seconds, rest) = timeMs.magnitude.quotientAndRemainder(dividingBy: 1000)
    return "\(timeMs < 0 ? "-" : "")\(seconds).\(String(rest + 1000).dropFirst())"
  }

  /// A value as Go prints it, which is what every parser of these formats was written against.
  package static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    // Exact up to 2^53, and without the ".0" that Swift adds.
    if value == value.rounded(), abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
    return value.description
  }
}
