// SPDX-License-Identifier: Apache-2.0

import Foundation
import PromQL
import Testing

// Damaged queries: each gives a tree that prints and reads again, or a ParseError, and nothing else.

private let words = [
  "a", "1", "0x1F", "1_0", "1h30m", "Inf", "NaN", "'s'", "\"\\x41\"", "`r`", "(", ")", "{", "}", "[", "]", "[5m]", "[1h:1m]", ",", ":",
  "=", "!=", "=~", "!~", "==", "<", ">=", "</", "+", "-", "*", "/", "%", "^", "@", "@ start()", "and", "or", "unless", "atan2", "bool",
  "on", "ignoring", "group_left", "group_right", "by", "without", "offset", "sum", "topk", "count_values", "limitk", "rate", "abs",
  "label_replace", "round", "time()", "fill", "step", "start", "anchored", "{\"a.b\"}", "b=\"c\"", "#", "\n", " ",
]

private let bytes: [UInt8] = [0x00, 0x09, 0x0a, 0x22, 0x27, 0x5c, 0x60, 0x7f, 0x80, 0xbf, 0xc0, 0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0xff]

private let samples = [
  #"sum by (le, "a.b") (rate(x_bucket{job=~"a|b.*",y!="z"}[5m] offset -1m)) / on(job) group_left(c) (2 ^ -1.5e3)"#,
  #"label_replace(topk(3, a @ 17.5), "dst", "$1", 'src', `(.*)`) > bool 0x1F or b unless c[1h30m:5m] @ end()"#,
]

private func damaged(_ query: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
  var query = query
  for _ in 0..<Int.random(in: 1...4, using: &random) {
    let place = Int.random(in: 0...query.count, using: &random)
    let end = min(query.count, place + Int.random(in: 0...8, using: &random))
    switch Int.random(in: 0..<6, using: &random) {
    case 0: query.insert(contentsOf: words.randomElement(using: &random)!.utf8, at: place)
    case 1: query.replaceSubrange(place..<end, with: words.randomElement(using: &random)!.utf8)
    case 2: query.removeSubrange(place..<end)
    case 3: query.insert(bytes.randomElement(using: &random)!, at: place)
    case 4: query.insert(contentsOf: query[place..<end], at: Int.random(in: 0...query.count, using: &random))
    default: query.removeSubrange(place...)
    }
  }
  return query
}

/// True for a query that was read; whatever is printed of it must read as the same.
private func check(_ query: [UInt8]) -> Bool {
  guard let expr = try? Expr(parsing: query) else { return false }
  let same = [expr.description, expr.prettified, expr.prettified(lineBytesMax: 8)].allSatisfy { text in
    (try? Expr(parsing: text))?.withoutPlaces == expr.withoutPlaces && expr.range.upperBound <= query.count
  }
  #expect(same, "\(String(decoding: query, as: UTF8.self).debugDescription) prints as \(expr)")
  expr.visit { _ = $0.valueType }
  return true
}

@Test func damagedQueriesAreReadOrRefused() {
  let seed = SeededRandom.seed(for: "damagedQueriesAreReadOrRefused")
  var random = SeededRandom(state: seed)
  let queries = (samples + ConformanceQueries.all.map(\.text)).map { Array($0.utf8) }
  var read = 0
  for _ in 0..<40_000 where check(damaged(queries.randomElement(using: &random)!, &random)) { read += 1 }
  for _ in 0..<10_000 {
    let count = Int.random(in: 0...12, using: &random)
    let text = (0..<count).map { _ in words.randomElement(using: &random)! }.joined(separator: Bool.random(using: &random) ? " " : "")
    if check(Array(text.utf8)) { read += 1 }
  }
  for _ in 0..<10_000 {
    let count = Int.random(in: 0...40, using: &random)
    if check((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }) { read += 1 }
  }
  print("damagedQueriesAreReadOrRefused: \(read) of 60000 were read")
  #expect(read > 1_000)
}
