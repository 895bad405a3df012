// SPDX-License-Identifier: Apache-2.0

// Finds a text among thousands by its hash: flags by key, members of a segment, long lists of a condition. Made once,
// then only read. The texts are an administrator's, so nobody from outside can choose which of them collide.

internal import Assignment

/// Texts in a fixed order, found by their UTF-8 bytes.
struct KeyTable: Sendable {
  /// All texts, one after the other.
  private let bytes: [UInt8]
  /// Where each text ends in `bytes`.
  private let ends: [Int32]
  /// Open addressing: a place holds a text's index plus one, 0 is free. At most half is taken.
  private let places: [Int32]

  /// - Parameter keys: of one that is given twice the first is found.
  init(_ keys: some Sequence<String>) {
    var bytes: [UInt8] = []
    var ends: [Int32] = []
    for key in keys {
      bytes.append(contentsOf: key.utf8)
      ends.append(Int32(bytes.count))
    }
    self.bytes = bytes
    self.ends = ends
    places = KeyTable.places(bytes, ends)
  }

  /// Allocates nothing; one hash and one comparison where no texts collide.
  func index(of key: Span<UInt8>) -> Int? {
    var place = KeyTable.place(of: key, count: places.count)
    while places[place] != 0 {
      let index = Int(places[place]) - 1
      if isEqual(index, key) { return index }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  private func isEqual(_ index: Int, _ key: Span<UInt8>) -> Bool {
    let start = index == 0 ? 0 : Int(ends[index - 1])
    guard Int(ends[index]) - start == key.count else { return false }
    for offset in key.indices where bytes[start + offset] != key[offset] { return false }
    return true
  }

  private static func places(_ bytes: [UInt8], _ ends: [Int32]) -> [Int32] {
    var count = 2
    while count < ends.count * 2 { count *= 2 }
    var places = [Int32](repeating: 0, count: count)
    var start = 0
    for (index, end) in ends.enumerated() {
      var place = place(of: bytes.span.extracting(start..<Int(end)), count: count)
      while places[place] != 0 { place = (place + 1) & (count - 1) }
      places[place] = Int32(index + 1)
      start = Int(end)
    }
    return places
  }

  private static func place(of key: Span<UInt8>, count: Int) -> Int {
    var murmur = Murmur3()
    murmur.update(key)
    return Int(murmur.value) & (count - 1)
  }
}
