// SPDX-License-Identifier: Apache-2.0

// The keys that one body looks up, on their way to `HotKeys`: every one while lookups are few, a sample when they are
// many. Its size follows `EventSampler`, and not the body.

import JSON

/// Lookups by key of one body.
package struct KeySamples: Sendable {
  /// Longer keys are cut.
  static let keyBytesMax = 256

  struct Entry: Sendable {
    /// Service and cache: their numbers while the body is read, then an index into `places`.
    var place: UInt32
    /// How many lookups it stands for.
    let weight: Int32
    /// Of the key, with the seed of this process.
    let hash: UInt64
    /// Where its bytes end; they begin where those of the entry before end.
    let keyEnd: Int
  }

  private(set) var entries: [Entry] = []
  private(set) var places: [HotKeys.Place] = []
  private(set) var bytes: [UInt8] = []

  package var isEmpty: Bool { entries.isEmpty }

  /// - Parameter key: of `source`.
  mutating func add(_ key: JSONString, _ source: Span<UInt8>, service: Int, cache: Int, weight: Int, seed: UInt64) {
    let place = UInt32(truncatingIfNeeded: service << 16 | cache)
    guard key.hasEscapes else { return add(source, key.start, key.end, place, weight, seed) }
    var text: [UInt8] = []
    JSONCursor.append(key, of: source, to: &text)
    add(text.span, 0, text.count, place, weight, seed)
  }

  private mutating func add(
    _ source: Span<UInt8>, _ start: Int, _ end: Int, _ place: UInt32, _ weight: Int, _ seed: UInt64
  ) {
    let end = min(end, start + KeySamples.keyBytesMax)
    for index in start..<end { bytes.append(source[index]) }
    entries.append(
      Entry(
        place: place, weight: Int32(clamping: weight), hash: Word.hash(source, start, end, seed: seed),
        keyEnd: bytes.count))
  }

  /// Puts names where numbers of labels stand.
  mutating func name(_ labels: EventLabels) {
    var indexes: [UInt32: UInt32] = [:]
    for entry in entries.indices {
      let number = entries[entry].place
      if indexes[number] == nil {
        indexes[number] = UInt32(places.count)
        places.append(
          HotKeys.Place(
            service: labels.services.value(Int(number >> 16)), cache: labels.caches.value(Int(number & 0xffff))))
      }
      entries[entry].place = indexes[number] ?? 0
    }
  }
}
