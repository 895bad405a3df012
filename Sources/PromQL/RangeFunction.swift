// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import TimeSeries

// Functions of a range vector: which loop computes them over the windows of one series.

/// A function of a range vector that gives one value a window.
enum RangeFunction: String {
  case rate, increase, delta, irate, idelta, deriv, changes, resets
  case predictLinear = "predict_linear"
  case sum = "sum_over_time"
  case average = "avg_over_time"
  case count = "count_over_time"
  case present = "present_over_time"
  /// As `present`: the evaluation turns it round.
  case absent = "absent_over_time"
  case first = "first_over_time"
  case last = "last_over_time"
  case min = "min_over_time"
  case max = "max_over_time"
  case standardDeviation = "stddev_over_time"
  case standardVariance = "stdvar_over_time"
  case quantile = "quantile_over_time"

  /// A sample that is handed on is still of the metric.
  var dropsName: Bool { self != .first && self != .last }
}

/// Computes a function over the windows of one series after the other, in the same memory.
struct WindowedFunction {
  private let function: RangeFunction
  private let vector: RangeVector
  private let steps: Steps
  /// φ of a quantile, seconds of a prediction.
  private let parameter: ScalarValues
  private(set) var windows = Windows()
  private var marks: [Int] = []
  private var sorted: [Double] = []

  /// - Parameter parameter: of the functions that take one.
  init(_ function: RangeFunction, over vector: RangeVector, at steps: Steps, parameter: ScalarValues?) {
    self.function = function
    self.vector = vector
    self.steps = steps
    self.parameter = parameter ?? ScalarValues(constant: .nan)
  }

  /// Sets each value to what the function makes of its window, or to `absent`.
  ///
  /// - Parameter work: told now and then how many samples were looked at, and may stop it.
  mutating func apply(
    to buffer: SampleBuffer, _ values: inout [Double], work: (Int) throws(QueryError) -> Void
  ) throws(QueryError) {
    windows.find(in: buffer, ends: vector.ends, rangeMs: vector.rangeMs)
    let times = buffer.timesMs
    let samples = buffer.values
    switch function {
    case .rate, .increase, .delta: extrapolate(times.span, samples.span, &values)
    case .irate, .idelta: compareLastTwo(times.span, samples.span, &values)
    case .changes: countMarks(samples.span, &values) { $0 != $1 && !($0.isNaN && $1.isNaN) }
    case .resets: countMarks(samples.span, &values) { $1 < $0 }
    case .min: findExtremes(samples.span, &values) { $0 < $1 }
    case .max: findExtremes(samples.span, &values) { $0 > $1 }
    case .count, .present, .absent, .first, .last: pick(samples.span, &values)
    case .deriv, .predictLinear, .quantile, .sum, .average, .standardDeviation, .standardVariance:
      try readWindows(times.span, samples.span, &values, work)
    }
    try work(windows.indices.count)
  }

  /// What reads every sample of every window: a window of a week at each ten seconds is for minutes, so it is done in
  /// parts.
  private mutating func readWindows(
    _ times: Span<Int64>, _ samples: Span<Double>, _ values: inout [Double], _ work: (Int) throws(QueryError) -> Void
  ) throws(QueryError) {
    var part = windows.slice(from: 0, samples: QueryLimits.samplesPerQuestion)
    while !part.isEmpty {
      switch function {
      case .deriv, .predictLinear: fitLines(times, samples, &values, part)
      case .quantile: findQuantiles(samples, &values, part)
      default: summarize(samples, &values, part)
      }
      try work(QueryLimits.samplesPerQuestion)
      part = windows.slice(from: part.upperBound, samples: QueryLimits.samplesPerQuestion)
    }
  }

  private mutating func extrapolate(_ times: Span<Int64>, _ samples: Span<Double>, _ values: inout [Double]) {
    let extrapolation = Extrapolation(
      isCounter: function != .delta, isPerSecond: function == .rate, rangeMs: vector.rangeMs)
    extrapolation.fill(&values, windows, ends: vector.ends, times, samples, resets: &marks)
  }

  private func compareLastTwo(_ times: Span<Int64>, _ samples: Span<Double>, _ values: inout [Double]) {
    let isRate = function == .irate
    windows.fill(&values, windows.indices, samplesMin: 2) { _, high, _ in
      let last = samples[high - 1]
      let before = samples[high - 2]
      guard isRate else { return last - before }
      // A counter that fell began again at 0.
      return (last < before ? last : last - before) / (Double(times[high - 1] - times[high - 2]) / 1000)
    }
  }

  private func fitLines(_ times: Span<Int64>, _ samples: Span<Double>, _ values: inout [Double], _ part: Range<Int>) {
    let predicts = function == .predictLinear
    windows.fill(&values, part, samplesMin: 2) { low, high, step in
      let line = Regression(times, samples, low, high, originMs: predicts ? steps.timeMs(step) : times[low])
      return predicts ? line.value(atSeconds: parameter[step]) : line.slope
    }
  }

  /// How many pairs of neighbours in the window are marked.
  @inline(__always)
  private mutating func countMarks(
    _ samples: Span<Double>, _ values: inout [Double], _ isMarked: (_ before: Double, _ sample: Double) -> Bool
  ) {
    marks.removeAll(keepingCapacity: true)
    marks.reserveCapacity(samples.count)
    var count = 0
    for index in 0..<samples.count {
      if index > 0, isMarked(samples[index - 1], samples[index]) { count += 1 }
      marks.append(count)
    }
    windows.fill(&values, windows.indices, samplesMin: 1) { low, high, _ in Double(marks[high - 1] - marks[low]) }
  }

  /// The value that wins against all others of the window; NaN only where there is nothing else.
  ///
  /// `marks` holds the samples that may still win in a later window: each is younger than the one before and loses
  /// against it.
  @inline(__always)
  private mutating func findExtremes(
    _ samples: Span<Double>, _ values: inout [Double], _ wins: (Double, Double) -> Bool
  ) {
    marks.removeAll(keepingCapacity: true)
    var head = 0
    var next = 0
    for step in windows.indices {
      let low = windows.lows[step]
      let high = windows.highs[step]
      guard low < high else {
        values[step] = PromQL.absent
        continue
      }
      next = Swift.max(next, low)
      while next < high {
        let sample = samples[next]
        if !sample.isNaN {
          while marks.count > head, !wins(samples[marks[marks.count - 1]], sample) { marks.removeLast() }
          marks.append(next)
        }
        next += 1
      }
      while head < marks.count, marks[head] < low { head += 1 }
      values[step] = head < marks.count ? samples[marks[head]] : .nan
    }
  }

  private mutating func findQuantiles(_ samples: Span<Double>, _ values: inout [Double], _ part: Range<Int>) {
    for step in part {
      let window = windows.lows[step]..<windows.highs[step]
      sorted.removeAll(keepingCapacity: true)
      for index in window { sorted.append(samples[index]) }
      values[step] = window.isEmpty ? PromQL.absent : Quantile.of(&sorted, parameter[step])
    }
  }

  private func summarize(_ samples: Span<Double>, _ values: inout [Double], _ part: Range<Int>) {
    switch function {
    case .sum: windows.fill(&values, part, samplesMin: 1) { low, high, _ in OverTime.sum(samples, low, high) }
    case .average: windows.fill(&values, part, samplesMin: 1) { low, high, _ in OverTime.average(samples, low, high) }
    case .standardVariance: fillVariances(samples, &values, part) { $0 }
    case .standardDeviation: fillVariances(samples, &values, part) { sqrt($0) }
    default: preconditionFailure("\(function) does not summarize")
    }
  }

  @inline(__always)
  private func fillVariances(
    _ samples: Span<Double>, _ values: inout [Double], _ part: Range<Int>, _ transform: (Double) -> Double
  ) {
    var step = part.lowerBound
    while step < part.upperBound {
      let four = step..<(step + 4)
      if four.upperBound <= part.upperBound, let count = windows.commonCount(of: four), count > 0 {
        let lows = SIMD4(windows.lows[step], windows.lows[step + 1], windows.lows[step + 2], windows.lows[step + 3])
        let variances = OverTime.variances(samples, lows: lows, count: count)
        for lane in variances.indices { values[step + lane] = transform(variances[lane]) }
        step += 4
      } else {
        windows.fill(&values, step..<(step + 1), samplesMin: 1) { low, high, _ in
          transform(OverTime.variance(samples, low, high))
        }
        step += 1
      }
    }
  }

  private func pick(_ samples: Span<Double>, _ values: inout [Double]) {
    switch function {
    case .count: windows.fill(&values, windows.indices, samplesMin: 1) { low, high, _ in Double(high - low) }
    case .present, .absent: windows.fill(&values, windows.indices, samplesMin: 1) { _, _, _ in 1 }
    case .first: windows.fill(&values, windows.indices, samplesMin: 1) { low, _, _ in samples[low] }
    case .last: windows.fill(&values, windows.indices, samplesMin: 1) { _, high, _ in samples[high - 1] }
    default: preconditionFailure("\(function) does not pick")
    }
  }
}
