// SPDX-License-Identifier: Apache-2.0

internal import JSON
internal import Synchronization

// Which revision each poller holds, written by every poll. A poll of an instance that is known takes no lock and allocates
// nothing: places never move. The table grows by levels, each four times as large as the one before, and an instance may
// only stand in one set of eight places of each level, so that looking for it ends soon and a place can be given away
// without a trace.

/// Who polls what, as a number: two hashes with seeds that nobody outside knows.
struct PollKey: Equatable {
  private(set) var high: UInt64
  private(set) var low: UInt64

  init(seed: UInt64) {
    high = seed
    low = Word.mix(seed ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db)
  }

  /// Mixes in a text with its length, so that two texts after one another are not the same as others that join alike.
  mutating func add(_ text: Span<UInt8>) {
    high = Word.hash(text, 0, text.count, seed: high)
    low = Word.hash(text, 0, text.count, seed: low)
  }

  mutating func add(_ number: UInt64) {
    high = Word.mix(high ^ number, 0x9e37_79b9_7f4a_7c15)
    low = Word.mix(low ^ number, 0x8ebc_6af0_9c88_c6e3)
  }

  /// The same key as the table keeps it, where 0 is no key.
  fileprivate var kept: (high: UInt64, low: UInt64) { (high | 1, low) }
}

/// Places of acknowledgements; only `insert` and `remove` need a lock, which is the owner's.
final class AcknowledgementTable: Sendable {
  /// When an instance came to hold a revision.
  struct Transition: Equatable {
    let revision: Int64
    let atMs: Int64
  }

  /// What is known of one instance.
  struct Reading {
    let revision: Int64
    let firstMs: Int64
    let lastMs: Int64
    let polls: Int64
    /// The newest ones, ascending by revision.
    let transitions: [Transition]
  }

  /// Where an instance stands as long as it is not removed.
  struct Place: Sendable {
    fileprivate let chunk: Chunk
    fileprivate let index: Int
  }

  /// One instance.
  fileprivate struct Slot: ~Copyable, Sendable {
    /// 0 while nobody stands here; stored last.
    let high = Atomic<UInt64>(0)
    let low = Atomic<UInt64>(0)
    let revision = Atomic<Int64>(0)
    let firstMs = Atomic<Int64>(0)
    /// Of a place that is free: since when.
    let lastMs = Atomic<Int64>(.min)
    let polls = Atomic<Int64>(0)
    let transitionCount = Atomic<Int>(0)
    let transitions = InlineArray<8, TransitionSlot> { _ in TransitionSlot() }
  }

  fileprivate struct TransitionSlot: ~Copyable, Sendable {
    /// 0 while `atMs` is written.
    let revision = Atomic<Int64>(0)
    let atMs = Atomic<Int64>(0)
  }

  fileprivate final class Chunk: Sendable {
    static let count = 256
    let slots = InlineArray<256, Slot> { _ in Slot() }
  }

  private final class Level: Sendable {
    let chunksCount: Int
    /// Which bits of a hash choose the set: others than on other levels, or those that crowd in one set of a level would
    /// crowd in one set of the next.
    let shift: UInt64
    let mask: UInt64
    let chunks = AtomicLazyReference<Chunks>()

    /// - Parameter number: from 0; a level has 4 to the power of it chunks.
    init(_ number: Int) {
      chunksCount = 1 << (2 * number)
      mask = UInt64(chunksCount * Chunk.count / AcknowledgementTable.setCount) - 1
      // Five bits for the first level, two more for each one; the lowest bit of a hash is always set.
      shift = UInt64(1 + number * (number + 4))
    }
  }

  private final class Chunks: Sendable {
    let all: [Chunk]

    init(count: Int) { all = (0..<count).map { _ in Chunk() } }
  }

  /// How many of an instance's transitions are kept.
  static let transitionsMax = 8
  private static let setCount = 8
  /// A place that is given away is not given on for so long: a poll that found the one before may still write to it.
  private static let quarantineMs: Int64 = 60_000
  /// 1, 4, 16, 64, 256 and 1,024 chunks: room for three times as many as the owner keeps.
  private let levels = (0..<6).map(Level.init)

  /// Notes a poll. Takes no lock and allocates nothing.
  ///
  /// - Returns: false for an instance that is not in the table.
  func note(_ key: PollKey, revision: Int64, nowMs: Int64) -> Bool {
    let kept = key.kept
    for level in levels {
      guard let chunks = level.chunks.load() else { return false }
      let start = AcknowledgementTable.set(kept.high, level)
      let chunk = chunks.all[start / Chunk.count]
      for index in start % Chunk.count..<start % Chunk.count + AcknowledgementTable.setCount {
        guard chunk.slots[index].high.load(ordering: .acquiring) == kept.high else { continue }
        guard chunk.slots[index].low.load(ordering: .relaxed) == kept.low else { continue }
        AcknowledgementTable.note(chunk, index, revision: revision, nowMs: nowMs)
        return true
      }
    }
    return false
  }

  /// Gives an instance its place. The caller holds the lock, and knows that the instance has none.
  ///
  /// - Returns: nil where there is no room in its sets.
  func insert(_ key: PollKey, revision: Int64, nowMs: Int64) -> Place? {
    let kept = key.kept
    for level in levels {
      let chunks = level.chunks.load() ?? level.chunks.storeIfNil(Chunks(count: level.chunksCount))
      let start = AcknowledgementTable.set(kept.high, level)
      let chunk = chunks.all[start / Chunk.count]
      for index in start % Chunk.count..<start % Chunk.count + AcknowledgementTable.setCount
      where AcknowledgementTable.isFree(chunk, index, nowMs: nowMs) {
        AcknowledgementTable.take(chunk, index, kept, revision: revision, nowMs: nowMs)
        return Place(chunk: chunk, index: index)
      }
    }
    return nil
  }

  /// Gives the place of an instance away. The caller holds the lock.
  func remove(_ place: Place, nowMs: Int64) {
    place.chunk.slots[place.index].high.store(0, ordering: .releasing)
    place.chunk.slots[place.index].lastMs.store(nowMs, ordering: .relaxed)
  }

  func lastMs(_ place: Place) -> Int64 { place.chunk.slots[place.index].lastMs.load(ordering: .relaxed) }

  func revision(_ place: Place) -> Int64 { place.chunk.slots[place.index].revision.load(ordering: .relaxed) }

  func reading(_ place: Place) -> Reading {
    let chunk = place.chunk
    let index = place.index
    return Reading(
      revision: revision(place), firstMs: chunk.slots[index].firstMs.load(ordering: .relaxed), lastMs: lastMs(place),
      polls: chunk.slots[index].polls.load(ordering: .relaxed), transitions: AcknowledgementTable.transitions(chunk, index))
  }

  // MARK: One place

  private static func set(_ hash: UInt64, _ level: Level) -> Int {
    Int(truncatingIfNeeded: hash &>> level.shift & level.mask) * setCount
  }

  private static func note(_ chunk: Chunk, _ index: Int, revision: Int64, nowMs: Int64) {
    // Stored only where it is another, since a store takes the line from the other processors.
    if chunk.slots[index].lastMs.load(ordering: .relaxed) != nowMs { chunk.slots[index].lastMs.store(nowMs, ordering: .relaxed) }
    chunk.slots[index].polls.wrappingAdd(1, ordering: .relaxed)
    var held = chunk.slots[index].revision.load(ordering: .relaxed)
    // Two polls may be answered from two revisions at once; the newer one stays.
    while held < revision {
      let (isExchanged, original) = chunk.slots[index].revision.compareExchange(
        expected: held, desired: revision, ordering: .relaxed)
      if isExchanged { return addTransition(chunk, index, revision, nowMs) }
      held = original
    }
  }

  private static func isFree(_ chunk: Chunk, _ index: Int, nowMs: Int64) -> Bool {
    guard chunk.slots[index].high.load(ordering: .relaxed) == 0 else { return false }
    let sinceMs = chunk.slots[index].lastMs.load(ordering: .relaxed)
    return sinceMs == .min || nowMs - sinceMs >= quarantineMs
  }

  private static func take(
    _ chunk: Chunk, _ index: Int, _ key: (high: UInt64, low: UInt64), revision: Int64, nowMs: Int64
  ) {
    chunk.slots[index].low.store(key.low, ordering: .relaxed)
    chunk.slots[index].revision.store(revision, ordering: .relaxed)
    chunk.slots[index].firstMs.store(nowMs, ordering: .relaxed)
    chunk.slots[index].lastMs.store(nowMs, ordering: .relaxed)
    chunk.slots[index].polls.store(1, ordering: .relaxed)
    chunk.slots[index].transitionCount.store(0, ordering: .relaxed)
    for number in chunk.slots[index].transitions.indices {
      chunk.slots[index].transitions[number].revision.store(0, ordering: .relaxed)
    }
    addTransition(chunk, index, revision, nowMs)
    chunk.slots[index].high.store(key.high, ordering: .releasing)
  }

  private static func addTransition(_ chunk: Chunk, _ index: Int, _ revision: Int64, _ nowMs: Int64) {
    let number = chunk.slots[index].transitionCount.wrappingAdd(1, ordering: .relaxed).oldValue & (transitionsMax - 1)
    chunk.slots[index].transitions[number].revision.store(0, ordering: .relaxed)
    chunk.slots[index].transitions[number].atMs.store(nowMs, ordering: .releasing)
    chunk.slots[index].transitions[number].revision.store(revision, ordering: .releasing)
  }

  /// One that is being written is left out.
  private static func transitions(_ chunk: Chunk, _ index: Int) -> [Transition] {
    chunk.slots[index].transitions.indices.compactMap { number -> Transition? in
      let before = chunk.slots[index].transitions[number].revision.load(ordering: .acquiring)
      let atMs = chunk.slots[index].transitions[number].atMs.load(ordering: .acquiring)
      let after = chunk.slots[index].transitions[number].revision.load(ordering: .relaxed)
      return before != 0 && before == after ? Transition(revision: before, atMs: atMs) : nil
    }.sorted { $0.revision < $1.revision }
  }
}
