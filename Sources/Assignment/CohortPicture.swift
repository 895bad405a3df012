// SPDX-License-Identifier: Apache-2.0

// Which caches flags govern, and who is in treatment in each: immutable, so that whoever decodes a body reads one picture
// without a lock, whatever changes meanwhile.

/// The cohorts of all governed caches.
package struct CohortPicture: Sendable {
  /// No cache is governed.
  package static let empty = CohortPicture([:])

  /// In no order.
  package let timelines: [CohortTimeline]
  private let names: [[UInt8]]
  /// Open addressing: a place holds an index plus one, 0 is free. At most half is taken.
  private let places: [Int32]

  /// - Parameter timelines: by the name of the cache.
  package init(_ timelines: [String: CohortTimeline]) {
    let named = timelines.filter { !$0.value.segments.isEmpty }.map { (name: Array($0.key.utf8), timeline: $0.value) }
    self.timelines = named.map(\.timeline)
    names = named.map(\.name)
    var count = 2
    while count < names.count * 2 { count *= 2 }
    var places = [Int32](repeating: 0, count: count)
    for (index, name) in names.enumerated() {
      var place = CohortPicture.place(of: name.span, count: count)
      while places[place] != 0 { place = (place + 1) & (count - 1) }
      places[place] = Int32(index + 1)
    }
    self.places = places
  }

  package var isEmpty: Bool { names.isEmpty }

  /// The index of a cache's timeline; nil where no flag ever governed it. Allocates nothing.
  package func index(ofCache name: Span<UInt8>) -> Int? {
    var place = CohortPicture.place(of: name, count: places.count)
    while places[place] != 0 {
      let index = Int(places[place]) - 1
      let candidate = names[index]
      if CohortPicture.equal(candidate.span, name) { return index }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  private static func place(of name: Span<UInt8>, count: Int) -> Int {
    var murmur = Murmur3()
    murmur.update(name)
    return Int(murmur.value) & (count - 1)
  }

  private static func equal(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices where left[index] != right[index] { return false }
    return true
  }
}
