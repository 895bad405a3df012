// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import Flags
internal import Foundation
internal import PromQL
internal import TimeSeries

// A plan's guard made ready to look: expressions and matchers parsed, the time zone found. Whatever cannot be is said of the
// plan's field, before a ramp follows it.

struct CompiledGuard: Sendable {
  struct Check: Sendable {
    let expr: Expr
    let samples: Expr?
  }

  let plan: RolloutPlan
  /// For each of the plan's alerts.
  let selections: [[Matcher]]
  /// For each check with an expression, in the plan's order.
  let checks: [Check]
  /// nil for UTC.
  private let timeZone: TimeZone?

  /// - Parameter path: of the plan in its document, empty or `plan`.
  /// - Throws: `FlagError` naming the field that cannot be used.
  init(_ plan: RolloutPlan, path: String = "") throws(FlagError) {
    let prefix = path.isEmpty ? "" : "\(path)."
    self.plan = plan
    var selections: [[Matcher]] = []
    for (index, alert) in plan.alerts.enumerated() {
      do throws(ParseError) {
        selections.append(try VectorSelector(parsing: alert.matchers).matchers)
      } catch {
        throw FlagError(
          field: "\(prefix)guard.alerts[\(index)]", value: alert.matchers,
          expected: "must be label matchers such as {cache=\"profile\",severity=~\"warning|critical\"}: \(error)")
      }
    }
    self.selections = selections
    var checks: [Check] = []
    for (index, check) in plan.checks.enumerated() {
      guard case .expression(let expr, let samples) = check.measure else { continue }
      let field = "\(prefix)guard.checks[\(index)]"
      checks.append(
        Check(
          expr: try CompiledGuard.expr(expr, "\(field).expr"),
          samples: try samples.map { text throws(FlagError) in try CompiledGuard.expr(text, "\(field).samples") }))
    }
    self.checks = checks
    // UTC needs no look into the zones there are.
    timeZone = plan.timeZone == "UTC" ? nil : TimeZone(identifier: plan.timeZone)
    guard plan.timeZone == "UTC" || timeZone != nil else {
      throw FlagError(field: "\(prefix)timezone", value: plan.timeZone, expected: "no such time zone: a name such as Europe/Berlin, or UTC")
    }
  }

  private static func expr(_ text: String, _ field: String) throws(FlagError) -> Expr {
    let expr: Expr
    do throws(ParseError) {
      expr = try Expr(parsing: text)
    } catch {
      throw FlagError(field: field, value: text, expected: "\(error)")
    }
    guard [.scalar, .vector].contains(expr.valueType) else {
      throw FlagError(field: field, value: text, expected: "must give a number or an instant vector, not a \(expr.valueType.rawValue)")
    }
    return expr
  }

  /// Milliseconds that the plan's windows are ahead of UTC.
  func utcOffsetMs(atMs nowMs: Int64) -> Int64 {
    Int64(timeZone?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(nowMs) / 1000)) ?? 0) * 1000
  }

  /// A guard that waits for an alert nobody gives watches nothing.
  ///
  /// - Throws: naming the first of the plan's alerts that none of these rules can give.
  func requireKnownAlerts(_ groups: [RuleGroup]) throws(RequestError) {
    guard let index = selections.firstIndex(where: { !CompiledGuard.isKnown($0, groups) }) else { return }
    throw .badRequest(
      "guard.alerts[\(index)]: \(plan.alerts[index].matchers.prefix(200)): no rule in force gives such an alert: "
        + "GET /api/v1/rules names those there are")
  }

  /// Whether some rule may give an alert with such labels. Labels that come from a rule's series are not known before.
  static func isKnown(_ matchers: [Matcher], _ groups: [RuleGroup]) -> Bool {
    groups.contains { group in group.rules.contains { $0.alert != nil && $0.mayMatch(matchers) } }
  }
}

extension Rule {
  fileprivate func mayMatch(_ matchers: [Matcher]) -> Bool {
    matchers.allSatisfy { matcher in
      if matcher.name == Alert.nameLabel { return matcher.matches(name) }
      guard let label = labels.first(where: { $0.name == matcher.name }), !label.text.contains("{{") else { return true }
      return matcher.matches(label.text)
    }
  }
}
