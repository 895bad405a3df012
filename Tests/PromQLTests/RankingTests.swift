// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing
import TimeSeries

// topk and bottomk against sorting all series at each step, on random series with ties, gaps and NaN.

@Test func theKBestAreKept() throws {
  let seed = SeededRandom.seed(for: "theKBestAreKept")
  var random = SeededRandom(state: seed)
  for _ in 0..<100 {
    let source = randomSource(&random)
    let size = Int.random(in: 0...25, using: &random)
    for operation in ["topk", "bottomk"] {
      let query = "\(operation) by (g) (\(size), m)"
      let found = try values(query, source)
      let all = try values("m", source)
      for step in stepsMs {
        for group in ["0", "1"] {
          let candidates = all[step]?[group] ?? []
          let expected = candidates.sorted { precedes($0, $1, isTop: operation == "topk") }.prefix(size)
          let kept = (found[step]?[group] ?? []).sorted { precedes($0, $1, isTop: operation == "topk") }
          #expect(
            kept.map(\.bitPattern) == expected.map(\.bitPattern), "\(query) at \(step) ms in \(group), RAMPART_SEED=\(seed)")
        }
      }
    }
  }
}

@Test func anInstantRankingIsInItsOrder() throws {
  let seed = SeededRandom.seed(for: "anInstantRankingIsInItsOrder")
  var random = SeededRandom(state: seed)
  for _ in 0..<100 {
    let source = randomSource(&random)
    for operation in ["topk", "bottomk"] {
      let result = try Engine(source: source).value(of: try Expr(parsing: "\(operation)(9, m)"), atMs: stepsMs[0])
      guard case .vector(let samples) = result.value else { return }
      let kept = samples.map(\.value)
      let sorted = kept.sorted { precedes($0, $1, isTop: operation == "topk") }
      #expect(kept.map(\.bitPattern) == sorted.map(\.bitPattern), "\(operation), RAMPART_SEED=\(seed)")
    }
  }
}

/// k is a scalar, and scalars have a value for each step.
@Test func kMayChangeFromStepToStep() throws {
  try check(
    """
    load 1m
      m{n="1"} 1x5
      m{n="2"} 2x5
      m{n="3"} 3x5

    eval range from 0 to 3m step 1m topk(time() / 60, m)
      m{n="1"} _ _ _ 1
      m{n="2"} _ _ 2 2
      m{n="3"} _ 3 3 3

    eval range from 0 to 3m step 1m bottomk(2.9 - time() / 60, m)
      m{n="1"} 1 1 _ _
      m{n="2"} 2 _ _ _

    eval instant at 0 topk(1e18, m)
      m{n="3"} 3
      m{n="2"} 2
      m{n="1"} 1
    """)
}

private let stepsMs: [Int64] = [0, 60_000, 120_000]

private func randomSource(_ random: inout SeededRandom) -> MemorySource {
  var source = MemorySource()
  for number in 0..<Int.random(in: 1...40, using: &random) {
    let labels = Labels(metric: "m", [Label("n", "\(number)"), Label("g", "\(number % 2)")])
    for timeMs in stepsMs {
      switch Int.random(in: 0..<10, using: &random) {
      case 0: source.append(labels, timeMs: timeMs, value: StaleMarker.value)
      case 1: source.append(labels, timeMs: timeMs, value: .nan)
      default: source.append(labels, timeMs: timeMs, value: Double(Int.random(in: -5...5, using: &random)))
      }
    }
  }
  return source
}

private func precedes(_ left: Double, _ right: Double, isTop: Bool) -> Bool {
  if left.isNaN || right.isNaN { return !left.isNaN }
  return isTop ? left > right : left < right
}

/// The values at each step by group.
private func values(_ query: String, _ source: MemorySource) throws -> [Int64: [String: [Double]]] {
  let result = try Engine(source: source)
    .matrix(of: try Expr(parsing: query), fromMs: stepsMs[0], throughMs: stepsMs[2], stepMs: 60_000)
  guard case .matrix(let list) = result.value else { return [:] }
  var values: [Int64: [String: [Double]]] = [:]
  for series in list {
    for (timeMs, value) in zip(series.timesMs, series.values) {
      values[timeMs, default: [:]][series.labels["g"] ?? "", default: []].append(value)
    }
  }
  return values
}
