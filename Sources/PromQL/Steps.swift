// SPDX-License-Identifier: Apache-2.0

// The times of an evaluation. Every node of an expression is evaluated for all of them at once.

/// The times at which an expression is evaluated, in milliseconds since 1970.
struct Steps: Sendable, Equatable {
  let fromMs: Int64
  /// 0 where every step looks at the same time, as `@` makes it.
  let stepMs: Int64
  let count: Int

  /// No query reaches further; sums of a few times and durations stay far from the ends of Int64.
  static let timeMsMax: Int64 = 1 << 60

  /// From `fromMs` on, as many as do not pass `throughMs`.
  init(fromMs: Int64, throughMs: Int64, stepMs: Int64) {
    precondition(stepMs > 0, "a step of \(stepMs) ms leads nowhere")
    let span = throughMs - fromMs
    self.init(fromMs: fromMs, stepMs: stepMs, count: span < 0 ? 0 : Int(span / stepMs) + 1)
  }

  init(fromMs: Int64, stepMs: Int64, count: Int) {
    self.fromMs = fromMs
    self.stepMs = stepMs
    self.count = count
  }

  var throughMs: Int64 { timeMs(Swift.max(0, count - 1)) }

  /// The first of them alone.
  var first: Steps { Steps(fromMs: fromMs, stepMs: stepMs, count: 1) }

  var timesMs: [Int64] { (0..<count).map(timeMs) }

  @inline(__always)
  func timeMs(_ index: Int) -> Int64 { fromMs &+ stepMs &* Int64(index) }

  /// Where a selector or subquery looks at these steps.
  ///
  /// - Parameter query: the steps of the whole query, which `@ start()` and `@ end()` name.
  func shifted(_ shift: TimeShift, query: Steps) -> Steps {
    guard let at = shift.at else { return Steps(fromMs: fromMs - shift.offsetMs, stepMs: stepMs, count: count) }
    let timeMs =
      switch at {
      case .time(let timeMs): Steps.clamped(timeMs)
      case .start: query.fromMs
      case .end: query.throughMs
      }
    return Steps(fromMs: timeMs - shift.offsetMs, stepMs: 0, count: count)
  }

  static func clamped(_ timeMs: Int64) -> Int64 { Swift.min(Swift.max(timeMs, -timeMsMax), timeMsMax) }
}
