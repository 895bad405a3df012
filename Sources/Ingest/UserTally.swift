// SPDX-License-Identifier: Apache-2.0

// Which users a body names, as the registers that they raise in sketches: four bytes an event, and nothing is kept of an
// id. Repetitions stay in the list: the store compares with its own registers anyway, and telling here which are new was
// measured to cost more than the rest, since no processor guesses it.

import JSON
import TimeSeries

/// Hashes users. An id is the same whether it is written as a text, as a number or with escapes.
struct UserHash {
  private let seed: UInt64
  private let lastSeed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    lastSeed = Word.mix(seed ^ 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3) | 1
  }

  /// Whether a value is an id: a text that is not empty, or a number.
  @inline(__always)
  static func isID(_ user: FieldValue) -> Bool {
    user.end > user.start && (user.kind == .string || user.kind == .number)
  }

  /// Nil for what is no id.
  @inline(__always)
  func hash(of user: FieldValue, _ bytes: Span<UInt8>) -> UInt64? {
    guard UserHash.isID(user) else { return nil }
    return user.hasEscapes ? hash(ofEscaped: user, bytes) : hash(bytes, user.start, user.end)
  }

  @inline(never)
  private func hash(ofEscaped user: FieldValue, _ bytes: Span<UInt8>) -> UInt64 {
    var text: [UInt8] = []
    JSONCursor.append(user.string, of: bytes, to: &text)
    return hash(text.span, 0, text.count)
  }

  /// Sixteen bytes at a time (as wyhash does), so that most ids take one turn, whatever their length. Mixed once more than
  /// for a table, because a sketch looks at all bits.
  @inline(__always)
  private func hash(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
    var hash = seed ^ UInt64(truncatingIfNeeded: end &- start)
    var index = start
    repeat {
      let (low, high) = UserHash.pair(bytes, index, end)
      hash = Word.mix(low ^ 0x9e37_79b9_7f4a_7c15, high ^ hash)
      index &+= 16
    } while index < end
    return Word.mix(hash ^ lastSeed, 0xa076_1d64_78bd_642f)
  }

  /// The bytes `start..<end`, at most sixteen of them, the rest zero.
  @inline(__always)
  private static func pair(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> (low: UInt64, high: UInt64) {
    guard let (low, high) = Word.pair(bytes, start) else {
      return (Word.load(bytes, start, end), end - start > 8 ? Word.load(bytes, start + 8, end) : 0)
    }
    let bits = (end &- start) &* 8
    return (low & mask(bits), high & mask(bits &- 64))
  }

  /// The lowest `bits` bits; none below 0, all above 63.
  @inline(__always)
  private static func mask(_ bits: Int) -> UInt64 {
    ~(UInt64.max << UInt64(truncatingIfNeeded: min(max(bits, 0), 64)))
  }
}

/// Registers that the users of a body raise, by service, cache and slice of time.
struct UserTally {
  /// What is seen in one place.
  struct Seen {
    let service: Int
    let cache: Int
    let sliceStartMs: Int64
    var registers: [UInt32] = []
  }

  /// The place of a row that nobody asked for yet.
  static let unknown: Int32 = -1
  /// The place of events that are too old.
  private static let none: Int32 = -2
  /// A word has eleven bits for the place. The last ones are for what is too much, in each slice.
  private static let placesMax = 1 << 11
  private static let placesKept = 32
  private static var above: UInt32 { UserRegister.rankBits &+ UInt32(truncatingIfNeeded: UserRegister.precision) }
  /// A list of more words than this is given back after the body that needed it.
  private static let wordsKeptMax = 1 << 16

  /// Slices before this one no longer count.
  var oldestStartMs: Int64 = .min
  private let seed: UInt64
  private var places: [Seen] = []
  private var placeNumbers: PairTable
  private var words: [UInt32] = []

  init(seed: UInt64) {
    self.seed = seed
    placeNumbers = PairTable(seed: seed)
  }

  mutating func removeAll() {
    guard !places.isEmpty else { return }
    places = []
    placeNumbers = PairTable(seed: seed)
    words.removeAll(keepingCapacity: words.count < UserTally.wordsKeptMax)
  }

  /// The place of the events of a row.
  ///
  /// - Parameter windowStartMs: decides the slice. A window that begins in one and ends in the next is in the first.
  @inline(never)
  mutating func place(_ row: RowLabels, windowStartMs: Int64) -> Int32 {
    let startMs = floor(windowStartMs, to: UserSlices.widthMs)
    guard startMs >= oldestStartMs else { return UserTally.none }
    let number = number(row.service, row.cache, startMs, most: UserTally.placesMax - UserTally.placesKept)
      ?? number(LabelInterner.overflow, LabelInterner.overflow, startMs, most: UserTally.placesMax)
    return number.map { Int32($0) } ?? UserTally.none
  }

  /// The number of a place, a new one while there are fewer than `most`.
  private mutating func number(_ service: Int, _ cache: Int, _ startMs: Int64, most: Int) -> Int? {
    let next = places.count < most ? places.count : UserTally.placesMax
    let number = placeNumbers.number(UInt64(service) << 32 | UInt64(cache), UInt64(bitPattern: startMs), next: next)
    guard number < UserTally.placesMax else { return nil }
    if number == places.count { places.append(Seen(service: service, cache: cache, sliceStartMs: startMs)) }
    return number
  }

  @inline(__always)
  mutating func add(_ hash: UInt64, at place: Int32) {
    guard place >= 0 else { return }
    words.append(UserRegister.word(hash: hash) | UInt32(bitPattern: place) &<< UserTally.above)
  }

  /// What was seen, by place.
  func seen() -> [Seen] {
    guard !places.isEmpty else { return [] }
    var seen = places
    if seen.count == 1 {
      seen[0].registers = words
      return seen
    }
    var counts = [Int](repeating: 0, count: places.count)
    for word in words { counts[Int(word >> UserTally.above)] += 1 }
    for place in seen.indices { seen[place].registers.reserveCapacity(counts[place]) }
    for word in words { seen[Int(word >> UserTally.above)].registers.append(word & (1 << UserTally.above - 1)) }
    return seen
  }
}
