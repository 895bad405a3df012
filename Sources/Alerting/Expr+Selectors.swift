// SPDX-License-Identifier: Apache-2.0

internal import PromQL

// What an expression looks at, for telling that it is not there.

/// A selector and how far back it looks.
struct SelectorRead {
  let selector: VectorSelector
  let backMs: Int64
}

extension Expr {
  /// The selectors whose series an expression needs, each once, without those that ask whether something is absent.
  func selectorsRead(lookbackMs: Int64) -> [SelectorRead] {
    var found: [SelectorRead] = []
    collect(backMs: 0, lookbackMs, &found)
    return found
  }

  /// How far back an expression looks, at the most.
  func reachMs(lookbackMs: Int64) -> Int64 { selectorsRead(lookbackMs: lookbackMs).map(\.backMs).max() ?? 0 }

  private func collect(backMs: Int64, _ lookbackMs: Int64, _ found: inout [SelectorRead]) {
    func add(_ selector: VectorSelector, _ rangeMs: Int64) {
      // A selector at a fixed time is read at that time, which may be any.
      guard selector.shift.at == nil else { return }
      var bare = selector
      bare.shift = TimeShift()
      if found.contains(where: { $0.selector == bare }) { return }
      found.append(SelectorRead(selector: bare, backMs: backMs + rangeMs + max(selector.shift.offsetMs, 0)))
    }
    switch node {
    case .selector(let selector): add(selector, lookbackMs)
    case .matrix(let selector, let rangeMs): add(selector, max(rangeMs, lookbackMs))
    case .call(let call) where call.function.name.hasPrefix("absent"): break
    case .subquery(let subquery):
      subquery.expr.collect(backMs: backMs + subquery.rangeMs + max(subquery.shift.offsetMs, 0), lookbackMs, &found)
    default: for child in children { child.collect(backMs: backMs, lookbackMs, &found) }
    }
  }
}
