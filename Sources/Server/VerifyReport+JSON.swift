// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Foundation
package import JSON

// The report as a document, and the document as Markdown: commands have the document alone, and print the same.

extension VerifyReport {
  var json: JSONValue {
    .object([
      JSONMember(name: "key", value: .string(key)),
      JSONMember(name: "environment", value: .string(environment)),
      JSONMember(name: "caches", value: .array(caches.map { .string($0) })),
      JSONMember(name: "verified", value: .bool(isVerified)),
      JSONMember(name: "from_ms", value: span.map { .integer($0.fromMs) } ?? .null),
      JSONMember(name: "to_ms", value: span.map { .integer($0.untilMs) } ?? .null),
      JSONMember(name: "criteria", value: .array(criteria.map(\.json))),
    ])
  }
}

extension VerifyReport.Criterion {
  fileprivate var json: JSONValue {
    var members = [
      JSONMember(name: "name", value: .string(name)),
      JSONMember(name: "title", value: .string(title)),
      JSONMember(name: "value", value: value.map { .number($0) } ?? .null),
      JSONMember(name: "limit", value: .string(limit)),
      JSONMember(name: "samples", value: .integer(samples)),
      JSONMember(name: "verdict", value: .string(verdict.rawValue)),
      JSONMember(name: "reason", value: .string(reason)),
      JSONMember(name: "from_ms", value: span.map { .integer($0.fromMs) } ?? .null),
      JSONMember(name: "to_ms", value: span.map { .integer($0.untilMs) } ?? .null),
    ]
    if let before {
      members.append(
        JSONMember(
          name: "before",
          value: .object([
            JSONMember(name: "value", value: .number(before.value)),
            JSONMember(name: "samples", value: .integer(before.samples)),
            JSONMember(name: "from_ms", value: .integer(before.span.fromMs)),
            JSONMember(name: "to_ms", value: .integer(before.span.untilMs)),
          ])))
    }
    if name == "query_reduction" { members.append(JSONMember(name: "cohort", value: cohort.map { .string($0) } ?? .null)) }
    return .object(members)
  }
}

/// A verification as people read it.
package enum VerifyText {
  /// `verified`, or `not verified: 4 of 6 criteria hold`.
  package static func outcome(_ document: JSONValue) -> String {
    let criteria = document["criteria"]?.array ?? []
    if document["verified"]?.bool == true { return "verified" }
    let passes = criteria.filter { $0["verdict"]?.string == "pass" }.count
    return "not verified: \(passes) of \(criteria.count) criteria hold"
  }

  /// `2026-11-21T10:00:00Z to 2026-11-21T12:00:00Z`; nil where nothing was judged.
  package static func span(_ document: JSONValue) -> String? {
    guard let fromMs = document["from_ms"]?.integer, let toMs = document["to_ms"]?.integer else { return nil }
    return "\(TimestampText.rfc3339(milliseconds: fromMs / 1000 * 1000)) to \(TimestampText.rfc3339(milliseconds: toMs / 1000 * 1000))"
  }

  /// A criterion's value with its unit; `-` without one.
  package static func value(_ criterion: JSONValue) -> String {
    guard let value = criterion["value"]?.double else { return "-" }
    return switch criterion["name"]?.string {
    case "hit_p95_seconds": String(format: "%.3f ms", value * 1000)
    case "circuit_breaker": String(format: "%.0f openings", value)
    default: String(format: "%.3f %%", value * 100)
    }
  }

  /// A criterion's limit with its unit.
  package static func limit(_ criterion: JSONValue) -> String {
    switch criterion["name"]?.string {
    case "hit_ratio": "> \(percent(VerifyReport.Limits.hitRatio))"
    case "hit_p95_seconds": String(format: "< %.0f ms", VerifyReport.Limits.hitP95Seconds * 1000)
    case "error_ratio": "<= before + \(percent(VerifyReport.Limits.errorRatioMargin))"
    case "query_reduction": "> \(percent(VerifyReport.Limits.queryReduction))"
    case "circuit_breaker": "none"
    case "invalidation_success_ratio": ">= \(percent(VerifyReport.Limits.invalidationRatio))"
    default: criterion["limit"]?.string ?? ""
    }
  }

  package static func verdict(_ criterion: JSONValue) -> String {
    (criterion["verdict"]?.string ?? "").replacing("_", with: " ")
  }

  /// - Parameter document: the answer of `GET /api/v1/flags/KEY/verify`.
  package static func markdown(_ document: JSONValue) -> String {
    let caches = (document["caches"]?.array ?? []).compactMap(\.string).map(cell).joined(separator: ", ")
    var lines = [
      "# \(cell(document["key"]?.string ?? "")) in \(cell(document["environment"]?.string ?? "")): \(outcome(document))", "",
      "Caches: \(caches). Time: \(span(document) ?? "none: no ramp was started").", "",
      "| criterion | verdict | value | limit | samples | numbers |", "| --- | --- | ---: | --- | ---: | --- |",
    ]
    for criterion in document["criteria"]?.array ?? [] {
      let verdict = verdict(criterion)
      let cells = [
        criterion["title"]?.string ?? "", criterion["verdict"]?.string == "pass" ? verdict : "**\(verdict)**", value(criterion),
        limit(criterion), "\(criterion["samples"]?.integer ?? 0)", cell(criterion["reason"]?.string ?? ""),
      ]
      lines.append("| \(cells.joined(separator: " | ")) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func percent(_ ratio: Double) -> String { String(format: "%g %%", ratio * 100) }

  /// A cache may have any name: nothing in it may end a cell, or be taken for HTML or a link.
  private static func cell(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      let isPlain = !character.isNewline && !"|\\`*_<>[]&".contains(character)
      result += isPlain ? String(character) : character.isNewline ? " " : "\\\(character)"
    }
  }
}
