// SPDX-License-Identifier: Apache-2.0

// What a selection finds by its labels is what a look at every series finds.

import Storage
import Testing
import TimeSeries

@Test func selectionsByLabelsFindWhatALookAtEverySeriesFinds() throws {
  let seed = SeededRandom.seed(for: "selectionsByLabelsFindWhatALookAtEverySeriesFinds")
  var random = SeededRandom(state: seed)
  let folder = Folder()
  let store = try folder.open()
  for round in 0..<40 as Range<Int64> {
    // The postings grow between the selections.
    var body = nothing
    for _ in 0..<Int.random(in: 1..<4, using: &random) {
      var labels: [String: String] = [:]
      for name in ["a", "b", "le"] where Bool.random(using: &random) { labels[name] = "\(Int.random(in: 0..<3, using: &random))" }
      switch Int.random(in: 0..<6, using: &random) {
      case 0: body = body.counting("hits_total", labels, at: round * 10_000, 1)
      case 1: body = body.counting("hits_sum", labels, at: round * 10_000, 1)
      case 2: body = body.counting("seconds_count", labels, at: round * 10_000, 1)
      case 3: body = body.sampling("level", labels, at: round * 10_000, 1)
      case let other:
        labels["le"] = nil
        body = body.measuring(other == 4 ? "hits" : "seconds", labels, at: round * 10_000, [3: 1], sum: 0.1)
      }
    }
    try store.commit(body)
    let values = [
      "__name__": ["hits_total", "hits_sum", "hits_count", "hits", "seconds_count", "seconds_bucket", "level", "none"],
      "a": ["0", "1", "3", ""], "b": ["0", "2", ""], "le": ["0", "0.001", ""],
    ]
    var wanted: [(name: String, value: String)] = []
    for name in values.keys.sorted() where Int.random(in: 0..<3, using: &random) > 0 {
      wanted.append((name, values[name]!.randomElement(using: &random)!))
    }
    func found(_ operation: Matcher.Operation) throws -> [String] {
      let matchers = try wanted.map { try Matcher($0.name, operation, $0.value) }
      return try store.reading("test") { snapshot in
        let source = StoreSource(snapshot, asOfMs: 1_000_000, widthMs: 10_000)
        return try source.series(matching: matchers, fromMs: 0, throughMs: 1_000_000).map { "\(source.labels(of: $0))" }.sorted()
      }
    }
    #expect(try found(.equal) == found(.matches), "RAMPART_SEED=\(seed): \(wanted)")
  }
}
