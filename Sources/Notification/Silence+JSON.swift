// SPDX-License-Identifier: Apache-2.0

package import JSON
internal import RegularExpressions
package import TimeSeries

// Silences in the shape of Alertmanager's API v2, which is also how they are kept.
// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml

/// What is wrong with a silence, with the member it is about.
package struct SilenceError: Error, Equatable, CustomStringConvertible {
  package let message: String

  package init(message: String) {
    self.message = message
  }

  package var description: String { message }
}

extension Silence {
  /// Most matchers of one silence; an alert with more labels cannot be acknowledged.
  package static let matchersMax = 64
  package static let valueBytesMax = 4_096
  package static let authorBytesMax = 256
  package static let commentBytesMax = 2_000
  package static let longestMs: Int64 = 366 * 86_400_000

  /// - Parameter nowMs: nil leaves `status` out, for keeping.
  package func json(atMs nowMs: Int64?) -> JSONValue {
    var members = [JSONMember(name: "id", value: .string(id)), JSONMember(name: "kind", value: .string(kind.rawValue))]
    if let nowMs {
      members.append(JSONMember(name: "status", value: .object([.init(name: "state", value: .string(state(atMs: nowMs).rawValue))])))
    }
    members += [
      JSONMember(name: "matchers", value: .array(matchers.map(\.json))),
      JSONMember(name: "startsAt", value: .string(TimeText.rfc3339(startsMs))),
      JSONMember(name: "endsAt", value: .string(TimeText.rfc3339(endsMs))),
      JSONMember(name: "updatedAt", value: .string(TimeText.rfc3339(updatedMs))),
      JSONMember(name: "createdBy", value: .string(createdBy)),
      JSONMember(name: "comment", value: .string(comment)),
    ]
    return .object(members)
  }

  /// One as it was kept.
  package init(kept document: String) throws {
    let value = try JSONValue(parsing: document)
    guard let id = value["id"]?.string else { throw SilenceError(message: "id: must be a text") }
    let updatedMs = value["updatedAt"]?.string.flatMap { TimeText.milliseconds($0) }
    let startsMs = try Self.time(value["startsAt"], "startsAt")
    try self.init(
      id: id, kind: value["kind"]?.string.flatMap { Kind(rawValue: $0) } ?? .silence, value, startsMs: startsMs ?? 0,
      endsMs: try Self.time(value["endsAt"], "endsAt"), nowMs: updatedMs ?? 0)
  }

  /// One as it is asked for.
  ///
  /// - Parameter nowMs: where it begins without `startsAt`, and no sooner.
  package init(posted value: JSONValue, id: String, nowMs: Int64) throws(SilenceError) {
    let known = ["id", "matchers", "startsAt", "endsAt", "createdBy", "comment", "status", "updatedAt", "kind"]
    for member in value.members ?? [] where !known.contains(member.name) {
      throw SilenceError(message: "\(member.name.prefix(40)): unknown member: known here: \(known.dropLast(3).joined(separator: ", "))")
    }
    let startsMs = max(try Self.time(value["startsAt"], "startsAt") ?? nowMs, nowMs)
    try self.init(
      id: id, kind: .silence, value, startsMs: startsMs, endsMs: try Self.time(value["endsAt"], "endsAt"), nowMs: nowMs)
    guard matchers.contains(where: { !$0.matches("") }) else {
      throw SilenceError(message: "matchers: all of them match alerts without these labels, so every alert: name one that does not")
    }
    try check(nowMs: nowMs)
  }

  /// An acknowledgement of one alert.
  package init(
    acknowledging labels: Labels, by createdBy: String, comment: String, endsMs: Int64, id: String, nowMs: Int64
  ) throws(SilenceError) {
    var matchers: [Matcher] = []
    for label in labels.all {
      do throws(RegularExpressionError) {
        matchers.append(try Matcher(label.name, .equal, label.value))
      } catch {
        preconditionFailure("an equality has no expression")
      }
    }
    self.init(
      id: id, kind: .acknowledgement, matchers: matchers, startsMs: nowMs, endsMs: endsMs, updatedMs: nowMs,
      createdBy: createdBy, comment: comment)
    try check(nowMs: nowMs)
  }

  private init(
    id: String, kind: Kind, _ value: JSONValue, startsMs: Int64, endsMs: Int64?, nowMs: Int64
  ) throws(SilenceError) {
    guard let endsMs else { throw SilenceError(message: "endsAt: must be given: a silence ends") }
    guard let items = value["matchers"]?.array else {
      throw SilenceError(message: #"matchers: must be a list, such as [{"name":"alertname","value":"HitRatioLow"}]"#)
    }
    self.init(
      id: id, kind: kind, matchers: try items.map(Self.matcher), startsMs: startsMs, endsMs: endsMs, updatedMs: nowMs,
      createdBy: value["createdBy"]?.string ?? "", comment: value["comment"]?.string ?? "")
  }

  private func check(nowMs: Int64) throws(SilenceError) {
    guard !matchers.isEmpty, matchers.count <= Self.matchersMax else {
      throw SilenceError(message: "matchers: \(matchers.count): must be 1 to \(Self.matchersMax)")
    }
    for matcher in matchers where matcher.name.isEmpty || matcher.name.utf8.count + matcher.value.utf8.count > Self.valueBytesMax {
      throw SilenceError(message: "matchers: name: must be given, and have with its value at most \(Self.valueBytesMax) bytes")
    }
    for (name, text, most) in [("createdBy", createdBy, Self.authorBytesMax), ("comment", comment, Self.commentBytesMax)] {
      guard text.contains(where: { !$0.isWhitespace }), text.utf8.count <= most else {
        throw SilenceError(message: "\(name): must say \(name == "comment" ? "why" : "who"), in at most \(most) bytes")
      }
    }
    guard endsMs > startsMs, endsMs > nowMs else {
      throw SilenceError(message: "endsAt: \(TimeText.rfc3339(endsMs)): must be after startsAt and after now")
    }
    guard endsMs - startsMs <= Self.longestMs else {
      throw SilenceError(message: "endsAt: \(TimeText.rfc3339(endsMs)): must be within 366 days of startsAt")
    }
  }

  private static func time(_ value: JSONValue?, _ name: String) throws(SilenceError) -> Int64? {
    guard let value, !value.isNull else { return nil }
    guard let text = value.string, let ms = TimeText.milliseconds(text) else {
      throw SilenceError(message: "\(name): \(value.text.prefix(40)): must be RFC 3339, such as 2026-01-31T12:00:00Z")
    }
    return ms
  }

  private static func matcher(_ value: JSONValue) throws(SilenceError) -> Matcher {
    for member in value.members ?? [] where !["name", "value", "isRegex", "isEqual"].contains(member.name) {
      throw SilenceError(message: "matchers: \(member.name.prefix(40)): unknown member: known here: name, value, isRegex, isEqual")
    }
    guard let name = value["name"]?.string, let text = value["value"]?.string,
      let isRegex = value["isRegex"].map(\.bool) ?? false, let isEqual = value["isEqual"].map(\.bool) ?? true
    else { throw SilenceError(message: #"matchers: must be {"name":TEXT,"value":TEXT,"isRegex":BOOL,"isEqual":BOOL}"#) }
    do throws(RegularExpressionError) {
      return try Matcher(name, isRegex ? (isEqual ? .matches : .matchesNot) : (isEqual ? .equal : .notEqual), text)
    } catch {
      throw SilenceError(message: "matchers: \(name.prefix(40)): \(error)")
    }
  }
}

extension Matcher {
  fileprivate var json: JSONValue {
    .object([
      JSONMember(name: "name", value: .string(name)), JSONMember(name: "value", value: .string(value)),
      JSONMember(name: "isRegex", value: .bool(operation == .matches || operation == .matchesNot)),
      JSONMember(name: "isEqual", value: .bool(operation == .equal || operation == .matches)),
    ])
  }
}
