// SPDX-License-Identifier: Apache-2.0

// Four threads send random bodies, many of them more than once, to a store that compacts all the time, is read meanwhile,
// and is closed and opened again in between. What it holds in the end is what a dictionary says that counts each digest
// once, and no reader has ever seen a sum go down.

import Foundation
import Platform
import Storage
import Testing
import TimeSeries

private struct Model {
  struct Place: Hashable {
    let labels: Labels
    let windowStartMs: Int64
  }

  var counts: [Place: Int64] = [:]
  var distributions: [Place: Histogram] = [:]
  var gauges: [Labels: (timeMs: Int64, value: Double)] = [:]

  mutating func add(_ delta: BatchDelta) {
    for count in delta.counts {
      counts[Place(labels: delta.series[count.series].labels, windowStartMs: count.windowStartMs), default: 0] += count.increment
    }
    for distribution in delta.distributions {
      let place = Place(labels: delta.series[distribution.series].labels, windowStartMs: distribution.windowStartMs)
      distributions[place, default: Histogram()].add(distribution.buckets, sum: distribution.sum)
    }
    for gauge in delta.gauges {
      let labels = delta.series[gauge.series].labels
      if gauge.timestampMs >= gauges[labels]?.timeMs ?? .min { gauges[labels] = (gauge.timestampMs, gauge.value) }
    }
  }
}

private let stepMs: Int64 = 10_000
private let windows: Int64 = 30

/// A body whose sums are whole numbers, so that no order of adding changes them.
private func randomDelta(number: Int, _ random: inout SeededRandom) -> BatchDelta {
  var delta = BatchDelta()
  for _ in 0..<Int.random(in: 0...6, using: &random) {
    let labels = ["cache": "c\(Int.random(in: 0..<5, using: &random))"]
    let startMs = Int64.random(in: 0..<windows, using: &random) * stepMs
    if Bool.random(using: &random) {
      delta = delta.counting("hits_total", labels, at: startMs, Int64.random(in: 0...1_000, using: &random))
    } else {
      let bucket = Int32.random(in: 0..<140, using: &random)
      delta = delta.measuring("d_seconds", labels, at: startMs, [bucket: 2, bucket + 3: 1], sum: Double(bucket))
    }
  }
  // No two bodies sample at one time, so the newest is the same whoever comes first.
  return delta.sampling("entries", at: Int64((number &* 7_919) % 100_003), Double(number))
}

/// What a round's threads were told, by the number of the body.
private struct Answers {
  var committed: [Int: Int] = [:]
  var duplicates: [Int: Int] = [:]
  var wrongAnswers: [String] = []
  var running = 0
}

private func send(_ numbers: [Int], of bodies: [BatchDelta], to store: Store, _ answers: Monitor<Answers>) {
  let waiting = Monitor(numbers.count)
  for number in numbers {
    let submission = Submission(bodies[number], key: DedupeKey(number), answer: "answer \(number)")
    do {
      try store.submit(submission) { outcome in
        answers.change { answers in
          switch outcome {
          case .success(.committed): answers.committed[number, default: 0] += 1
          case .success(.duplicate(let answer)):
            answers.duplicates[number, default: 0] += 1
            if answer.body != Array("answer \(number)".utf8) { answers.wrongAnswers.append("\(number): \(answer)") }
          case .success(.seen): answers.wrongAnswers.append("\(number): items of a body that has none")
          case .failure(let error): answers.wrongAnswers.append("\(number): \(error)")
          }
        }
        waiting.change { $0 -= 1 }
      }
    } catch {
      answers.change { $0.wrongAnswers.append("\(number): \(error)") }
      waiting.change { $0 -= 1 }
    }
  }
  _ = waiting.wait(timeoutMs: 60_000) { $0 == 0 ? () : nil }
  answers.change { $0.running -= 1 }
}

@Test func everyBodyIsCountedOnceWhoeverSendsItAndHoweverOften() throws {
  let seed = SeededRandom.seed(for: "everyBodyIsCountedOnceWhoeverSendsItAndHoweverOften")
  var random = SeededRandom(state: seed)
  let bodies = (0..<900).map { randomDelta(number: $0, &random) }
  let folder = Folder()
  // These times are ancient to a compaction that goes by the clock, and all of them shall stay.
  let configure = { (configuration: inout StoreConfiguration) in
    configuration.compaction.intervalMs = 5
    configuration.compaction.journalBytesMax = 500
    configuration.retention.rawMs = .max / 4
    configuration.retention.hourMs = .max / 4
  }
  var store = try folder.open(with: configure)
  let answers = Monitor(Answers())
  var sent: [Int: Int] = [:]
  for round in 0..<3 {
    answers.change { $0.running = 4 }
    for thread in 0..<4 {
      // Later rounds may repeat what an earlier one sent, before the store was opened again.
      let numbers = (0..<300).map { _ in Int.random(in: 0..<300 * (round + 1), using: &random) }
      for number in numbers { sent[number, default: 0] += 1 }
      let current = store
      startThread(named: "sender \(thread)") { send(numbers, of: bodies, to: current, answers) }
    }
    let readers = Readers(of: store, isDone: { answers.withLock { $0.running == 0 } })
    while answers.withLock({ $0.running > 0 }) {
      try store.compact(nowMs: 0)
      Thread.sleep(forTimeInterval: Double.random(in: 0...0.005, using: &random))
    }
    try readers.finish(seed: seed)
    try #require(answers.wait(timeoutMs: 60_000) { $0.running == 0 ? true : nil } == true, "RAMPART_SEED=\(seed)")
    store = try folder.reopen(store, with: configure)
  }

  let told = answers.withLock { $0 }
  #expect(told.wrongAnswers.isEmpty, "RAMPART_SEED=\(seed): \(told.wrongAnswers.prefix(5))")
  #expect(told.committed == sent.mapValues { _ in 1 }, "RAMPART_SEED=\(seed)")
  #expect(told.duplicates == sent.mapValues { $0 - 1 }.filter { $0.value > 0 }, "RAMPART_SEED=\(seed)")

  var model = Model()
  for number in sent.keys { model.add(bodies[number]) }
  try expectEqual(store, model, seed: seed)
}

/// Threads that read sums over and over.
private struct Readers {
  private struct State {
    var running = 2
    var reads = 0
    var complaints: [String] = []
  }

  private let state = Monitor(State())

  init(of store: Store, isDone: @escaping @Sendable () -> Bool) {
    for number in 0..<2 {
      startThread(named: "reader \(number)") { [state] in
        var last: [SeriesKey: Int64] = [:]
        while !isDone() {
          do {
            for sum in try store.sums(fromMs: 0, untilMs: windows * stepMs, where: { _ in true }) {
              let previous = last.updateValue(sum.count, forKey: sum.key) ?? 0
              guard sum.count < previous else { continue }
              state.change { $0.complaints.append("\(sum.key.labels): \(sum.count) after \(previous)") }
            }
            state.change { $0.reads += 1 }
          } catch {
            state.change { $0.complaints.append("\(error)") }
          }
        }
        state.change { $0.running -= 1 }
      }
    }
  }

  /// Waits for the readers and says what they saw.
  func finish(seed: UInt64) throws {
    try #require(state.wait(timeoutMs: 60_000) { $0.running == 0 ? true : nil } == true, "RAMPART_SEED=\(seed)")
    let seen = state.withLock { $0 }
    #expect(seen.complaints.isEmpty, "RAMPART_SEED=\(seed): \(seen.complaints.prefix(5)) in \(seen.reads) reads")
  }
}

private func expectEqual(_ store: Store, _ model: Model, seed: UInt64) throws {
  var counts: [Model.Place: Int64] = [:]
  var distributions: [Model.Place: Histogram] = [:]
  for sum in try store.sums(fromMs: 0, untilMs: windows * stepMs, stepMs: stepMs, where: { _ in true }) {
    let place = Model.Place(labels: sum.key.labels, windowStartMs: Int64(sum.step) * stepMs)
    if let histogram = sum.histogram {
      distributions[place] = histogram
      #expect(sum.count == histogram.count, "RAMPART_SEED=\(seed): \(place)")
    } else {
      counts[place] = sum.count
    }
  }
  #expect(counts == model.counts, "RAMPART_SEED=\(seed)")
  #expect(distributions == model.distributions, "RAMPART_SEED=\(seed)")

  // The running totals are kept beside the windows and must never drift from them.
  for state in store.series {
    let ofSeries = { (place: Model.Place) in place.labels == state.key.labels }
    switch state.key.kind {
    case .counter:
      #expect(state.count == counts.filter { ofSeries($0.key) }.map(\.value).reduce(0, +), "RAMPART_SEED=\(seed): \(state.key.labels)")
    case .histogram:
      var total = Histogram()
      for (place, histogram) in distributions where ofSeries(place) { total.add(histogram) }
      #expect(state.histogram == total, "RAMPART_SEED=\(seed): \(state.key.labels)")
    case .gauge:
      #expect(state.value == model.gauges[state.key.labels]?.value, "RAMPART_SEED=\(seed): \(state.key.labels)")
      #expect(state.latestMs == model.gauges[state.key.labels]?.timeMs, "RAMPART_SEED=\(seed): \(state.key.labels)")
    }
  }
}
